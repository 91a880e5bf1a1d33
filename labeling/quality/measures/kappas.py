"""Cohen's kappa of every two raters, for the choices between responses and for each question of the
form. A scale's is weighted: an answer next to the other rater's is nearly right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from arithmetic.agreement import kappas
from arithmetic.agreement.kappas import Weighting
from arithmetic.figures import Figure, Floats, Ints
from labeling.guidelines.rating_form import Question, Scale
from labeling.quality.measures.agreeing import LEAST_SHARED, RATERS_IN_MATRIX, rated_units
from labeling.votes.arrays import Record, Votes, as_record

CHOICES = ""
"""Names the kappa of choices between two responses; the others are named by their question."""
PAIRS_LISTED = 300


@dataclass(frozen=True)
class _Labels:
    """One rater's labels of units, in order of the units."""

    unit: Ints
    label: Floats
    prompt: Ints


def kappas_of(votes: Votes, questions: Sequence[Question]) -> list[Record]:
    """One record for the choices, if there are any, and one for each question that two raters have
    answered about the same response. Repeats are left out.
    """
    once = votes.once
    pairs = once.pairs
    records = [
        _kappas(
            {"name": CHOICES, "label": "", "is_weighted": False},
            _by_rater(pairs.unit, pairs.rater, once.turned.astype(float), once.prompt[pairs.row]),
            "identity",
            (-1.0, 0.0, 1.0),
        )
    ]
    units = rated_units(once)
    nothing = np.full(len(units), np.nan)
    for question in questions:
        is_scale = isinstance(question, Scale) and question.is_ordered
        labels = once.answers.get(question.name, nothing)
        records.append(
            _kappas(
                {"name": question.name, "label": question.label, "is_weighted": is_scale},
                _by_rater(units, once.rater, labels, once.prompt),
                "quadratic" if is_scale else "identity",
                question.values if isinstance(question, Scale) else (0.0, 1.0),
            )
        )
    return [record for record in records if record["raters"]]


def _by_rater(units: Ints, raters: Ints, labels: Floats, prompts: Ints) -> dict[int, _Labels]:
    """The labels of each rater who labeled something, the one with the most first."""
    is_given = ~np.isnan(labels)
    units, raters = units[is_given], raters[is_given]
    labels, prompts = labels[is_given], prompts[is_given]
    if not units.size:
        return {}
    order = np.lexsort((units, raters))
    names, starts = np.unique(raters[order], return_index=True)
    parts = np.split(order, starts[1:])
    by_rater = {
        int(name): _Labels(units[part], labels[part], prompts[part])
        for name, part in zip(names, parts, strict=True)
    }
    return dict(sorted(by_rater.items(), key=lambda rater: -len(rater[1].unit)))


def _kappas(
    about: Record, labels: dict[int, _Labels], weighting: Weighting, values: Sequence[float]
) -> Record:
    """`cells` has the upper half of the matrix of `raters`; `pairs` is every two raters with at
    least LEAST_SHARED labels in common, those with the most first.
    """
    shared = _shared(labels)
    counts: dict[int, int] = {}
    for (first, second), n in shared.items():
        counts[first], counts[second] = counts.get(first, 0) + n, counts.get(second, 0) + n
    most = sorted(sorted(counts), key=lambda rater: -counts[rater])
    shown = sorted(most[:RATERS_IN_MATRIX])
    enough = [pair for pair, n in shared.items() if n >= LEAST_SHARED]
    listed = sorted(enough, key=lambda pair: (-shared[pair], pair))[:PAIRS_LISTED]
    wanted = {pair for pair in combinations(shown, 2) if pair in shared} | set(listed)
    figures = {
        pair: _of_two(labels[pair[0]], labels[pair[1]], weighting, values) for pair in wanted
    }
    return about | {
        "raters": shown,
        "n_left_out": len(counts) - len(shown),
        "cells": _records([pair for pair in combinations(shown, 2) if pair in figures], figures),
        "pairs": _records(listed, figures),
        "n_pairs_few": len(shared) - len(enough),
        "n_pairs_more": len(enough) - len(listed),
    }


def _records(
    pairs: Sequence[tuple[int, int]], figures: Mapping[tuple[int, int], Figure]
) -> list[Record]:
    return [
        {"one": first, "other": second} | as_record(figures[first, second])
        for first, second in pairs
    ]


def _shared(labels: dict[int, _Labels]) -> dict[tuple[int, int], int]:
    """How many units every two raters both labeled; two without any are left out."""
    size = 1 + max((int(first.unit.max(initial=-1)) for first in labels.values()), default=0)
    shared: dict[tuple[int, int], int] = {}
    has = np.zeros(size, dtype=bool)
    raters = sorted(labels)
    for place, first in enumerate(raters):
        has[:] = False
        has[labels[first].unit] = True
        for other in raters[place + 1 :]:
            if n := int(has[labels[other].unit].sum()):
                shared[first, other] = n
    return shared


def _of_two(
    first: _Labels, second: _Labels, weighting: Weighting, values: Sequence[float]
) -> Figure:
    _units, at, to = np.intersect1d(
        first.unit, second.unit, assume_unique=True, return_indices=True
    )
    return kappas.cohen(
        first.label[at],
        second.label[to],
        prompts=first.prompt[at],
        weighting=weighting,
        values=values,
    )
