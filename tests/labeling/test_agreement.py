"""Raw agreement by rater, against counts made by hand."""

import pytest

from labeling.agreement import RankVote, agreement_by_rater

ROSA, RAUL, RITA = 1, 2, 3


def votes(item: int, rater: int, *ranks: int | None) -> list[RankVote]:
    """What `rater` gave the item's responses 0, 1, 2 …"""
    return [
        RankVote(item=item, rater=rater, response=response, rank=rank)
        for response, rank in enumerate(ranks)
    ]


@pytest.mark.parametrize(
    ("rosa", "raul", "share", "n"),
    [
        ((1, 2), (1, 2), 1.0, 1),
        ((1, 2), (2, 1), 0.0, 1),
        ((1, 2), (1, 1), 0.5, 1),
        ((1, 1), (1, 1), 1.0, 1),
        ((1, 2, 3), (1, 3, 2), 2 / 3, 3),
        ((1, 2, None), (2, 1, 3), 0.0, 1),
    ],
)
def test_two_raters_agree_pair_by_pair(
    rosa: tuple[int, ...], raul: tuple[int, ...], share: float, n: int
) -> None:
    agreement = agreement_by_rater(votes(1, ROSA, *rosa) + votes(1, RAUL, *raul))

    assert (agreement[ROSA].share, agreement[ROSA].n) == (pytest.approx(share), n)
    assert agreement[RAUL] == agreement[ROSA]


def test_each_colleague_counts_once_for_each_pair() -> None:
    given = votes(1, ROSA, 1, 2) + votes(1, RAUL, 1, 2) + votes(1, RITA, 2, 1)

    agreement = agreement_by_rater(given)

    assert (agreement[ROSA].share, agreement[ROSA].n) == (0.5, 2)
    assert (agreement[RITA].share, agreement[RITA].n) == (0.0, 2)


def test_a_rater_without_a_colleague_has_no_agreement() -> None:
    assert agreement_by_rater(votes(1, ROSA, 1, 2) + votes(2, RAUL, 1, 2)) == {}
