"""Chart geometry: ticks, paths and labels as plain values that a template prints as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pages.chart_tables import NO_TABLE, Numbers, Table, number, px, table

WIDTH, HEIGHT = 560.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 14.0, 26.0
_NAME_GAP = 14.0
_PIXELS_PER_LETTER = 7.0
_LONGEST_NAME = 24
_LABEL_GAP = 10.0
# A longer unit stands below the axis, not after its last number.
_SHORT_UNIT = 12
_UNIT_LINE = 18.0
# Longer series are thinned: each pixel column keeps its lowest and highest point.
_POINTS_DRAWN = 400
_SERIES_COLOURS = 8


@dataclass(frozen=True)
class Series:
    """One curve: `points` are (x, y) with rising x; a y that is not finite leaves a gap.

    A projection continues the series before it. `is_dots`: the points are not joined. `is_mark`: an
    upright line, named beside it. A mark and a series without a name are no part of the table.
    `number` selects the colour; 0: by place in the chart.
    """

    name: str
    points: Sequence[tuple[float, float]]
    is_projection: bool = False
    has_area: bool = False
    is_dots: bool = False
    is_mark: bool = False
    number: int = 0
    whiskers: Sequence[tuple[float, float, float]] = ()
    """of dots: (x, low, high) of their intervals"""


@dataclass(frozen=True)
class Limit:
    """A level to compare the curves with, such as a ceiling."""

    y: float
    label: str


@dataclass(frozen=True)
class Tick:
    """`anchor`: "start" or "end" for a label that begins or ends at its place, for lack of room
    around it.
    """

    at: str
    label: str
    is_zero: bool = False
    anchor: str = ""


@dataclass(frozen=True)
class DrawnLimit:
    at: str
    label_y: str
    label: str


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram in pixels. `number` selects its colour."""

    number: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Curve:
    """A series in pixels. `number` selects its colour. `name` is placed to the right of all curves,
    so that it covers none, or above its end when a projection follows.
    """

    number: int
    name: str
    path: str
    area: str
    is_projection: bool
    end_x: str
    end_y: str
    name_x: str
    name_y: str
    is_followed: bool
    column: int = 0
    """of the table; 0: not in it"""
    dots: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LineChart:
    """Everything that components/_chart.html prints."""

    title: str
    summary: str
    y_unit: str
    note: str
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    limits: tuple[DrawnLimit, ...] = ()
    curves: tuple[Curve, ...] = ()
    bars: tuple[Bar, ...] = ()
    x_unit: str = ""
    """below the axis; "" if it stands after the last number"""
    table: Table = NO_TABLE
    frame: tuple[str, ...] = ()
    """lowest and highest x, the pixels of both, and those of its top and bottom"""
    width: str = field(default=f"{WIDTH:g}")
    height: str = field(default=f"{HEIGHT:g}")
    left: str = field(default=f"{_LEFT:g}")
    right: str = field(default=f"{WIDTH - _RIGHT:g}")
    tick_x: str = field(default=f"{_LEFT - 8:g}")
    x_label_y: str = field(default=f"{HEIGHT - 6:g}")
    x_unit_y: str = field(default=f"{HEIGHT + 12:g}")


