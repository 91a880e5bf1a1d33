"""Charts of a run's curves, each with its finding as the title. The kind's config says which curves
share a chart. Pure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any

from django.utils.translation import gettext, ngettext

from arithmetic import intervals
from pages.charts import LineChart, Series, histogram, line_chart
from pages.numbers import grouped
from training.configs.curves import GROUPS, LEARNING, SYSTEM, Chart, Scatter
from training.configs.knobs import Settings
from training.configs.metrics import FEWEST_PAIRS
from training.results import ends
from training.results.curves import Curve

FEW_VALUES = 5
"""Of fewer, nothing is said but the first and the last."""
N_BLOCKS = 20
HELD_OUT = "held_out_"
"""Begins the name of what was measured on held-out data."""
EQUAL = 0.05
"""Mean confidence and accuracy count as equal if they differ by less, interval included."""


@dataclass(frozen=True)
class ChartGroup:
    """Charts under one heading; `is_closed` until somebody opens it."""

    title: str
    charts: list[LineChart]
    is_closed: bool = False


def charts(
    about: type[Settings],
    curves: Mapping[str, Curve],
    *,
    n_steps: int,
    about_pairs: Sequence[LineChart] = (),
    metrics: Mapping[str, Any] | None = None,
) -> list[ChartGroup]:
    """The charts of a run of the kind `about` by group, most important first. Only curves with two
    points or more are drawn. Metrics unknown to the kind come last. `about_pairs`: further charts
    of what the model learned. `metrics`: the run's, with the intervals of what it measured on
    held-out data, so that no title says more than the run's verdict.
    """
    known_ends = metrics or {}
    drawable = {metric: curve for metric, curve in curves.items() if len(curve.points) > 1}
    by_group: dict[str, list[LineChart]] = {group: [] for group in GROUPS}
    for chart in about.charts:
        if any(metric in drawable for metric in chart.curves):
            by_group[chart.group].append(_chart(chart, drawable, n_steps, known_ends))
    scatter = about.scatter
    if scatter and scatter.x in drawable and scatter.y in drawable:
        by_group[LEARNING].insert(2, _scatter(scatter, drawable))
    by_group[LEARNING] += about_pairs
    known = {metric for chart in about.charts for metric in chart.curves} | set(about.undrawn)
    for metric in sorted(drawable.keys() - known):
        words = _words(metric)
        by_group[SYSTEM].append(_chart(Chart(words, "", {metric: words}), drawable, n_steps, {}))
    return _groups(by_group)


def _groups(by_group: Mapping[str, list[LineChart]]) -> list[ChartGroup]:
    return [
        ChartGroup(gettext(title), by_group[group], is_closed=group == SYSTEM)
        for group, title in GROUPS.items()
        if by_group[group]
    ]


@dataclass(frozen=True)
class ComparedCurves:
    """Of a run."""

    name: str
    about: type[Settings]
    curves: Mapping[str, Curve]


@dataclass(frozen=True)
class Overlay:
    """`alone`: what only one run has a curve of, with that run's name."""

    groups: list[ChartGroup]
    alone: list[tuple[str, str]]


def overlay(runs: Sequence[ComparedCurves]) -> Overlay:
    """One chart per metric with one curve per run, by group, for metrics that two runs have two
    points or more of. Only runs whose kinds have the same chart share it: the losses of two kinds
    are different things. A run has the same colour and dashes everywhere.
    """
    by_group: dict[str, list[LineChart]] = {group: [] for group in GROUPS}
    alone: list[tuple[str, str]] = []
    foreseen: list[Chart] = []
    for run in runs:
        foreseen += [chart for chart in run.about.charts if chart not in foreseen]
    for chart in foreseen:
        comparable = [
            (number, run) for number, run in enumerate(runs, 1) if chart in run.about.charts
        ]
        for metric in chart.curves:
            series = [
                Series(run.name, run.curves[metric].points, number=number)
                for number, run in comparable
                if metric in run.curves and len(run.curves[metric].points) > 1
            ]
            if len(series) > 1:
                by_group[chart.group].append(_overlay(chart, metric, series))
            elif series:
                alone.append((_named(chart, metric), series[0].name))
    return Overlay(_groups(by_group), alone)


def _named(chart: Chart, metric: str) -> str:
    title = gettext(chart.title)
    is_alone = len(set(chart.curves.values())) == 1
    return title if is_alone else f"{title}, {gettext(chart.curves[metric])}"


