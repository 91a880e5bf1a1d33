"""The drawing of a comparison: suites as rows, models as dots with intervals. Its colours are
numbers, since it leaves the site: a browser turns it into a PNG.
"""

from dataclasses import dataclass

from training.benchmarks.scorecards import words
from training.benchmarks.scorecards.pages import exports
from training.benchmarks.scorecards.selectors import Cell, Scorecard

COLOURS = ("#0a6270", "#bd5710", "#6a4fa3", "#4c7510", "#b02c5b", "#2f6bc9")
WIDTH, LEFT, RIGHT = 960, 300, 130
LABEL_X = WIDTH - RIGHT + 16
_TOP, _ROW, _DOT, _AREA, _LEGEND = 64, 12, 18, 30, 22
_LONGEST = 38


@dataclass(frozen=True)
class Dot:
    colour: str
    x: str
    low: str
    high: str
    y: str
    label: str


@dataclass(frozen=True)
class PictureRow:
    """A suite, or the name of an area above its suites."""

    label: str
    y: str
    is_area: bool = False
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    legend: list[tuple[str, str, int]]
    """(colour, model, y)"""
    rows: list[PictureRow]
    ticks: list[tuple[str, str]]
    """(x, label)"""
    top: int
    bottom: int


def draw(card: Scorecard) -> Picture:
    """Scores without bounds, rewards, are left out: they share no axis with the others."""
    top = _TOP + _LEGEND * len(card.models)
    at, rows = float(top), []
    for _area, label, lines in card.areas:
        drawn = [line for line in lines if exports.has_bounds(line)]
        if not drawn:
            continue
        rows.append(PictureRow(str(label), f"{at + 20:g}", is_area=True))
        at += _AREA
        for line in drawn:
            height = _ROW + _DOT * len(line.cells)
            dots = [_dot(cell, place, at) for place, cell in enumerate(line.cells) if cell.score]
            middle = at + (height - _ROW) / 2
            rows.append(PictureRow(_short(str(line.suite)), f"{middle:g}", dots=tuple(dots)))
            at += height
    ticks = [(_x(share / 4), f"{share * 25} %") for share in range(5)]
    legend = [
        (COLOURS[place % len(COLOURS)], model.name, _TOP + _LEGEND * place - 6)
        for place, model in enumerate(card.models)
    ]
    return Picture(WIDTH, int(at) + 40, legend, rows, ticks, top, int(at))


def _dot(cell: Cell, place: int, at: float) -> Dot:
    score = cell.score
    assert score is not None
    share = score.score or 0.0
    return Dot(
        colour=COLOURS[place % len(COLOURS)],
        x=_x(share),
        low=_x(share if score.low is None else score.low),
        high=_x(share if score.high is None else score.high),
        y=f"{at + _DOT * (place + 0.5):g}",
        label=f"{words.figure(score)}  n={score.n}",
    )


def _x(share: float) -> str:
    return f"{LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT):.1f}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
