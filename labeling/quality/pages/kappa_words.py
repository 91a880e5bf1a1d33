"""Cohen's kappa of every two raters as a matrix and a list, for the page of agreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic.figures import Figure
from labeling.quality import selectors
from labeling.quality.pages import figure_text
from labeling.quality.pages.words import pairs_left_out
from labeling.votes.arrays import as_figure

LEVELS = 9
"""Colours of the matrix, from 0 up; everything below 0 gets the first."""
LISTED = 50
"""Pairs of raters in a list: those with the most labels in common."""


@dataclass(frozen=True)
class KappaCell:
    value: str
    level: int
    words: str
    """the value with its interval and count"""


@dataclass(frozen=True)
class KappaRow:
    rater: int
    alias: str
    cells: list[KappaCell | None]
    """None on the diagonal, and where the two have nothing in common"""


@dataclass(frozen=True)
class KappaPair:
    one: int
    one_alias: str
    other: int
    other_alias: str
    kappa: Figure


@dataclass(frozen=True)
class KappaBlock:
    """The kappas of one question, or of the choices between responses."""

    label: str
    kind: str
    heads: list[str]
    rows: list[KappaRow]
    """empty for two raters, who need no matrix"""
    pairs: list[KappaPair]
    notes: list[str]


def blocks(results: Mapping[str, Any]) -> list[KappaBlock]:
    """One block for each question that two raters have answered about the same thing; none in a
    report of an earlier version.
    """
    records = results.get("kappas", [])
    raters = {rater for record in records for rater in record["raters"]}
    raters |= {pair[side] for record in records for pair in record["pairs"] for side in _SIDES}
    aliases = selectors.aliases(raters=raters)
    return [_block(record, aliases) for record in records]


_SIDES = ("one", "other")


def _block(record: Mapping[str, Any], aliases: Mapping[int, str]) -> KappaBlock:
    raters: Sequence[int] = record["raters"]
    cells = {frozenset((cell["one"], cell["other"])): as_figure(cell) for cell in record["cells"]}
    rows = [
        KappaRow(
            rater,
            aliases.get(rater, ""),
            [_cell(cells.get(frozenset((rater, to)))) for to in raters],
        )
        for rater in raters
    ]
    listed = record["pairs"] or record["cells"]
    pairs = [
        KappaPair(
            *(pair["one"], aliases.get(pair["one"], "")),
            *(pair["other"], aliases.get(pair["other"], "")),
            as_figure(pair),
        )
        for pair in listed[:LISTED]
    ]
    return KappaBlock(
        label=record["label"] or _("Choices between two responses"),
        kind=_("weighted") if record["is_weighted"] else _("unweighted"),
        heads=[aliases.get(rater, "") for rater in raters],
        rows=rows if len(raters) > 2 else [],
        pairs=pairs,
        notes=_notes(record, len(listed) - len(pairs)),
    )


def _cell(figure: Figure | None) -> KappaCell | None:
    if figure is None:
        return None
    value = figure.value or 0.0
    return KappaCell(
        figure_text.coefficient(figure),
        min(LEVELS, max(1, 1 + int(value * LEVELS))),
        in_words(figure),
    )


def in_words(figure: Figure) -> str:
    """“0.62, 0.51 – 0.71, 199 in common”; why there is no value, if there is none."""
    if figure.value is None:
        return figure_text.why_absent(figure)
    shared = ngettext("%(n)d in common", "%(n)d in common", figure.n) % {"n": figure.n}
    interval = figure_text.coefficient_interval(figure)
    return ", ".join(filter(None, (figure_text.coefficient(figure), interval, shared)))


def _notes(record: Mapping[str, Any], n_unlisted: int) -> list[str]:
    notes = []
    if record["n_left_out"]:
        notes.append(
            ngettext(
                "%(n)d rater with fewer answers in common is not in the matrix.",
                "%(n)d raters with fewer answers in common are not in the matrix.",
                record["n_left_out"],
            )
            % {"n": record["n_left_out"]}
        )
    if n_unlisted > 0:
        notes.append(
            ngettext(
                "%(n)d more pair of raters is not listed.",
                "%(n)d more pairs of raters are not listed.",
                n_unlisted,
            )
            % {"n": n_unlisted}
        )
    return notes + (pairs_left_out(record["n_pairs_few"], 0) if record["pairs"] else [])
