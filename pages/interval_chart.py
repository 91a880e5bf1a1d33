"""Odds ratios and similar effects as dots with whiskers on a logarithmic axis: plain values that a
template prints as SVG.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pages.charts import Tick

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 560.0, 30.0, 132.0, 20.0, 8.0, 26.0
_MOST = 16.0
"""The axis ends at these odds; longer whiskers are cut off."""
_STEPS = (1.25, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Effect:
    """An effect on the odds (`value` is the factor), with its interval."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Whisker:
    label: str
    y: str
    x: str
    low: str
    high: str
    is_clear: bool
    """the interval excludes 1"""


@dataclass(frozen=True)
class WhiskerChart:
    rows: tuple[Whisker, ...]
    ticks: tuple[Tick, ...]
    height: str
    bottom: str
    label_y: str
    width: str = f"{WIDTH:g}"
    label_x: str = f"{LEFT - 12:g}"


def whisker_chart(effects: Sequence[Effect]) -> WhiskerChart:
    """The axis runs from 1/m to m, so that half and twice the odds are equally far from 1."""
    reach = max(
        (
            max(abs(math.log(effect.low)), abs(math.log(effect.high)))
            for effect in effects
            if effect.low > 0
        ),
        default=0.0,
    )
    most = next((step for step in _STEPS if math.log(step) >= reach), _MOST)
    height = TOP + ROW * len(effects) + BOTTOM
    rows = [
        Whisker(
            label=effect.label,
            y=f"{TOP + ROW * (place + 0.5):.1f}",
            x=_at(effect.value, most),
            low=_at(effect.low, most),
            high=_at(effect.high, most),
            is_clear=effect.low > 1 or effect.high < 1,
        )
        for place, effect in enumerate(effects)
    ]
    middle = math.sqrt(most)
    named = [(1 / most, f"÷ {most:g}"), (1.0, "1"), (most, f"× {most:g}")]
    if most >= 4:
        named += [(1 / middle, f"÷ {middle:.2g}"), (middle, f"× {middle:.2g}")]
    ticks = tuple(
        Tick(_at(value, most), label, is_zero=value == 1) for value, label in sorted(named)
    )
    return WhiskerChart(
        tuple(rows), ticks, f"{height:g}", f"{height - BOTTOM:g}", f"{height - 8:g}"
    )


def _at(odds: float, most: float) -> str:
    inside = min(max(odds, 1 / most), most)
    share = (math.log(inside) / math.log(most) + 1) / 2
    return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"


SPAN_WIDTH, SPAN_HEIGHT = 120.0, 16.0
_EDGE = 6.0


@dataclass(frozen=True)
class Span:
    """A share with its interval on an axis from 0 to 1, small enough for a cell of a table. `low`
    and `high` are "" without an interval.
    """

    x: str
    low: str
    high: str
    width: str = f"{SPAN_WIDTH:g}"
    height: str = f"{SPAN_HEIGHT:g}"
    middle: str = f"{SPAN_HEIGHT / 2:g}"
    left: str = f"{_EDGE:g}"
    right: str = f"{SPAN_WIDTH - _EDGE:g}"
    half: str = f"{SPAN_WIDTH / 2:g}"


def span(share: float, low: float | None, high: float | None) -> Span:
    is_known = low is not None and high is not None
    return Span(
        _along(share),
        _along(low) if low is not None and is_known else "",
        _along(high) if high is not None and is_known else "",
    )


def _along(share: float) -> str:
    return f"{_EDGE + min(max(share, 0.0), 1.0) * (SPAN_WIDTH - 2 * _EDGE):.1f}"
