"""The rankings that measures are taken from, and a number on its way into a report and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from labeling import agreement
from labeling.bias import Features
from labeling.figures import Figure, Floats, Ints

Record = dict[str, Any]


@dataclass(frozen=True)
class Votes:
    """One row a ranked response, as parallel arrays. One rater judges an item once."""

    judgment: Ints
    item: Ints
    prompt: Ints
    rater: Ints
    response: Ints
    rank: Floats
    """1 is best, equal ranks tie, NaN was left unranked"""
    position: Ints
    """where it was shown, from 0"""
    at_s: Floats
    active_s: Floats
    """NaN when it was not measured"""
    ratings: Sequence[Mapping[str, Any]]
    looks: Mapping[int, Features]
    """by response"""
    groups: Mapping[str, Mapping[int, str]]
    """such as category → prompt → "chat": what agreement is also told by"""

    @cached_property
    def pairs(self) -> agreement.PairVotes:
        return agreement.expand(items=self.item, raters=self.rater, responses=self.response, ranks=self.rank)

    @cached_property
    def turned(self) -> Ints:
        """The labels of `pairs` with half of the pairs turned around, by their responses, the same ones each time.

        The left response is the older one. Where a newer model wins most, nearly all votes would be one label, and what is
        corrected for chance would call knowing the better model chance. Turned, either label is as frequent.
        """
        mixed = self.pairs.left * 2_654_435_761 + self.pairs.right * 40_503
        return np.where((mixed >> 7) & 1, -self.pairs.label, self.pairs.label)

    @cached_property
    def n_chars(self) -> Floats:
        return np.array([self.looks[response].n_chars for response in self.response.tolist()], dtype=float)

    @cached_property
    def left_is_first(self) -> np.ndarray:
        """By vote on a pair: whether the left response was shown before the right one."""
        return np.asarray(self.position[self.pairs.row] < self.position[self.pairs.other_row])


def as_record(figure: Figure) -> Record:
    return {"value": figure.value, "n": figure.n, "low": figure.low, "high": figure.high, "note": figure.note}


def as_figure(record: Mapping[str, Any]) -> Figure:
    return Figure(record["value"], record["n"], record["low"], record["high"], note=record["note"])
