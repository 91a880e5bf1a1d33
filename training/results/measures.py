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
from pages.numbers import grouped
from pages.templatetags.pages import duration
from training.configs import kinds
from training.configs import metrics as configs_metrics
from training.results import ends

_WITH_INTERVAL = {"held_out_accuracy", "win_rate"}
N_HEADLINES = 4
_WAITING_WORTH_SAYING = 0.05
_STRENGTHS: dict[str, Promise] = {
    "1": _("negligibly"),
    "2": _("slightly"),
    "3": _("clearly"),
    "4": _("significantly"),
}
_GROUPINGS: dict[str, tuple[Promise, Mapping[str, str | Promise]]] = {
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
    """`key` is the measure's name; `before` is "" for a metric that is measured once."""

    key: str
    name: str | Promise
    value: str
    before: str = ""
    range: str = ""
    """its 95 % interval, such as “52–70 %”; empty where none was measured"""
    is_too_few: bool = False
    """the range says that there are too few prompts for an interval"""

    @property
    def interval(self) -> str:
        if self.is_too_few:
            return self.range
        return gettext("95 %% interval %(range)s") % {"range": self.range} if self.range else ""

    @property
    def figure(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value


@dataclass(frozen=True)
class Result:
    """A run's figures: those that matter most, and the others."""

    headlines: list[MeasureRow]
    others: list[MeasureRow]
    bound_by: str = ""
    """what its steps spent their time on, in a sentence"""


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
    accuracies = metrics.get("accuracy_by", {})
    by_group = [
        Breakdown(
            title,
            [
                group_of(words.get(entry["group"], entry["group"]), entry)
                for entry in accuracies[name]
            ],
        )
        for name, (title, words) in _GROUPINGS.items()
        if name in accuracies
    ]
    folds = metrics.get("cross_validation", [])
    by_fold = [
        Breakdown(
            title,
            [
                group_of(gettext("Fold %(n)s") % {"n": number}, fold[name])
                for number, fold in enumerate(folds, 1)
            ],
        )
        for name, title in _FOLDS.items()
    ]
    return by_group + (by_fold if folds else [])


def group_of(name: str | Promise, entry: Mapping[str, Any]) -> MeasureGroup:
    has_interval = entry["low"] is not None and entry["high"] is not None
    interval = (
        f"{entry['low'] * 100:.0f}–{entry['high'] * 100:.0f} %"
        if has_interval
        else gettext("too few prompts")
    )
    return MeasureGroup(
        name or _("Not specified"),
        entry["n"],
        shown(configs_metrics.SHARE, entry["accuracy"]),
        interval,
    )


def measures(*, kind: str, metrics: Mapping[str, object]) -> list[MeasureRow]:
    """In the kind's order; x_before and x_after share a line, x_low and x_high (or x_low_after and
    x_high_after) are its interval. Unknown metrics come last.
    """
    known = named(kind)
    positions = {name: place for place, name in enumerate(known)}
    rows = []
    for key, value in sorted(metrics.items(), key=lambda pair: _position(positions, pair[0])):
        if key in configs_metrics.NOT_LISTED or value in ("", None) or _is_part(key, metrics):
            continue
        name = key.removesuffix("_after")
        before = metrics.get(f"{name}_before") if key.endswith("_after") else None
        about = known.get(name) or configs_metrics.Measure(name, name.replace("_", " "))
        rows.append(
            MeasureRow(
                name,
                gettext(about.words),
                shown(about.form, value),
                shown(about.form, before) if before is not None else "",
                *_range(name, about.form, metrics),
            )
        )
    return rows


def result(*, kind: str, metrics: Mapping[str, object]) -> Result:
    """The run's headline figures, and everything else it measured."""
    rows = {row.key: row for row in measures(kind=kind, metrics=metrics)}
    about = kinds.KINDS.get(kind)
    headlines = about.headlines if about else ()
    chosen = [name for name in headlines if name in rows][:N_HEADLINES]
    return Result(
        [rows[name] for name in chosen],
        [row for name, row in rows.items() if name not in chosen],
        _bound_by(metrics),
    )


def _bound_by(metrics: Mapping[str, object]) -> str:
    """“Most of the time went into writing responses (62 %), then …”"""
    shares = {name: metrics.get(name) for name in configs_metrics.TIMES}
    known = {name: share for name, share in shares.items() if isinstance(share, int | float)}
    if not known:
        return ""
    first, *others = [
        f"{gettext(configs_metrics.TIMES[name])} ({shown(configs_metrics.SHARE, share)})"
        for name, share in sorted(known.items(), key=lambda pair: -pair[1])
    ]
    sentence = gettext("Most of the time went into %(first)s, then into %(others)s.") % {
        "first": first,
        "others": ", ".join(others),
    }
    waiting = metrics.get(configs_metrics.WAITING)
    if not isinstance(waiting, int | float) or waiting < _WAITING_WORTH_SAYING:
        return sentence
    waited = gettext(
        "For %(share)s of it the run only waited: for a server, another process or the machine."
    )
    return f"{sentence} {waited % {'share': shown(configs_metrics.SHARE, waiting)}}"


def _is_part(key: str, metrics: Mapping[str, object]) -> bool:
    """Whether it is shown with another measure: what was before, or an end of an interval."""
    name, _underscore, part = key.rpartition("_")
    if part == "before":
        return f"{name}_after" in metrics
    if part == "after":
        name, _underscore, part = name.rpartition("_")
    return part in {"low", "high"} and (name in metrics or f"{name}_after" in metrics)


def _range(name: str, form: str, metrics: Mapping[str, object]) -> tuple[str, bool]:
    """The measure's interval, and whether words stand in its place."""
    if found := ends.of_measure(name, metrics):
        low, high = found
        return f"{shown(form, low).removesuffix(' %')}–{shown(form, high)}", False
    if name in _WITH_INTERVAL:
        return gettext("too few prompts for an interval"), True
    return "", False


def named(kind: str) -> dict[str, configs_metrics.Measure]:
    """The measures of this kind, then those of the other kinds."""
    own = [kinds.KINDS[kind]] if kind in kinds.KINDS else []
    known: dict[str, configs_metrics.Measure] = {}
    for config in [*own, *kinds.KINDS.values()]:
        for measure in config.measures:
            known.setdefault(measure.name, measure)
    return known


def _position(positions: Mapping[str, int], key: str) -> tuple[int, str]:
    """JSON keys in the database have no order."""
    name = key.removesuffix("_before").removesuffix("_after")
    return positions.get(name, len(positions)), key


def shown(form: str, value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if form == configs_metrics.SPLIT:
        return str(dict(Prompt.Split.choices).get(str(value), value))
    if not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if form == configs_metrics.DURATION:
        return duration(value)
    if form == configs_metrics.SHARE:
        return f"{value * 100:.0f} %"
    words = grouped(value) if isinstance(value, int) else f"{value:,.4g}"
    return f"−{words[1:]}" if value < 0 else words
