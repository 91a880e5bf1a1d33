"""Whether a reward model is better than chance, so that others may be trained with it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from pages.numbers import grouped
from training.results import ends

PAIRS_TO_SHOW = 210
"""How many pairs, each of another prompt, show with probability 80 % that a model which is right
about 60 % of them does not guess. By the exact test: benchmarks.statistics.power.
"""
_ACCURACY = "held_out_accuracy"
_CHANCE = 0.5


def why_not_used(*, metrics: Mapping[str, Any]) -> str:
    """Why a reward model should not be used, and what to do. "" if it is better than chance, or if
    nothing was measured here, as with a model from elsewhere.
    """
    doubt, advice = doubt_and_advice(metrics=metrics)
    return f"{doubt} {advice}" if doubt else ""


def has_fallen(*, metrics: Mapping[str, Any]) -> bool:
    """Whether it is surely worse than the model that it started from."""
    change = ends.of_change(_ACCURACY, metrics)
    return change is not None and change[1] < 0


def doubt_and_advice(*, metrics: Mapping[str, Any]) -> tuple[str, str]:
    """Both are empty if it may be used."""
    accuracy = metrics.get(f"{_ACCURACY}_after")
    if accuracy is None:
        return "", ""
    if has_fallen(metrics=metrics):
        return (
            gettext("It is worse than the model that it started from."),
            gettext("Do not train with it. Use the model that it started from."),
        )
    measured = ends.of_measure(_ACCURACY, metrics)
    if measured is not None and measured[0] > _CHANCE:
        return "", ""
    n = metrics.get("n_held_out_pairs", 0)
    if measured is None or n < PAIRS_TO_SHOW:
        doubt = ngettext(
            "Too few to tell whether it is better than chance: %(n)s held-out pair. About"
            " %(enough)s, each of another prompt, would show 60 %%.",
            "Too few to tell whether it is better than chance: %(n)s held-out pairs. About"
            " %(enough)s, each of another prompt, would show 60 %%.",
            n,
        )
        return (
            doubt % {"n": grouped(n), "enough": PAIRS_TO_SHOW},
            gettext("Collect more comparisons before you train with it."),
        )
    return (
        gettext("It is not surely better than chance on %(n)s held-out pairs.") % {"n": grouped(n)},
        gettext(
            "See how far raters agree before you collect more comparisons, and do not train with"
            " it."
        ),
    )