@dataclass(frozen=True)
class Spark:
    """A sparkline in a box of 96 × 20."""

    path: str


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def line_chart(
    *,
    title: str,
    series: Sequence[Series],
    x_unit: str,
    y_unit: str,
    x_start: float | None = None,
    x_end: float | None = None,
    x_ticks: Sequence[tuple[float, str]] | None = None,
    limits: Sequence[Limit] = (),
    from_zero: bool = False,
    is_share: bool = False,
    note: str = "",
) -> LineChart:
    """`title` states the finding; `x_unit` is printed at the last tick or below the axis, `y_unit`
    after the title.

    `x_start` and `x_end` widen the x-axis, such as for steps to come; `x_ticks` replaces its round
    numbers with named places, such as times of day. `is_share`: the y-axis stays between 0 and 1.
    """
    finite = [(line, [(x, y) for x, y in line.points if math.isfinite(y)]) for line in series]
    drawn = [(line, points) for line, points in finite if points]
    listed = [line for line, _ in drawn if _is_listed(line)]
    summary = f"{title}. " + "; ".join(
        f"{line.name}: {number(points[-1][1])} {y_unit}".strip()
        for line, points in drawn
        if not line.is_mark
    )
    if not drawn:
        return LineChart(title=title, summary=summary, y_unit=y_unit, note=note)
    ends = [end for end in (x_start, x_end) if end is not None]
    xs = [x for _, points in drawn for x, _ in points] + ends
    ys = (
        [y for _, points in drawn for _, y in points]
        + [end for line, _ in drawn for _, *ends in line.whiskers for end in ends]
        + [limit.y for limit in limits]
        + ([0.0] if from_zero else [])
    )
    y_values = _share_ticks(ys) if is_share else round_ticks(min(ys), max(ys), 4)
    x_title = x_unit if not x_ticks and len(x_unit) > _SHORT_UNIT else ""
    x_marks = list(x_ticks) if x_ticks else _numbered(xs, "" if x_title else x_unit)
    names = max((len(_short(line.name)) for line, _ in drawn), default=0)
    furthest = max(points[-1][0] for _, points in drawn)
    # A name at the end of a curve needs room, unless later steps already leave some.
    room = (
        0.0 if x_end is not None and max(xs) > furthest * 1.25 else names * _PIXELS_PER_LETTER + 10
    )
    x = _Scale(min(xs), max(xs), _LEFT, WIDTH - _RIGHT - room)
    y = _Scale(y_values[0], y_values[-1], HEIGHT - _BOTTOM, _TOP)
    return LineChart(
        title=title,
        summary=summary,
        y_unit=y_unit,
        note=note,
        x_ticks=_spaced([(x(value), label) for value, label in x_marks]),
        y_ticks=_y_ticks(y, y_values),
        x_unit=x_title,
        height=f"{HEIGHT + (_UNIT_LINE if x_title else 0):g}",
        limits=tuple(
            DrawnLimit(px(y(limit.y)), px(y(limit.y) - 5), limit.label) for limit in limits
        ),
        curves=_apart(_curves([line for line, _ in drawn], x, y, names_x=x(furthest) + 8)),
        table=table(x_unit, [Numbers(line.name, line.points) for line in listed], y),
        frame=_frame(x),
    )


def histogram(
    *,
    title: str,
    bins: Sequence[tuple[float, float]],
    x_unit: str,
    y_unit: str,
    note: str = "",
) -> LineChart:
    """Bars of equal width around the (middle, count) of each bin. Bars below 0 have another
    colour.
    """
    middles = [middle for middle, _count in bins]
    width = min((b - a for a, b in pairwise(middles)), default=1.0)
    edges = [middles[0] - width / 2, middles[-1] + width / 2]
    y_values = round_ticks(0, max(count for _middle, count in bins) or 1.0, 4)
    x = _Scale(edges[0], edges[1], _LEFT, WIDTH - _RIGHT)
    y = _Scale(y_values[0], y_values[-1], HEIGHT - _BOTTOM, _TOP)
    x_title = x_unit if len(x_unit) > _SHORT_UNIT else ""
    marks = _numbered(edges, "" if x_title else x_unit)
    return LineChart(
        title=title,
        summary=f"{title}.",
        y_unit=y_unit,
        note=note,
        x_ticks=_spaced([(x(value), label) for value, label in marks]),
        y_ticks=_y_ticks(y, y_values),
        x_unit=x_title,
        height=f"{HEIGHT + (_UNIT_LINE if x_title else 0):g}",
        bars=tuple(_bar(middle, count, width, x, y) for middle, count in bins if count),
        table=table(x_unit, [Numbers(y_unit, bins)], y),
        frame=_frame(x),
    )


