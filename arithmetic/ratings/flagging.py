"""Flags raters to review by their ratings: those of rankings that do not need an order, by the same
tests and corrected together, and the same answer always.
"""

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from arithmetic.bias.candidates import Candidate, survivors
from arithmetic.bias.flagging import NOTHING, BiasFlag, Review, reviewed
from arithmetic.bias.judgment_table import JudgmentTable
from arithmetic.bias.thresholds import THRESHOLDS, Thresholds
from arithmetic.figures import Floats
from arithmetic.ratings.answers import Answers, Ratings, RatingTable, table_of, votes_of
from arithmetic.ratings.copying import EqualRatings

SAME = 0.9
"""From this share of answers with one value a rater is flagged."""
ABOVE_USUAL = 0.2
"""and it must be this much above the median rater's"""
USUAL_SPREAD = 0.8
"""How far honest raters differ in the share of their most frequent answer, in log-odds"""
_PRIOR_RATERS = 8
"""and how many raters' evidence that is worth."""
OF_RATINGS = ("same", "chance", "copy")
"""What ratings say beside rankings; times and sittings are those of the rankings."""


def review(ratings: Ratings, *, thresholds: Thresholds = THRESHOLDS) -> Review:
    """Every rater to look at, and the groups with a taste of their own."""
    table = table_of(ratings)
    if table is None:
        return NOTHING
    by_question = [
        test
        for answers in table.questions
        for test in _same_answer(answers, len(table.judgments.raters), thresholds)
    ]
    same = _most_striking(by_question)
    habits = {test.rater for test in survivors(same, thresholds)}
    constant = {
        (test.rater, int(test.details["question"])) for test in by_question if test.is_large
    }
    copies = EqualRatings(table, thresholds)
    judgments = _without_copies(table, copies, constant, habits)
    return reviewed(judgments, {"same": same}, copies, thresholds)


def beside(
    rankings: Review, ratings: Ratings, *, thresholds: Thresholds = THRESHOLDS
) -> list[BiasFlag]:
    """Flags for ratings that are given beside rankings, as far as the flags of the rankings do not
    say it already: who ranks with care may rate everything the same, at random, or as a colleague.
    """
    known = {(flag.rater, flag.kind) for flag in [*rankings.flags, *rankings.unsure]}
    return [
        replace(flag, details={**flag.details, "is_beside": 1.0})
        for flag in review(ratings, thresholds=thresholds).flags
        if flag.kind in OF_RATINGS and (flag.rater, flag.kind) not in known
    ]


def _without_copies(
    table: RatingTable, copies: EqualRatings, constant: set[tuple[int, int]], habits: set[int]
) -> JudgmentTable:
    """Two who are equal would outvote a third who is careful, so one of them counts, even where
    there are too few items for a flag. The same answer always does not count either: who gives it
    to one question may be careful about the others.
    """
    judgments = table.judgments
    in_pool = np.zeros(len(judgments.raters), dtype=np.int64)
    copiers: set[int] = set()
    suspected = [test for test in copies.tested(in_pool, habits) if test.is_large]
    for copy in copies.of(suspected):
        if copy.found.other not in copiers:
            copiers.add(copy.found.rater)
    votes = votes_of(
        table.questions, len(judgments.raters), len(judgments.judgments), without=constant
    )
    return replace(judgments, votes=votes.where(~np.isin(votes.rater, sorted(copiers))))


def _most_striking(by_question: list[Candidate]) -> list[Candidate]:
    """Each rater's most striking question, with a p-value that counts the questions."""
    by_rater: dict[int, list[Candidate]] = {}
    for test in by_question:
        by_rater.setdefault(test.rater, []).append(test)
    best = []
    for tests in by_rater.values():
        test = min(tests, key=lambda test: (not test.is_large, test.p))
        p = float(-np.expm1(len(tests) * np.log1p(-min(test.p, 1 - 1e-12))))
        best.append(Candidate(**(vars(test) | {"p": p})))
    return best


def _same_answer(answers: Answers, n_raters: int, thresholds: Thresholds) -> list[Candidate]:
    """Tests whether the share of a rater's most frequent answer is far above the median rater's,
    given how far honest raters differ in it.
    """
    if not len(answers.unit):
        return []
    known = [np.flatnonzero(answers.rater == at) for at in range(n_raters)]
    n_judgments = [len(np.unique(answers.judgment[rows])) for rows in known]
    tested = [at for at in range(n_raters) if n_judgments[at] >= thresholds.n_judgments]
    if len(tested) < 2:
        return []
    frequent = {at: _most_frequent(answers.score[known[at]]) for at in tested}
    n = np.array([n_judgments[at] for at in tested], dtype=float)
    share = np.array([float((answers.score[known[at]] == frequent[at]).mean()) for at in tested])
    odds, error = _log_odds(share, n)
    candidates = []
    for place, at in enumerate(tested):
        others = np.delete(np.arange(len(tested)), place)
        usual, usual_odds = float(np.median(share[others])), float(np.median(odds[others]))
        spread = _spread(odds[others] - usual_odds, error[others])
        p = float(ndtr((usual_odds - odds[place]) / np.hypot(spread, error[place])))
        is_large = share[place] >= max(SAME, usual + ABOVE_USUAL)
        its = known[at][answers.score[known[at]] == frequent[at]]
        candidates.append(
            Candidate(
                at,
                float(share[place]),
                usual,
                int(n[place]),
                p,
                bool(is_large),
                shown_by=np.unique(answers.judgment[its]),
                details={"question": float(answers.place)},
            )
        )
    return candidates


def _most_frequent(scores: Floats) -> float:
    values, counts = np.unique(scores, return_counts=True)
    return float(values[counts.argmax()])


def _log_odds(share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """With half an answer more of each kind, and its standard error."""
    yes, no = share * n + 0.5, (1 - share) * n + 0.5
    return np.log(yes / no), np.sqrt(1 / yes + 1 / no)


def _spread(apart: Floats, error: Floats) -> float:
    """The spread between raters, from the median deviation, which one odd rater does not move."""
    observed = (1.4826 * float(np.median(np.abs(apart)))) ** 2 - float(np.median(error**2))
    total = len(apart) * max(observed, 0.0) + _PRIOR_RATERS * USUAL_SPREAD**2
    return float(np.sqrt(total / (len(apart) + _PRIOR_RATERS)))
