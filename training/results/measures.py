"""A run's metrics ready to display: before and after side by side. Names and order come from the
kind's config.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arithmetic import intervals
from labeling.models import Prompt
from pages.templatetags.pages import duration
from training.configs import kinds
from training.configs import metrics as configs_metrics

_WITH_INTERVAL = {"held_out_accuracy", "win_rate"}
N_HEADLINES = 4
FEWEST_JUDGED = 10
"""Rows or prompts below which no sentence says that a measure without an interval changed."""
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
    """What a run has to show for itself."""

    sentence: str
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
        _shown(configs_metrics.SHARE, entry["accuracy"]),
        interval,
    )


def measures(*, kind: str, metrics: Mapping[str, object]) -> list[MeasureRow]:
    """In the kind's order; x_before and x_after share a line, x_low and x_high (or x_low_after and
    x_high_after) are its interval. Unknown metrics come last.
    """
    named = _named(kind)
    positions = {name: place for place, name in enumerate(named)}
    rows = []
    for key, value in sorted(metrics.items(), key=lambda pair: _position(positions, pair[0])):
        if key in configs_metrics.NOT_LISTED or value in ("", None) or _is_part(key, metrics):
            continue
        name = key.removesuffix("_after")
        before = metrics.get(f"{name}_before") if key.endswith("_after") else None
        about = named.get(name) or configs_metrics.Measure(name, name.replace("_", " "))
        rows.append(
            MeasureRow(
                name,
                gettext(about.words),
                _shown(about.form, value),
                _shown(about.form, before) if before is not None else "",
                *_range(name, about.form, metrics),
            )
        )
    return rows


def result(*, kind: str, metrics: Mapping[str, object]) -> Result:
    """The run's result in a sentence, its headline figures, and everything else it measured."""
    rows = {row.key: row for row in measures(kind=kind, metrics=metrics)}
    about = kinds.KINDS.get(kind)
    headlines = about.headlines if about else ()
    chosen = [name for name in headlines if name in rows][:N_HEADLINES]
    sentence = ""
    if about and about.best and metrics and headlines and headlines[0] not in rows:
        sentence = gettext(
            "Nothing was measured on held-out data, so this run cannot say whether the model got"
            " better."
        )
    elif chosen:
        sentence = _sentence(rows[chosen[0]], _named(kind)[chosen[0]], metrics)
    return Result(
        sentence,
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
        f"{gettext(configs_metrics.TIMES[name])} ({_shown(configs_metrics.SHARE, share)})"
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
    return f"{sentence} {waited % {'share': _shown(configs_metrics.SHARE, waiting)}}"


def _sentence(row: MeasureRow, about: configs_metrics.Measure, metrics: Mapping[str, Any]) -> str:
    """“Held-out accuracy rose from 52 % to 70 % (64–76 %) on 312 held-out pairs.”"""
    counted = next((measure for measure in about.judged_on if metrics.get(measure.name)), None)
    n = metrics[counted.name] if counted else 0
    on = gettext(counted.one if n == 1 else counted.many) % {"n": f"{n:,}"} if counted else ""
    has_range = bool(row.range) and not row.is_too_few
    named = {
        "what": capfirst(str(row.name)),
        "before": row.before,
        "after": f"{row.value} ({_unbroken(row.range)})" if has_range else row.value,
        "on": f" {on}" if on else "",
    }
    if not row.before:
        return gettext("%(what)s: %(after)s%(on)s.") % named
    ends = _ends(row.key, metrics, "after")
    if row.is_too_few or (ends is None and 0 < n < FEWEST_JUDGED):
        return (
            gettext(
                "%(what)s: %(before)s before, %(after)s after%(on)s. Too few to tell whether it"
                " changed."
            )
            % named
        )
    if ends and _may_be_chance(row.key, metrics, ends):
        return (
            gettext(
                "%(what)s: %(before)s before, %(after)s after%(on)s. Chance may explain the"
                " difference."
            )
            % named
        )
    if row.before == row.value:
        return gettext("%(what)s stayed at %(after)s%(on)s.") % named
    if metrics[f"{row.key}_after"] < metrics[f"{row.key}_before"]:
        return gettext("%(what)s fell from %(before)s to %(after)s%(on)s.") % named
    return gettext("%(what)s rose from %(before)s to %(after)s%(on)s.") % named


def _may_be_chance(key: str, metrics: Mapping[str, Any], ends: tuple[float, float]) -> bool:
    """Whether the interval of the difference has 0 in it. Earlier runs have no interval before; it
    was measured on the same pairs, so that after stands in.
    """
    after, before = metrics[f"{key}_after"], metrics[f"{key}_before"]
    shift = before - after
    known = _ends(key, metrics, "before") or (ends[0] + shift, ends[1] + shift)
    low, high = intervals.of_difference(after, ends, before, known)
    return low <= 0 <= high


def _ends(name: str, metrics: Mapping[str, Any], moment: str) -> tuple[float, float] | None:
    """What was measured once has its ends without a moment."""
    low, high = (
        metrics.get(
            f"{name}_{end}_{moment}", metrics.get(f"{name}_{end}") if moment == "after" else None
        )
        for end in ("low", "high")
    )
    return None if low is None or high is None else (low, high)


def _unbroken(interval: str) -> str:
    """With word joiners, so that no line ends inside it."""
    return interval.replace("–", "\u2060–\u2060").replace(" ", "\u00a0")


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
    if ends := _ends(name, metrics, "after"):
        low, high = ends
        return f"{_shown(form, low).removesuffix(' %')}–{_shown(form, high)}", False
    if name in _WITH_INTERVAL:
        return gettext("too few prompts for an interval"), True
    return "", False


def _named(kind: str) -> dict[str, configs_metrics.Measure]:
    """The measures of this kind, then those of the other kinds."""
    own = [kinds.KINDS[kind]] if kind in kinds.KINDS else []
    named: dict[str, configs_metrics.Measure] = {}
    for config in [*own, *kinds.KINDS.values()]:
        for measure in config.measures:
            named.setdefault(measure.name, measure)
    return named


def _position(positions: Mapping[str, int], key: str) -> tuple[int, str]:
    """JSON keys in the database have no order."""
    name = key.removesuffix("_before").removesuffix("_after")
    return positions.get(name, len(positions)), key


def _shown(form: str, value: object) -> str:
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
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
