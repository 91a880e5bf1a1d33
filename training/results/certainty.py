"""How sure a reward model may be, in words: its verdict on held-out pairs, how often it is right
where it is least and most sure, and on pairs unlike those that it learned from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from scipy.special import expit

from pages.numbers import grouped
from training.models import TrainedModel
from training.results.measures import Breakdown, MeasureGroup, group_of

_SURENESS: dict[str, Promise] = {
    "least_sure": _("The tenth where it is least sure"),
    "most_sure": _("The tenth where it is most sure"),
}
_STRANGENESS: dict[str, Promise] = {
    "seen_prompt": _("Prompts that it learned from"),
    "new_prompt": _("New prompts"),
    "new_model": _("With a response by a new model"),
    "longer": _("With a longer answer than nine in ten that it learned from"),
}
_ALMOST_SURE = 0.995


@dataclass(frozen=True)
class Certainty:
    verdict: str
    sureness: str
    """how often it is right where it is least and most sure; "" with too few pairs"""
    breakdowns: list[Breakdown]
    left_out: list[str]
    """why kinds of strange pairs have no row, a sentence each"""
    says_nothing: bool
    """there is no temperature that makes its margins probabilities worth knowing"""


def certainty(*, metrics: Mapping[str, Any]) -> Certainty | None:
    """None for a run that measured none."""
    measured = metrics.get("certainty")
    if not measured:
        return None
    by_sureness = [
        group_of(words, measured[name]) for name, words in _SURENESS.items() if name in measured
    ]
    strange = [
        group_of(_STRANGENESS[entry["group"]], entry)
        for entry in metrics.get("accuracy_by", {}).get("strangeness", [])
    ]
    groups = {
        _("how sure it is"): by_sureness,
        _("difference from what it learned from"): strange,
    }
    return Certainty(
        _verdict(measured, metrics),
        _sureness(*by_sureness) if by_sureness else "",
        [Breakdown(title, rows) for title, rows in groups.items() if rows],
        [_left_out(entry) for entry in metrics.get("strangeness_left_out", [])],
        says_nothing="temperature" not in metrics or measured["verdict"] == "chance",
    )


def likely_better(*, scorer: TrainedModel | None, margin: float) -> str:
    """How likely raters prefer the response whose reward is higher by `margin`, such as “73 %”.
    Empty if the reward model's temperature is not known.
    """
    temperature = scorer.metrics.get("temperature") if scorer else None
    if not temperature or math.isnan(margin):
        return ""
    share = float(expit(margin / temperature))
    if share > _ALMOST_SURE:
        return "> 99 %"
    return "< 1 %" if share < 1 - _ALMOST_SURE else f"{100 * share:.0f} %"


def _verdict(measured: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    counts = {name: grouped(measured[name]) for name in ("n", "n_prompts", "n_enough")}
    if measured["verdict"] == "too_few_pairs":
        return (
            gettext(
                "Too few held-out pairs to tell how well it is calibrated: %(n)s. About"
                " %(n_enough)s would be enough."
            )
            % counts
        )
    if measured["verdict"] == "too_few_prompts":
        return (
            gettext(
                "Too few held-out prompts to tell how well it is calibrated: %(n_prompts)s. It"
                " takes ten at least."
            )
            % counts
        )
    if measured["verdict"] == "chance":
        return (
            gettext(
                "On %(n)s held-out pairs it is not surely better than chance, so its probabilities"
                " say nothing."
            )
            % counts
        )
    figures = counts | {
        "temperature": f"{metrics['temperature']:.3g}",
        "points": f"{100 * measured['ece_after']:.1f}",
        "chance": f"{100 * measured['ece_by_chance']:.1f}",
    }
    if measured["verdict"] == "calibrated":
        return (
            gettext(
                "Well calibrated: with a temperature of %(temperature)s its probabilities are"
                " %(points)s points off on average, on held-out prompts that the temperature was"
                " not fitted on (%(n)s pairs)."
            )
            % figures
        )
    return (
        gettext(
            "Not well calibrated: even with a temperature of %(temperature)s its probabilities are"
            " %(points)s points off on average, on held-out prompts that the temperature was not"
            " fitted on (%(n)s pairs; chance alone makes %(chance)s)."
        )
        % figures
    )


def _sureness(least: MeasureGroup, most: MeasureGroup) -> str:
    return gettext(
        "On the tenth of pairs where it is least sure it is right in %(least)s (%(least_range)s),"
        " where it is most sure in %(most)s (%(most_range)s)."
    ) % {
        "least": least.accuracy,
        "least_range": least.interval,
        "most": most.accuracy,
        "most_range": most.interval,
    }


def _left_out(entry: Mapping[str, Any]) -> str:
    why = {
        "no_source": gettext(
            "the snapshot does not say who wrote each response. Create it again to see this row."
        ),
        "none": gettext("no held-out pair is of this kind."),
        "too_few": ngettext(
            "%(n)s held-out pair, too few to tell.",
            "%(n)s held-out pairs, too few to tell.",
            entry["n"],
        )
        % {"n": entry["n"]},
    }
    return gettext("%(kind)s: %(why)s") % {
        "kind": _STRANGENESS[entry["group"]],
        "why": why[entry["why"]],
    }
