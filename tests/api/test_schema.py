"""The schema is complete, and the API's responses match it, whatever is sent."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import schemathesis
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, HookContext
from schemathesis.checks import CheckFunction
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from accounts.models import Delivery, User
from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from labeling.models import (
    Campaign,
    Import,
    ItemQuestion,
    JudgmentReview,
    ProlificStudy,
    Rater,
    Source,
)
from labeling.models import Case as SkippedItem
from labeling.pay import services as pay_services
from labeling.people.crowd import services as crowd_services
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.onboarding import services as onboarding_services
from tests.api.conftest import secret_of
from tests.api.test_labeling import written
from tests.api.test_training import weekly
from tests.cast import PASSWORD, login_of, rater_called
from tests.training import cast
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.nodes.test_node_pages import a_node
from training.configs import kinds
from training.models import Publication
from training.schedules import services as schedules_services

EXAMPLES = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# One method that an address does not take stands for the others: each of them costs a call for
# every way to make one.
CONFIG = schemathesis.Config.from_dict({"phases": {"coverage": {"unexpected-methods": ["DELETE"]}}})
KEY = "Idempotency-Key"
REPEATED_EVERY = 10
"""Of the cases that repeat others, one in so many is sent."""


def test_the_schema_is_valid_and_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True)

    assert "warning" not in capsys.readouterr().err.lower()


def test_the_schema_is_one_by_the_checker_that_generators_use(db: None) -> None:
    openapi_spec_validator.validate(Client().get("/api/v1/schema").json())


def test_every_default_is_one_of_the_values_that_the_schema_allows(db: None) -> None:
    """Generators of clients leave out an operation whose body says otherwise."""
    schema = Client().get("/api/v1/schema").json()
    enums = {
        f"#/components/schemas/{name}": component["enum"]
        for name, component in schema["components"]["schemas"].items()
        if "enum" in component
    }
    wrong, nodes = [], [schema]
    while nodes:
        node = nodes.pop()
        nodes += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        if not isinstance(node, dict) or not isinstance(node.get("default"), str):
            continue
        parts = [node, *node.get("allOf", ()), *node.get("oneOf", ())]
        allowed = [part.get("enum") or enums.get(part.get("$ref", "")) for part in parts]
        if any(allowed) and not any(node["default"] in values for values in allowed if values):
            wrong.append(node)
    assert wrong == []


def test_the_schema_lists_the_kinds_of_run(db: None) -> None:
    schemas = Client().get("/api/v1/schema").json()["components"]["schemas"]

    assert schemas["RunKind"]["enum"] == list(kinds.KINDS)


def test_the_schema_is_served_to_anybody(db: None) -> None:
    schema = Client().get("/api/v1/schema").json()

    assert schema["openapi"].startswith("3.")
    assert {"/api/v1/judgments", "/api/v1/runs/{id}/points"} <= set(schema["paths"])


def test_every_operation_has_a_name_of_its_own_and_asks_for_a_token(db: None) -> None:
    paths = Client().get("/api/v1/schema").json()["paths"]
    operations = [
        operation
        for methods in paths.values()
        for operation in methods.values()
        if "operationId" in operation
    ]
    ours = [operation for operation in operations if operation["operationId"] != "read_schema"]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all({"token": []} in operation["security"] for operation in ours)
    assert all({"401", "403", "429"} <= set(operation["responses"]) for operation in ours)


@pytest.fixture
def both(db: None) -> User:
    """Admin and researcher in one person."""
    return User.objects.create_user(
        email="bo@example.org", name="Bo", password=PASSWORD, is_admin=True, is_researcher=True
    )


@pytest.fixture
def site(
    both: User,
    demonstration_campaign: Campaign,
    settings: LazySettings,
    tmp_path: Path,
) -> dict[str, int]:
    """An object for every kind of URL, by the first word of its path."""
    for name in ("RUNS_DIR", "SNAPSHOTS_DIR", "MODELS_DIR", "UPLOADS_DIR"):
        setattr(settings, name, tmp_path / name)
        (tmp_path / name).mkdir()
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 0
    rosa = rater_called("Rosa", pool=demonstration_campaign.pool)
    events = ["run.finished"]
    hook, _secret = webhooks_services.create_webhook(
        name="CI", url="https://ci.example.org/", events=events, by=both, now=timezone.now()
    )
    webhooks_services.send_event(
        event=Event.RUN_FINISHED, key="run-1", data={"id": 1}, now=timezone.now()
    )
    run = cast.a_run(both, state="running", n_points=30)
    schedule = weekly(both)
    chain = schedules_services.fire_now(schedule=schedule, by=both, now=timezone.now())
    return {
        "prompts": demonstration_campaign.items.first().prompt_id,
        "pools": demonstration_campaign.pool_id,
        "campaigns": demonstration_campaign.pk,
        "runs": run.pk,
        "snapshots": run.snapshot_id,
        "models": run.base_model_id,
        "suites": tiny_suite().pk,
        "publications": Publication.objects.create(model=run.base_model, repository="team/ours").pk,
        "schedules": schedule.pk,
        "chains": chain.pk,
        "webhooks": hook.pk,
        "deliveries": Delivery.objects.get().pk,
        "nodes": a_node().pk,
        "withdrawals": rosa.pk,
        "pay": rosa.pk,
        **waiting(demonstration_campaign, rosa),
        **_set_up(demonstration_campaign, rosa),
    }


def waiting(campaign: Campaign, rater: Rater) -> dict[str, int]:
    """An import, an answer with an appeal, a question and so on."""
    judgment, now = written(campaign, rater), timezone.now()
    items = campaign.items.exclude(judgments=judgment)
    source = Source.objects.create(name="rivers", kind=Source.Kind.IMPORT, licence="MIT")
    day = now.date()
    dispute = pay_services.raise_dispute(rater=rater, since=day, until=day, text="?", now=now)
    review = JudgmentReview.objects.create(judgment=judgment, appeal="Why?", appealed_at=now)
    case = SkippedItem.objects.create(item=items[0], queue=SkippedItem.Queue.SAFETY, opened_at=now)
    asked = ItemQuestion.objects.create(item=items[1], rater=rater, text="Why?", asked_at=now)
    return {
        "imports": Import.objects.create(file_name="a", path="a", format="csv", source=source).pk,
        "judgments": judgment.pk,
        "appeals": review.pk,
        "cases": case.pk,
        "questions": asked.pk,
        "pay-disputes": dispute.pk,
    }


def _set_up(campaign: Campaign, rater: Rater) -> dict[str, int]:
    """What surrounds a campaign: people, onboarding, a crowd."""
    who_and_when: dict[str, Any] = {"by": None, "now": timezone.now()}
    topics = [{"topic": "chess"}]
    step = onboarding_services.add_step(
        pool=campaign.pool, kind="topics", title="x", text="", questions=topics, **who_and_when
    )
    attempt = onboarding_services.submit_step(
        step=step, rater=rater, version=1, answers=["chess"], now=timezone.now()
    )
    link = crowd_services.create_crowd_link(
        campaign=campaign, name="x", id_parameter="id", completion_code="x", **who_and_when
    )
    study = ProlificStudy.objects.create(
        link=link,
        prolific_id="x",
        reward=100,
        minutes=5,
        n_places=3,
        poll_due_at=timezone.now(),
        created_at=timezone.now(),
    )
    submission = study.submissions.create(prolific_id="x", participant_id="x", status="ACTIVE")
    bonus = study.bonuses.create(prolific_id="x", amount=1, total=1, created_at=timezone.now())
    (sent,) = invitations_services.invite_to_pool(
        pool=campaign.pool, invitees=[Invitee("ines@example.org")], **who_and_when
    )
    return {
        "guidelines": campaign.guideline_id,
        "raters": rater.pk,
        "people": login_of(rater).pk,
        "steps": step.pk,
        "attempts": attempt.pk,
        "crowd-links": link.pk,
        "prolific-studies": study.pk,
        "prolific-submissions": submission.pk,
        "prolific-bonuses": bonus.pk,
        "invitations": sent.invitation.pk,
    }


@pytest.fixture
def probed() -> set[str]:
    """The operations that have refused calls without a token and with a wrong one."""
    return set()


@pytest.fixture
def secret(both: User) -> str:
    return secret_of(both)


@pytest.fixture
def api(site: dict[str, int], wsgi: Any) -> Any:
    loaded = schemathesis.openapi.from_wsgi("/api/v1/schema", wsgi, config=CONFIG)
    loaded.hook("filter_case")(_without_repetition())
    return loaded


def _is_systematic(case: Case) -> bool:  # type: ignore[type-arg]
    return isinstance(case.meta.phase.data, CoveragePhaseData)


def _without_repetition() -> Callable[[HookContext, Case], bool]:  # type: ignore[type-arg]
    """Schemathesis works out almost 15,000 cases from the schema, most of them for parameters that
    many operations share, such as `limit` and `Idempotency-Key`. Every operation gets a right and a
    wrong value for each of its parameters. Every kind of value is sent for each parameter, but to
    one operation that has it, and to some of the others. What hypothesis draws is sent in full.
    """
    sent: set[object] = set()
    n_seen = 0

    def is_kept(context: HookContext, case: Case) -> bool:  # type: ignore[type-arg]
        nonlocal n_seen
        if not _is_systematic(case):
            return True
        what, operation = case.meta.phase.data, case.operation.label
        n_seen += 1
        if KEY in case.headers and what.parameter != KEY:
            case.headers[KEY] = f"case-{n_seen}"  # otherwise most would be refused for their key
        parameter = (what.parameter_location, what.parameter)
        kind = (what.scenario, what.description, what.location, *parameter)
        own = (operation, case.meta.generation.mode, *parameter)
        is_drawn = zlib.crc32(str(n_seen).encode()) % REPEATED_EVERY == 0
        if {kind, own} <= sent and not is_drawn:
            return False
        sent.update([kind, own])
        return True

    return is_kept


schema = schemathesis.pytest.from_fixture("api")


# `Case` stays without its argument: the examples are drawn from this function's words, and other
# words draw other examples.
@schema.parametrize()
@EXAMPLES
def test_whatever_is_sent_is_answered_as_documented(
    case: Case,  # type: ignore[type-arg]
    secret: str,
    site: dict[str, int],
    probed: set[str],
) -> None:
    """Ids are made up, so some of them are put right: otherwise all would be 404."""
    made_up, known = case.path_parameters.get("id"), site.get(case.path.split("/")[3])
    if known is not None and isinstance(made_up, int) and made_up % 3 == 0:
        case.path_parameters["id"] = known

    # A body may be right and still be refused: turns that do not alternate, nothing left to cut a
    # snapshot from. So may two dates, in the wrong order.
    may_be_refused = case.method != "GET" or "until" in (case.query or {})
    excluded: list[CheckFunction] = [positive_data_acceptance] if may_be_refused else []
    if KEY in (case.headers or {}) and _is_systematic(case):
        # Text fields take a number for its digits, and forms an empty field for one left out.
        excluded.append(negative_data_rejection)
    if case.operation.label in probed:
        excluded.append(ignored_auth)  # which repeats a call up to three times
    response = case.call_and_validate(
        # Called without a server in between, nobody unpacks what was compressed.
        headers={"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"},
        excluded_checks=excluded,
    )
    if response.status_code < 400:
        probed.add(case.operation.label)
