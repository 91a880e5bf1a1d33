"""Measures of a campaign whose answers are ratings and no rankings: of raters, questions, and the
items on which raters are farthest apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arithmetic import clustering
from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias.flagging import BiasFlag, Review
from arithmetic.consensus import ratings as consensus_ratings
from arithmetic.consensus.ratings import Noise
from arithmetic.consensus.reliability import Reliability
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop
from arithmetic.ratings import answers, flagging, reliability
from labeling.guidelines.rating_form import Question, Scale
from labeling.quality.measures.agreeing import BINS, ITEMS_LISTED, rated_units
from labeling.votes import consensus
from labeling.votes.arrays import Record, Votes, as_figure, as_record
from labeling.votes.consensus import is_ordered

NEVER_TWICE = gettext_noop("Nothing has been answered twice.")


@dataclass(frozen=True)
class JudgedRaters:
    """What the other raters' answers say about each rater, by id."""

    agreement: Mapping[int, Figure]
    reliability: Mapping[int, Reliability]
    review: Review
    with_oneself: Mapping[int, Figure]
    equal_votes: agreement_pairs.Matrix


def is_rated_only(votes: Votes, questions: Sequence[Question]) -> bool:
    """Whether there are ratings, and no two responses of an item were ranked."""
    return bool(asked(votes, questions)) and not votes.pairs.unit.size


def judged_raters(votes: Votes, questions: Sequence[Question]) -> JudgedRaters:
    ratings = _ratings(votes.once, questions)
    table = answers.table_of(ratings)
    assert table is not None, "there are ratings"
    review = flagging.review(ratings)
    return JudgedRaters(
        agreement=reliability.same_ratings(table),
        reliability=_reliability(votes.once, questions, review),
        review=review,
        with_oneself=with_oneself(votes, questions)[1],
        equal_votes=_equal_votes(votes.once, questions),
    )


def flags_beside(votes: Votes, questions: Sequence[Question], rankings: Review) -> list[BiasFlag]:
    """Flags for the ratings of a campaign of rankings, whose own review is `rankings`."""
    return flagging.beside(rankings, _ratings(votes.once, questions))


def _reliability(
    votes: Votes, questions: Sequence[Question], review: Review
) -> dict[int, Reliability]:
    """Raters with a taste of their own are measured by each other, and nobody by their copy."""
    everybody = set(np.unique(votes.rater).tolist())
    groups = [set(taste.raters) for taste in review.tastes]
    found: dict[int, Reliability] = {}
    for group in [everybody.difference(*groups), *groups]:
        found |= _within(votes, questions, group)
    alike = _alike((flag.rater, flag.other) for flag in review.flags if flag.kind == "copy")
    for rater, others in alike.items():
        own = next((group for group in groups if rater in group), everybody.difference(*groups))
        found[rater] = _within(votes, questions, own - others)[rater]
    return found


def _within(
    votes: Votes, questions: Sequence[Question], raters: set[int]
) -> dict[int, Reliability]:
    part = votes.where(np.isin(votes.rater, sorted(raters)))
    table = answers.table_of(_ratings(part, questions))
    return {} if table is None else reliability.reliability(table)


def _equal_votes(votes: Votes, questions: Sequence[Question]) -> agreement_pairs.Matrix:
    unit, label, _prompt, rater = _all_answers(votes, questions)
    return agreement_pairs.matrix(units=unit, raters=rater, labels=label, ties="in")


def _alike(pairs: Iterable[tuple[int, int | None]]) -> dict[int, set[int]]:
    """By rater, those who copied them or whom they copied. They say nothing about each other: who
    copies would look as reliable as nobody is.
    """
    alike: dict[int, set[int]] = {}
    for one, other in pairs:
        if other is not None:
            alike.setdefault(one, set()).add(other)
            alike.setdefault(other, set()).add(one)
    return alike


def noise_by_rater(
    votes: Votes, questions: Sequence[Question], raters: Mapping[int, Record]
) -> dict[int, Record]:
    """As labeling.votes.consensus.noise_by_rater, where a copy says nothing about whom it copies.
    `raters` are their records.
    """
    noise = consensus.noise_by_rater(votes, questions)
    alike = _alike(
        (rater, flag["other"])
        for rater, record in raters.items()
        for flag in record["flags"]
        if flag["kind"] == "copy" and "question" in flag
    )
    for rater, others in alike.items():
        rest = votes.where(~np.isin(votes.rater, sorted(others)))
        noise[rater] = consensus.noise_by_rater(rest, questions).get(rater, {})
    return noise


def asked(votes: Votes, questions: Sequence[Question]) -> list[Question]:
    """The questions that somebody answered: flags name them by their place here."""
    return [
        question
        for question in questions
        if question.name in votes.answers and not np.isnan(votes.answers[question.name]).all()
    ]


