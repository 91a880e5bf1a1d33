"""Two judges that answer everything at random, and one that asks a server as an admin's judges do,
change no figure about people: on no page, in no answer of the API, in no file, and for nobody who
takes an item.
"""

import io
import random
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.utils import timezone

from config.roles import Role
from labeling.data.exports import shapes
from labeling.data.imports.agreement import agreement_of_import
from labeling.kinds.choices import Answer
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Import,
    Item,
    Judgment,
    Pool,
    Prompt,
    QualityReport,
    RankedResponse,
    Rater,
    RaterQuality,
    Slot,
)
from labeling.people.own_data.selectors import own_data
from labeling.people.skills.selectors import active_pool_ids, topic_evidence
from labeling.quality import services as quality_services
from labeling.queue.claiming import claim, item_tests
from labeling.queue.spending.budgets import spending
from labeling.review.selectors import QueueOrder, review_queue
from labeling.votes import demonstrations
from tests.pages.stale.presses import undone
from tests.training.judges.conftest import a_judge, a_model, started, work
from tests.training.judges.judge_stub import JudgeStub, judge_stub
from tests.upgrades import pages, populate
from training.models import Judge as TrainingJudge
from training.models import Schedule
from training.schedules import selectors as schedules_selectors
from training.snapshots import services as snapshots_services
from training.snapshots.freeze import UnableToCreate

Figures = dict[str, Any]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OF_ONE_REQUEST = re.compile(
    rb"""(csrf[\w-]*"[:\s]+(\w+=)?|nonce=)"[^"]+"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"""
    rb"""|(?<=>)[^<]*(?=</time>)""",
    re.IGNORECASE,
)
"""What is new in each answer: tokens, the leases of a preview, and how long ago something was."""
SEARCHED = {"search": {"q": "judge"}}
NO_FIGURES = {
    "api_audit_events": "its ids go on with each page that this test opens",
    "api_storages": "how full the disk is",
    "campaign_judges": "it is about judges",
    "storage": "the same",
}


class Judge:
    """A rater that is no person, with an answer to everything."""

    def __init__(self, alias: str, *, seed: int) -> None:
        self.rater = Rater.everyone.create(alias=alias, kind=Rater.Kind.JUDGE)
        self.draw = random.Random(seed)  # an order, not a secret

    def answer_everything(self) -> None:
        for item in Item.objects.select_related("campaign").order_by("pk"):
            kind = item.campaign.about.answer
            responses = list(item.responses.order_by("pk"))
            self.answer(kind, item.prompt_id, responses, item=item)
        for prompt in Prompt.objects.order_by("pk"):
            self.answer(Answer.DEMONSTRATION, prompt.pk, [])
            self.answer(Answer.COMPARISON, prompt.pk, list(prompt.responses.order_by("pk")))

    def answer(
        self, kind: str, prompt: int, responses: list[Any], *, item: Item | None = None
    ) -> None:
        """In two versions, so that one is not current."""
        before = None
        for version in (1, 2):
            judgment = Judgment.of_everyone.create(
                kind=kind,
                rater=self.rater,
                prompt_id=prompt,
                campaign=item.campaign if item else None,
                item=item,
                guideline_version=item.campaign.guideline_version if item else None,
                is_gold=item is not None and hasattr(item, "gold_use"),
                is_extra=self.draw.random() < 0.3,
                active_s=self.draw.uniform(1, 900),
                submitted_at=NOW - timedelta(minutes=self.draw.uniform(0, 40_000)),
                version=version,
                supersedes=before,
                is_current=version == 2,
            )
            self.parts_of(judgment, responses)
            before = judgment

    def parts_of(self, judgment: Judgment, responses: list[Any]) -> None:
        if judgment.kind == Answer.DEMONSTRATION:
            words = self.draw.choices(["yes", "no", "perhaps"], k=50)
            Demonstration.objects.create(judgment=judgment, text=" ".join(words))
            return
        comparison = Comparison.objects.create(judgment=judgment, reason="Because.")
        self.draw.shuffle(responses)
        RankedResponse.objects.bulk_create(
            RankedResponse(
                comparison=comparison,
                response=response,
                position=place,
                rank=self.draw.randint(1, 4),
                ratings={"overall": self.draw.randint(1, 7)},
            )
            for place, response in enumerate(responses)
        )


