"""The Python client against the real site: its calls, refusals and lost responses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.webhooks import services as webhooks_services
from client_build import generate
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.review import set_aside
from preferably_client import AsyncPreferably, Judgment, Preferably, Problem
from tests.api.conftest import secret_of
from tests.api.test_labeling import QUESTION, ranked, written
from tests.api.test_training import weekly
from tests.cast import NOON, responses_to, some_prompts
from tests.training import cast
from training.models import Chain, Link, RunPoint


def test_the_client_is_made_from_the_schema_as_it_is(db: None) -> None:
    """A new operation, field or sentence fails this until `make client` has run."""
    schema = Client().get("/api/v1/schema").json()

    assert [path.name for path in generate.out_of_date(schema)] == []


def test_both_clients_have_a_method_for_every_operation(db: None) -> None:
    paths = Client().get("/api/v1/schema").json()["paths"]
    operations = {
        operation["operationId"] for methods in paths.values() for operation in methods.values()
    }

    assert operations
    for client in (Preferably, AsyncPreferably):
        assert {name for name in operations if not hasattr(client, name)} == set()


def test_a_script_makes_a_prompt_and_reads_it_back(site: Preferably) -> None:
    made = site.create_prompt(QUESTION, category="open_qa")

    assert site.read_prompt(made.id) == made
    assert (made.messages[0].content, made.category) == ("Why is the sky blue?", "open_qa")


def test_a_list_is_read_over_all_its_pages(site: Preferably) -> None:
    ids = {prompt.pk for prompt in some_prompts(450)}

    assert {prompt.id for prompt in site.list_prompts()} == ids


def test_a_script_sets_up_a_campaign_and_steers_it(site: Preferably, guideline: Guideline) -> None:
    responses_to(some_prompts(2), n=4)
    pool = site.create_pool("Night shift")
    (known,) = site.list_guidelines()

    made = site.create_campaign(
        name="By script",
        kind="comparison",
        pool=pool.id,
        guideline=known.id,
        n_responses=4,
        overlap=3,
    )
    site.open_campaign(made.id)

    assert [campaign.id for campaign in site.list_campaigns(state="open")] == [made.id]
    assert site.read_campaign(made.id).progress.n_slots == 6
    assert site.pause_campaign(made.id).state == "paused"
    assert site.close_campaign(made.id).state == "closed"
    assert site.read_pool(pool.id).n_campaigns == 1


def test_judgments_come_as_rows_and_go_on_from_the_last_id(
    site: Preferably, comparison_campaign: Campaign, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    ranked(comparison_campaign, rosa)
    (first,) = site.list_judgments()
    written(demonstration_campaign, rosa, "It scatters.")
    (second,) = site.list_judgments(cursor=first.id)

    assert isinstance(first, Judgment)
    assert first.comparison is not None
    assert [entry.rank for entry in first.comparison.responses] == [2, 1, 2, None]
    assert second.demonstration is not None
    assert second.demonstration.text == "It scatters."
    assert list(site.list_judgments(campaign=comparison_campaign.pk)) == [first]


def test_events_of_judgments_go_on_from_the_last_id(
    site: Preferably, comparison_campaign: Campaign, rosa: Rater
) -> None:
    judgment = ranked(comparison_campaign, rosa)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=NOON)
    (first,) = site.list_judgment_events()
    set_aside.take_back(judgment=judgment, by=None, now=NOON)
    (second,) = site.list_judgment_events(cursor=first.id)

    assert [(one.event, one.judgment) for one in (first, second)] == [
        ("set_aside", judgment.pk),
        ("restored", judgment.pk),
    ]


def test_a_script_cuts_a_snapshot_and_queues_a_run(
    site: Preferably,
    demonstration_campaign: Campaign,
    rosa: Rater,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    settings.SNAPSHOTS_DIR = tmp_path
    written(demonstration_campaign, rosa)
    model = site.register_model(name="base", location="owner/model", licence="Apache-2.0")
    snapshot = site.cut_snapshot(
        kind="demonstrations",
        name="This week's",
        filters={"campaigns": [demonstration_campaign.pk]},
    )

    run = site.queue_run(
        kind="sft", name="Weekly", snapshot=snapshot.id, base_model=model.id, preset="small"
    )

    assert (run.state, run.config["max_rows"]) == ("queued", 150)
    assert [found.id for found in site.list_runs(kind="sft", state="queued")] == [run.id]
    assert site.read_snapshot(snapshot.id) == snapshot == next(site.list_snapshots())
    assert site.read_model(model.id) == model == next(site.list_models())
    assert site.stop_run(run.id).outcome == "stopped"
    assert site.retry_run(run.id).state == "queued"
    assert site.kill_run(run.id).outcome == "stopped"


def test_a_script_asks_for_the_cost_and_steers_the_line(
    site: Preferably, bo: User, settings: LazySettings, tmp_path: Path
) -> None:
    settings.RUNS_DIR = settings.SNAPSHOTS_DIR = settings.MODELS_DIR = tmp_path
    run, other = cast.a_run(bo), cast.a_run(bo, name="other")

    cost = site.estimate_run(
        kind="sft", snapshot=run.snapshot_id, base_model=run.base_model_id, preset="small"
    )
    ended = cast.finished(cast.a_run(bo, state="running", n_points=3), "succeeded")
    type(ended).objects.filter(pk=ended.pk).update(kept_step=3)

    assert (cost.n_steps, cost.times) == (19, [])
    assert site.extend_run(ended.pk, 9).made_from == ended.pk
    assert site.set_run_priority(run.pk, 7).priority == 7
    assert site.move_run(other.pk, -1).priority == 8
    assert site.pin_run(run.pk).is_pinned
    assert not site.unpin_run(run.pk).is_pinned
    assert site.pin_model(run.base_model_id).is_pinned
    assert not site.unpin_model(run.base_model_id).is_pinned
    lost = cast.finished(cast.a_run(bo, state="running", name="lost"), "lost", "Its node is gone.")
    assert site.give_up_run(lost.pk).is_freed


def test_a_script_approves_a_model_and_publishes_it(site: Preferably, bo: User) -> None:
    model = cast.a_model(bo)

    changed = site.change_model(model.pk, stage="approved", card="# Ours")
    made = site.publish_model(model.pk, "team/ours")

    assert (changed.stage, changed.licence, changed.archive) == (
        "approved",
        "Apache-2.0",
        f"/api/v1/models/{model.pk}/archive",
    )
    assert (site.read_model_card(model.pk).text, site.read_model_card(model.pk).is_written) == (
        "# Ours",
        True,
    )
    assert (made.state, made.is_private) == ("queued", True)
    assert site.read_publication(made.id) == made == next(site.list_model_publications(model.pk))


def test_a_script_changes_a_webhooks_secret(site: Preferably, bo: User) -> None:
    hook, before = webhooks_services.create_webhook(
        name="CI", url="https://ci.example.org/", events=["run.finished"], by=bo, now=timezone.now()
    )

    told = site.rotate_webhook_secret(hook.pk)

    assert told.secret not in (before, "")
    assert site.read_webhook(hook.pk).old_secret_until == told.old_secret_until
    assert site.end_webhook_secret(hook.pk) == next(site.list_webhooks())


def test_a_script_creates_changes_and_deletes_a_webhook(site: Preferably) -> None:
    made = site.create_webhook(name="CI", url="https://ci.example.org/", events=["run.finished"])
    changed = site.change_webhook(made.id, name="CI of main")
    site.delete_webhook(made.id)

    assert made.secret.startswith("whsec_")
    assert (changed.name, changed.events) == ("CI of main", ["run.finished"])
    assert list(site.list_webhooks()) == []


def test_a_run_is_followed_to_its_end_through_a_resume(bo: User, wsgi: Any) -> None:
    run = cast.a_run(bo, state="running", n_points=3)

    def meanwhile(_seconds: float) -> None:
        """The run resumes at step 3, reaches 4, and ends."""
        RunPoint.objects.bulk_create(
            RunPoint(run=run, attempt=2, step=step, at=timezone.now(), values={"loss": 1.0})
            for step in (3, 4)
        )
        cast.finished(run, "succeeded")

    site = Preferably(
        "http://testserver",
        token=secret_of(bo),
        transport=httpx2.WSGITransport(app=wsgi),
        pause=meanwhile,
    )

    assert [(point.attempt, point.step) for point in site.follow_run(run.pk)] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 3),
        (2, 4),
    ]
    assert [point.step for point in site.read_run_points(run.pk, attempt=2)] == [3, 4]
    assert site.read_run(run.pk).outcome == "succeeded"


def test_a_runs_samples_and_log_are_read_and_followed(bo: User, wsgi: Any) -> None:
    run = cast.a_run(
        bo, state="running", n_points=3, log_tail="one\ntwo\nthr", log_attempt=1, n_log_lines=2
    )

    def meanwhile(_seconds: float) -> None:
        type(run).objects.filter(pk=run.pk).update(log_tail="two\nthree\n", n_log_lines=3)
        run.log_tail, run.n_log_lines = "two\nthree\n", 3
        cast.finished(run, "succeeded")

    site = Preferably(
        "http://testserver",
        token=secret_of(bo),
        transport=httpx2.WSGITransport(app=wsgi),
        pause=meanwhile,
    )

    assert site.read_run_log(run.pk).unfinished == "thr"
    assert [(line.number, line.text) for line in site.follow_run_log(run.pk)] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
    ]
    assert [round(sample.scores["reward"], 2) for sample in site.list_run_samples(run.pk)] == [
        0.62,
        1.62,
    ]


def test_a_script_steers_a_schedule(site: Preferably, bo: User) -> None:
    schedule = weekly(bo)

    assert site.pause_schedule(schedule.pk).paused_at is not None
    assert (
        site.resume_schedule(schedule.pk)
        == site.read_schedule(schedule.pk)
        == next(site.list_schedules())
    )
    assert site.fire_schedule(schedule.pk).n_firings == 1


def test_a_script_sets_up_a_schedule_and_has_its_say_in_the_chain(
    site: Preferably, bo: User
) -> None:
    made = site.create_schedule(
        "fine-tune",
        name="Mondays",
        base_model=cast.a_model(bo).pk,
        quiet_from="22:00",
        quiet_until="06:00",
    )
    changed = site.change_schedule(made.id, name="Tuesdays", approvals=["sft"])
    site.fire_schedule(made.id)
    (begun,) = site.list_chains(schedule=made.id)
    Link.objects.filter(chain=begun.id, step="sft").update(state="approval")
    Chain.objects.update(state="approval")

    approved = site.approve_chain(begun.id)
    Chain.objects.update(state="failed", error="Out of memory.")

    assert (made.quiet_from, changed.name, changed.plan["approvals"]) == (
        "22:00:00",
        "Tuesdays",
        ["sft"],
    )
    assert [(link.step, link.state, link.approved_by) for link in approved.links] == [
        ("demonstrations", "waiting", None),
        ("sft", "waiting", "Bo"),
    ]
    assert site.read_chain(begun.id).error == "Out of memory."
    assert site.resume_chain(begun.id).state == "going"
    assert site.stop_chain(begun.id) == next(site.list_chains(state="stopped"))


def test_what_the_site_refuses_is_raised_in_its_words(site: Preferably, day_shift: Pool) -> None:
    with pytest.raises(Problem) as refused:
        site.create_pool("Day shift")

    assert refused.value.status == 400
    assert refused.value.errors == {"name": ["Another pool already has this name."]}
    assert (
        str(refused.value)
        == "Some values are invalid. (400)\nname: Another pool already has this name."
    )


def test_a_wrong_token_is_refused_in_the_sites_words(wsgi: Any) -> None:
    site = Preferably(
        "http://testserver", token="pfb_none", transport=httpx2.WSGITransport(app=wsgi)
    )

    with pytest.raises(Problem, match=r"Unknown token. Create one on your profile page. \(401\)"):
        next(site.list_pools())


class Losing(httpx2.BaseTransport):
    """The call reaches the site and the first answers are lost on the way back."""

    def __init__(self, app: Callable[..., Any], *, n_lost: int) -> None:
        self.inner, self.n_lost = httpx2.WSGITransport(app=app), n_lost

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self.inner.handle_request(request)
        if self.n_lost:
            self.n_lost -= 1
            raise httpx2.ReadError("the connection was reset", request=request)
        return response


def test_a_write_whose_answer_was_lost_is_sent_again_and_done_once(bo: User, wsgi: Any) -> None:
    pauses: list[float] = []
    site = Preferably(
        "http://testserver",
        token=secret_of(bo),
        transport=Losing(wsgi, n_lost=2),
        pause=pauses.append,
    )

    pool = site.create_pool("Night shift")

    assert Pool.objects.get().pk == pool.id
    assert pauses == [0.5, 2.0]


def test_after_four_tries_the_failure_is_the_callers(bo: User, wsgi: Any) -> None:
    site = Preferably(
        "http://testserver",
        token=secret_of(bo),
        transport=Losing(wsgi, n_lost=9),
        pause=lambda _s: None,
    )

    with pytest.raises(httpx2.ReadError):
        site.create_pool("Night shift")


def test_the_client_waits_as_long_as_the_site_says(
    bo: User, wsgi: Any, settings: LazySettings
) -> None:
    settings.API_READS_PER_MINUTE = 1

    def set_no_limit(seconds: float) -> None:
        assert 1 <= seconds <= 60
        settings.API_READS_PER_MINUTE = 0

    site = Preferably(
        "http://testserver",
        token=secret_of(bo),
        transport=httpx2.WSGITransport(app=wsgi),
        pause=set_no_limit,
    )

    assert list(site.list_pools()) == list(site.list_pools()) == []