def _ratings(votes: Votes, questions: Sequence[Question]) -> answers.Ratings:
    answered = asked(votes, questions)
    return answers.Ratings(
        judgment=votes.judgment,
        item=votes.item,
        rater=votes.rater,
        response=votes.response,
        prompt=votes.prompt,
        n_chars=votes.n_chars,
        at_s=votes.at_s,
        active_s=votes.active_s,
        answers={question.name: votes.answers[question.name] for question in answered},
        ordered=frozenset(question.name for question in answered if is_ordered(question)),
    )


def with_oneself(
    votes: Votes, questions: Sequence[Question]
) -> tuple[dict[str, Figure], dict[int, Figure]]:
    """How often a rater's second answer about a response equals the first: by question, with all
    questions together as "", and by rater.
    """
    first, again = _repeats(votes)
    columns = {
        question.name: (votes.answers[question.name][first], votes.answers[question.name][again])
        for question in asked(votes, questions)
    }
    parts = {
        name: (rows, (before == after)[rows])
        for name, (before, after) in columns.items()
        if (rows := ~np.isnan(before) & ~np.isnan(after)).any()
    }
    if not parts:
        return {}, {}
    figures = {
        name: clustering.share(same, prompts=votes.prompt[first[rows]])
        for name, (rows, same) in parts.items()
    }
    same = np.concatenate([same for _rows, same in parts.values()])
    row = np.concatenate([first[rows] for rows, _same in parts.values()])
    figures[""] = clustering.share(same, prompts=votes.prompt[row])
    return figures, clustering.share_by(votes.rater[row], same, prompts=votes.prompt[row])


def _repeats(votes: Votes) -> tuple[Ints, Ints]:
    """Rows of one rater about one response in two items: the earlier and the later."""
    order = np.lexsort((votes.at_s, votes.response, votes.rater))
    first, again = order[:-1], order[1:]
    same = (votes.rater[first] == votes.rater[again]) & (
        votes.response[first] == votes.response[again]
    )
    same &= votes.item[first] != votes.item[again]
    return first[same], again[same]


def report_of(
    votes: Votes,
    questions: Sequence[Question],
    raters: Mapping[int, Record],
    agreement: Sequence[Record],
) -> Record | None:
    """What the first page shows besides `agreement` by question; None for a campaign of rankings.
    `raters` are the records of the report's raters.
    """
    if not is_rated_only(votes, questions):
        return None
    units = rated_units(votes.once)
    selves = with_oneself(votes, questions)[0]
    none = absent(NEVER_TWICE)
    return {
        "same": as_record(_same(votes.once, questions)),
        "self": as_record(selves.get("", none)),
        "alpha": as_record(_lowest(agreement)),
        "questions": [
            _question(votes.once, question, units, raters)
            | {"self": as_record(selves.get(question.name, none))}
            for question in asked(votes, questions)
        ],
    }


def _lowest(agreement: Sequence[Record]) -> Figure:
    """α of the question on which raters agree least."""
    alphas = [as_figure(question["alpha"]) for question in agreement]
    known = [alpha for alpha in alphas if alpha.value is not None]
    return min(known, key=lambda alpha: alpha.value or 0.0) if known else alphas[0]


def _same(votes: Votes, questions: Sequence[Question]) -> Figure:
    """The share of equal ratings among all pairs of ratings, over all questions."""
    unit, label, prompt, _rater = _all_answers(votes, questions)
    return agreement_pairs.raw(units=unit, labels=label, prompts=prompt, ties="in")


def _all_answers(votes: Votes, questions: Sequence[Question]) -> tuple[Ints, Floats, Ints, Ints]:
    """(unit, answer, prompt, rater) of the answers to all questions; a unit is a question about a
    response in its item.
    """
    units = rated_units(votes)
    n_units = int(units.max(initial=-1)) + 1
    columns = [votes.answers[question.name] for question in asked(votes, questions)]
    label = np.concatenate(columns)
    unit = np.concatenate([units + place * n_units for place in range(len(columns))])
    known = ~np.isnan(label)
    prompt, rater = (np.tile(column, len(columns))[known] for column in (votes.prompt, votes.rater))
    return unit[known], label[known], prompt, rater


def _question(
    votes: Votes, question: Question, units: Ints, raters: Mapping[int, Record]
) -> Record:
    """What the ratings of a response say together."""
    known = ~np.isnan(votes.answers[question.name])
    unit, score = codes(units[known])[0], votes.answers[question.name][known]
    n = np.bincount(unit)
    shared = n > 1
    prompt = np.zeros(len(n), dtype=np.int64)
    prompt[unit] = votes.prompt[known]
    record: Record = {
        "name": question.name,
        "label": question.label,
        "n": len(n),
        "n_shared": int(shared.sum()),
        "per_response": float(n.mean()) if len(n) else 0.0,
    }
    is_unanimous = _spread(unit, score, len(n), is_ordered(question)) == 0
    unanimous = (
        clustering.share(is_unanimous[shared], prompts=prompt[shared])
        if shared.any()
        else absent(gettext_noop("No response was rated by two raters."))
    )
    weights = _weights(question, raters)
    weight = np.array([weights.get(rater, 1.0) for rater in votes.rater[known].tolist()])
    return record | {"unanimous": as_record(unanimous)} | _together(question, unit, score, weight)


