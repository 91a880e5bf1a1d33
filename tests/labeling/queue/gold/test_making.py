"""Creating golds, by form and from a file; an item that became a gold stays decided."""

from datetime import timedelta

import pytest

from accounts.models import User
from labeling.campaigns import board
from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, Case, Gold, Guideline, Item, Pool, Rater, Slot
from labeling.queue import slots
from labeling.queue.cases import services as cases_services
from labeling.queue.claiming import claim
from labeling.queue.gold import services as gold_services
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.queue.gold.scene import (
    GOOD,
    RIGHT,
    WRONG,
    gold_order,
    lines,
    rank_by,
    skip_as_offensive,
    work_through,
)


def test_an_order_that_decides_nothing_makes_no_gold(comparison_campaign: Campaign) -> None:
    item = comparison_campaign.items.all()[0]

    with pytest.raises(gold_services.UnableToMakeGold):
        gold_services.make_gold(
            item=item,
            ranks=dict.fromkeys(gold_order(item), 1),
            origin=Gold.Origin.EXPERT,
            by=None,
            now=NOON,
        )


def test_another_order_of_the_same_item_takes_the_first_ones_place(
    comparison_campaign: Campaign,
) -> None:
    item = comparison_campaign.items.all()[0]
    first = gold_services.make_gold(
        item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )
    turned = {response: 5 - (rank or 0) for response, rank in gold_order(item).items()}

    second = gold_services.make_gold(
        item=item, ranks=turned, origin=Gold.Origin.ADJUDICATION, by=None, now=NOON
    )

    first.refresh_from_db()
    assert first.retired_at is not None
    assert second.retired_at is None
    assert not gold_services.bring_back_gold(gold=first, by=None, now=NOON)


def test_an_item_that_became_a_gold_takes_no_more_judgments(comparison_campaign: Campaign) -> None:
    item = comparison_campaign.items.all()[0]

    gold_services.make_gold(
        item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )

    assert not item.slots.filter(state=Slot.State.FREE).exists()


# --- items that became golds stay decided ---------------------------------------------------------


def made_gold(item: Item | None) -> Gold:
    assert item is not None
    return gold_services.make_gold(
        item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )


def states_of(item: Item | None) -> list[str]:
    return sorted(Slot.objects.filter(item=item).values_list("state", flat=True))


def is_done(campaign: Campaign) -> bool:
    return board.campaign_board(campaign=campaign, now=NOON).progress.is_done


def test_a_higher_overlap_asks_nothing_more_of_an_item_that_became_a_gold(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    made_gold(judgment.item)

    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 3}, by=None, now=NOON)

    assert states_of(judgment.item) == ["submitted"]
    assert is_done(campaign)


def test_who_joins_is_not_asked_about_a_calibration_item_that_became_a_gold(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=1, calibration_percent=50
    )
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    made_gold(judgment.item)

    newcomer = rater_called("Nina", pool=day_shift)

    assert states_of(judgment.item) == ["submitted"]
    assert claim.claim(campaign=campaign, rater=newcomer, now=NOON) is None
    assert is_done(campaign)


def test_doubt_asks_nothing_more_of_an_item_that_became_a_gold(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2, max_overlap=5
    )
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    held = claim.claim(campaign=campaign, rater=raul, now=NOON)
    assert held is not None
    made_gold(judgment.item)

    rank_by(held, WRONG, rater=raul)
    campaigns_services.change_campaign(
        campaign=campaign, values={"confidence": 0.99}, by=None, now=NOON
    )

    assert states_of(judgment.item) == ["submitted", "submitted"]
    assert is_done(campaign)


def test_an_item_that_became_a_gold_while_it_was_held_is_let_go_as_decided(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    case = skip_as_offensive(slot, rosa)
    made_gold(case.item)

    cases_services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert states_of(case.item) == []


def test_an_item_in_progress_when_it_became_a_gold_goes_to_nobody_else(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=3)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    held = claim.claim(campaign=campaign, rater=raul, now=NOON)
    forgotten = claim.claim(campaign=campaign, rater=rita, now=NOON)
    made_gold(judgment.item)
    nina, later = rater_called("Nina", pool=day_shift), NOON + timedelta(hours=2)
    assert held is not None
    assert held.lease is not None
    assert forgotten is not None

    slots.release(lease=held.lease, rater=raul, now=NOON)
    given_back = states_of(judgment.item)
    claim.claim(campaign=campaign, rater=nina, now=later)

    assert given_back == ["leased", "submitted"]
    assert states_of(judgment.item) == ["submitted"]
    assert is_done(campaign)
    assert rank_by(forgotten, RIGHT, rater=rita, at=180).is_extra


def test_the_item_of_a_retired_gold_takes_judgments_again(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=3)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    gold = made_gold(judgment.item)
    decided = states_of(judgment.item)

    gold_services.retire_gold(gold=gold, by=None, now=NOON)

    assert decided == ["submitted"]
    assert states_of(judgment.item) == ["free", "free", "submitted"]


def test_a_gold_that_is_brought_back_decides_its_item_again(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    gold = made_gold(judgment.item)

    gold_services.retire_gold(gold=gold, by=None, now=NOON)
    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 2}, by=None, now=NOON)
    undecided = states_of(judgment.item)
    gold_services.bring_back_gold(gold=gold, by=None, now=NOON)

    assert undecided == ["free", "submitted"]
    assert states_of(judgment.item) == ["submitted"]


