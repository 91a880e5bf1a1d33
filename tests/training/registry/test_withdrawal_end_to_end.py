"""A rater withdraws: from their answers through snapshots, runs and models to later exports."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer, Edit
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import Campaign, Guideline, Pool, Rater, Response, Source
from labeling.queue.claiming import claim
from tests import html
from tests.cast import (
    NOON,
    lease_of,
    open_comparison_campaign,
    open_demonstration_campaign,
    responses_to,
)
from tests.labeling.data.exports.exporting import exported_rows
from training.models import Run, Snapshot, TrainedModel
from training.registry.lineage import withdrawals
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db

SignedIn = Callable[..., Client]
WRITTEN, EDITED = "What Rosa wrote.", "What Rosa made of it."


@dataclass(frozen=True)
class Story:
    writing: Campaign
    comparing: Campaign
    again: Campaign
    """others compare what Rosa made of a response with another"""


@pytest.fixture
def story(day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, alice: User) -> Story:
    """Rosa writes, compares and edits; Raul writes, and judges an item in which Rosa's edit is
    up.
    """
    writing = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=2)
    for rater, text in ((rosa, WRITTEN), (raul, "What Raul wrote.")):
        slot = claim.claim(campaign=writing, rater=rater, now=NOON)
        submit.submit(
            lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text), now=NOON
        )
    comparing = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2, n_responses=2
    )
    compare(comparing, rosa, edit=Edit(0, EDITED))
    compare(comparing, raul)
    edit = Response.objects.get(text=EDITED)
    (other,) = responses_to([edit.prompt], n=1, source_name="another model")
    again = campaigns_services.create_campaign(
        name="Compare again",
        settings=ComparisonSettings(overlap=1, n_responses=2),
        pool=day_shift,
        guideline=guideline,
        prompts=[edit.prompt],
        source_ids=[edit.source_id, other.source_id],
        by=alice,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=again, by=alice, now=NOON)
    compare(again, raul)
    return Story(writing, comparing, again)


def compare(campaign: Campaign, rater: Rater, *, edit: Edit | None = None) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    ratings = {place: {"overall": 4} for place in range(2)}
    submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(ranks={0: 1, 1: 2}, ratings=ratings, edit=edit),
        now=NOON,
    )


def cut(kind: str, name: str, by: User) -> Snapshot:
    return snapshots_services.create_snapshot(
        kind=kind, name=name, filters=Filters(), by=by, now=NOON
    )


def text_of(snapshot: Snapshot, settings: LazySettings) -> str:
    folder = Path(settings.SNAPSHOTS_DIR) / snapshot.folder
    return "\n".join(file.read_text() for file in sorted(folder.glob("*.jsonl")))


def trained_on(snapshot: Snapshot, name: str, by: User) -> TrainedModel:
    base, _is_new = TrainedModel.objects.get_or_create(
        name="base", defaults={"kind": "policy", "location": "base"}
    )
    run = Run.objects.create(
        kind="reward", name=f"run of {name}", snapshot=snapshot, base_model=base, created_by=by
    )
    return TrainedModel.objects.create(name=name, kind="reward", location=name, run=run)


def export_of(client: Client, campaign: Campaign, shape: str) -> str:
    return json.dumps(exported_rows(client, campaign, shape=shape), ensure_ascii=False)


def test_a_withdrawn_raters_answers_and_texts_leave_every_later_snapshot_and_export(
    story: Story, rosa: Rater, alice: User, noor: User, signed_in: SignedIn, settings: LazySettings
) -> None:
    before = {kind: cut(kind, f"{kind} before", noor) for kind in ("demonstrations", "comparisons")}
    frozen = {kind: text_of(snapshot, settings) for kind, snapshot in before.items()}
    assert WRITTEN in frozen["demonstrations"]
    assert EDITED in frozen["comparisons"]
    assert rosa.alias in frozen["comparisons"]

    signed_in(alice).post(f"/raters/{rosa.pk}/withdraw")

    after = {kind: text_of(cut(kind, f"{kind} after", noor), settings) for kind in before}
    exported = [
        export_of(signed_in(alice), campaign, shape)
        for campaign, shape in (
            (story.writing, "demonstrations"),
            (story.comparing, "rankings"),
            (story.comparing, "preferences"),
            (story.again, "rankings"),
        )
    ]
    for text in [*after.values(), *exported]:
        assert WRITTEN not in text
        assert EDITED not in text
        assert not html.names(text, rosa.alias)
    assert "What Raul wrote." in after["demonstrations"]
    assert (
        after["comparisons"].count('"responses"') == 1
    )  # Raul's of two models; of his other one a text is gone
    assert {kind: text_of(snapshot, settings) for kind, snapshot in before.items()} == frozen


def test_a_text_that_a_file_brought_back_leaves_with_its_writer(
    story: Story, rosa: Rater, alice: User, noor: User, signed_in: SignedIn, settings: LazySettings
) -> None:
    file = Source.objects.create(name="a file", kind="import", licence="CC0-1.0")
    Response.objects.filter(text=EDITED).update(source=file, author=rosa)
    filters = Filters(campaigns=(story.again.pk,))
    before = snapshots_services.create_snapshot(
        kind="comparisons", name="before", filters=filters, by=noor, now=NOON
    )

    signed_in(alice).post(f"/raters/{rosa.pk}/withdraw")

    assert EDITED in text_of(before, settings)
    assert [entry.snapshot for entry in withdrawals.touched_by(rater=rosa).snapshots] == [before]
    assert EDITED not in export_of(signed_in(alice), story.again, "rankings")
    with pytest.raises(snapshots_services.UnableToCreate):
        snapshots_services.create_snapshot(
            kind="comparisons", name="after", filters=filters, by=noor, now=NOON
        )


def test_an_admin_sees_every_snapshot_run_and_model_with_something_of_the_rater(
    story: Story, rosa: Rater, alice: User, noor: User, signed_in: SignedIn
) -> None:
    comparisons = cut("comparisons", "pairs of spring", noor)
    trained_on(comparisons, "judge of spring", noor)
    client = signed_in(alice)
    client.post(f"/raters/{rosa.pk}/withdraw")
    trained_on(cut("comparisons", "pairs of summer", noor), "judge of summer", noor)

    page = client.get(f"/raters/{rosa.pk}/withdrawal/").content.decode()

    for name in ("pairs of spring", "run of judge of spring", "judge of spring"):
        assert name in page
    assert "summer" not in page


def test_a_snapshot_in_which_others_compared_a_raters_text_is_listed(
    story: Story, rosa: Rater, noor: User
) -> None:
    only_again = snapshots_services.create_snapshot(
        kind="comparisons",
        name="again",
        filters=Filters(campaigns=(story.again.pk,)),
        by=noor,
        now=NOON,
    )

    touched = withdrawals.touched_by(rater=rosa)

    # Beside the comparison lie her demonstration and her edit, which set the reward's zero.
    assert [(entry.snapshot, entry.n_judgments) for entry in touched.snapshots] == [(only_again, 3)]


def test_a_withdrawn_rater_is_given_nothing_and_the_act_is_on_record(
    story: Story, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    signed_in(alice).post(f"/raters/{rosa.pk}/withdraw")

    assert "/desk/" in signed_in(rosa).get("/", follow=True).redirect_chain[-1][0]
    assert signed_in(rosa).post(f"/desk/{story.writing.pk}/next").status_code == 404
    event = AuditEvent.objects.get(action="withdraw")
    assert (event.by, event.target_id, event.before) == (alice, rosa.pk, {"pools": ["Day shift"]})


def test_a_withdrawal_that_was_a_mistake_is_taken_back(
    story: Story, rosa: Rater, alice: User, noor: User, signed_in: SignedIn, settings: LazySettings
) -> None:
    client = signed_in(alice)
    client.post(f"/raters/{rosa.pk}/withdraw")
    client.post(f"/raters/{rosa.pk}/readmit")

    assert WRITTEN in text_of(cut("demonstrations", "once more", noor), settings)
    assert AuditEvent.objects.get(action="readmit").after == {"withdrawn_at": None}