def _weights(question: Question, raters: Mapping[int, Record]) -> dict[int, float]:
    noise = {
        rater: Noise(record["noise"][question.name]["value"], record["noise"][question.name]["n"])
        for rater, record in raters.items()
        if question.name in record.get("noise", {})
    }
    known = {
        rater: record["weight"] for rater, record in raters.items() if record["weight"] is not None
    }
    return consensus_ratings.by_reliability(consensus_ratings.weights(noise), known)


def _together(question: Question, unit: Ints, score: Floats, weight: Floats) -> Record:
    """The mean over responses (None for categories), and of how many responses weighting changes
    the answer.
    """
    if not is_ordered(question):
        value, values = codes(score)
        size = (int(unit.max(initial=-1)) + 1, len(values))
        plain, weighted = (
            np.bincount(unit * size[1] + value, weights=of, minlength=size[0] * size[1])
            .reshape(size)
            .argmax(axis=1)
            for of in (np.ones(len(score)), weight)
        )
        return {"mean": None, "n_changed": int((plain != weighted).sum())}
    means, weighted_means = (
        np.bincount(unit, weights=of * score) / np.bincount(unit, weights=of)
        for of in (np.ones(len(score)), weight)
    )
    changed = np.round(means) != np.round(weighted_means)
    return {"mean": float(means.mean()), "n_changed": int(changed.sum())}


def split_items(votes: Votes, questions: Sequence[Question]) -> Record:
    """As labeling.quality.measures.agreeing.split_items, from ratings: two that are next to each
    other on a scale count nearly as the same.
    """
    once = votes.once
    parts = [_by_item(once, question) for question in asked(once, questions)]
    item = np.concatenate([part[0] for part in parts] or [np.zeros(0, dtype=np.int64)])
    shares = np.concatenate([part[1] for part in parts] or [np.zeros(0)])
    n_ratings = np.concatenate([part[2] for part in parts] or [np.zeros(0, dtype=np.int64)])
    place, names = codes(item)
    share = np.bincount(place, weights=shares) / np.maximum(np.bincount(place), 1)
    n = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(n, place, n_ratings)
    worst = np.lexsort((names, -n, share))[:ITEMS_LISTED]
    return {
        "bins": np.histogram(share, bins=BINS, range=(0, 1))[0].tolist(),
        "n": len(names),
        "mean": float(share.mean()) if len(names) else None,
        "split": [
            {"item": int(names[at]), "share": float(share[at]), "n": int(n[at])}
            for at in worst
            if share[at] < 1
        ],
    }


def _by_item(votes: Votes, question: Question) -> tuple[Ints, Floats, Ints]:
    """By response with two ratings at least: its item, how alike they are, and their number."""
    known = ~np.isnan(votes.answers[question.name])
    unit, score = codes(rated_units(votes)[known])[0], votes.answers[question.name][known]
    n = np.bincount(unit)
    item = np.zeros(len(n), dtype=np.int64)
    item[unit] = votes.item[known]
    shared = n > 1
    values = question.values if isinstance(question, Scale) else (0.0, 1.0)
    farthest = (max(values) - min(values)) ** 2 if is_ordered(question) else 1.0
    apart = _spread(unit, score, len(n), is_ordered(question)) / (farthest or 1.0)
    return item[shared], np.clip(1 - apart[shared], 0.0, 1.0), n[shared]


def _spread(unit: Ints, score: Floats, n_units: int, is_scale: bool) -> Floats:
    """By unit, the mean squared distance of two of its ratings; of categories, how often two
    differ.
    """
    n = np.bincount(unit, minlength=n_units).astype(float)
    n_pairs = np.maximum(n * (n - 1), 1)
    if is_scale:
        # From the mean of all scores, as a difference of large sums would be rounded.
        centred = score - (score.mean() if len(score) else 0.0)
        total = np.bincount(unit, weights=centred, minlength=n_units)
        squares = np.bincount(unit, weights=centred**2, minlength=n_units)
        distances = 2 * (n * squares - total**2) / n_pairs
        return np.where(distances > 1e-9, distances, 0.0)
    value, values = codes(score)
    same = np.bincount(unit * len(values) + value, minlength=n_units * len(values))
    equal = (same * (same - 1)).reshape(n_units, -1).sum(axis=1)
    return np.asarray(np.where(n > 1, 1 - equal / n_pairs, 0.0), dtype=float)
