"""The geometry of charts: round ticks, faithful curves, readable labels."""

import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages import charts
from pages.chart_tables import Place, Table
from pages.charts import Limit, Series
from pages.templatetags.pages import number_rows

NUMBERS = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


def chart(*series: Series, **options: Any) -> charts.LineChart:
    return charts.line_chart(
        title="Loss falls", series=series, x_unit="steps", y_unit="nats", **options
    )


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1.8, [0, 0.5, 1, 1.5, 2]),
        (0, 600, [0, 200, 400, 600]),
        (3, 3, [2, 2.5, 3, 3.5, 4]),
        (0, 0, [0, 0.25, 0.5, 0.75, 1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert charts.round_ticks(low, high, 4) == ticks


@given(NUMBERS, NUMBERS)
def test_ticks_hold_every_value_between_them(one: float, other: float) -> None:
    low, high = sorted((one, other))

    ticks = charts.round_ticks(low, high, 4)

    slack = max(abs(low), abs(high), 1) * 1e-9
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 8


@pytest.mark.parametrize(
    ("xs", "labels"),
    [((1, 2, 3), ["1", "2", "3 steps"]), ((0.5, 1, 2), ["0.5", "1.0", "1.5", "2.0 steps"])],
)
def test_steps_are_counted_in_whole_numbers(xs: tuple[float, ...], labels: list[str]) -> None:
    drawn = chart(Series("training", [(x, 3 - x) for x in xs]))

    assert [tick.label for tick in drawn.x_ticks] == labels


def test_no_points_make_no_curves_and_no_error() -> None:
    assert chart(Series("loss", [])).curves == ()


def test_one_point_is_a_chart() -> None:
    assert chart(Series("loss", [(0, 2.5)])).curves[0].path.startswith("M")


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
    path = chart(Series("loss", [(0, 1), (1, math.nan), (2, 3), (3, 4)])).curves[0].path

    assert path.count("M") == 2
    assert path.count("L") == 1


def test_only_gaps_make_no_curve() -> None:
    assert chart(Series("loss", [(0, math.nan), (1, math.inf)])).curves == ()


def test_the_highest_peak_survives_the_thinning() -> None:
    points = [(step, 1.0) for step in range(10_000)]
    points[5_001] = (5_001, 9.0)

    drawn = chart(Series("loss", points), from_zero=True)

    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", drawn.curves[0].path)]
    assert len(heights) <= 402
    assert min(heights) == float(
        chart(Series("loss", points[5_000:5_003]), from_zero=True)
        .curves[0]
        .path.split("L")[1]
        .split()[1]
    )


def test_names_at_the_ends_of_curves_keep_apart() -> None:
    drawn = chart(
        *(Series(f"run {number}", [(0, 0), (1, 1 + number / 1000)]) for number in range(6))
    )

    places = sorted(float(curve.name_y) for curve in drawn.curves)
    assert min(b - a for a, b in pairwise(places)) >= 13.9


def test_the_name_of_a_short_curve_does_not_stand_on_a_longer_one() -> None:
    drawn = chart(
        Series("ran to its end", [(0, 3), (400, 1)]), Series("stopped early", [(0, 3), (100, 2)])
    )

    ends = [float(curve.end_x) for curve in drawn.curves]
    assert all(float(curve.name_x) > max(ends) for curve in drawn.curves)


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    name = "SFT on the demonstrations of all pools, 27 November"

    drawn = chart(Series(name, [(0, 3), (400, 1)]))

    assert drawn.curves[0].name == "SFT on the d…27 November"
    assert name in drawn.summary


def test_a_projection_has_the_colour_of_what_it_goes_on_with() -> None:
    drawn = chart(
        Series("now", [(0, 0), (1, 1)]),
        Series("done", [(1, 1), (2, 2)], is_projection=True),
        Series("other", [(0, 1), (2, 1)]),
    )

    assert [curve.number for curve in drawn.curves] == [1, 1, 2]


def test_a_limit_above_the_curves_is_in_the_picture() -> None:
    drawn = chart(Series("kl", [(0, 0), (1, 4)]), limits=[Limit(8, "ceiling")])

    assert float(drawn.limits[0].at) >= 0


def test_the_table_holds_the_numbers_of_every_curve() -> None:
    drawn = chart(Series("train", [(0, 2), (10, 1.5)]), Series("held out", [(10, 1.75)]))

    assert drawn.table.columns == ("steps", "train", "held out")
    assert drawn.table.rows == (("0", "2", "–"), ("10", "1.5", "1.75"))


def test_a_mark_is_named_beside_its_line_and_is_no_row_of_the_table() -> None:
    drawn = chart(
        Series("raters", [(1, 0.9), (9, 0.2)], is_dots=True),
        Series("fitted peak", [(3, 0.0), (3, 1.0)], is_mark=True),
    )

    mark = drawn.curves[1]
    assert float(mark.name_x) - float(mark.end_x) == 8
    assert drawn.table.columns == ("steps", "raters")
    assert [row[0] for row in drawn.table.rows] == ["1", "9"]
    assert "fitted peak" not in drawn.summary


def test_a_long_table_is_thinned_and_keeps_its_ends() -> None:
    drawn = chart(Series("loss", [(step, step / 2) for step in range(1000)]))

    assert len(drawn.table.rows) == 200
    assert drawn.table.is_thinned
    assert (drawn.table.rows[0][0], drawn.table.rows[-1][0]) == ("0", "999")


def test_the_summary_says_in_words_what_the_picture_shows() -> None:
    assert chart(Series("loss", [(0, 2), (10, 1.5)])).summary == "Loss falls. loss: 1.5 nats"


@given(st.lists(st.one_of(NUMBERS, st.just(math.nan)), max_size=30))
def test_a_spark_takes_any_numbers(values: list[float]) -> None:
    assert "nan" not in charts.spark(values).path


def test_a_thinned_table_keeps_what_was_measured_a_few_times() -> None:
    held_out = [(7.0, 3.0), (503.0, 2.5), (991.0, 2.0)]
    drawn = chart(
        Series("loss", [(step, step / 2) for step in range(1000)]), Series("held out", held_out)
    )

    assert len(drawn.table.rows) <= 200
    assert [row[2] for row in drawn.table.rows if row[2] != "–"] == ["3", "2.5", "2"]


def test_two_curves_with_one_name_have_a_column_each() -> None:
    drawn = chart(Series("run", [(0, 2), (10, 1.5)]), Series("run", [(0, 4), (10, 3)]))

    assert drawn.table.rows == (("0", "2", "4"), ("10", "1.5", "3"))
    assert [curve.column for curve in drawn.curves] == [1, 2]


@given(st.lists(st.tuples(st.integers(0, 500), NUMBERS), min_size=1, unique_by=lambda one: one[0]))
def test_the_place_of_each_row_is_where_its_curve_is_drawn(
    points: list[tuple[int, float]],
) -> None:
    drawn = chart(Series("loss", sorted(points)), x_start=0.0, x_end=500.0)

    low, high, left, right = map(float, drawn.frame[:4])
    places = [
        (left + (float(place.x) - low) / (high - low) * (right - left), place.ys[0])
        for place in drawn.table.places
    ]
    path = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawn.curves[0].path)
    assert [y for _x, y in places] == [y for _x, y in path]
    assert [x for x, _y in places] == pytest.approx([float(x) for x, _y in path], abs=0.06)


def test_the_cells_of_a_table_are_escaped() -> None:
    table = Table(("x", "y"), (("1", "<b>"),), (Place("1", ("5",)),))

    assert (
        number_rows(table) == '<tr data-x="1"><th scope="row">1</th>'
        '<td class="number" data-y="5">&lt;b&gt;</td></tr>'
    )
