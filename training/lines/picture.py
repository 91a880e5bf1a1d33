"""The drawing of a line: for each chain, how often raters preferred its model to the first one and
to the one before, with intervals. The page and the file that leaves the site draw it alike.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from pages import charts
from training.lines import words
from training.lines.selectors import Attempt, Line
from training.lines.win_rates import WinRate

WIDE, NARROW = 760, 360
FIRST, BEFORE = 1, 2
"""Series: against the first model, and against the one before."""
COLOURS = {FIRST: "#0a6270", BEFORE: "#bd5710"}
"""For the file, which has no stylesheet"""
_LEFT, _RIGHT, _HEIGHT, _LEGEND, _GAP = 44, 12, 220, 20, 14
_LETTER, _TEXT_LINE, _APART, _R = 6.4, 16, 9, 5.5
_FEWEST_LETTERS = 9
"""In a narrower column the outcome is left to the table."""


@dataclass(frozen=True)
class Mark:
    """A win rate: a circle against the first model, a square against the one before."""

    series: int
    colour: str
    x: str
    y: str
    low: str
    high: str
    is_filled: bool
    title: str
    corner: str = ""
    """of a square: its left"""
    top: str = ""


@dataclass(frozen=True)
class Text:
    x: str
    y: str
    words: str
    is_strong: bool = False


@dataclass(frozen=True)
class Key:
    """An entry of the legend."""

    series: int
    colour: str
    is_filled: bool
    x: str
    y: str
    corner: str
    """of a square: its left"""
    top: str
    text_x: str
    words: str


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    left: int
    right: int
    label_x: int
    summary: str
    keys: Sequence[Key]
    ticks: Sequence[tuple[str, str, bool]]
    """(y, label, whether it is one half)"""
    marks: Sequence[Mark]
    labels: Sequence[Text]
    """below the axis"""


def draw(line: Line, *, width: int = WIDE) -> Picture:
    attempts = line.attempts
    keys = _keys(attempts, width)
    top = _LEGEND * (1 + max((int(key.y) for key in keys), default=0) // _LEGEND)
    bottom = top + _HEIGHT
    column = (width - _LEFT - _RIGHT) / max(1, len(attempts))
    ticks = _ticks(attempts)
    marks, labels = list[Mark](), list[Text]()
    for place, one in enumerate(attempts):
        x = _LEFT + column * (place + 0.5)
        for series, shift, rate in _rates(one):
            marks.append(_mark(one, rate, series, x + shift, ticks, top, bottom))
        labels += _labels(one, place, x, column, bottom)
    height = max((float(text.y) for text in labels), default=float(bottom)) + 10
    return Picture(
        width=width,
        height=round(height),
        left=_LEFT,
        right=width - _RIGHT,
        label_x=_LEFT - 8,
        summary=_summary(attempts),
        keys=keys,
        ticks=[
            (f"{_y(at, ticks, top, bottom):.1f}", f"{100 * at:.0f} %", at == 0.5) for at in ticks
        ],
        marks=marks,
        labels=labels,
    )


def _rates(one: Attempt) -> list[tuple[int, float, WinRate]]:
    """(series, shift to the side, rate); one mark where both comparisons are the same."""
    if one.is_against_first_only:
        assert one.against_first is not None
        return [(FIRST, 0.0, one.against_first)]
    both = [(FIRST, one.against_first), (BEFORE, one.against_before)]
    known = [(series, rate) for series, rate in both if rate is not None]
    if len(known) < 2:
        return [(series, 0.0, rate) for series, rate in known]
    return [(known[0][0], -_APART, known[0][1]), (known[1][0], _APART, known[1][1])]


def _ticks(attempts: Sequence[Attempt]) -> list[float]:
    ends = [0.4, 0.6]
    for one in attempts:
        for _series, _shift, rate in _rates(one):
            figure = rate.figure
            known = (figure.value, figure.low, figure.high)
            ends += [end for end in known if end is not None]
    ticks = [at for at in charts.round_ticks(min(ends), max(ends), 5) if 0 <= at <= 1]
    return sorted({*ticks, 0.5})


def _y(at: float, ticks: Sequence[float], top: float, bottom: float) -> float:
    low, high = ticks[0], ticks[-1]
    inside = min(max(at, low), high)
    return bottom - _GAP - (inside - low) / (high - low) * (bottom - top - 2 * _GAP)


def _mark(
    one: Attempt,
    rate: WinRate,
    series: int,
    x: float,
    ticks: Sequence[float],
    top: float,
    bottom: float,
) -> Mark:
    figure = rate.figure
    value = figure.value or 0.0
    y = _y(value, ticks, top, bottom)
    ends = [
        _y(value if end is None else end, ticks, top, bottom) for end in (figure.low, figure.high)
    ]
    against = (
        gettext("against the first model") if series == FIRST else gettext("against the one before")
    )
    title = f"{one.model}: {words.in_words(rate)} {against}. {words.why(one)}"
    return Mark(
        series=series,
        colour=COLOURS[series],
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        low=f"{ends[0]:.1f}",
        high=f"{ends[1]:.1f}",
        is_filled=words.is_promoted(one),
        title=title,
        corner=f"{x - _R + 0.5:.1f}",
        top=f"{y - _R + 0.5:.1f}",
    )


def _labels(one: Attempt, place: int, x: float, column: float, bottom: float) -> list[Text]:
    """The chain's number and date, and what became of its model where there is room for it."""
    at, n_letters = f"{x:.1f}", int(column / _LETTER)
    number = str(one.chain.number)
    first_y = bottom + _TEXT_LINE
    if n_letters < _FEWEST_LETTERS:
        step = max(1, round(3 * _LETTER / column))
        return [Text(at, f"{first_y:g}", number, is_strong=True)] if place % step == 0 else []
    heading = gettext("Chain %(n)s") % {"n": number}
    texts = [heading, words.date(one), *textwrap.wrap(words.why(one), n_letters)]
    return [
        Text(at, f"{first_y + _TEXT_LINE * number:g}", text, is_strong=number == 0)
        for number, text in enumerate(texts)
    ]


