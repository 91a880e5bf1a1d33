"""A campaign's ratings of single responses, and the table that flags of raters come from.

A rating is a number on a scale or a category. Raters use a scale in their own way: each one's
ratings are taken from their own mean, in units of their own spread, so that a lenient rater and one
who avoids the ends follow the others as far as they order the responses alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from arithmetic.bias.following import NumberedVotes
from arithmetic.bias.judgment_table import JudgmentTable
from arithmetic.figures import Floats, Ints, codes

FARTHEST = 2.5
"""A rating counts as at most this many of its rater's spreads from their mean, so that a single yes
among a hundred answers does not decide what is typical.
"""


@dataclass(frozen=True)
class Ratings:
    """One row per rated response, as parallel arrays. One rater judges an item once."""

    judgment: ArrayLike
    item: ArrayLike
    rater: ArrayLike
    response: ArrayLike
    prompt: ArrayLike
    n_chars: ArrayLike
    at_s: ArrayLike
    """when the judgment was submitted, in seconds; all the same if it is not known"""
    active_s: ArrayLike
    """seconds the rater worked on it; NaN is unknown"""
    answers: Mapping[str, Floats]
    """by question; NaN is unanswered"""
    ordered: frozenset[str]
    """the questions whose answers have an order; those of the others are categories"""


@dataclass(frozen=True)
class Answers:
    """The answers to one question, one entry per answer."""

    place: int
    """of the question, from 0"""
    is_ordered: bool
    unit: Ints
    """the response in its item"""
    rater: Ints
    judgment: Ints
    prompt: Ints
    score: Floats


@dataclass(frozen=True)
class RatingTable:
    judgments: JudgmentTable
    questions: list[Answers]
    item: Ints
    """of each judgment"""


def table_of(ratings: Ratings) -> RatingTable | None:
    judgment, names = codes(ratings.judgment)
    if not judgment.size:
        return None
    n = len(names)
    rater, raters = codes(ratings.rater)
    item = codes(ratings.item)[0]
    response, responses = codes(ratings.response)
    unit = codes(item * len(responses) + response)[0]
    whole = {"unit": unit, "rater": rater, "judgment": judgment, "prompt": codes(ratings.prompt)[0]}
    questions = [
        Answers(
            place,
            name in ratings.ordered,
            **{column: values[~np.isnan(answers)] for column, values in whole.items()},
            score=answers[~np.isnan(answers)],
        )
        for place, (name, answers) in enumerate(ratings.answers.items())
    ]
    its_item, its_rater = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    at_s, active_s = np.zeros(n), np.zeros(n)
    for column, values in (
        (its_item, item),
        (its_rater, rater),
        (at_s, ratings.at_s),
        (active_s, ratings.active_s),
    ):
        column[judgment] = values
    with np.errstate(divide="ignore", invalid="ignore"):
        active_s = np.where(active_s > 0, active_s, np.nan)
        n_chars = np.bincount(judgment, weights=np.asarray(ratings.n_chars, dtype=float))
        pace = n_chars / active_s
    time_order = np.lexsort((at_s, its_rater))
    starts = np.searchsorted(its_rater[time_order], np.arange(len(raters) + 1))
    nothing = np.full(n, np.nan)
    table = JudgmentTable(
        raters=raters.astype(np.int64),
        judgments=names.astype(np.int64),
        rater=its_rater,
        item=its_item,
        at_s=at_s,
        active_s=active_s,
        n_ranked=np.zeros(n, dtype=np.int64),
        top_place=nothing,
        longer_won=nothing,
        order=np.arange(n),
        decides=np.zeros(n, dtype=bool),
        pace=pace,
        votes=votes_of(questions, len(raters), n),
        of_rater=tuple(time_order[starts[at] : starts[at + 1]] for at in range(len(raters))),
    )
    return RatingTable(table, questions, its_item)


def votes_of(
    questions: Sequence[Answers],
    n_raters: int,
    n_judgments: int,
    without: Collection[tuple[int, int]] = (),
) -> NumberedVotes:
    """Every answer as a distance from its rater's mean; of categories, one for each category.
    `without` names a rater and a question whose answers are left out.
    """
    columns: list[tuple[Ints, Ints, Floats, Ints]] = []
    n_units = 0
    for answers in questions:
        absent = [rater for rater, place in without if place == answers.place]
        kept = ~np.isin(answers.rater, absent)
        unit, rater, judgment = answers.unit[kept], answers.rater[kept], answers.judgment[kept]
        for score in _scored(answers):
            if len(unit) and np.ptp(score[kept]) > 0:
                label = _from_own_mean(score[kept], rater, n_raters)
                columns.append((n_units + unit, rater, label, judgment))
                n_units += int(unit.max()) + 1
    if not columns:
        none = np.zeros(0, dtype=np.int64)
        return NumberedVotes(none, none, np.zeros(0), none, n_raters, n_judgments)
    units, raters, labels, judgments = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    return NumberedVotes(
        codes(units)[0], raters, labels, judgments, n_raters, n_judgments, is_graded=True
    )


def _scored(answers: Answers) -> list[Floats]:
    if answers.is_ordered:
        return [answers.score]
    return [(answers.score == value).astype(float) for value in np.unique(answers.score)]


def _from_own_mean(score: Floats, rater: Ints, n_raters: int) -> Floats:
    n = np.maximum(np.bincount(rater, minlength=n_raters), 1)
    apart = score - (np.bincount(rater, weights=score, minlength=n_raters) / n)[rater]
    spread = np.sqrt(np.bincount(rater, weights=apart**2, minlength=n_raters) / n)
    return np.clip(apart / np.where(spread > 0, spread, 1.0)[rater], -FARTHEST, FARTHEST)
