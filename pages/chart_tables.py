"""The table of a chart: its numbers as text, and where each of them is in the drawing, so that the
pointer and the keys read the chart from its table.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

N_ROWS = 200


@dataclass(frozen=True)
class Place:
    """Of a row: its `x`, and how many pixels from the top each of its numbers is; "" for none."""

    x: str
    ys: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """`columns` are the heads. The rows begin with their x. `is_thinned`: rows are left out."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    places: tuple[Place, ...] = ()
    is_thinned: bool = False


NO_TABLE = Table()


@dataclass(frozen=True)
class Numbers:
    """One column."""

    name: str
    points: Sequence[tuple[float, float]]


def table(
    x_name: str,
    columns: Sequence[Numbers],
    y: Callable[[float], float],
    *,
    n_rows: int = N_ROWS,
) -> Table:
    """`y` places a number in the drawing."""
    by_x = [dict(column.points) for column in columns]
    every = sorted({x for values in by_x for x in values})
    kept = every if len(every) <= n_rows else _thinned(every, by_x, n_rows)
    found = [[values.get(x, math.nan) for values in by_x] for x in kept]
    return Table(
        (x_name, *(column.name for column in columns)),
        tuple(
            (number(x), *(number(value) for value in values))
            for x, values in zip(kept, found, strict=True)
        ),
        tuple(
            Place(f"{x:.10g}", tuple(px(y(v)) if math.isfinite(v) else "" for v in values))
            for x, values in zip(kept, found, strict=True)
        ),
        is_thinned=len(kept) < len(every),
    )


def _thinned(
    every: Sequence[float], by_x: Iterable[dict[float, float]], n_rows: int
) -> list[float]:
    """Evenly, with first and last. A column of few numbers, such as what is measured before and
    after, keeps all of them.
    """
    few = {x for values in by_x if len(values) <= n_rows // 10 for x in values}
    few = few if len(few) <= n_rows // 2 else set()
    n = n_rows - len(few)
    return sorted(few | {every[round(i * (len(every) - 1) / (n - 1))] for i in range(n)})


def number(value: float) -> str:
    """As a person reads it: four digits, a minus sign, a dash for what is missing."""
    if not math.isfinite(value):
        return "–"
    digits = f"{value:,.0f}" if value == round(value) else f"{value:.4g}"
    return digits.replace("-", "−")


def px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
