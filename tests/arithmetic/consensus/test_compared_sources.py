"""Sources compared on many votes, against the same votes one by one and published fits."""

import math
from typing import Any

import numpy as np
import pytest

from arithmetic.consensus import compared, strengths
from tests.arithmetic.oracles import LEAGUE, expanded, is_about


def some_sources(
    seed: int, *, n_prompts: int = 150, spread: float = 0.0, errs: float = 0.0
) -> dict[str, Any]:
    """Four sources, three votes on each of two pairs a prompt; `spread`: how far prompts differ in
    whom they suit.
    """
    random = np.random.default_rng(seed)
    prompts = np.repeat(np.arange(n_prompts), 6)
    pairs = np.array([random.choice(4, 2, replace=False) for _ in range(2 * n_prompts)]).repeat(
        3, axis=0
    )
    strength = np.array([0.0, 0.4, 0.8, 1.2]) + spread * random.standard_normal((n_prompts, 4))
    delta = strength[prompts, pairs[:, 0]] - strength[prompts, pairs[:, 1]]
    label = np.where(random.random(len(prompts)) < 1 / (1 + np.exp(-delta)), -1, 1)
    label = np.where(random.random(len(prompts)) < errs, -label, label)
    label[random.random(len(prompts)) < 0.2] = 0
    raters = np.tile([1, 2, 3], 2 * n_prompts)
    return {
        "left": 10 + pairs[:, 0],
        "right": 10 + pairs[:, 1],
        "labels": label,
        "raters": raters,
        "prompts": prompts,
    }


KNOWN = {1: (0.9, 500.0), 2: (0.9, 500.0), 3: (0.9, 500.0)}


def test_sources_compare_as_their_single_votes_do() -> None:
    votes = some_sources(0)
    alone = strengths.with_ties(left=votes["left"], right=votes["right"], labels=votes["labels"])

    found = compared.compared(**votes, reliability={})

    assert (found.sources.tolist(), found.baseline) == ([10, 11, 12, 13], 10)
    assert [figure.value for figure in found.by_all] == is_about(
        (alone.values - alone.values[0]).tolist()
    )
    assert found.tie == is_about(alone.tie / (2 + alone.tie))
    assert found.n_votes.sum() == 2 * len(votes["labels"])


def test_sources_seen_by_reliability_are_crowd_bt_s() -> None:
    votes = some_sources(1, errs=0.1)
    decided = votes["labels"] != 0
    ahead = votes["labels"][decided] < 0
    left, right = votes["left"][decided], votes["right"][decided]
    alone = strengths.rater_aware(
        winners=np.where(ahead, left, right),
        losers=np.where(ahead, right, left),
        raters=votes["raters"][decided],
        prior={rater: (4 + share * n, 1 + (1 - share) * n) for rater, (share, n) in KNOWN.items()},
        rounds=100,
    )

    found = compared.compared(**votes, reliability=KNOWN)

    values = alone.strengths.values
    assert [figure.value for figure in found.by_reliability] == is_about(
        (values - values[0]).tolist()
    )


def test_mistakes_are_taken_out_by_reliability() -> None:
    votes = some_sources(2, n_prompts=4_000, errs=0.15)

    found = compared.compared(**votes, reliability=dict.fromkeys((1, 2, 3), (0.85, 5_000.0)))

    assert [figure.value for figure in found.by_reliability] == pytest.approx(
        [0, 0.4, 0.8, 1.2], abs=0.12
    )
    assert found.by_all[3].value < 1.0
    for figure, truth in zip(found.by_reliability[1:], (0.4, 0.8, 1.2), strict=True):
        assert figure.low < truth < figure.high


@pytest.mark.slow
@pytest.mark.parametrize("column", ["by_all", "by_reliability"])
def test_errors_are_those_of_prompts_drawn_anew(column: str) -> None:
    votes = some_sources(3, spread=1.0)
    random = np.random.default_rng(4)
    rows = np.arange(len(votes["labels"])).reshape(150, 6)
    drawn = []
    for _ in range(150):
        chosen = rows[random.integers(0, 150, 150)].reshape(-1)
        again = {name: values[chosen] for name, values in votes.items()} | {
            "prompts": np.repeat(np.arange(150), 6)
        }
        drawn.append(
            [
                figure.value
                for figure in getattr(compared.compared(**again, reliability=KNOWN), column)
            ]
        )

    found = getattr(compared.compared(**votes, reliability=KNOWN), column)

    assert [figure.se for figure in found[1:]] == pytest.approx(
        np.std(drawn, axis=0)[1:].tolist(), rel=0.25
    )
    assert (found[0].value, found[0].se) == (0.0, None)


