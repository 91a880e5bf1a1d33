"""The report of a campaign whose answers are ratings: raters' flags and weights, self-agreement,
consensus, and the most disputed items. And flags for ratings that are given beside rankings.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from arithmetic.bias import looks as bias_looks
from arithmetic.bias.flagging import NOTHING
from benchmarks.fixtures.simulated.ratings import QUESTIONS, RatedPool, simulate
from labeling.guidelines import rating_form
from labeling.models import Campaign, QualityReport, Rater, RaterQuality
from labeling.quality.measures.raters import rater_measures
from labeling.quality.measures.ratings import flags_beside
from labeling.quality.pages.flag_words import FlagRow
from labeling.quality.services import compute_quality
from labeling.votes import arrays, rating_consensus
from tests.cast import NOON

pytestmark = pytest.mark.django_db

Rated = Callable[[str, list[str]], QualityReport]
HEAD = "item,rater,quality,coherence"


@pytest.fixture
def rated(tmp_path: Path) -> Rated:
    """Import lines of a table of ratings and compute the report of their campaign."""

    def rated(head: str, lines: list[str]) -> QualityReport:
        path = tmp_path / "ratings.csv"
        path.write_text("\n".join([head, *lines]) + "\n")
        call_command("import_judgments", path, source="crowd", licence="CC0-1.0")
        report = compute_quality(campaign_id=Campaign.objects.get().pk, now=NOON)
        assert report is not None
        return report

    return rated


def near(chance: random.Random, truth: int) -> int:
    return min(5, max(1, truth + chance.choice([-1, 0, 0, 1])))


def table(n_items: int = 80) -> list[str]:
    """Ann, Bob and Carl rate alike, and Bob's coherence is Carl's; Dora's quality is always 3."""
    chance, lines = random.Random(5), []
    for item in range(n_items):
        truth = [chance.randint(1, 5) for _ in range(2)]
        coherence = near(chance, truth[1])
        lines += [
            f"{item},ann,{near(chance, truth[0])},{near(chance, truth[1])}",
            f"{item},bob,{near(chance, truth[0])},{coherence}",
            f"{item},carl,{near(chance, truth[0])},{coherence}",
            f"{item},dora,3,{near(chance, truth[1])}",
        ]
    return lines


def of_raters(report: QualityReport) -> dict[str, RaterQuality]:
    return {
        row.rater.origin.removeprefix("crowd: "): row
        for row in report.raters.select_related("rater")
    }


def test_a_copied_column_and_the_same_answer_always_are_flagged(rated: Rated) -> None:
    raters = of_raters(rated(HEAD, table()))

    flags = {
        (name, flag["kind"], flag.get("question"))
        for name, row in raters.items()
        for flag in row.results["flags"]
    }
    assert flags == {
        ("bob", "copy", "coherence"),
        ("carl", "copy", "coherence"),
        ("dora", "same", "quality"),
    }
    assert {name: row.n_flags for name, row in raters.items()} == {
        "ann": 0,
        "bob": 1,
        "carl": 1,
        "dora": 1,
    }
    copied = raters["bob"].results["flags"][0]
    assert (copied["value"], copied["n"], copied["is_later"]) == (1.0, 80, 0.0)
    assert copied["other"] == raters["carl"].rater_id
    assert len(raters["dora"].results["behind"]["flag-same"]["judgments"]) == 80


def test_raters_have_a_weight_from_their_ratings(rated: Rated) -> None:
    chance = random.Random(2)
    lines = table(200) + [
        f"{item},eve,{chance.randint(1, 5)},{chance.randint(1, 5)}" for item in range(200)
    ]

    raters = of_raters(rated(HEAD, lines))

    weights = {name: row.weight or 0.0 for name, row in raters.items()}
    assert weights["eve"] < 0.1 < 0.3 < weights["ann"] < 1
    assert weights["dora"] < weights["ann"]
    for row in raters.values():
        reliability = row.results["reliability"]
        assert reliability["low"] < reliability["value"] < reliability["high"]
        assert 0 < row.results["agreement"]["value"] < 1


def test_who_says_nothing_counts_little_in_the_consensus(rated: Rated) -> None:
    """Dora is always in the middle, and so not far from anybody."""
    lines = [line for line in table() if ",bob," not in line]
    lines = [",".join(line.split(",")[:3]) for line in lines]

    report = rated("item,rater,quality", lines)

    weights = rating_consensus.weights_of(campaign=report.campaign)["quality"]
    by_name = {
        Rater.everyone.get(pk=rater).origin.removeprefix("crowd: "): weight
        for rater, weight in weights.items()
    }
    assert by_name["dora"] == 0.25
    assert min(by_name["ann"], by_name["carl"]) > 0.8


def test_second_ratings_count_alike_whether_they_are_equal_or_not(rated: Rated) -> None:
    """27 of 30 second ratings are the first ones: self-agreement is 90 %, of the rater too."""
    lines = [f"{item},{rater},{1 + item % 5}" for item in range(30) for rater in ("ann", "bob")]
    again = [f"{item},ann,{1 + (item + (item < 3)) % 5}" for item in range(30)]

    report = rated("item,rater,quality", lines + again)

    own = report.results["agreement"]["self"]
    assert (own["value"], own["n"]) == (pytest.approx(0.9), 30)
    [question] = report.results["ratings"]["questions"]
    assert question["self"] == own
    ann = of_raters(report)["ann"].results
    assert (ann["self"]["value"], ann["self"]["n"]) == (pytest.approx(0.9), 30)
    assert ann["agreement"]["n"] == 30, "a second opinion is not a second rater"
    assert report.results["agreement"]["questions"][0]["alpha"]["value"] == 1.0