def _keys(attempts: Sequence[Attempt], width: int) -> list[Key]:
    """Only what is drawn: shapes first, then what filled and hollow mean."""
    drawn = {series for one in attempts for series, _shift, _rate in _rates(one)}
    filled = {words.is_promoted(one) for one in attempts if _rates(one)}
    known = [
        (FIRST, True, gettext("against the first model"), FIRST in drawn),
        (BEFORE, True, gettext("against the one before"), BEFORE in drawn),
        (min(drawn, default=FIRST), True, gettext("promoted"), True in filled),
        (min(drawn, default=FIRST), False, gettext("not promoted"), False in filled),
    ]
    keys, x, y = list[Key](), float(_LEFT), 12
    for series, is_filled, text, is_drawn in known:
        if not is_drawn:
            continue
        room = 18 + len(text) * _LETTER + 18
        if keys and x + room > width:
            x, y = float(_LEFT), y + _LEGEND
        keys.append(
            Key(
                series=series,
                colour=COLOURS[series],
                is_filled=is_filled,
                x=f"{x + 6:g}",
                y=f"{y}",
                corner=f"{x + 1:g}",
                top=f"{y - 5}",
                text_x=f"{x + 18:g}",
                words=text,
            )
        )
        x += room
    return keys


def _summary(attempts: Sequence[Attempt]) -> str:
    parts = [
        gettext("Chain %(n)s, %(model)s: %(first)s against the first model, %(outcome)s.")
        % {
            "n": one.chain.number,
            "model": one.model or "–",
            "first": words.in_words(one.against_first),
            "outcome": words.why(one),
        }
        for one in attempts
    ]
    return " ".join([gettext("Win rates by chain."), *parts])


@dataclass(frozen=True)
class File:
    """The drawing with its title and caption, as an image of its own."""

    picture: Picture
    title: str
    said: Sequence[tuple[int, str]]
    """(y, a line of the sentence)"""
    caption: Sequence[tuple[int, str]]
    height: int
    drawn_at: int
    """y of the drawing"""


def file(line: Line, *, sentence: str, caption: str) -> File:
    picture = draw(line)
    said = _wrapped(sentence, 88, top=66, step=20)
    drawn_at = said[-1][0] + 20
    caption_at = drawn_at + picture.height + 20
    below = _wrapped(caption, 104, top=caption_at, step=16)
    height = (below[-1][0] if below else caption_at) + 20
    return File(picture, line.schedule.name, said, below, height, drawn_at)


def _wrapped(text: str, n_letters: int, *, top: int, step: int) -> list[tuple[int, str]]:
    rows = textwrap.wrap(text, n_letters, break_on_hyphens=False)
    return [(top + step * place, row) for place, row in enumerate(rows)]
