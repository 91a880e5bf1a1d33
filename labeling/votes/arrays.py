"""The rankings that measures are computed from, and the conversion of figures to and from a
report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias import looks as bias_looks
from arithmetic.bias import shares
from arithmetic.figures import Figure, Floats, Ints, gettext_noop

NOT_ANSWERED = gettext_noop("No one has answered this yet.")
"""The note of a question that nobody has answered."""
Record = dict[str, Any]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Grouping:
    """A way to divide the votes, such as by category: each row's index in `names`, −1 for none."""

    names: tuple[str, ...]
    place: Ints


@dataclass(frozen=True)
class Votes:
    """One row per ranked response, as parallel arrays. One rater judges an item once."""

    judgment: Ints
    item: Ints
    prompt: Ints
    rater: Ints
    response: Ints
    source: Ints
    rank: Floats
    """1 is best, equal ranks tie, NaN is unranked"""
    position: Ints
    """position on the page, from 0"""
    at_s: Floats
    active_s: Floats
    """NaN if not measured"""
    looks: bias_looks.Looks
    answers: Mapping[str, Floats]
    """by question; NaN if unanswered, 0 and 1 for a flag"""
    groups: Mapping[str, Grouping]
    is_repeat: Truths
    """of an item that its rater had judged before, with the sides swapped"""
    is_as_in_file: bool = False
    """whether the sides of a pair are those of an imported file, which published figures use"""

    @cached_property
    def once(self) -> "Votes":
        """Without repeats: a rater's second opinion is not a second rater."""
        return self.where(~self.is_repeat) if self.is_repeat.any() else self

    def where(self, mask: Truths) -> "Votes":
        """Some of the rows; `kept` says which."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {
            name: column[mask] for name, column in columns.items() if isinstance(column, np.ndarray)
        }
        return Votes(
            **plain,
            is_as_in_file=self.is_as_in_file,
            looks=self.looks.at(mask),
            answers={name: column[mask] for name, column in self.answers.items()},
            groups={
                name: Grouping(group.names, group.place[mask])
                for name, group in self.groups.items()
            },
        )

    @property
    def n_chars(self) -> Floats:
        return self.looks.n_chars

    @cached_property
    def pairs(self) -> agreement_pairs.PairVotes:
        return agreement_pairs.expand(
            items=self.item, raters=self.rater, responses=self.response, ranks=self.rank
        )

    @cached_property
    def followed(self) -> dict[str, NDArray[np.int8]]:
        """For each vote on a pair, which possible biases it followed: see `follows`."""
        return follows(self.pairs, position=self.position, looks=self.looks)

    @cached_property
    def repeats(self) -> tuple[Ints, Ints]:
        """Votes of one rater on the same two responses in two items: indices of the earlier and of
        the later vote.
        """
        pairs = self.pairs
        order = np.lexsort((self.at_s[pairs.row], pairs.right, pairs.left, pairs.rater))
        first, second = order[:-1], order[1:]
        same = (pairs.rater[first] == pairs.rater[second]) & (
            pairs.left[first] == pairs.left[second]
        )
        same &= (pairs.right[first] == pairs.right[second]) & (
            pairs.item[first] != pairs.item[second]
        )
        return first[same], second[same]

    @cached_property
    def turned(self) -> Ints:
        """The labels of `pairs` with half of the pairs flipped, chosen by their response ids,
        always the same ones.

        The left response is the older one. Where a newer model wins most of the time, nearly all
        votes would have the same label, and a correction for chance would treat knowing the better
        model as chance. After flipping, both labels are equally frequent.

        Labels of a file keep its sides: those on which a pair was first shown.
        """
        if self.is_as_in_file:
            return self._as_first_shown()
        mixed = self.pairs.left * 2_654_435_761 + self.pairs.right * 40_503
        return np.where((mixed >> 7) & 1, -self.pairs.label, self.pairs.label)

    def _as_first_shown(self) -> Ints:
        pairs = self.pairs
        order = np.argsort(self.judgment[pairs.row], kind="stable")
        units, first = np.unique(pairs.unit[order], return_index=True)
        is_turned = ~self.left_is_first[order][first]
        return np.where(is_turned[np.searchsorted(units, pairs.unit)], -pairs.label, pairs.label)

    @cached_property
    def left_is_first(self) -> Truths:
        """For each vote on a pair: whether the left response was shown before the right one."""
        return np.asarray(self.position[self.pairs.row] < self.position[self.pairs.other_row])


@dataclass(frozen=True)
class OtherVotes:
    """Other pools' rankings of the same responses, one row per ranked response."""

    pool: Ints
    item: Ints
    rater: Ints
    response: Ints
    rank: Floats
    position: Ints
    """position on the page, from 0"""

    def where(self, mask: Truths) -> "OtherVotes":
        return OtherVotes(
            **{column.name: getattr(self, column.name)[mask] for column in fields(self)}
        )


def follows(
    pairs: agreement_pairs.PairVotes, *, position: Ints, looks: bias_looks.Looks
) -> dict[str, NDArray[np.int8]]:
    """For each possible bias of a vote on a pair: 1 if the vote followed it, 0 if it went the other
    way, −1 if it does not apply.

    A tie is a choice of its own and follows nothing else. `position` and `looks` are by row of the
    rankings.
    """
    decided, left_won = pairs.label != 0, pairs.label < 0
    first, second = looks.at(pairs.row), looks.at(pairs.other_row)
    apart: dict[str, np.ndarray] = {
        "first": position[pairs.other_row] - position[pairs.row]
    } | bias_looks.differences(first, second)
    n_chars = first.n_chars - second.n_chars
    apart["longer"] = np.where(np.abs(n_chars) > shares.LENGTH_MARGIN, n_chars, 0.0)
    came = {
        name: np.where(decided & (side != 0), (side > 0) == left_won, -1)
        for name, side in apart.items()
    }
    return {name: column.astype(np.int8) for name, column in (came | {"ties": ~decided}).items()}


def as_record(figure: Figure) -> Record:
    return {
        "value": figure.value,
        "n": figure.n,
        "low": figure.low,
        "high": figure.high,
        "note": figure.note,
        "about": figure.about,
    }


def as_figure(record: Mapping[str, Any]) -> Figure:
    """Reports of releases before 0.3 do not say whom an interval is about."""
    return Figure(
        record["value"],
        record["n"],
        record["low"],
        record["high"],
        note=record["note"],
        about=record.get("about", ""),
    )
