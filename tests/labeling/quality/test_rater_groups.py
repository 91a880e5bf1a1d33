"""Comparing groups of raters without revealing anyone's own answer."""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from arithmetic.bias import looks as bias_looks
from arithmetic.bias import shares
from labeling.campaigns import services as campaigns_services
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Campaign,
    Guideline,
    OnboardingStep,
    Pool,
    ProfileAnswer,
    Rater,
    Response,
)
from labeling.people.pools import services as pools_services
from labeling.people.withdrawals import withdrawal
from labeling.quality import rater_groups
from labeling.quality import services as quality_services
from labeling.quality.measures import groups as measures_groups
from labeling.quality.measures.groups import RaterGroup
from labeling.review import services as review_services
from labeling.votes import arrays
from tests import html
from tests.cast import NOON, rater_called
from tests.html import page_of
from tests.labeling.quality.judging import as_shown, judge_all
from tests.labeling.quality.test_measures import none_of_others, votes_of

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

# --- which answers may be shown -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "n_raters", "expected"),
    [
        ({"a": 6, "b": 5}, 11, ["a", "b"]),
        ({"a": 6, "b": 4}, 11, ["a"]),
        ({"a": 4, "b": 4}, 20, []),
        ({"a": 12}, 12, []),
        ({"a": 12}, 13, []),
        ({"a": 12}, 17, ["a"]),
        ({"a": 7, "b": 6, "c": 2}, 15, ["a"]),
        ({"a": 7, "b": 6, "c": 5, "d": 1}, 19, ["a", "b"]),
        ({}, 9, []),
    ],
    ids=[
        "all",
        "a small one",
        "all small",
        "everybody",
        "all but one",
        "enough others",
        "a small rest",
        "of three",
        "none",
    ],
)
def test_an_answer_is_shown_where_neither_it_nor_the_rest_is_small(
    counts: dict[str, int], n_raters: int, expected: list[str]
) -> None:
    assert measures_groups.shown_answers(counts, n_raters, fewest=5) == expected


def test_no_few_raters_can_be_told_by_taking_away_what_is_shown() -> None:
    chance = random.Random(1)
    for _ in range(500):
        counts = {name: chance.randrange(1, 12) for name in "abcde"[: chance.randrange(1, 6)]}
        n_raters = sum(counts.values()) + chance.randrange(0, 8)

        shown = measures_groups.shown_answers(counts, n_raters, fewest=5)

        rest = n_raters - sum(counts[name] for name in shown)
        assert all(counts[name] >= 5 for name in shown)
        assert not shown or rest == 0 or rest >= 5
        assert n_raters not in (counts[name] for name in shown)


# --- the figures ----------------------------------------------------------------------------------


def some_votes(seed: int = 0) -> arrays.Votes:
    """Twelve raters on eight items of four responses that differ in length and looks."""
    chance = random.Random(seed)
    votes = votes_of(
        n_items=8,
        raters=range(12),
        k=4,
        rank=lambda rater, place: chance.choice([1.0, 2.0, 2.0, 3.0]),
    )
    texts = [
        "Plain words.",
        "- one\n- two " + "x" * 50,
        "**Bold** " + "y" * 90,
        "See https://example.org 🎉",
        "I'm sorry, but no.",
    ]
    by_response = {response: bias_looks.features(chance.choice(texts)) for response in range(32)}
    position = np.concatenate([chance.sample(range(4), 4) for _ in range(8 * 12)])
    looks = bias_looks.looks([by_response[response] for response in votes.response.tolist()])
    columns = {name: getattr(votes, name) for name in votes.__dataclass_fields__}
    numbers = votes.item * 100 + votes.rater
    return arrays.Votes(**columns | {"looks": looks, "position": position, "judgment": numbers})