def test_the_consensus_of_each_question_is_counted(rated: Rated) -> None:
    lines = [f"{item},{rater},{4},{item % 3}" for item in range(20) for rater in ("ann", "bob")]
    lines += ["0,carl,1,0", "99,carl,2,1"]

    report = rated("item,rater,quality,coherence", lines)

    quality, coherence = report.results["ratings"]["questions"]
    assert (quality["n"], quality["n_shared"]) == (21, 20)
    assert quality["per_response"] == pytest.approx(42 / 21)
    assert quality["unanimous"]["value"] == pytest.approx(19 / 20)
    assert quality["mean"] == pytest.approx((19 * 4 + 3 + 2) / 21)
    assert coherence["unanimous"]["value"] == 1.0


def test_the_most_disputed_items_are_those_whose_ratings_are_farthest_apart(rated: Rated) -> None:
    scores = {0: (1, 5), 1: (2, 4), 2: (3, 4), 3: (5, 5), 4: (1, 1)}
    lines = [
        f"{item},{rater},{score}"
        for item, pair in scores.items()
        for rater, score in zip(("ann", "bob"), pair, strict=True)
    ]

    items = rated("item,rater,quality", lines).results["items"]

    assert [entry["share"] for entry in items["split"]] == pytest.approx([0, 0.75, 0.9375])
    assert (items["n"], items["mean"]) == (5, pytest.approx((0.75 + 0.9375 + 2) / 5))


def test_a_campaign_of_rankings_has_none(measured: Campaign) -> None:
    assert measured.quality.results["ratings"] is None


def test_a_group_with_a_taste_of_its_own_keeps_its_weight(rated: Rated) -> None:
    """Five of fifteen raters want something else, with as much care."""
    chance, lines = random.Random(3), []
    for item in range(80):
        tastes = [chance.randint(1, 5), chance.randint(1, 5)]
        lines += [f"{item},r{at},{near(chance, tastes[at < 5])}" for at in range(15)]

    raters = of_raters(rated("item,rater,quality", lines))

    members = [raters[f"r{at}"] for at in range(5)]
    assert [row.n_flags for row in raters.values()] == [0] * 15
    assert {row.results["taste"]["n_raters"] for row in members} == {5}
    taste = members[0].results["taste"]
    assert taste["within"]["value"] > 0.35 > 0.25 > taste["outside"]["value"]
    assert min(row.weight or 0.0 for row in members) > 0.4


def test_who_copies_is_not_measured_by_whom_they_copy(rated: Rated) -> None:
    chance, lines = random.Random(8), []
    for item in range(150):
        scores = [chance.randint(1, 5), chance.randint(1, 5)]
        lines += [
            f"{item},{name},{score}"
            for name, score in zip(
                ("ann", "bob", "carl"), (scores[0], scores[1], scores[1]), strict=True
            )
        ]

    report = rated("item,rater,quality", lines)

    raters = of_raters(report)
    assert {name for name, row in raters.items() if row.n_flags} == {"bob", "carl"}
    assert max(abs(row.results["reliability"]["value"]) for row in raters.values()) < 0.2
    weights = rating_consensus.weights_of(campaign=report.campaign)["quality"]
    assert max(weights.values()) < 2


@pytest.mark.parametrize(
    ("habit", "label"),
    [
        ("same", "Same answer always"),
        ("chance", "Ratings no better than chance"),
        ("copy", "Rates like a colleague"),
    ],
)
def test_ratings_beside_careful_rankings_have_flags_of_their_own(habit: str, label: str) -> None:
    pool = simulate(2, n_raters=3, n_items=100, k=2, planted={habit: 1})
    planted = pool.habit.index(habit)
    questions = tuple(rating_form.Scale(name, name, low=1, high=5) for name in QUESTIONS)

    found = rater_measures(votes_of(pool), {0: "Ann", 1: "Bob", 2: "Cy"}, questions=questions)

    assert {rater for rater, record in found.items() if record["flags"]} == {planted}
    [flag] = map(FlagRow, found[planted]["flags"])
    assert (str(flag.label), found[planted]["is_rated_only"]) == (label, False)
    assert flag.sentence
    assert "%(" not in flag.sentence
    assert flag.row in found[planted]["behind"]


def test_second_opinions_flag_nobody_beside_rankings() -> None:
    """What a rater was asked again counts once, here too."""
    pool = simulate(2, n_raters=3, n_items=100, k=2, planted={"same": 1})
    questions = tuple(rating_form.Scale(name, name, low=1, high=5) for name in QUESTIONS)
    votes = votes_of(pool)
    votes = replace(votes, is_repeat=votes.item >= 60)

    [flag] = flags_beside(votes, questions, NOTHING)

    own = (votes.rater == pool.habit.index("same")) & ~votes.is_repeat
    assert (flag.kind, flag.n) == ("same", len(np.unique(votes.judgment[own])))


def votes_of(pool: RatedPool) -> arrays.Votes:
    """Rankings with ratings beside them."""
    shown = {name: np.asarray(column) for name, column in vars(pool.rankings).items()}
    n = len(shown["rank"])
    return arrays.Votes(
        judgment=shown["judgment"],
        item=shown["item"],
        prompt=shown["item"],
        rater=shown["rater"],
        response=shown["response"],
        source=np.ones(n, dtype=np.int64),
        rank=shown["rank"].astype(float),
        position=shown["position"],
        at_s=shown["at_s"],
        active_s=shown["active_s"],
        looks=bias_looks.looks([bias_looks.features("Because.")] * n),
        answers=dict(pool.ratings.answers),
        groups={},
        is_repeat=np.zeros(n, dtype=bool),
    )
