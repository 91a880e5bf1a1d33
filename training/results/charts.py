"""Charts of a run's curves, each with its finding as the title. The kind's config says which curves
share a chart. Pure.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

from django.utils.translation import gettext

from pages.charts import LineChart, Series, line_chart
from training.configs.curves import Chart, Scatter
from training.configs.knobs import Settings
from training.results.curves import Curve

# A change smaller than this share of the value counts as steady.
STEADY = 0.05
# A mean gap below this counts as well calibrated.
CALIBRATED = 0.03


def charts(about: type[Settings], curves: Mapping[str, Curve], *, n_steps: int) -> list[LineChart]:
    """The charts of a run of the kind `about`, most important first. Metrics unknown to the kind
    come last, one chart each.
    """
    drawn = [
        _chart(chart, curves, n_steps)
        for chart in about.charts
        if any(metric in curves for metric in chart.curves)
    ]
    known = {metric for chart in about.charts for metric in chart.curves} | set(about.undrawn)
    scatter = about.scatter
    if scatter and scatter.x in curves and scatter.y in curves:
        drawn.insert(min(2, len(drawn)), _scatter(scatter, curves))
    others = [
        Chart(_words(metric), "", {metric: _words(metric)})
        for metric in sorted(curves)
        if metric not in known
    ]
    return drawn + [_chart(chart, curves, n_steps) for chart in others]


def overlay(
    kinds: Sequence[type[Settings]], runs: Sequence[tuple[str, Mapping[str, Curve]]]
) -> list[LineChart]:
    """One chart per metric with one curve per run. `runs` are (name, curves); `kinds` are their
    kinds.
    """
    foreseen: list[Chart] = []
    for about in kinds:
        foreseen += [chart for chart in about.charts if chart not in foreseen]
    drawings = []
    for chart in foreseen:
        for metric in chart.curves:
            series = [Series(name, found[metric].points) for name, found in runs if metric in found]
            if series:
                drawings.append(_overlay(chart, metric, series))
    return drawings


def _overlay(chart: Chart, metric: str, series: Sequence[Series]) -> LineChart:
    title = gettext(chart.title)
    is_alone = len(set(chart.curves.values())) == 1
    return line_chart(
        title=_ends(title if is_alone else f"{title}, {gettext(chart.curves[metric])}", series),
        series=series,
        x_unit=gettext("steps"),
        y_unit=gettext(chart.unit),
        from_zero=chart.from_zero,
    )


def calibration(bins: Sequence[Mapping[str, float]]) -> LineChart | None:
    """A reward model's confidence against how often it was right. None without pairs."""
    n = sum(one["n"] for one in bins)
    if not n:
        return None
    gap = sum(one["n"] * (one["predicted"] - one["observed"]) for one in bins) / n
    points = {"points": f"{abs(gap) * 100:.0f}"}
    if abs(gap) <= CALIBRATED:
        title = gettext("Well calibrated")
    elif gap > 0:
        title = gettext("Overconfident by %(points)s points") % points
    else:
        title = gettext("Underconfident by %(points)s points") % points
    return line_chart(
        title=title,
        series=[
            Series(gettext("observed"), [(one["predicted"], one["observed"]) for one in bins]),
            Series(gettext("perfectly calibrated"), [(0.5, 0.5), (1.0, 1.0)]),
        ],
        x_unit=gettext("Confidence"),
        y_unit=gettext("share of held-out pairs"),
        x_end=1.0,
        note=gettext("%(n)s pairs, by the probability the model gives their order.")
        % {"n": f"{n:,}"},
    )


def margins(bins: Sequence[Mapping[str, float]]) -> LineChart | None:
    """The distribution of reward differences within pairs. None without pairs."""
    n = sum(one["n"] for one in bins)
    if not n:
        return None
    return line_chart(
        title=gettext("The two responses of a pair are %(margin)s apart on average")
        % {"margin": _number(sum(one["n"] * one["margin"] for one in bins) / n)},
        series=[Series(gettext("pairs"), [(one["margin"], one["n"]) for one in bins])],
        x_unit=gettext("reward of the better response minus the other"),
        y_unit=gettext("Held-out pairs"),
        from_zero=True,
        note=gettext("Below 0, the model ranks the pair the wrong way round."),
    )


def _ends(title: str, series: Sequence[Series]) -> str:
    """The title: where the curves end, and which is lowest and highest."""
    ranked = sorted((one.points[-1][1], one.name) for one in series)
    (low, lowest), (high, highest) = ranked[0], ranked[-1]
    named = {"what": title, "low": _number(low), "a": lowest, "high": _number(high), "b": highest}
    if abs(high - low) <= STEADY * max(abs(high), abs(low)):
        return gettext("%(what)s ends near %(low)s") % named
    return gettext("%(what)s ends at %(low)s (%(a)s) to %(high)s (%(b)s)") % named


def _chart(chart: Chart, curves: Mapping[str, Curve], n_steps: int) -> LineChart:
    drawn = [metric for metric in chart.curves if metric in curves]
    titled = next(
        (metric for metric in reversed(drawn) if len(curves[metric].points) > 1), drawn[-1]
    )
    return line_chart(
        title=_finding(_subject(chart, titled), [value for _step, value in curves[titled].points]),
        series=[Series(gettext(chart.curves[metric]), curves[metric].points) for metric in drawn],
        x_unit=gettext("steps"),
        y_unit=gettext(chart.unit),
        x_end=float(n_steps) if n_steps else None,
        from_zero=chart.from_zero,
    )


def _scatter(scatter: Scatter, curves: Mapping[str, Curve]) -> LineChart:
    x_at = dict(curves[scatter.x].points)
    points = sorted((x_at[step], y) for step, y in curves[scatter.y].points if step in x_at)
    return line_chart(
        title=_finding(gettext(scatter.title), [y for _x, y in points]),
        series=[Series(gettext(scatter.words), points)],
        x_unit=gettext(scatter.x_unit),
        y_unit=gettext(scatter.y_unit),
    )


def _subject(chart: Chart, titled: str) -> str:
    title = gettext(chart.title)
    if titled.startswith("held_out_"):
        return gettext("%(what)s on held-out data") % {"what": title}
    return title


def _finding(title: str, values: Sequence[float]) -> str:
    """The title: how the curve changes. Long curves are noisy, so the means of the first and last
    tenth are compared.
    """
    tenth = len(values) // 10
    first, last = (
        (fmean(values[:tenth]), fmean(values[-tenth:])) if tenth else (values[0], values[-1])
    )
    named = {"what": title, "first": _number(first), "last": _number(last)}
    if len(values) == 1:
        return gettext("%(what)s is %(last)s") % named
    if abs(last - first) <= STEADY * max(abs(first), abs(last)):
        return gettext("%(what)s stays near %(last)s") % named
    if last < first:
        return gettext("%(what)s falls from %(first)s to %(last)s") % named
    return gettext("%(what)s rises from %(first)s to %(last)s") % named


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _words(metric: str) -> str:
    return metric.replace("_", " ").replace("/", " ")