def figures() -> Figures:
    """Everything about people that the site says, by where it says so."""
    found: Figures = {}
    with undone():
        with connection.cursor() as cursor:
            # As autovacuum does on a site. If these tables were analyzed while they were empty, the
            # page of a model takes seconds.
            cursor.execute("ANALYZE")
        QualityReport.objects.all().delete()
        for campaign in Campaign.objects.order_by("pk"):
            if campaign.about.answer == Answer.COMPARISON:
                quality_services.compute_quality(campaign_id=campaign.pk, now=populate.at(days=9))
        for listed in (reports, of_campaigns, of_people, answers, files, snapshots, given_out):
            found |= listed()
    return found


def reports() -> Iterator[tuple[str, Any]]:
    for report in QualityReport.objects.order_by("campaign"):
        yield f"report of {report.campaign_id}", (report.n_judgments, report.results)
    for row in RaterQuality.objects.order_by("report__campaign", "rater"):
        yield f"quality of {row.rater_id} in {row.report.campaign_id}", (row.n_flags, row.results)


def of_campaigns() -> Iterator[tuple[str, Any]]:
    for campaign in Campaign.objects.order_by("pk"):
        name = campaign.name
        yield f"spending of {name}", spending(campaign=campaign)
        yield f"demonstrations of {name}", demonstrations.written(campaign=campaign)
        yield f"writers of {name}", demonstrations.writers(campaign=campaign)
        for order in QueueOrder.values:
            yield f"{order} reviews of {name}", review_queue(campaign=campaign, order=order)
    for batch in Import.objects.order_by("pk"):
        yield f"agreement of import {batch.pk}", agreement_of_import(batch=batch)
    for schedule in Schedule.objects.order_by("pk"):
        yield f"new for {schedule.name}", schedules_selectors.n_new(schedule=schedule)


def of_people() -> Iterator[tuple[str, Any]]:
    yield "active pools", active_pool_ids(now=populate.at(days=3))
    for pool in Pool.objects.order_by("pk"):
        yield f"evidence in {pool.name}", topic_evidence(pool=pool)
    for rater in Rater.people.order_by("pk"):
        yield f"data of {rater.alias}", list(own_data(rater=rater))


def files() -> Iterator[tuple[str, Any]]:
    """Every shape of export, with all that may be in one."""
    campaigns = [None, *Campaign.objects.order_by("pk")]
    for shape in shapes.SHAPES:
        for campaign in campaigns:
            chosen = [campaign.pk] if campaign else None
            for everything in (True, False):
                rows = shapes.records(
                    shape,
                    campaigns=chosen,
                    include_imports=everything,
                    include_extra=everything,
                    include_gold=everything,
                    include_repeats=everything,
                    include_set_aside=everything,
                )
                yield f"{shape} of {campaign}, {everything=}", list(rows)


def snapshots() -> Iterator[tuple[str, Any]]:
    campaigns = tuple(Campaign.objects.order_by("pk").values_list("pk", flat=True))
    everything = {"includes_extra": True, "includes_repeats": True, "includes_set_aside": True}
    for kind, chosen in (
        ("demonstrations", {}),
        ("demonstrations", everything),
        ("demonstrations", {"best_voted_in": campaigns}),
        ("comparisons", {}),
        ("comparisons", {**everything, "weighs_by_reliability": True}),
        ("unpaired", {}),
        ("prompts", {}),
    ):
        filters = snapshots_services.Filters(**chosen)
        try:
            frozen = snapshots_services.create_snapshot(
                kind=kind, name=kind, filters=filters, by=None, now=populate.at(days=3)
            )
        except UnableToCreate as refused:
            yield f"snapshot of {kind}, {chosen}", str(refused)
        else:
            members = list(frozen.memberships.order_by("judgment").values_list("judgment"))
            yield f"snapshot of {kind}, {chosen}", (frozen.fingerprint, frozen.card, members)


