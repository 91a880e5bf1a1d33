"""Turns are counted, exported and paid as any comparison is."""

from datetime import timedelta
from decimal import Decimal

import pytest

from labeling.conversations import turns
from labeling.data.exports import shapes
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import Campaign, Conversation, Guideline, Pool, Rater
from labeling.quality import selectors as quality_selectors
from labeling.quality import tasks as quality_tasks
from tests.cast import NOON
from tests.labeling.desk.conversations.talking import (
    FORM_ANSWERS,
    answered,
    open_conversation_campaign,
    rated,
    started,
)
from tests.labeling.pay.paid_work import rate, sheet


@pytest.fixture
def two_turns(conversation: Conversation) -> Conversation:
    """Rosa's, with two rated turns."""
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="And 1 plus 1?", now=NOON)
    rated(answered(conversation))
    return conversation


@pytest.mark.parametrize("shape", ["preferences", "rankings"])
def test_an_export_has_a_row_a_turn_with_the_history_as_its_prompt(
    two_turns: Conversation, shape: str
) -> None:
    rows = list(shapes.records(shape))

    assert sorted(len(row["prompt"]) for row in rows) == [1, 3]
    last = max(rows, key=lambda row: len(row["prompt"]))
    assert last["prompt"][-1]["content"] == "And 1 plus 1?"
    assert last["prompt"][1]["role"] == "assistant"


def test_each_turn_is_paid_for_the_time_it_took(
    conversation: Conversation, day_shift: Pool, rosa: Rater
) -> None:
    rate(day_shift, amount="3600", kind="comparison")
    for number in (1, 2):
        if number == 2:
            turns.write(conversation=conversation, number=2, text="More.", now=NOON)
        turn = answered(conversation)
        turns.rate(
            lease=turn.lease,
            rater=rosa,
            round_number=turn.round,
            answer=ComparisonAnswer({0: 1, 1: 2}, ratings={0: FORM_ANSWERS, 1: FORM_ANSWERS}),
            recorded=Recorded(active_s=60),
            now=NOON + timedelta(seconds=90),
        )

    assert sheet(rosa).totals == {"EUR": Decimal(120)}


def test_the_report_counts_turns_and_finds_the_place_shown_first(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    """Both rate each turn's first answer higher."""
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=2)
    for rater in (rosa, raul):
        conversation = started(campaign=campaign, rater=rater)
        rated(answered(conversation))
        turns.write(conversation=conversation, number=2, text="More.", now=NOON)
        rated(answered(conversation))

    quality_tasks.compute_quality(campaign_id=campaign.pk)

    report = quality_selectors.quality_report(campaign=campaign)
    assert report is not None
    assert report.n_judgments == 4
    measured = quality_selectors.rater_measures(report=report)
    assert sorted(one.n_judgments for one in measured) == [2, 2]
    assert {Campaign.objects.get(pk=campaign.pk).about.answer} == {"comparison"}
