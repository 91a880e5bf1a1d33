"""Published data with known answers, for the tests of agreement, consensus and bias."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from arithmetic.agreement import kappas
from arithmetic.figures import Figure

DATA = Path(os.environ.get("PREFERABLY_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
CROWD = DATA / "llmfao_crowd_comparisons.csv"
needs_crowd = pytest.mark.skipif(
    not CROWD.is_file(),
    reason=f"NO REAL DATA: {CROWD} is absent; set PREFERABLY_DATA to test on it",
)

KRIPPENDORFF_C = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
"""Krippendorff 2011, four coders on twelve units."""

WIKIPEDIA = """
. . . . . 3 4 1 2 1 1 3 3 . 3
1 . 2 1 3 3 4 3 . . . . . . .
. . 2 1 3 4 4 . 2 1 1 3 3 . 4
"""

DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
"""Fleiss 1971: thirty patients, six psychiatrists, five diagnoses; how many gave each."""

ANXIETY = "332 361 344 464 523 542 221 346 531 231 221 632 133 533 221 221 113 233 432 342"
"""Twenty people rated by three (R package irr)."""

ANAESTHETISTS = """
111,1,1,1,1 333,4,3,3,4 112,2,1,2,2 222,3,1,2,1 222,3,2,2,2 222,3,3,2,2 122,2,1,1,1 333,3,4,3,3
222,2,2,2,3 232,2,2,2,3 444,4,4,4,4 222,3,3,4,3 111,1,1,1,1 222,3,2,1,2 121,1,1,1,1 111,2,1,1,1
111,1,1,1,1 111,1,1,1,1 222,2,2,2,1 222,1,3,2,2 222,2,2,2,2 222,2,2,2,1 222,3,2,2,2 221,2,2,2,2
111,1,1,1,1 111,1,1,1,1 232,2,2,2,2 111,1,1,1,1 111,1,1,1,1 112,1,1,2,1 111,1,1,1,1 333,3,2,3,3
111,1,1,1,1 222,2,2,2,2 222,3,2,3,2 433,4,3,4,3 221,2,2,3,2 232,3,2,3,3 333,3,4,3,2 111,1,1,1,1
111,1,1,1,1 121,2,1,1,1 232,2,2,2,2 121,1,1,1,1 222,2,2,2,2
"""


def coders(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(units, raters, labels) of a table with one coder a line and `.` where a label is missing."""
    entries = [
        (unit, rater, int(label))
        for rater, line in enumerate(text.split("\n")[1:-1])
        for unit, label in enumerate(line.split())
        if label != "."
    ]
    one, two, three = (np.array(column) for column in zip(*entries, strict=True))
    return one, two, three


def counts(text: str) -> np.ndarray:
    """Units by categories, one digit a cell."""
    return np.array([[int(digit) for digit in row] for row in text.split()])


def crowd_votes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(units, raters, labels −1 left, 0 tie, +1 right) of the crowd's votes on pairs of models'
    answers.
    """
    with CROWD.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    label = {"left": -1, "tie": 0, "right": 1}
    return (
        np.array([int(row["id"]) for row in rows]),
        np.array([int(row["worker"]) for row in rows]),
        np.array([label[row["winner"]] for row in rows]),
    )


def crowd_sides() -> tuple[list[int], list[int]]:
    """Which model's answer was on the left, and which on the right, by vote."""
    with CROWD.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [int(row["model_x"]) for row in rows], [int(row["model_y"]) for row in rows]


def cohen(
    one: ArrayLike,
    other: ArrayLike,
    *,
    weighting: kappas.Weighting = "identity",
    values: Sequence[int] | None = None,
) -> Figure:
    """Kappa of two raters' labels of the same units, from their table; `values` is the whole scale
    where some are unused.
    """
    scale = sorted(set(np.r_[one, other].tolist()) if values is None else values)
    table = np.zeros((len(scale), len(scale)))
    for pair in zip(np.asarray(one), np.asarray(other), strict=True):
        table[scale.index(pair[0]), scale.index(pair[1])] += 1
    return kappas.cohen_of_table(table, weighting=weighting, values=np.asarray(scale, dtype=float))


def kendall_w(scores: ArrayLike, *, is_corrected: bool = True) -> float | None:
    """How far raters order the same things alike: `scores` is things by raters (Kendall 1948)."""
    table = np.asarray(scores, dtype=float)
    n, m = table.shape
    ranks = np.column_stack([rankdata(column) for column in table.T])
    counts = [np.unique(column, return_counts=True)[1] for column in ranks.T]
    ties = sum(float((count**3 - count).sum()) for count in counts) if is_corrected else 0.0
    spread = float(((ranks.sum(axis=1) - m * (n + 1) / 2) ** 2).sum())
    most = m**2 * (n**3 - n) - m * ties
    return 12 * spread / most if most > 0 else None


def is_about(value: object, precise: float = 1e-6) -> object:
    return pytest.approx(value, abs=precise)


def expanded(wins: np.ndarray) -> dict[str, Any]:
    """`wins[i, j]` as one entry a win."""
    i, j = np.nonzero(wins)
    n = wins[i, j]
    return {"winners": np.repeat(i, n), "losers": np.repeat(j, n)}


LEAGUE = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ]
)