def _frame(x: _Scale) -> tuple[str, ...]:
    ends = (f"{x.low:.10g}", f"{x.high:.10g}", px(x.start), px(x.end))
    return (*ends, px(_TOP), px(HEIGHT - _BOTTOM))


def _bar(middle: float, count: float, width: float, x: _Scale, y: _Scale) -> Bar:
    left, right, top = x(middle - width / 2) + 0.5, x(middle + width / 2) - 0.5, y(count)
    return Bar(
        number=2 if middle < 0 else 1,
        x=px(left),
        y=px(top),
        width=px(max(right - left, 1.0)),
        height=px(y.start - top),
    )


def spark(values: Sequence[float]) -> Spark:
    finite = [(float(index), value) for index, value in enumerate(values) if math.isfinite(value)]
    if not finite:
        return Spark("")
    heights = [value for _, value in finite]
    x, y = _Scale(0, max(1, len(values) - 1), 1, 95), _Scale(min(heights), max(heights), 18, 2)
    return Spark(_path(finite, x, y))


def round_ticks(low: float, high: float, about: int) -> list[float]:
    """About `about` round numbers (1, 2, 2.5 or 5 times a power of ten), from at most `low` to at
    least `high`.
    """
    if high == low:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _share_ticks(ys: Sequence[float]) -> list[float]:
    """Round numbers between 0 and 1; all of that range for a single value."""
    low, high = max(0.0, min(ys)), min(1.0, max(ys))
    if high - low < 1e-9:
        return round_ticks(0.0, 1.0, 4)
    return [value for value in round_ticks(low, high, 4) if 0.0 <= value <= 1.0]


def _y_ticks(y: _Scale, values: Sequence[float]) -> tuple[Tick, ...]:
    return tuple(
        Tick(px(y(value)), _tick_label(value, values), is_zero=value == 0) for value in values
    )


def _spaced(marks: Sequence[tuple[float, str]]) -> tuple[Tick, ...]:
    """Ticks of the x-axis whose labels do not touch. First and last are always kept."""
    placed = [_placed(at, label) for at, label in marks]
    kept = placed[:1]
    for candidate in placed[1:-1]:
        if candidate[0] >= kept[-1][1] + _LABEL_GAP and candidate[1] <= placed[-1][0] - _LABEL_GAP:
            kept.append(candidate)
    return tuple(tick for _left, _right, tick in [*kept, *placed[1:][-1:]])


def _placed(at: float, label: str) -> tuple[float, float, Tick]:
    """(left end, right end, tick) of a label that stands around its place if there is room."""
    width = len(label) * _PIXELS_PER_LETTER
    if at - width / 2 < _LEFT - 8:
        return at, at + width, Tick(px(at), label, anchor="start")
    if at + width / 2 > WIDTH:
        return at - width, at, Tick(px(at), label, anchor="end")
    return at - width / 2, at + width / 2, Tick(px(at), label)


def _numbered(xs: Sequence[float], unit: str) -> list[tuple[float, str]]:
    """Round numbers along the x-axis. Only whole ones where every x is whole, since nothing happens
    at step 1.5.
    """
    low, high = min(xs), max(xs)
    are_whole = all(x == round(x) for x in xs)
    inside = (value for value in round_ticks(low, high, 4) if low <= value <= high)
    ticks = [value for value in inside if not are_whole or value == round(value)] or [low]
    labels = [_tick_label(value, ticks) for value in ticks]
    labels[-1] = f"{labels[-1]} {unit}".strip()
    return list(zip(ticks, labels, strict=True))


def _curves(drawn: Sequence[Series], x: _Scale, y: _Scale, *, names_x: float) -> list[Curve]:
    curves, number, column = [], 0, 0
    for line, following in zip(drawn, [*drawn[1:], None], strict=True):
        number += not (line.is_projection and number)
        column += _is_listed(line)
        is_followed = following is not None and following.is_projection
        colour = ((line.number or number) - 1) % _SERIES_COLOURS + 1
        curve = _curve(colour, line, x, y, is_followed=is_followed, names_x=names_x)
        curves.append(replace(curve, column=column if _is_listed(line) else 0))
    return curves