def slow_shares(votes: arrays.Votes, raters: set[int]) -> dict[str, list[bool]]:
    """By loops over every pair of every ranking: which of a pair each pull names, and whether it
    won.
    """
    rankings: dict[int, list[int]] = defaultdict(list)
    for row, judgment in enumerate(votes.judgment.tolist()):
        rankings[judgment].append(row)
    followed: dict[str, list[bool]] = defaultdict(list)
    for rows in rankings.values():
        if votes.rater[rows[0]] not in raters:
            continue
        for one, other in itertools.combinations(rows, 2):
            is_tie = votes.rank[one] == votes.rank[other]
            followed["ties"].append(bool(is_tie))
            if is_tie:
                continue
            won, lost = (one, other) if votes.rank[one] < votes.rank[other] else (other, one)
            followed["first"].append(bool(votes.position[won] < votes.position[lost]))
            if abs(votes.n_chars[one] - votes.n_chars[other]) > shares.LENGTH_MARGIN:
                followed["longer"].append(bool(votes.n_chars[won] > votes.n_chars[lost]))
            for name, has in votes.looks.has.items():
                if has[one] != has[other]:
                    followed[name].append(bool(has[won]))
    return followed


def test_a_pools_shares_are_those_of_loops_over_every_pair() -> None:
    votes = some_votes()
    group = RaterGroup("Night", frozenset({1, 2, 5, 6, 9, 99}), pool=7)

    found = measures_groups.groups_of(votes, [group], none_of_others(), {}, fewest=5)

    (row,) = found["pools"]
    slow = slow_shares(votes, {1, 2, 5, 6, 9})
    assert (row["name"], row["pool"], row["n_raters"], row["n"]) == (
        "Night",
        7,
        5,
        len(slow["ties"]),
    )
    for name, came in slow.items():
        assert (row["figures"][name]["value"], row["figures"][name]["n"]) == (
            pytest.approx(np.mean(came)),
            len(came),
        )
        figure = row["figures"][name]
        assert figure["note"] or figure["low"] < figure["value"] < figure["high"]
    whole = slow_shares(votes, set(range(12)))
    assert found["everybody"]["figures"]["longer"]["value"] == pytest.approx(
        np.mean(whole["longer"])
    )
    assert found["behind"]["pool-7"]["n"] == 5 * 8


def test_a_pool_of_few_or_of_all_is_no_group_to_compare() -> None:
    groups = [
        RaterGroup("Few", frozenset({1, 2, 3, 4}), pool=1),
        RaterGroup("All", frozenset(range(12)), pool=2),
    ]

    found = measures_groups.groups_of(some_votes(), groups, none_of_others(), {}, fewest=5)

    assert (found["pools"], found["n_pools_hidden"]) == ([], 1)


def test_an_answers_figures_are_coarse_and_name_no_judgment() -> None:
    votes = some_votes()
    groups = [
        RaterGroup("yes", frozenset(range(6)), question="New?"),
        RaterGroup("no", frozenset({6, 7}), question="New?"),
    ]

    found = measures_groups.groups_of(votes, groups, none_of_others(), {}, fewest=5)

    (question,) = found["profile"]
    (row,) = question["groups"]
    exact = np.mean(slow_shares(votes, set(range(6)))["first"])
    assert (question["question"], row["name"], row["n_raters"], question["n_hidden"]) == (
        "New?",
        "yes",
        6,
        1,
    )
    assert row["figures"]["first"]["value"] == round(exact, 2) != exact
    assert row["n"] == 290  # of 6 × 8 × 6 votes
    assert found["behind"] == {}


def test_what_few_of_a_group_were_asked_is_not_told() -> None:
    votes = votes_of(n_items=4, raters=range(12), k=2, rank=lambda rater, place: place + 1.0)
    has_list = np.isin(votes.item, [3]) & (votes.position == 0)
    texts = [bias_looks.features("- a\n- b" if is_one else "plain") for is_one in has_list.tolist()]
    kept = ~np.isin(votes.item, [3]) | np.isin(votes.rater, [0, 1, 7])
    columns = {name: getattr(votes, name) for name in votes.__dataclass_fields__} | {
        "looks": bias_looks.looks(texts)
    }
    votes = arrays.Votes(**columns).where(kept)
    group = RaterGroup("yes", frozenset(range(6)), question="New?")

    found = measures_groups.groups_of(votes, [group], none_of_others(), {}, fewest=5)

    figure = found["profile"][0]["groups"][0]["figures"]["list"]
    assert (figure["value"], figure["n"]) == (None, 0)
    assert figure["note"] == "Too few raters in the group faced this choice."


