"""Submitting an answer: what is stored, what is refused, and undoing or correcting it."""

import uuid
from typing import Any

import pytest

from labeling.data.exports import streams
from labeling.desk.judgments import correct, submit, undo
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments.checked_answers import (
    ComparisonAnswer,
    DemonstrationAnswer,
    Edit,
    Recorded,
)
from labeling.guidelines import services as guidelines_services
from labeling.guidelines.rating_form import RatingForm
from labeling.models import (
    Campaign,
    Draft,
    Guideline,
    Item,
    ItemResponse,
    Judgment,
    Pool,
    Rater,
    Response,
    Slot,
)
from labeling.queue import slots
from labeling.queue.claiming import order
from tests.cast import (
    NOON,
    lease_of,
    open_comparison_campaign,
    open_demonstration_campaign,
    rater_called,
)
from tests.labeling.queue.rater_steps import ALL_RANKED, after, claim, judge

pytestmark = pytest.mark.django_db


# --- submitting -----------------------------------------------------------------------------------


def test_a_demonstration_is_stored_with_what_was_measured(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    judgment = submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=DemonstrationAnswer(text=" Four.\n", sources="head"),
        recorded=Recorded(presentation={"n": 1}, active_s=12.5, warnings=["fast"]),
        now=after(3),
    )

    stored = Judgment.of_people.get(pk=judgment.pk)
    assert stored.demonstration.text == " Four.\n"
    assert (
        stored.demonstration.sources,
        stored.presentation,
        stored.active_s,
        stored.warnings,
    ) == (
        "head",
        {"n": 1},
        12.5,
        ["fast"],
    )
    assert (stored.slot_id, stored.leased_at, stored.submitted_at, stored.is_extra) == (
        slot.pk,
        NOON,
        after(3),
        False,
    )
    assert stored.slot.state == "submitted"


def test_submitting_twice_stores_once(demonstration_campaign: Campaign, rosa: Rater) -> None:
    slot = claim(demonstration_campaign, rosa)

    first = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )
    second = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four!"), now=after(1)
    )

    assert first == second
    assert Judgment.of_people.get().demonstration.text == "Four."


def test_an_empty_text_is_refused_and_the_item_stays(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match="empty"):
        submit.submit(
            lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text=" \n"), now=NOON
        )

    assert Slot.objects.get(pk=slot.pk).state == "leased"


def test_nobody_submits_under_a_lease_of_another(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match="is not assigned to you"):
        submit.submit(
            lease=lease_of(slot), rater=raul, answer=DemonstrationAnswer(text="Four."), now=NOON
        )


def test_a_lease_that_never_was_is_refused(rosa: Rater) -> None:
    with pytest.raises(judgments_rows.UnableToSubmit, match="is not assigned to you"):
        submit.submit(
            lease=uuid.uuid4(), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
        )


def test_a_comparison_keeps_the_order_that_was_shown(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    shown = order.presented(slot)

    judgment = judge(slot, rosa, ranks={0: 3, 1: 1, 2: 1, 3: None}, strength=2, reason="shorter")

    rows = judgment.comparison.ranked.order_by("position")
    assert [row.response for row in rows] == shown
    assert [row.rank for row in rows] == [2, 1, 1, None]
    assert (judgment.comparison.strength, judgment.comparison.reason) == (2, "shorter")


def test_the_order_differs_between_raters_and_items(day_shift: Pool, guideline: Guideline) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=30, n_responses=9
    )

    raters = [rater_called(f"Rater {n}", pool=day_shift) for n in range(30)]
    orders = {
        tuple(response.pk for response in order.presented(claim(campaign, rater)))
        for rater in raters
    }

    assert len(orders) == 30


