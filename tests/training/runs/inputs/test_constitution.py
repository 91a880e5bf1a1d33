"""What a run that revised answers leaves: its principles are a guideline's, and snapshots take the
last revision of each prompt, or that one against the first answer.
"""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.guidelines import constitution, rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import GuidelineVersion, Judgment
from tests.html import text_of
from tests.training import revising
from tests.training.conftest import NOW
from tests.training.snapshots.test_freezing import on_split, rows
from training.models import Run, Snapshot, TrainedModel
from training.runs import run_queue
from training.runs.supervisor import prepare
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters, UnableToCreate

pytestmark = pytest.mark.django_db


@pytest.fixture
def principled(noor: User) -> GuidelineVersion:
    return revising.a_constitution(noor)


@pytest.fixture
def queue(
    noor: User, base_model: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> Callable[..., Run]:
    def queued(version: int) -> Run:
        return revising.queued(base_model, make_snapshot("prompts"), version, by=noor)

    return queued


@pytest.fixture
def revised(queue: Callable[..., Run], principled: GuidelineVersion) -> Callable[..., Run]:
    def make(written: revising.Written) -> Run:
        return revising.ended(queue(principled.pk), written)

    return make


def taken(run: Run, kind: str, by: User) -> Snapshot:
    return snapshots_services.create_snapshot(
        kind=kind, name=kind, filters=Filters(revised_in=(run.pk,)), by=by, now=NOW
    )


def test_a_run_reads_the_principles_of_its_version_also_after_a_newer_one(
    queue: Callable[..., Run], principled: GuidelineVersion, noor: User
) -> None:
    run = queue(principled.pk)
    guidelines_services.new_guideline_version(
        guideline=principled.guideline,
        text="None.",
        form=rating_form.RatingForm(),
        by=noor,
        now=NOW,
    )

    job = prepare._constitution(run)

    assert job is not None
    assert (job["id"], job["guideline"]) == (principled.pk, "Answering v1")
    assert [principle["name"] for principle in job["principles"]] == [
        principle.name for principle in constitution.PRINCIPLES
    ]
    assert job["principles"][1]["text"].startswith("Honest: States nothing as a fact")


def test_a_guideline_without_principles_is_refused(queue: Callable[..., Run], noor: User) -> None:
    plain = guidelines_services.create_guideline(name="Plain", text="Be kind.", by=noor, now=NOW)

    for version in (0, plain.versions.get().pk, 987_654):
        with pytest.raises(run_queue.UnableToQueue, match="The run has no principles"):
            queue(version)


def test_demonstrations_are_the_last_revisions_with_their_principle(
    revised: Callable[..., Run],
    principled: GuidelineVersion,
    noor: User,
    settings: LazySettings,
) -> None:
    one, other, kept = on_split("train", 3)
    run = revised(
        {
            one: {0: "first", 1: "second", 2: "third"},
            other: {0: "a", 2: "c"},
            kept: {0: "as it was"},
        }
    )

    found = rows(taken(run, "demonstrations", noor), settings)

    assert [row["completion"][0]["content"] for row in found] == ["third", "c"]
    assert [row["revision"] for row in found] == [
        {
            "round": 2,
            "principle": "honest",
            "guideline": "Answering v1",
            "guideline_version": principled.pk,
        }
    ] * 2


def test_pairs_are_the_last_revision_against_the_first_answer_and_nobodys_judgment(
    revised: Callable[..., Run], noor: User, settings: LazySettings
) -> None:
    (one,) = on_split("train", 1)
    run = revised({one: {0: "first", 1: "second", 2: "third"}})

    snapshot = taken(run, "comparisons", noor)

    (pair,) = rows(snapshot, settings)
    assert [(row["text"], row["rank"]) for row in pair["responses"]] == [("third", 1), ("first", 2)]
    assert pair["revision"]["principle"] == "honest"
    assert "judgment" not in pair
    assert "rater" not in pair
    assert not Judgment.of_everyone.exists()


def test_a_run_of_another_kind_has_no_revisions(
    noor: User, base_model: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> None:
    run = run_queue.queue_run(
        kind="sample",
        name="sampled",
        config={},
        snapshot=make_snapshot("prompts"),
        base_model=base_model,
        by=noor,
        now=NOW,
    )

    for kind in ("demonstrations", "comparisons"):
        with pytest.raises(UnableToCreate, match="revised no answers"):
            taken(run, kind, noor)


def test_a_researcher_chooses_a_guideline_and_later_the_run_by_its_name(
    revised: Callable[..., Run],
    principled: GuidelineVersion,
    noor: User,
    signed_in: Callable[..., Client],
) -> None:
    (one,) = on_split("train", 1)
    run = revised({one: {0: "first", 1: "second"}})
    client = signed_in(noor)

    form = text_of(client, "/runs/new/revise/")
    client.post(
        "/snapshots/new/?kind=demonstrations", {"name": "Revisions", "revised_in": [run.pk]}
    )

    assert f'<option value="{principled.pk}">Answering v1</option>' in form
    snapshot = Snapshot.objects.get(name="Revisions")
    page = client.get(f"/snapshots/{snapshot.pk}/").content.decode()
    assert f"kind=demonstrations&amp;revised_in={run.pk}" in client.get(f"/runs/{run.pk}/").text
    assert "revised (Answering v1)" in page
    assert "Imported answers" not in page
