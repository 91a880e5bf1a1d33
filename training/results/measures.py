"""A run's metrics ready to display: before and after side by side. Names and order come from the
kind's config.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from pages.templatetags.pages import duration
from training import configs
from training.configs import metrics as configs_metrics

_NOT_LISTED = {"calibration", "margins", "shape", "accuracy_by", "cross_validation"}
"""Not listed: drawn, shown in a table of its own, or only used by estimates."""
_WITH_INTERVAL = {"held_out_accuracy", "win_rate"}
_STRENGTHS: dict[str, Promise] = {
    "1": _("negligibly"),
    "2": _("slightly"),
    "3": _("clearly"),
    "4": _("significantly"),
}
_GROUPINGS: dict[str, tuple[Promise, dict[str, Any]]] = {
    "strength": (_("strength of preference"), _STRENGTHS),
    "category": (_("Category"), dict(Prompt.Category.choices)),
    "pool": (_("Pool"), {}),
}
_FOLDS: dict[str, Promise] = {
    "unseen": _("Unseen raters"),
    "seen": _("Seen raters"),
}


@dataclass(frozen=True)
class MeasureRow:
    """`before` is "" for a metric that is measured once."""

    name: str | Promise
    value: str
    before: str = ""
    interval: str = ""
    """"95 % interval 52–70 %"; empty where none was measured"""

    @property
    def figure(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value


@dataclass(frozen=True)
class MeasureGroup:
    """A group of held-out pairs, and how often the model was right about them."""

    name: str | Promise
    n: int
    accuracy: str
    interval: str


@dataclass(frozen=True)
class Breakdown:
    title: str | Promise
    groups: list[MeasureGroup]


def breakdowns(*, metrics: Mapping[str, Any]) -> list[Breakdown]:
    """Accuracy on held-out pairs by strength, category and pool, then by cross-validation fold."""
    found = metrics.get("accuracy_by", {})
    by_group = [
        Breakdown(
            title, [_group(words.get(one["group"], one["group"]), one) for one in found[name]]
        )
        for name, (title, words) in _GROUPINGS.items()
        if name in found
    ]
    folds = metrics.get("cross_validation", [])
    by_fold = [
        Breakdown(
            title,
            [
                _group(gettext("Fold %(n)s") % {"n": number}, fold[name])
                for number, fold in enumerate(folds, 1)
            ],
        )
        for name, title in _FOLDS.items()
    ]
    return by_group + (by_fold if folds else [])


def _group(name: str | Promise, one: Mapping[str, Any]) -> MeasureGroup:
    has_interval = one["low"] is not None and one["high"] is not None
    interval = (
        f"{one['low'] * 100:.0f}–{one['high'] * 100:.0f} %"
        if has_interval
        else gettext("too few prompts")
    )
    return MeasureGroup(
        name or _("Not specified"),
        one["n"],
        _shown(configs_metrics.SHARE, one["accuracy"]),
        interval,
    )


def measures(*, kind: str, metrics: Mapping[str, Any]) -> list[MeasureRow]:
    """In the kind's order; x_before and x_after share a line, x_low and x_high (or x_low_after and
    x_high_after) are its interval. Unknown metrics come last.
    """
    named = _named(kind)
    positions = {name: place for place, name in enumerate(named)}
    found = []
    for key, value in sorted(metrics.items(), key=lambda pair: _position(positions, pair[0])):
        if key in _NOT_LISTED or _is_part(key, metrics):
            continue
        name = key.removesuffix("_after")
        before = metrics.get(f"{name}_before") if key.endswith("_after") else None
        about = named.get(name) or configs_metrics.Measure(name, name.replace("_", " "))
        found.append(
            MeasureRow(
                gettext(about.words),
                _shown(about.form, value),
                _shown(about.form, before) if before is not None else "",
                _interval(name, about.form, metrics),
            )
        )
    return found


def _is_part(key: str, metrics: Mapping[str, Any]) -> bool:
    """Whether it is shown with another measure: what was before, or an end of an interval."""
    name, _underscore, part = key.rpartition("_")
    if part == "before":
        return f"{name}_after" in metrics
    if part == "after":
        name, _underscore, part = name.rpartition("_")
    return part in {"low", "high"} and (name in metrics or f"{name}_after" in metrics)


def _interval(name: str, form: str, metrics: Mapping[str, Any]) -> str:
    low, high = (
        metrics.get(f"{name}_{end}_after", metrics.get(f"{name}_{end}")) for end in ("low", "high")
    )
    if low is None or high is None:
        return gettext("too few prompts for an interval") if name in _WITH_INTERVAL else ""
    ends = {"low": _shown(form, low).removesuffix(" %"), "high": _shown(form, high)}
    return gettext("95 %% interval %(low)s–%(high)s") % ends


def _named(kind: str) -> dict[str, configs_metrics.Measure]:
    """The measures of this kind, then those of the other kinds."""
    own = [configs.KINDS[kind]] if kind in configs.KINDS else []
    named: dict[str, configs_metrics.Measure] = {}
    for config in [*own, *configs.KINDS.values()]:
        for measure in config.measures:
            named.setdefault(measure.name, measure)
    return named


def _position(positions: Mapping[str, int], key: str) -> tuple[int, str]:
    """JSON keys in the database have no order."""
    name = key.removesuffix("_before").removesuffix("_after")
    return positions.get(name, len(positions)), key


def _shown(form: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if form == configs_metrics.DURATION:
        return duration(value)
    if form == configs_metrics.SHARE:
        return f"{value * 100:.0f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
