"""How far raters agree: on pairs of responses, on orders, on each question of the form, with each
other, and item by item.

Repeats are left out of everything except `with_oneself`: the same rater again is not a second
rater.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix

from arithmetic.agreement import alpha, kappas, scales
from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop
from labeling.guidelines.rating_form import Question, Scale
from labeling.votes.arrays import NOT_ANSWERED, Record, Votes, as_record

RATERS_IN_MATRIX = 24
"""A larger matrix is unreadable; raters with the most comparisons stay."""
PAIRS_LISTED = 300
"""Pairs of raters listed, those that share the most votes first."""
LEAST_SHARED = 10
"""With fewer votes on shared pairs, two raters are not listed."""
ITEMS_LISTED = 10
BINS = 10
VALUES_SHOWN = 12
"""Groups shown per grouping: the latest periods, or otherwise those with the most votes, ordered by
name.
"""
PERIODS = ("month", "week")
"""Groupings whose names sort by time."""


def agreement_of(votes: Votes, questions: Sequence[Question]) -> Record:
    once = votes.once
    return {
        **_on_pairs(once),
        "self": as_record(with_oneself(votes)[0]),
        **_orders(once),
        "questions": _questions(once, questions),
        "groups": _groups(once),
        "groups_left_out": _left_out(once),
    }


def _on_pairs(votes: Votes) -> Record:
    columns: Record = {
        "units": votes.pairs.unit,
        "labels": votes.turned,
        "prompts": votes.prompt[votes.pairs.row],
    }
    return {
        "raw_half": as_record(agreement_pairs.raw(**columns, ties="half")),
        "raw_out": as_record(agreement_pairs.raw(**columns, ties="out")),
        "raw_in": as_record(agreement_pairs.raw(**columns, ties="in")),
        "alpha_ordinal": as_record(alpha.krippendorff(**columns, metric="ordinal")),
        "alpha_nominal": as_record(alpha.krippendorff(**columns, metric="nominal")),
        "fleiss": as_record(kappas.fleiss(**columns)),
        "gwet": as_record(kappas.gwet(**columns)),
    }


def with_oneself(votes: Votes) -> tuple[Figure, dict[int, Figure]]:
    first, again = votes.repeats
    return agreement_pairs.with_oneself(
        raters=votes.pairs.rater[first],
        first=votes.pairs.label[first],
        again=votes.pairs.label[again],
        prompts=votes.prompt[votes.pairs.row[first]],
    )


def _orders(votes: Votes) -> Record:
    """Agreement between whole orders. With two responses an order is a single choice, which the
    shares by pair already cover.
    """
    if votes.pairs.unit.size and not (np.bincount(codes(votes.judgment)[0]) > 2).any():
        choices = as_record(
            absent(
                gettext_noop(
                    "Rankings of two responses are single choices, so the shares above already"
                    " cover them."
                )
            )
        )
        return {"tau": choices, "w": choices}
    ranked: Record = {
        "items": votes.item,
        "raters": votes.rater,
        "responses": votes.response,
        "ranks": votes.rank,
        "prompts": votes.prompt,
    }
    return {
        "tau": as_record(scales.mean_tau(votes.pairs, prompts=votes.prompt[votes.pairs.row])),
        "w": as_record(scales.mean_w(**ranked)),
    }


def rated_units(votes: Votes) -> Ints:
    """By row, what is rated: a response in an item."""
    response, responses = codes(votes.response)
    return codes(codes(votes.item)[0] * max(1, len(responses)) + response)[0]


def _questions(votes: Votes, questions: Sequence[Question]) -> list[Record]:
    units = rated_units(votes)
    nothing = np.full(len(units), np.nan)
    return [
        _question(units, votes.prompt, votes.answers.get(question.name, nothing), question)
        for question in questions
    ]


def _question(units: Ints, prompts: Ints, answers: Floats, question: Question) -> Record:
    """Agreement on one question, over answers about the same response in the same item; unanswered
    is left out, never 0.
    """
    answered = ~np.isnan(answers)
    columns: Record = {
        "units": units[answered],
        "labels": answers[answered],
        "prompts": prompts[answered],
    }
    is_scale = isinstance(question, Scale) and question.is_ordered
    measured = {}
    if answered.any():
        measured = {
            "raw": agreement_pairs.raw(**columns, ties="in"),
            "alpha": alpha.krippendorff(**columns, metric="ordinal" if is_scale else "nominal"),
            "gwet": kappas.gwet(
                **columns,
                weighting="quadratic" if is_scale else "identity",
                values=question.values if isinstance(question, Scale) else [0.0, 1.0],
            ),
        }
        if is_scale:
            measured |= _on_scale(columns)
    none = absent(NOT_ANSWERED)
    names = (
        ("raw", "alpha", "gwet", "nominal", "interval", "icc", "icc_of_mean")
        if is_scale
        else ("raw", "alpha", "gwet")
    )
    measures = {name: as_record(measured.get(name, none)) for name in names}
    return {
        "name": question.name,
        "label": question.label,
        "is_scale": is_scale,
        "is_choice": isinstance(question, Scale) and not is_scale,
        "is_principle": question.is_principle,
    } | measures


def _on_scale(columns: Record) -> dict[str, Figure]:
    scores: Record = {
        "units": columns["units"],
        "scores": columns["labels"],
        "prompts": columns["prompts"],
    }
    return {
        "nominal": alpha.krippendorff(**columns, metric="nominal"),
        "interval": alpha.krippendorff(**columns, metric="interval"),
        "icc": scales.icc_of_some(**scores),
        "icc_of_mean": scales.icc_of_some(**scores, is_of_mean=True),
    }


def _groups(votes: Votes) -> list[Record]:
    """Agreement within each category, language, period and so on; empty if there is only one of a
    kind.
    """
    groups = []
    for kind, group in votes.groups.items():
        shown, _n_left_out = _shown(kind, group.place[votes.pairs.row], len(group.names))
        for value in shown:
            part = votes.where(group.place == value)
            groups.append(
                {"kind": kind, "value": group.names[value]} | _on_pairs(part) | _orders(part)
            )
    return groups


def _left_out(votes: Votes) -> dict[str, int]:
    """By grouping, how many of its groups have votes but no row."""
    counts = {
        kind: _shown(kind, group.place[votes.pairs.row], len(group.names))[1]
        for kind, group in votes.groups.items()
    }
    return {kind: n for kind, n in counts.items() if n}


def _shown(kind: str, place: Ints, n_names: int) -> tuple[list[int], int]:
    """The groups that get a row, and how many more have votes; a single group equals the whole and
    gets none.
    """
    n_votes = np.bincount(place[place >= 0], minlength=n_names)
    known = np.flatnonzero(n_votes)
    if len(known) < 2:
        return [], 0
    shown = (
        known[-VALUES_SHOWN:]
        if kind in PERIODS
        else np.sort(known[np.argsort(-n_votes[known], kind="stable")[:VALUES_SHOWN]])
    )
    return shown.tolist(), len(known) - len(shown)


def matrix_of(votes: Votes) -> Record:
    """Agreement between every two raters, ties as half: the share, the number of votes on shared
    pairs, the ends of its interval (None where there is none), and Cohen's kappa.

    `pairs` has the same numbers for two raters each with at least LEAST_SHARED votes, those with
    the most first.
    """
    pairs = votes.once.pairs
    if not pairs.unit.size:
        nothing: Record = {"raters": [], "score": [], "n": [], "n_left_out": 0, "pairs": []}
        return nothing | {"low": [], "high": [], "n_pairs_few": 0, "n_pairs_more": 0}
    whole = agreement_pairs.matrix(units=pairs.unit, raters=pairs.rater, labels=pairs.label)
    shown = np.sort(np.argsort(-whole.n.sum(axis=1), kind="stable")[:RATERS_IN_MATRIX])
    shown = shown[whole.n[shown].sum(axis=1) > 0]
    first, second, counts = _pairs_listed(whole.n)
    known = np.unique(np.concatenate([shown, first, second]))
    kappa = _Kappas.of(votes.once, known, whole.raters)
    listed = list(zip(first.tolist(), second.tolist(), strict=True))
    ends = _Ends.of(votes.once, whole.raters, [*combinations(shown.tolist(), 2), *listed])
    return {
        "raters": [whole.raters[at] for at in shown.tolist()],
        "score": whole.score[np.ix_(shown, shown)].round(1).tolist(),
        "n": whole.n[np.ix_(shown, shown)].tolist(),
        "low": [[ends.of_two(at, to)[0] for to in shown.tolist()] for at in shown.tolist()],
        "high": [[ends.of_two(at, to)[1] for to in shown.tolist()] for at in shown.tolist()],
        "kappa": [[kappa.of_two(at, to) for to in shown.tolist()] for at in shown.tolist()],
        "n_left_out": int((whole.n.sum(axis=1) > 0).sum() - len(shown)),
        "pairs": [
            _two(whole, at, to, kappa.of_two(at, to), ends.of_two(at, to)) for at, to in listed
        ],
        **counts,
    }


def _pairs_listed(n: Ints) -> tuple[Ints, Ints, dict[str, int]]:
    """Indices of the two raters of each listed pair, how many pairs have too few votes, and how
    many more pairs there are than are listed.
    """
    first, second = np.nonzero(np.triu(n))
    enough = n[first, second] >= LEAST_SHARED
    n_few = int((~enough).sum())
    first, second = first[enough], second[enough]
    order = np.argsort(-n[first, second], kind="stable")[:PAIRS_LISTED]
    return (
        first[order],
        second[order],
        {"n_pairs_few": n_few, "n_pairs_more": len(first) - len(order)},
    )


def _two(
    whole: agreement_pairs.Matrix,
    first: int,
    second: int,
    kappa: float | None,
    ends: tuple[float | None, float | None],
) -> Record:
    share = {
        "score": float(whole.score[first, second].round(1)),
        "n": int(whole.n[first, second]),
        "low": ends[0],
        "high": ends[1],
        "kappa": kappa,
    }
    return {"one": whole.raters[first], "other": whole.raters[second]} | share


@dataclass(frozen=True)
class _Ends:
    """The interval of the agreement of some pairs of raters, by their indices."""

    figures: dict[tuple[int, int], Figure]
    ids: Sequence[int]

    @classmethod
    def of(cls, votes: Votes, ids: Sequence[int], listed: Sequence[tuple[int, int]]) -> "_Ends":
        shares = agreement_pairs.of_two(
            units=votes.pairs.unit,
            raters=votes.pairs.rater,
            labels=votes.pairs.label,
            prompts=votes.prompt[votes.pairs.row],
            listed={(ids[left], ids[right]) for left, right in listed},
        )
        return cls(shares, ids)

    def of_two(self, first: int, second: int) -> tuple[float | None, float | None]:
        low, high = sorted((self.ids[first], self.ids[second]))
        figure = self.figures.get((low, high))
        return (figure.low, figure.high) if figure else (None, None)


@dataclass(frozen=True)
class _Kappas:
    """Cohen's kappa of every two of some raters, from their tables of votes on shared pairs."""

    place: dict[int, int]
    tables: Floats
    """(3, 3, R, R)"""

    @classmethod
    def of(cls, votes: Votes, known: Ints, ids: Sequence[int]) -> "_Kappas":
        """`known` are indices into `ids`, which are sorted."""
        raters = np.asarray(ids)[known]
        place = np.minimum(np.searchsorted(raters, votes.pairs.rater), max(0, len(raters) - 1))
        is_known = (
            raters[place] == votes.pairs.rater if len(raters) else np.zeros(len(place), dtype=bool)
        )
        size = (len(raters), int(votes.pairs.unit.max(initial=-1)) + 1)
        labels = []
        for label in (-1, 0, 1):
            gave_label = is_known & (votes.turned == label)
            labels.append(
                csr_matrix(
                    (
                        np.ones(int(gave_label.sum())),
                        (place[gave_label], votes.pairs.unit[gave_label]),
                    ),
                    shape=size,
                )
            )
        tables = np.array([[(left @ right.T).toarray() for right in labels] for left in labels])
        return cls({at: number for number, at in enumerate(known.tolist())}, tables)

    def of_two(self, first: int, second: int) -> float | None:
        """None if it is undefined, or for a rater with themselves."""
        return (
            None
            if first == second
            else kappas.cohen_of_table(
                self.tables[:, :, self.place[first], self.place[second]]
            ).value
        )


