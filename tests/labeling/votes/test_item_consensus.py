"""The consensus of an item's judgments: by majority, and weighted by the raters' reliability."""

import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from arithmetic.agreement import pairs
from arithmetic.consensus import certainty
from arithmetic.figures import Figure
from labeling.data.exports import shapes
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer
from labeling.models import (
    Campaign,
    Guideline,
    Item,
    Pool,
    QualityReport,
    RankedResponse,
    Rater,
    RaterQuality,
)
from labeling.people.withdrawals import withdrawal
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.review import set_aside
from labeling.votes import arrays, consensus, item_answers, item_consensus
from labeling.votes.consensus import Place
from tests.cast import NOON, lease_of, open_comparison_campaign
from tests.labeling.answers import words
from tests.labeling.data.exports.exporting import exported_rows
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]


def votes_on(ranks: dict[int, Sequence[float]], *, item: int = 1) -> pairs.PairVotes:
    """By rater, the ranks of the responses 10, 11, 12, …"""
    rows = [
        (item, rater, 10 + place, rank)
        for rater, given in ranks.items()
        for place, rank in enumerate(given)
    ]
    items, raters, responses, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pairs.expand(items=items, raters=raters, responses=responses, ranks=values)


@pytest.mark.parametrize("seed", range(3))
def test_each_label_s_probability_is_bayes_s_rule(seed: int) -> None:
    random = np.random.default_rng(seed)
    votes = votes_on({rater: random.integers(1, 4, 4).tolist() for rater in range(5)})
    accuracy = dict(enumerate(random.uniform(0.45, 0.9, 5).tolist()))

    for pair in consensus.consensus_by_pair(votes, accuracy):
        here = (votes.left == pair.left) & (votes.right == pair.right)
        likelihood = []
        for true in (-1, 0, 1):
            product = 1.0
            for rater, label in zip(
                votes.rater[here].tolist(), votes.label[here].tolist(), strict=True
            ):
                product *= accuracy[rater] if label == true else (1 - accuracy[rater]) / 2
            likelihood.append(product)
        expected = [one / sum(likelihood) for one in likelihood]
        assert (pair.p_left, pair.p_tie, pair.p_right) == pytest.approx(tuple(expected), abs=1e-12)


def test_a_reliable_rater_outweighs_two_who_guess() -> None:
    votes = votes_on({1: [1, 2], 2: [2, 1], 3: [2, 1]})

    (pair,) = consensus.consensus_by_pair(votes, {1: 0.95, 2: 0.45, 3: 0.45})

    assert (pair.n_left, pair.n_tie, pair.n_right) == (1, 0, 2)
    assert (pair.majority, pair.weighted, pair.is_overruled) == (1, -1, True)
    assert pair.p == pytest.approx(
        0.95 * 0.275**2 / (0.95 * 0.275**2 + 0.025 * 0.45**2 + 0.025 * 0.275**2)
    )


def test_raters_who_are_alike_weigh_as_the_majority_does() -> None:
    for ranks in itertools.product(((1, 2), (2, 1), (1, 1)), repeat=3):
        (pair,) = consensus.consensus_by_pair(votes_on(dict(enumerate(ranks))), {})
        assert pair.weighted == pair.majority


def test_one_against_one_has_no_leader() -> None:
    (pair,) = consensus.consensus_by_pair(votes_on({1: [1, 2], 2: [2, 1]}), {})

    assert (pair.majority, pair.weighted) == (None, None)
    assert [(place.by_majority, place.weighted) for place in consensus.places([pair])] == [
        (1, 1),
        (1, 1),
    ]


def test_places_count_how_many_of_the_others_are_beaten() -> None:
    votes = votes_on({1: [2, 1, 3, 3], 2: [2, 1, 4, 3], 3: [1, 2, 3, 4]})

    found = consensus.places(consensus.consensus_by_pair(votes, {}))

    assert [(place.response, place.by_majority, place.weighted) for place in found] == [
        (11, 1, 1),
        (10, 2, 2),
        (12, 3, 3),
        (13, 3, 3),
    ]
    assert all(1 / 3 <= place.certainty <= 1 for place in found)


def test_a_response_that_nobody_ranked_has_no_place() -> None:
    votes = votes_on({1: [1, 2, float("nan")], 2: [1, 2, float("nan")]})

    assert [
        place.response for place in consensus.places(consensus.consensus_by_pair(votes, {}))
    ] == [
        10,
        11,
    ]