# --- golds from a file ----------------------------------------------------------------------------


def test_golds_come_from_a_file(comparison_campaign: Campaign, alice: User) -> None:
    chat = GOOD | {
        "prompt": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "And 3 + 3?"},
        ]
    }

    found = gold_services.import_golds(
        campaign=comparison_campaign,
        file=lines(GOOD, chat),
        file_name="gold.jsonl",
        by=alice,
        now=NOON,
    )

    assert (found.n, found.problems) == (2, [])
    gold = Gold.objects.order_by("pk")[0]
    assert (gold.origin, gold.note, gold.prompt.retired_at) == (Gold.Origin.IMPORT, "Sums.", NOON)
    assert list(gold.ranks.order_by("response_id").values_list("rank", flat=True)) == [1, 2, 3, 3]


def test_golds_of_a_file_keep_their_thinking_calls_and_tools(comparison_campaign: Campaign) -> None:
    function = {"name": "add", "arguments": {"terms": [2, 2]}}
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    calling = {
        "text": "",
        "tool_calls": [{"id": "a", "type": "function", "function": function}],
        "reasoning_content": "Let it add.",
    }
    other = calling | {"tool_calls": [{"id": "a", "function": {"name": "add", "arguments": {}}}]}
    responses = ["<think>\nTwo and two.\n</think>\n\n4", calling, other, "5"]

    found = gold_services.import_golds(
        campaign=comparison_campaign,
        file=lines(GOOD | {"responses": responses, "tools": [tool]}),
        file_name="gold.jsonl",
        by=None,
        now=NOON,
    )

    assert found.problems == []
    [gold] = Gold.objects.all()
    assert gold.prompt.tools == [tool]
    stored = [rank.response for rank in gold.ranks.order_by("response_id")]
    assert [(row.text, row.reasoning_content) for row in stored] == [
        ("4", "Two and two."),
        ("", "Let it add."),
        ("", "Let it add."),
        ("5", ""),
    ]
    assert [[call["function"]["name"] for call in row.tool_calls] for row in stored] == [
        [],
        ["add"],
        ["add"],
        [],
    ]


def test_a_gold_made_from_an_item_has_the_parts_of_its_answers(
    comparison_campaign: Campaign,
) -> None:
    item = comparison_campaign.items.all()[0]
    item.responses.update(reasoning_content="Add them.", tool_calls=[{"id": "a"}])

    gold = made_gold(item)

    answers = [use.item.responses.all() for use in gold.uses.all()]
    assert [[row.parts for row in of] for of in answers] == [
        [{"reasoning_content": "Add them.", "tool_calls": [{"id": "a"}]}] * 4
    ]


def test_responses_that_differ_in_their_thinking_alone_are_the_same_gold_response(
    comparison_campaign: Campaign,
) -> None:
    """Raters would be shown the same text twice."""
    responses = ["4", {"text": "4", "reasoning_content": "Add them."}, "5", "6"]

    found = gold_services.import_golds(
        campaign=comparison_campaign,
        file=lines(GOOD | {"responses": responses}),
        file_name="gold.jsonl",
        by=None,
        now=NOON,
    )

    assert "the same text" in found.problems[0].sentence


def test_a_file_with_a_bad_line_brings_nothing_in_and_names_every_line(
    comparison_campaign: Campaign,
) -> None:
    file = lines(
        GOOD,
        GOOD | {"responses": ["4", "5"]},
        GOOD | {"ranks": [1, 1, 1, 1]},
        GOOD | {"ranks": [0, 1, 2, 3]},
        GOOD | {"responses": ["4", "4 ", "5", "6"]},
        GOOD | {"prompt": ""},
        ["no object"],
    )

    found = gold_services.import_golds(
        campaign=comparison_campaign, file=file, file_name="gold.jsonl", by=None, now=NOON
    )

    assert found.n == 0
    assert [problem.line for problem in found.problems] == [2, 3, 4, 5, 6, 7]
    assert not Gold.objects.exists()