def split_items(votes: Votes) -> Record:
    """The distribution of agreement over items, in tenths, and the items with the least
    agreement.
    """
    items, share, n_votes = by_item(votes.once.pairs)
    bins = np.histogram(share, bins=BINS, range=(0, 1))[0].tolist()
    worst = np.lexsort((items, -n_votes, share))[:ITEMS_LISTED]
    listed = [
        {"item": int(items[at]), "share": float(share[at]), "n": int(n_votes[at])}
        for at in worst
        if share[at] < 1
    ]
    return {
        "bins": bins,
        "n": len(items),
        "mean": float(share.mean()) if len(items) else None,
        "split": listed,
    }


def by_item(pairs: agreement_pairs.PairVotes) -> tuple[np.ndarray, Floats, np.ndarray]:
    """Items with at least two votes on some pair: their ids, mean agreement over their pairs, and
    number of judgments.
    """
    if not pairs.unit.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64)
    n_each = np.bincount(pairs.unit)
    item_of = np.zeros(len(n_each), dtype=np.int64)
    item_of[pairs.unit] = pairs.item
    shared = n_each >= 2
    share = agreement_pairs.by_unit(
        units=pairs.unit, labels=pairs.label
    )  # in the order of units; those with a single vote are left out
    items, place = np.unique(item_of[shared], return_inverse=True)
    place = place.reshape(-1)
    n_pairs = np.bincount(place)
    n_votes = np.zeros(len(items), dtype=np.int64)
    np.maximum.at(n_votes, place, n_each[shared])
    return items, np.bincount(place, weights=share) / np.maximum(n_pairs, 1), n_votes
