"""Pools of two dozen raters with about 70 pairs of responses each: who is accused, and of what."""

import pytest

from arithmetic.bias import flagging
from benchmarks.fixtures.simulated import small_pools
from benchmarks.fixtures.simulated.small_pools import MINORITIES, OVERLAPS, counted
from tests.arithmetic.bias.test_bias_flags import pairs_pool

SEEDS = range(300, 308)


@pytest.mark.parametrize("minority", MINORITIES)
def test_a_small_minority_is_not_called_careless(minority: str) -> None:
    n_raters, n = MINORITIES[minority]

    counts = sum(
        (
            counted(SEEDS, k=2, n_raters=n_raters, planted={"minority": n}, overlap=overlap)
            for overlap in OVERLAPS
        ),
        small_pools.Counts(),
    )

    assert counts.share("minority") <= 0.1, counts.words("minority")


@pytest.mark.parametrize("bad", small_pools.BAD)
def test_honest_raters_beside_bad_ones_are_left_alone(bad: str) -> None:
    planted = small_pools.BAD[bad]

    counts = sum(
        (
            counted(SEEDS, k=2, n_raters=24, planted=planted, overlap=overlap)
            for overlap in OVERLAPS
        ),
        small_pools.Counts(),
    )

    assert counts.share("") <= 0.02, counts.words("")


@pytest.mark.parametrize(
    ("kind", "at_least"), [("first", 1.0), ("alternates", 1.0), ("chance", 0.85)]
)
def test_clickers_are_found_where_everybody_answers_everything(kind: str, at_least: float) -> None:
    counts = counted(
        SEEDS, k=2, n_raters=24, planted=small_pools.BAD["clickers"], overlap="all for all"
    )

    assert counts.share(kind) >= at_least, counts.words(kind)


def test_programs_and_copies_are_found() -> None:
    for kind, n in (("even", 2), ("copy", 3)):
        counts = counted(SEEDS, k=2, n_raters=24, planted={kind: n}, overlap="40 % for all")

        assert counts.share(kind) >= 0.9, counts.words(kind)


def test_three_who_share_no_items_are_said_to_differ() -> None:
    """Nothing tells three random raters from three with a taste, where hardly any item is common
    to them: they are neither accused nor passed over.
    """
    counts = counted(SEEDS, k=4, n_raters=20, planted={"chance": 3}, overlap="two each")

    assert counts.flagged["chance"] + counts.unsure["chance"] >= 0.8 * counts.n["chance"]
    assert counts.unsure["chance"] > counts.flagged["chance"]


def test_one_who_follows_nobody_is_accused() -> None:
    """A taste needs three."""
    review = flagging.review(pairs_pool([0.5, *[0.8] * 19], n_shared=100, n_own=0, seed=1))

    assert ("chance", 0) in {(flag.kind, flag.rater) for flag in review.flags}
    assert review.unsure == []