def _overlay(chart: Chart, metric: str, series: Sequence[Series]) -> LineChart:
    return line_chart(
        title=_ends(_named(chart, metric), series, is_share=chart.is_share),
        series=series,
        x_unit=_steps(max(line.points[-1][0] for line in series)),
        y_unit=gettext(chart.unit),
        x_start=0.0,
        from_zero=chart.from_zero,
        is_share=chart.is_share,
    )


def calibration(bins: Sequence[Mapping[str, float]]) -> LineChart | None:
    """A reward model's confidence against how often it was right. None without pairs."""
    n = sum(bar["n"] for bar in bins)
    if not n:
        return None
    gap = sum(bar["n"] * (bar["predicted"] - bar["observed"]) for bar in bins) / n
    # Of independent pairs; those on one prompt are not, so that half as many count.
    error = (
        intervals.Z_95
        * math.sqrt(2 * sum(bar["n"] * _variance(bar["predicted"]) for bar in bins))
        / n
    )
    points = {"points": f"{abs(gap) * 100:.0f}"}
    confidences = sorted({0.5, 1.0} | {bar["predicted"] for bar in bins})
    if n < FEWEST_PAIRS:
        title = gettext("Too few pairs to tell whether it is calibrated")
    elif abs(gap) + error <= EQUAL:
        title = gettext("On average as confident as it is right")
    elif abs(gap) <= error:
        title = gettext("Too few pairs to tell whether it is calibrated")
    elif gap > 0:
        title = gettext("Overconfident by %(points)s points") % points
    else:
        title = gettext("Underconfident by %(points)s points") % points
    return line_chart(
        title=title,
        series=[
            Series(
                gettext("observed"),
                [(bar["predicted"], bar["observed"]) for bar in bins],
                is_dots=True,
            ),
            Series(gettext("perfectly calibrated"), [(x, x) for x in confidences]),
        ],
        x_unit=gettext("Confidence"),
        y_unit=gettext("share of held-out pairs"),
        x_end=1.0,
        is_share=True,
        note=gettext("%(n)s pairs, by the probability the model gives their order.")
        % {"n": grouped(n)},
    )


def _variance(share: float) -> float:
    return share * (1 - share)


def margins(bins: Sequence[Mapping[str, float]]) -> LineChart | None:
    """The distribution of reward differences within pairs. None without pairs."""
    n = sum(bar["n"] for bar in bins)
    if not n:
        return None
    return histogram(
        title=gettext("The two responses of a pair are %(margin)s apart on average")
        % {"margin": _number(sum(bar["n"] * bar["margin"] for bar in bins) / n)},
        bins=[(bar["margin"], bar["n"]) for bar in bins],
        x_unit=gettext("reward of the better response minus the other"),
        y_unit=gettext("Held-out pairs"),
        note=gettext("Below 0, the model ranks the pair the wrong way round."),
    )


def _ends(title: str, series: Sequence[Series], *, is_share: bool) -> str:
    """The title: where the curves end, and which is lowest and highest."""
    ranked = sorted((line.points[-1][1], line.name) for line in series)
    (low, lowest), (high, highest) = ranked[0], ranked[-1]
    low_words, high_words = _two_numbers(low, high, is_share=is_share)
    named = {"what": title, "low": low_words, "a": lowest, "high": high_words, "b": highest}
    if low_words == high_words:
        return gettext("%(what)s ends at %(low)s") % named
    return gettext("%(what)s ends at %(low)s (%(a)s) to %(high)s (%(b)s)") % named


def _chart(
    chart: Chart, curves: Mapping[str, Curve], n_steps: int, metrics: Mapping[str, Any]
) -> LineChart:
    drawn = [metric for metric in chart.curves if metric in curves]
    titled = drawn[-1]
    last_step = max(curves[metric].points[-1][0] for metric in drawn)
    return line_chart(
        title=_title(chart, titled, curves[titled], metrics),
        series=[Series(gettext(chart.curves[metric]), curves[metric].points) for metric in drawn],
        x_unit=_steps(n_steps or last_step),
        y_unit=gettext(chart.unit),
        x_start=0.0,
        x_end=float(n_steps) if n_steps else None,
        from_zero=chart.from_zero,
        is_share=chart.is_share,
    )