# --- through the product --------------------------------------------------------------------------


def groups_found(campaign: Campaign) -> dict[str, Any]:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    groups: dict[str, Any] = report.results["groups"]
    return groups


def profile_of(pool: Pool) -> OnboardingStep:
    return OnboardingStep.objects.create(pool=pool, kind="profile", created_at=NOON)


def say(step: OnboardingStep, raters: list[Rater], answer: str) -> None:
    ProfileAnswer.objects.bulk_create(
        ProfileAnswer(step=step, rater=rater, question="How long have you rated?", answer=answer)
        for rater in raters
    )


def test_raters_of_another_pool_are_told_apart(ten: tuple[Campaign, list[Rater]]) -> None:
    campaign, raters = ten
    pools_services.add_raters(
        pool=pools_services.create_pool(name="Newcomers", by=None, now=NOON),
        raters=raters[:5],
        by=None,
        now=NOON,
    )

    (found,) = groups_found(campaign)["pools"]

    assert (found["name"], found["n_raters"], found["figures"]["first"]["value"]) == (
        "Newcomers",
        5,
        1.0,
    )


def test_another_pool_on_the_same_responses_is_set_beside(
    ten: tuple[Campaign, list[Rater]], guideline: Guideline
) -> None:
    campaign, _raters = ten
    night = pools_services.create_pool(name="Night shift", by=None, now=NOON)
    prompts = [item.prompt for item in campaign.items.all()]
    other = campaigns_services.create_campaign(
        name="Again",
        settings=ComparisonSettings(n_responses=4, overlap=5),
        pool=night,
        guideline=guideline,
        prompts=prompts,
        by=None,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=other, by=None, now=NOON)
    for number in range(5):
        judge_all(other, rater_called(f"Owl {number}", pool=night), by=as_shown)

    (found,) = groups_found(campaign)["elsewhere"]

    assert (found["name"], found["n_raters"], found["n"]) == ("Night shift", 5, 5 * 4 * 6)
    assert found["figures"]["first"]["value"] == 1.0


def test_answers_to_the_profile_are_compared(
    ten: tuple[Campaign, list[Rater]], day_shift: Pool
) -> None:
    campaign, raters = ten
    step = profile_of(day_shift)
    say(step, raters[:5], "for weeks")
    say(step, raters[5:], "for years")

    (question,) = groups_found(campaign)["profile"]

    assert [(row["name"], row["n_raters"]) for row in question["groups"]] == [
        ("for weeks", 5),
        ("for years", 5),
    ]
    assert question["groups"][0]["figures"]["first"]["value"] == 1.0
    assert question["groups"][1]["figures"]["first"]["value"] < 0.8


@pytest.mark.parametrize(
    "why", ["withdrawn", "retired step", "another pool's profile", "four answers"]
)
def test_a_group_of_four_is_hidden(
    why: str, ten: tuple[Campaign, list[Rater]], day_shift: Pool
) -> None:
    campaign, raters = ten
    pool = (
        pools_services.create_pool(name="Elsewhere", by=None, now=NOON)
        if why == "another pool's profile"
        else day_shift
    )
    step = profile_of(pool)
    say(step, raters[: 4 if why == "four answers" else 5], "for weeks")
    if why == "withdrawn":
        withdrawal.withdraw_rater(rater=raters[0], by=None, now=NOON)
    if why == "retired step":
        OnboardingStep.objects.update(retired_at=NOON)

    found = groups_found(campaign)["profile"]

    assert [entry["groups"] for entry in found if entry["groups"]] == []