def _is_listed(line: Series) -> bool:
    """Whether the table has a column of it."""
    return bool(line.name) and not line.is_mark


def _curve(
    number: int, line: Series, x: _Scale, y: _Scale, *, is_followed: bool, names_x: float
) -> Curve:
    points = _thinned(line.points)
    last = next(point for point in reversed(points) if math.isfinite(point[1]))
    path = _whiskers(line, x, y) if line.is_dots else _path(points, x, y)
    area = ""
    if line.has_area and all(math.isfinite(value) for _, value in points):
        area = f"{path}L{px(x(last[0]))} {px(y.start)}L{px(x(points[0][0]))} {px(y.start)}Z"
    return Curve(
        number=number,
        name=_short(line.name),
        path=path,
        area=area,
        is_projection=line.is_projection,
        end_x=px(x(last[0])),
        end_y=px(y(last[1])),
        name_x=px(x(last[0]) - 8 if is_followed else x(last[0]) + 8 if line.is_mark else names_x),
        name_y=px(y(last[1]) - (10 if is_followed else 0)),
        is_followed=is_followed,
        dots=(
            tuple((px(x(across)), px(y(up))) for across, up in points if math.isfinite(up))
            if line.is_dots
            else ()
        ),
    )


def _whiskers(line: Series, x: _Scale, y: _Scale) -> str:
    return "".join(
        f"M{px(x(across))} {px(y(low))}L{px(x(across))} {px(y(high))}"
        for across, low, high in line.whiskers
    )


def _short(name: str) -> str:
    """Leaves out the middle of a long name: runs often differ at its end."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half].rstrip()}…{name[1 - half :].lstrip()}"


def _apart(curves: list[Curve]) -> tuple[Curve, ...]:
    """Moves overlapping names at the ends of curves down; the last one stays inside the drawing."""
    order = sorted(range(len(curves)), key=lambda index: float(curves[index].name_y))
    heights = [float(curves[index].name_y) for index in order]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + _NAME_GAP)
    overflow = max(0.0, heights[-1] - (HEIGHT - _BOTTOM))
    moved = dict(zip(order, heights, strict=True))
    return tuple(
        replace(curve, name_y=px(moved[index] - overflow)) for index, curve in enumerate(curves)
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= _POINTS_DRAWN:
        return list(points)
    size = math.ceil(len(points) / (_POINTS_DRAWN / 2))
    thinned: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        finite = [point for point in points[start : start + size] if math.isfinite(point[1])]
        if finite:
            low, high = min(finite, key=_height), max(finite, key=_height)
            thinned += sorted({low, high})
    return (
        [*thinned, points[-1]]
        if math.isfinite(points[-1][1]) and thinned[-1] != points[-1]
        else thinned
    )


def _height(point: tuple[float, float]) -> float:
    return point[1]


def _path(points: Sequence[tuple[float, float]], x: _Scale, y: _Scale) -> str:
    parts, is_down = [], False
    for across, up in points:
        if not math.isfinite(up):
            is_down = False
            continue
        parts.append(f"{'L' if is_down else 'M'}{px(x(across))} {px(y(up))}")
        is_down = True
    return "".join(parts)


def _tick_label(value: float, ticks: Sequence[float]) -> str:
    step = min((abs(b - a) for a, b in pairwise(ticks)), default=abs(value) or 1.0)
    if abs(value) >= 1e6 or (step and step < 1e-4):
        return f"{value:.3g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 0
    if digits and abs(step * 10**digits - round(step * 10**digits)) > 1e-9:
        digits += 1
    return f"{value:,.{digits}f}".replace("-", "−") if value else "0"