def won_by_taste(seed: int, n_raters: int) -> dict[str, Any]:
    """Two sources, equally good to all raters of the kind; these raters' tastes differ by 1 on the
    logit.
    """
    random = np.random.default_rng((seed, n_raters))
    raters, prompts = np.tile(np.arange(n_raters), 40), np.repeat(np.arange(40), n_raters)
    logit = random.normal(size=n_raters)[raters] + random.normal(size=40)[prompts]
    return {
        "left": np.full(len(raters), 1),
        "right": np.full(len(raters), 2),
        "labels": np.where(random.random(len(raters)) < 1 / (1 + np.exp(-logit)), 1, -1),
        "raters": raters,
        "prompts": prompts,
    }


@pytest.mark.slow
@pytest.mark.parametrize("column", ["by_all", "by_reliability"])
def test_strengths_hold_for_other_raters_of_the_kind(column: str) -> None:
    """By prompt alone they do in half of the campaigns."""
    known = dict.fromkeys(range(6), (0.9, 100.0))
    found = [
        getattr(compared.compared(**won_by_taste(seed, 6), reliability=known), column)[1]
        for seed in range(200)
    ]

    held = [figure.low <= 0 <= figure.high for figure in found if figure.low is not None]

    assert len(held) > 150
    assert sum(held) / len(held) >= 0.92
    assert {figure.about for figure in found if figure.low is not None} == {"raters_like_these"}


def test_strengths_by_two_raters_are_about_these_raters() -> None:
    found = compared.compared(**won_by_taste(1, 2), reliability={})

    assert found.by_all[1].about == "these_raters"


def test_errors_of_baseball_are_agresti_s() -> None:
    """R's BradleyTerry2 gives errors of about 0.34 against Baltimore, each game by itself."""
    games = expanded(LEAGUE[::-1, ::-1])  # Baltimore first: the baseline
    n = len(games["winners"])

    found = compared.compared(
        left=games["winners"],
        right=games["losers"],
        labels=np.full(n, -1),
        raters=np.ones(n),
        prompts=np.arange(n),
        reliability={},
    )

    assert [figure.value for figure in found.by_all] == is_about(
        [0, 0.6839, 1.1077, 1.2476, 1.2945, 1.4364, 1.5814], 5e-5
    )
    assert [figure.se for figure in found.by_all[1:]] == pytest.approx([0.34] * 6, abs=0.025)
    assert found.tie is None


def test_sources_that_one_scale_cannot_hold_have_a_sentence() -> None:
    left, right, labels = [1, 1, 2, 9, 4], [2, 2, 1, 1, 5], [-1, -1, -1, -1, -1]

    found = compared.compared(
        left=left, right=right, labels=labels, raters=[1] * 5, prompts=range(5), reliability={}
    )

    told = dict(zip(found.sources.tolist(), found.by_all, strict=True))
    assert found.baseline == 1
    assert told[2].value < 0
    assert "is unbounded" in told[9].note
    assert "not been compared with any source" in told[4].note == told[5].note


@pytest.mark.parametrize(
    ("left", "right", "labels", "says"),
    [
        ([1, 2, 1], [2, 1, 2], [0, 0, 0], "tie"),
        ([1, 1], [2, 2], [-1, -1], "unbounded"),
        ([1, 2], [2, 1], [-1, -1], ""),
        ([1, 1], [1, 1], [-1, 0], ""),
        ([], [], [], ""),
    ],
    ids=["all tied", "all one way", "even", "one source", "no votes"],
)
def test_few_votes_give_strengths_or_sentences(
    left: list[int], right: list[int], labels: list[int], says: str
) -> None:
    for known in ({}, {7: (0.8, 50.0)}, {7: (1.0, 50.0)}, {7: (0.0, 50.0)}):
        found = compared.compared(
            left=left,
            right=right,
            labels=labels,
            raters=[7] * len(left),
            prompts=range(len(left)),
            reliability=known,
        )

        for figure in (*found.by_all, *found.by_reliability):
            assert figure.value is not None or figure.note
            assert all(
                at is None or math.isfinite(at) for at in (figure.value, figure.low, figure.high)
            )
        assert not says or says in found.by_all[0].note