def _scatter(scatter: Scatter, curves: Mapping[str, Curve]) -> LineChart:
    x_at = dict(curves[scatter.x].points)
    named = {scatter.y: scatter.words, **scatter.beside}
    series = [
        Series(
            gettext(words),
            sorted((x_at[step], y) for step, y in curves[metric].points if step in x_at),
            is_dots=True,
        )
        for metric, words in named.items()
        if metric in curves
    ]
    return line_chart(
        title=_finding(gettext(scatter.title), [y for _x, y in series[0].points]),
        series=series,
        x_unit=gettext(scatter.x_unit),
        y_unit=gettext(scatter.y_unit),
    )


def _title(chart: Chart, metric: str, curve: Curve, metrics: Mapping[str, Any]) -> str:
    """What was measured on held-out data has changed only if the run's own interval says so: its
    points share their rows, so that a curve of them cannot tell.
    """
    title, values = gettext(chart.title), [value for _step, value in curve.points]
    if not metric.startswith(HELD_OUT):
        return _finding(title, values, is_share=chart.is_share)
    low, high = ends.of_change(metric, metrics) or (0.0, 0.0)
    change = values[-1] - values[0]
    return _between(
        gettext("%(what)s on held-out data") % {"what": title},
        values[0],
        values[-1],
        has_changed=low > 0 < change or high < 0 > change,
        is_share=chart.is_share,
    )


def _finding(title: str, values: Sequence[float], *, is_share: bool = False) -> str:
    """The title: how the curve changes. Long curves are noisy, so the means of the first and last
    tenth are compared.
    """
    size = max(1, len(values) // 10)
    first, last = fmean(values[:size]), fmean(values[-size:])
    error, noise = _error_of_change(values, size)
    has_changed = abs(last - first) > error
    if not has_changed and abs(last - first) < noise:
        level = _two_numbers(first, last, is_share=is_share)[1]
        return gettext("%(what)s stays near %(last)s") % {"what": title, "last": level}
    return _between(title, first, last, has_changed=has_changed, is_share=is_share)


def _between(
    title: str, first: float, last: float, *, has_changed: bool, is_share: bool = False
) -> str:
    """Both values; that one has become the other only if it `has_changed` more than by chance."""
    first_words, last_words = _two_numbers(first, last, is_share=is_share)
    named = {"what": title, "first": first_words, "last": last_words}
    if first_words == last_words:
        return gettext("%(what)s stays near %(last)s") % named
    if not has_changed:
        return gettext("%(what)s: %(first)s at first, %(last)s at last") % named
    if last < first:
        return gettext("%(what)s falls from %(first)s to %(last)s") % named
    return gettext("%(what)s rises from %(first)s to %(last)s") % named


def _error_of_change(values: Sequence[float], size: int) -> tuple[float, float]:
    """(half the 95 % interval of the difference between two means of `size` values, how much a
    value differs from its level). From how much neighbours differ, and blocks of neighbours, which
    differ more where the noise of one step lasts for several.
    """
    n = len(values)
    if n < FEW_VALUES:
        return math.inf, 0.0
    length = max(1, n // N_BLOCKS)
    blocks = [fmean(values[at : at + length]) for at in range(0, n - length + 1, length)]
    noise = _spread(values)
    of_a_value = max(noise, _spread(blocks) * math.sqrt(length))
    freedom = max(2.0, 0.6 * (len(blocks) - 1))  # differences of neighbours share their values
    return intervals.of_student(freedom) * of_a_value * math.sqrt(2 / size), noise


def _spread(values: Sequence[float]) -> float:
    """The standard deviation of independent values about a level that changes slowly."""
    return math.sqrt(fmean([(after - before) ** 2 for before, after in pairwise(values)]) / 2)


def _two_numbers(first: float, last: float, *, is_share: bool = False) -> tuple[str, str]:
    """Both with as many digits as their difference needs."""
    if is_share:
        first, last = first * 100, last * 100
    largest, change = max(abs(first), abs(last)), abs(last - first)
    if not change or largest < 1e-3 or largest >= 1e6:
        words = _number(first), _number(last)
    else:
        digits = min(max(0, (0 if is_share else 1) - math.floor(math.log10(change))), 4)
        digits = 0 if first == round(first) and last == round(last) else digits
        words = _fixed(first, digits), _fixed(last, digits)
    return (f"{words[0]} %", f"{words[1]} %") if is_share else words


def _fixed(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace("-", "−")


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _steps(last: float) -> str:
    return ngettext("step", "steps", round(last))


def _words(metric: str) -> str:
    return metric.replace("_", " ").replace("/", " ")