def test_no_votes_have_no_consensus() -> None:
    assert consensus.consensus_by_pair(votes_on({}), {}) == []
    assert consensus.places([]) == []
    assert certainty.certainty(units=[], raters=[], labels=[], accuracy={}) == 0.0


# Through the product


def rank_first(campaign: Campaign, rater: Rater, order: Sequence[int] | None) -> None:
    """The rater ranks what comes next by the numbers of its responses, best first; None ties
    all.
    """
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    shown = claiming_order.presented(slot)
    ranks = {
        place: order.index(response.number) + 1 if order else 1
        for place, response in enumerate(shown)
    }
    ratings = {place: {"overall": 4} for place in ranks}
    submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=NOON,
    )


@recorded
def known_to_be_right(campaign: Campaign, shares: dict[Rater, float]) -> None:
    report = QualityReport.objects.create(campaign=campaign, computed_at=NOON)
    for rater, value in shares.items():
        found = arrays.as_record(Figure(value, 2_000))
        RaterQuality.objects.create(
            report=report, rater=rater, n_judgments=9, results={"reliability": found}
        )


@pytest.fixture
@recorded
def split_item(comparison_campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater) -> Item:
    """Rosa, who is right, says one thing, and two who guess say the other."""
    rank_first(comparison_campaign, rosa, [0, 1, 2, 3])
    rank_first(comparison_campaign, raul, [1, 0, 2, 3])
    rank_first(comparison_campaign, rita, [1, 0, 2, 3])
    known_to_be_right(comparison_campaign, {rosa: 0.95, raul: 0.4, rita: 0.4})
    return judged_item(comparison_campaign)


def judged_item(campaign: Campaign) -> Item:
    """The one that somebody has judged."""
    return campaign.items.filter(judgments__isnull=False).distinct().get()


@pytest.mark.django_db
def test_an_item_s_consensus_weighs_votes_by_the_report(split_item: Item) -> None:
    answers = item_answers.item_answers(item=split_item).answers

    found = item_consensus.consensus_of(campaign=split_item.campaign, answers=answers)

    first, second = (found.places[0], found.places[1])
    by_number = {response.pk: response.number for response in split_item.responses.all()}
    assert (found.n_judgments, found.n_known, len(found.pairs)) == (3, 3, 6)
    assert [by_number[place.response] for place in found.places] == [0, 1, 2, 3]
    assert (first.by_majority, first.weighted, second.by_majority, second.weighted) == (2, 1, 1, 2)


@pytest.mark.django_db
def test_judgments_that_are_set_aside_or_extra_do_not_count(
    split_item: Item, raul: Rater, rita: Rater
) -> None:
    aside = split_item.judgments.get(rater=raul)
    set_aside.set_aside(judgment=aside, reason="Guessed.", by=None, now=NOON)
    split_item.judgments.filter(rater=rita).update(is_extra=True)

    found = item_consensus.consensus_of(
        campaign=split_item.campaign, answers=item_answers.item_answers(item=split_item).answers
    )

    assert found.n_judgments == 1
    assert [(place.by_majority, place.weighted) for place in found.places] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("tab", ["items", "review"])
def test_pages_of_an_item_tell_where_weighing_changes_the_order(
    tab: str, split_item: Item, alice: User, signed_in: SignedIn
) -> None:
    shown = words(
        signed_in(alice).get(f"/campaigns/{split_item.campaign_id}/{tab}/{split_item.pk}/")
    )

    assert "1 of 6 pairs differ from the majority" in shown
    assert (
        "A and B: 1 for A, 2 for B, 0 for a tie. Majority: B is better; weighted: A is better"
        in shown
    )
    assert not re.search(r"\bnan\b", shown.lower())