def test_of_one_question_in_two_steps_the_later_answer_counts(
    ten: tuple[Campaign, list[Rater]], day_shift: Pool
) -> None:
    campaign, raters = ten
    say(profile_of(day_shift), raters[:1], "for years")
    say(profile_of(day_shift), raters[:1], "for weeks")

    found = rater_groups.rater_groups(campaign=campaign, raters=[rater.pk for rater in raters])

    assert [(group.name, group.raters) for group in found if group.question] == [
        ("for weeks", {raters[0].pk})
    ]


def shown_at(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return page_of(answer)


def test_the_bias_page_shows_groups_and_says_what_is_hidden_and_why(
    ten: tuple[Campaign, list[Rater]], day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    campaign, raters = ten
    step = profile_of(day_shift)
    say(step, raters[:5], "for weeks")
    say(step, raters[5:8], "for years")
    pools_services.add_raters(
        pool=pools_services.create_pool(name="Newcomers", by=None, now=NOON),
        raters=raters[:5],
        by=None,
        now=NOON,
    )
    pools_services.add_raters(
        pool=pools_services.create_pool(name="Tiny", by=None, now=NOON),
        raters=raters[:2],
        by=None,
        now=NOON,
    )
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    page = shown_at(signed_in(alice), f"/campaigns/{campaign.pk}/bias/")

    assert "How long have you rated?" in page
    assert "for weeks" in page
    assert "for years" not in page
    assert "1 answer is hidden because too few raters gave it" in page
    assert "1 pool is hidden because too few of its raters answered here." in page
    assert "Groups need at least 5 raters" in page


def test_a_pools_row_leads_to_its_judgments_and_an_answers_row_to_none(
    ten: tuple[Campaign, list[Rater]], day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    campaign, raters = ten
    say(profile_of(day_shift), raters[:5], "for weeks")
    pool = pools_services.create_pool(name="Newcomers", by=None, now=NOON)
    pools_services.add_raters(pool=pool, raters=raters[:5], by=None, now=NOON)
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    client = signed_in(alice)

    behind = shown_at(client, f"/campaigns/{campaign.pk}/bias/pool-{pool.pk}/")

    assert "a rater in “Newcomers” chose or tied" in behind
    assert "20 answers, newest first" in behind
    assert not html.names(behind, raters[7].alias)
    assert '<th scope="row">for weeks</th>' in shown_at(client, f"/campaigns/{campaign.pk}/bias/")
    assert client.get(f"/campaigns/{campaign.pk}/bias/pool-{day_shift.pk}/").status_code == 404


def test_a_page_without_groups_says_what_would_make_some(
    ten: tuple[Campaign, list[Rater]], alice: User, signed_in: SignedIn
) -> None:
    campaign, _raters = ten
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    page = shown_at(signed_in(alice), f"/campaigns/{campaign.pk}/bias/")

    assert "There are no groups to compare" in page
    assert "There are no expert rankings to compare votes with yet" in page.replace("&#x27;", "'")


def test_the_page_tells_of_confident_wording_and_leads_to_the_judgments(
    ten: tuple[Campaign, list[Rater]], alice: User, signed_in: SignedIn
) -> None:
    campaign, _raters = ten
    Response.objects.filter(number=0).update(text="It is certainly so.")
    for item in campaign.items.all():
        backwards = {response.pk: 5 - response.number for response in item.responses.all()}
        review_services.adjudicate(
            item=item, ranks=backwards, reason="rater_error", by=None, now=NOON
        )
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    client = signed_in(alice)

    page = shown_at(client, f"/campaigns/{campaign.pk}/bias/")
    behind = shown_at(client, f"/campaigns/{campaign.pk}/bias/surer/")

    assert "Errors towards the surer response" in page
    assert "There are votes of only one of the two kinds." in page
    assert "Only English is measured." in page
    assert (
        "Answers where, on at least one pair, the response that sounds surer won against the expert"
        in behind
    )
    assert "Question 1" in behind