def given_out() -> Iterator[tuple[str, Any]]:
    """What each rater gets next, whether a campaign is open or would be."""
    for campaign in Campaign.objects.order_by("pk"):
        Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.OPEN)
        campaign.refresh_from_db()
        for rater in Rater.people.filter(user__isnull=False).order_by("pk"):
            try:
                with transaction.atomic():
                    slot = claim.claim(campaign=campaign, rater=rater, now=populate.at(days=4))
            except claim.UnableToClaim as refused:
                yield f"{rater.alias} in {campaign.name}", str(refused)
            else:
                yield f"{rater.alias} in {campaign.name}", slot and (slot.item_id, slot.number)
    people = list(Rater.people.order_by("pk").values_list("pk", flat=True))
    items = list(Item.objects.order_by("pk").values_list("pk", flat=True))
    yield "met", item_tests.met(item_ids=items, rater_ids=people)
    yield "slots", list(Slot.objects.order_by("pk").values_list("pk", "item", "state", "rater"))


def answers() -> Iterator[tuple[str, Any]]:
    """Pages, files and the API, for each role."""
    for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER):
        client = Client(raise_request_exception=False)
        client.force_login(pages.person_of(role), backend="accounts.login.sessions.Backend")
        for name in set(pages.names(role)) - NO_FIGURES.keys():
            for address in pages.addresses(name):
                answer = client.get(address, SEARCHED.get(name))
                content = b"".join(answer) if answer.streaming else answer.content
                yield f"{address} as {role}", (answer.status_code, _plain(content))


def _plain(content: bytes) -> object:
    """A page without what is new in each answer; an archive without its time."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return OF_ONE_REQUEST.sub(b"", content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def differences(before: Figures, after: Figures) -> list[str]:
    return [
        f"{name}: {_at_the_difference(before.get(name), after.get(name))}"
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    ]


def _at_the_difference(before: Any, after: Any) -> str:
    old, new = str(before), str(after)
    pairs = zip(old, new, strict=False)
    place = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
    return (
        f"…{old[max(0, place - 60) : place + 60]!r} became {new[max(0, place - 60) : place + 60]!r}"
    )


def judges_that_ask(stub: JudgeStub) -> list[TrainingJudge]:
    """One in each campaign of pairs, started: adding and starting one is in the audit log."""
    researcher, admin = pages.person_of(Role.RESEARCHER), pages.person_of(Role.ADMIN)
    model = a_model(stub.url, researcher)
    campaigns = Campaign.objects.filter(n_responses=2, kind="comparison").exclude(state="draft")
    return [started(a_judge(campaign, model, admin), admin, now=NOW) for campaign in campaigns]


@pytest.fixture
def server(settings: LazySettings) -> Iterator[JudgeStub]:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    with judge_stub() as stub:
        yield stub


@pytest.mark.slow
@pytest.mark.django_db
def test_judges_that_answer_at_random_change_no_figure_about_people(
    monkeypatch: pytest.MonkeyPatch, server: JudgeStub
) -> None:
    populate.populate()
    MigrationLoader(None)  # a page may load migrations, which keep this function as a default
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    asking = judges_that_ask(server)
    before = figures()
    work(now=NOW)
    assert Judgment.of_everyone.filter(rater__in=[judge.rater for judge in asking]).exists()

    for seed, alias in enumerate(("Judge", "Withdrawn judge")):
        Judge(alias, seed=seed).answer_everything()
    Rater.everyone.filter(alias="Withdrawn judge").update(withdrawn_at=NOW)

    assert differences(before, figures()) == []