@pytest.mark.django_db
def test_without_a_report_the_page_says_that_all_count_alike(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    for rater in (rosa, raul):
        rank_first(comparison_campaign, rater, None)
    item = judged_item(comparison_campaign)

    shown = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{item.pk}/"))

    assert "No report covers these raters yet, so all count the same" in shown
    assert shown.count("1 =") == 8


@pytest.mark.django_db
def test_an_item_whose_responses_nobody_ranked_says_so(
    comparison_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    rank_first(comparison_campaign, rosa, None)
    RankedResponse.objects.update(rank=None)
    item = judged_item(comparison_campaign)

    shown = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{item.pk}/"))

    assert "No one has ranked two of these responses yet" in shown


@pytest.mark.django_db
def test_one_judgment_is_its_own_consensus(
    comparison_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    rank_first(comparison_campaign, rosa, [0, 1, 2, 3])
    item = judged_item(comparison_campaign)

    shown = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{item.pk}/"))

    assert "There is only one answer, so it is the consensus" in shown
    assert "75 %" in shown


@pytest.mark.django_db
def test_no_consensus_is_called_certain(
    comparison_campaign: Campaign,
    rosa: Rater,
    raul: Rater,
    rita: Rater,
    alice: User,
    signed_in: SignedIn,
) -> None:
    for rater in (rosa, raul, rita):
        rank_first(comparison_campaign, rater, [0, 1, 2, 3])
    known_to_be_right(comparison_campaign, dict.fromkeys((rosa, raul, rita), 0.95))
    item = judged_item(comparison_campaign)

    shown = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{item.pk}/"))

    assert "every pair matches the majority" in shown
    assert "> 99 %" in shown
    assert "100 %" not in shown


@pytest.mark.django_db
def test_demonstrations_have_no_consensus(
    demonstration_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    judgment = submit.submit(
        lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
    )

    shown = words(
        signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/items/{judgment.item_id}/")
    )

    assert "Consensus" not in shown


@pytest.mark.django_db
def test_two_responses_that_tie_share_the_first_place(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_responses=2)
    rank_first(campaign, rosa, None)
    item = judged_item(campaign)

    found = item_consensus.consensus_of(
        campaign=campaign, answers=item_answers.item_answers(item=item).answers
    )

    assert [(place.by_majority, place.weighted) for place in found.places] == [(1, 1), (1, 1)]
    assert isinstance(found.places[0], Place)


# As a file


@pytest.mark.django_db
def test_a_campaign_s_consensus_leaves_a_row_a_pair(split_item: Item) -> None:
    rows = list(shapes.records("consensus", campaigns=[split_item.campaign_id]))

    one, two, *_others = split_item.responses.order_by("pk")
    row = next(row for row in rows if (row["response_a"], row["response_b"]) == (one.pk, two.pk))
    assert len(rows) == 6
    assert (row["a"], row["b"]) == (
        [{"role": "assistant", "content": one.text}],
        [{"role": "assistant", "content": two.text}],
    )
    assert (row["n_votes"], row["n_a"], row["n_tie"], row["n_b"]) == (3, 1, 0, 2)
    assert (row["majority"], row["consensus"]) == ("b", "a")
    assert row["p"] == row["p_a"] == pytest.approx(1 - row["p_tie"] - row["p_b"])
    assert (row["item"], row["prompt_id"], row["source_a"]) == (
        split_item.pk,
        split_item.prompt_id,
        "a model",
    )


@pytest.mark.django_db
def test_a_file_says_what_the_page_of_an_item_says(split_item: Item) -> None:
    found = item_consensus.consensus_of(
        campaign=split_item.campaign, answers=item_answers.item_answers(item=split_item).answers
    )

    rows = list(shapes.records("consensus"))

    assert [(row["response_a"], row["response_b"], row["p"]) for row in rows] == [
        (pair.left, pair.right, pytest.approx(pair.p)) for pair in found.pairs
    ]


@pytest.mark.django_db
def test_a_pair_that_is_even_has_no_label(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    rank_first(comparison_campaign, rosa, [0, 1, 2, 3])
    rank_first(comparison_campaign, raul, [1, 0, 2, 3])

    rows = list(shapes.records("consensus"))

    assert [(row["majority"], row["consensus"]) for row in rows] == [
        (None, None),
        *[("a", "a")] * 5,
    ]


@pytest.mark.django_db
def test_a_rater_who_withdrew_is_in_no_consensus_that_leaves(split_item: Item, raul: Rater) -> None:
    withdrawal.withdraw_rater(rater=raul, by=None, now=NOON)

    assert {row["n_votes"] for row in shapes.records("consensus")} == {2}


@pytest.mark.django_db
def test_consensus_leaves_as_parquet_as_it_leaves_as_lines(
    split_item: Item, alice: User, signed_in: SignedIn
) -> None:
    parquet, lines = (
        exported_rows(signed_in(alice), split_item.campaign, shape="consensus", file_format=given)
        for given in ("parquet", "jsonl")
    )

    assert len(lines) == 6
    assert parquet == lines


@pytest.mark.django_db
def test_many_items_cost_the_queries_of_one(
    comparison_campaign: Campaign,
    rosa: Rater,
    raul: Rater,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for rater in (rosa, raul):
        for _ in range(4):
            rank_first(comparison_campaign, rater, [0, 1, 2, 3])

    with django_assert_num_queries(7):
        assert len(list(shapes.records("consensus"))) == 24
