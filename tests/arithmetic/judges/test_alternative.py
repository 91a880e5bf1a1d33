"""The alternative annotator test against a slow twin, scipy, and judges of public votes."""

import csv
from collections import defaultdict
from statistics import mean

import numpy as np
import pytest
from scipy import stats

from arithmetic.judges import alternative
from tests.arithmetic.oracles import DATA, needs_crowd

DIRECTIONS = {"left": -1, "tie": 0, "right": 1}
Vote = tuple[str, str, int]


def public_votes() -> list[Vote]:
    with (DATA / "llmfao_crowd_comparisons.csv").open(encoding="utf-8", newline="") as file:
        return [(r["id"], r["worker"], DIRECTIONS[r["winner"]]) for r in csv.DictReader(file)]


def public_judge(name: str, votes: list[Vote]) -> dict[str, int]:
    if name == "left":
        return dict.fromkeys([pair for pair, _rater, _direction in votes], -1)
    with (DATA / f"llmfao_{name}_comparisons.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: DIRECTIONS[row["winner"]] for row in csv.DictReader(file)}


@needs_crowd
@pytest.mark.parametrize(
    ("name", "share_matched", "advantage"),
    # As the method's reference implementation has it on these votes.
    [("gpt4", 0.2, 0.8555), ("gpt3", 0.1176, 0.7732), ("left", 0.0, 0.6894)],
)
def test_judges_of_public_votes(name: str, share_matched: float, advantage: float) -> None:
    votes = public_votes()

    found = alternative.against_raters(votes, public_judge(name, votes), epsilon=alternative.CROWD)

    assert found is not None
    assert found.share_matched == pytest.approx(share_matched, abs=5e-5)
    assert found.advantage == pytest.approx(advantage, abs=5e-5)


@needs_crowd
def test_always_a_tie_is_near_to_raters_who_tie_often_unless_ties_are_left_out() -> None:
    votes = public_votes()
    judge = dict.fromkeys(public_judge("gpt4", votes), 0)

    with_ties = alternative.against_raters(votes, judge, epsilon=0.1, decided_only=False)

    assert with_ties is not None
    assert with_ties.advantage > 0.6
    assert alternative.against_raters(votes, judge, epsilon=0.1) is None


def simulated(rng: np.random.Generator) -> tuple[list[Vote], dict[str, int]]:
    """Five raters, some careless, on 150 pairs each; the judge is right in five of eight."""
    votes, judge = [], {}
    for pair in map(str, range(250)):
        right = int(rng.choice([-1, 1]))
        judge[pair] = int(rng.choice([right, -right, 0], p=[0.62, 0.33, 0.05]))
        for rater in rng.choice(5, 3, replace=False):
            said = rng.choice([right, -right, 0], p=[0.9 - 0.1 * rater, 0.05 + 0.1 * rater, 0.05])
            votes.append((pair, str(rater), int(said)))
    return votes, judge


@pytest.mark.parametrize("decided_only", [True, False])
def test_each_rater_is_compared_as_described(decided_only: bool) -> None:
    votes, judge = simulated(np.random.default_rng(1))
    leads = defaultdict(list)
    for pair, rater, own in votes:
        others = [said for at, name, said in votes if at == pair and name != rater]
        if decided_only:
            others = [said for said in others if said]
        if not others or (decided_only and not (own and judge[pair])):
            continue
        near = mean(1 - abs(judge[pair] - said) / 2 for said in others)
        nearest = mean(1 - abs(own - said) / 2 for said in others)
        leads[rater].append(float(np.sign(nearest - near)))
    p_values = {
        rater: stats.ttest_1samp(of, 0.15, alternative="less").pvalue for rater, of in leads.items()
    }
    adjusted = stats.false_discovery_control(list(p_values.values()), method="by")

    found = alternative.against_raters(votes, judge, epsilon=0.15, decided_only=decided_only)

    assert found is not None
    assert {r: one.n for r, one in found.by_rater.items()} == {r: len(d) for r, d in leads.items()}
    for name, one in found.by_rater.items():
        assert one.p_value == pytest.approx(p_values[str(name)], abs=1e-9)
        assert one.advantage == pytest.approx(mean(lead <= 0 for lead in leads[str(name)]))
    matched = dict(zip(p_values, adjusted <= 0.05, strict=True))
    assert {r: one.is_matched for r, one in found.by_rater.items()} == matched
    assert 0 < found.share_matched < 1


def test_adjusted_p_values_are_scipys() -> None:
    p_values = np.random.default_rng(2).random(12) ** 3

    adjusted = alternative.benjamini_yekutieli(p_values)

    assert adjusted == pytest.approx(stats.false_discovery_control(p_values, method="by"))


def test_a_judge_that_always_answers_as_the_rater_matches_without_any_spread() -> None:
    votes = [(str(pair), str(rater), 1) for pair in range(60) for rater in range(3)]

    found = alternative.against_raters(votes, {str(pair): 1 for pair in range(60)}, epsilon=0.1)
    opposed = alternative.against_raters(votes, {str(pair): -1 for pair in range(60)}, epsilon=0.1)

    assert found is not None
    assert opposed is not None
    assert (found.share_matched, found.advantage) == (1, 1)
    assert (opposed.share_matched, opposed.advantage) == (0, 0)


def test_two_raters_or_39_pairs_are_too_few() -> None:
    votes = [(str(pair), str(rater), 1) for pair in range(60) for rater in range(3)]
    judge = {str(pair): 1 for pair in range(60)}

    two = [vote for vote in votes if vote[1] != "0"]
    short = [vote for vote in votes if int(vote[0]) < 39]

    assert alternative.against_raters(two, judge, epsilon=0.1) is None
    assert alternative.against_raters(short, judge, epsilon=0.1) is None
