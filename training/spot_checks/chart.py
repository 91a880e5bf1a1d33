"""What raters say about a run's checkpoints, by how far these are from where the run began."""

import math
from collections.abc import Mapping

from django.utils.translation import gettext

from pages.charts import Limit, LineChart, Series, line_chart
from training.models import Run
from training.results.curves import Curve
from training.spot_checks import over_optimisation, selectors
from training.spot_checks.over_optimisation import Curve as Fitted


def chart(*, run: Run, curves: Mapping[str, Curve]) -> LineChart | None:
    """None before raters have decided about a checkpoint."""
    if run.spot_pool_id is None:
        return None
    sqrt_kl = _sqrt_kl(run, curves)
    compared = selectors.compared(run=run, sqrt_kl=sqrt_kl) if sqrt_kl else []
    if not compared:
        return None
    points = sorted((one.d, one.share, check.low, check.high) for check, one in compared)
    fitted = over_optimisation.fitted([one for _check, one in compared])
    kept, _last = selectors.kept(run_id=run.pk)
    series = [
        Series(
            gettext("raters"),
            [(d, share) for d, share, _low, _high in points],
            is_dots=True,
            whiskers=[(d, low or 0.0, high or 0.0) for d, _share, low, high in points],
        )
    ]
    if fitted is not None and fitted.peak is not None:
        peak = fitted.peak.d
        series.append(Series(gettext("fitted peak"), [(peak, 0.0), (peak, 1.0)], is_mark=True))
    return line_chart(
        title=gettext("Raters keep step %(step)s") % {"step": kept.step if kept else 0},
        series=series,
        x_unit=gettext("√KL"),
        y_unit=gettext("share of votes over the kept step"),
        x_start=0.0,
        limits=[Limit(0.5, gettext("as good"))],
        is_share=True,
        note=_note(len(compared), fitted),
    )


def _note(n: int, fitted: Fitted | None) -> str:
    if fitted is None:
        return gettext(
            "A curve is fitted from %(fewest)s checkpoints with an interval; there are %(n)s."
        ) % {"fewest": over_optimisation.FEWEST_CHECKPOINTS, "n": n}
    if fitted.peak is None:
        return gettext("The fitted curve (Gao 2022) has no sure peak yet.")
    peak = fitted.peak
    return gettext(
        "The fitted curve (Gao 2022) is highest at √KL %(d)s (95 %% interval %(low)s–%(high)s)."
    ) % {"d": f"{peak.d:.1f}", "low": f"{peak.low:.1f}", "high": f"{peak.high:.1f}"}


def _sqrt_kl(run: Run, curves: Mapping[str, Curve]) -> dict[int, float]:
    """By step. An extension begins away from its reference."""
    if "kl" not in curves:
        return {}
    start = {} if run.made_as == Run.MadeAs.EXTENSION else {0: 0.0}
    return start | {round(step): math.sqrt(max(value, 0.0)) for step, value in curves["kl"].points}