def test_what_was_not_asked_or_not_answered_is_absent(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)

    judgment = judge(
        slot, rosa, ratings={n: {"overall": 7, "opinion": "", "sexual": "on"} for n in range(4)}
    )

    assert judgment.comparison.ranked.first().ratings == {"overall": 7, "sexual": True}
    assert judgment.comparison.reason is None
    assert judgment.comparison.strength is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ranks": {}}, "No response is ranked"),
        ({"ranks": {0: None}}, "No response is ranked"),
        ({"ranks": {0: 1, 4: 2}}, "no response E"),
        ({"ranks": {-1: 1}}, "no response"),
        ({"ranks": {0: 0}}, "Ranks start at 1"),
        ({"ratings": {0: {"overall": 4}}}, r"Response B: rate “Overall” \(1–7\)"),
        (
            {"ratings": {n: {"overall": 8} for n in range(4)}},
            "Response A: “Overall” must be between 1 and 7",
        ),
        ({"ratings": {n: {"overall": "x"} for n in range(4)}}, "whole number"),
        (
            {"ratings": {n: {"overall": 1, "opinion": "perhaps"} for n in range(4)}},
            "set or not set",
        ),
        (
            {"ratings": {n: {"overall": 1, "colour": 1} for n in range(4)}},
            "is not part of this rating form",
        ),
        ({"strength": 5}, "from 1 to 4"),
    ],
)
def test_a_comparison_that_cannot_be_stored_gets_a_sentence(
    comparison_campaign: Campaign, rosa: Rater, given: dict[str, Any], sentence: str
) -> None:
    slot = claim(comparison_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match=sentence):
        judge(slot, rosa, **given)

    assert Slot.objects.get(pk=slot.pk).state == "leased"


def test_a_demonstration_for_a_comparison_is_refused(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)

    with pytest.raises(judgments_rows.UnableToSubmit, match="a different kind"):
        submit.submit(
            lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
        )


def test_the_guideline_that_was_shown_is_stamped_and_not_the_one_that_came_since(
    comparison_campaign: Campaign, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Be brief.", form=RatingForm(), by=None, now=NOON
    )
    comparison_campaign.refresh_from_db()

    assert judge(slot, rosa).guideline_version.number == 1
    assert judge(claim(comparison_campaign, raul), raul, ratings={}).guideline_version.number == 2


# --- second thoughts ------------------------------------------------------------------------------


def test_an_undo_gives_back_what_was_handed_out_next(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    judge(slot, rosa)
    following = claim(comparison_campaign, rosa)

    undo.undo(lease=lease_of(slot), rater=rosa, draft={}, now=NOON)

    assert Slot.objects.get(pk=following.pk).state == Slot.State.FREE
    assert claim(comparison_campaign, rosa).lease == slot.lease


def test_an_undo_of_a_late_answer_frees_the_slot_it_had_filled(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2
    )
    slot = claim(campaign, rosa)
    slots.release(lease=lease_of(slot), rater=rosa, now=NOON)
    claim(campaign, raul)
    late = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(1)
    )

    undo.undo(lease=lease_of(slot), rater=rosa, draft={"text": "Four."}, now=after(1))

    assert late.slot is not None
    late.slot.refresh_from_db()
    assert late.slot.state == Slot.State.FREE
    assert Draft.objects.get().content == {"text": "Four."}


def test_an_answer_that_something_was_built_on_is_not_undone(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    judge(slot, rosa, edit=Edit(0, "Better."))
    other = Item.objects.exclude(pk=slot.item_id).earliest("pk")
    ItemResponse.objects.create(item=other, response=Response.objects.get(source__kind="person"))

    with pytest.raises(undo.UnableToUndo):
        undo.undo(lease=lease_of(slot), rater=rosa, draft={}, now=NOON)

    assert Judgment.of_people.count() == 1
    assert Slot.objects.get(pk=slot.pk).state == Slot.State.SUBMITTED


def test_a_second_edit_of_the_same_prompt_is_a_response_of_its_own(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(comparison_campaign, rosa)
    judge(slot, rosa, edit=Edit(0, "Better."))

    correct.correct(
        lease=lease_of(slot),
        rater=rosa,
        version=1,
        answer=ComparisonAnswer(**ALL_RANKED, edit=Edit(0, "Better still.")),
        now=after(1),
    )

    assert list(
        Response.objects.filter(source__kind="person")
        .order_by("number")
        .values_list("text", flat=True)
    ) == [
        "Better.",
        "Better still.",
    ]


def test_counts_and_exports_use_the_version_that_stands(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim(demonstration_campaign, rosa)
    submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=DemonstrationAnswer(text="Four."),
        recorded=Recorded(active_s=60),
        now=NOON,
    )

    correct.correct(
        lease=lease_of(slot),
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Four!"),
        recorded=Recorded(active_s=5),
        now=after(9),
    )

    assert [row.response for row in streams.demonstrations()] == ["Four!"]
    assert demonstration_campaign.judgments.count() == rosa.judgments.count() == 1
    assert Judgment.of_people.get().active_s == 65
