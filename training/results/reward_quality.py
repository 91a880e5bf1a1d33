"""Whether a reward model is better than chance, so that others may be trained with it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

PAIRS_TO_SHOW = 210
"""How many pairs, each of another prompt, show with probability 80 % that a model which is right
about 60 % of them does not guess. By the exact test: benchmarks.statistics.power.
"""
_CHANCE = 0.5


def why_not_used(*, metrics: Mapping[str, Any]) -> str:
    """Why a reward model should not be used, and what to do. "" if it is better than chance, or if
    nothing was measured here, as with a model from elsewhere.
    """
    accuracy = metrics.get("held_out_accuracy_after")
    low = metrics.get("held_out_accuracy_low_after", metrics.get("held_out_accuracy_low"))
    if accuracy is None or (low is not None and low > _CHANCE):
        return ""
    n = metrics.get("n_held_out_pairs", 0)
    if low is None or n < PAIRS_TO_SHOW:
        return ngettext(
            "Too few to tell whether it is better than chance: %(n)s held-out pair. It takes"
            " about %(enough)s, each of another prompt, to show 60 %%. Collect more comparisons"
            " before you train with it.",
            "Too few to tell whether it is better than chance: %(n)s held-out pairs. It takes"
            " about %(enough)s, each of another prompt, to show 60 %%. Collect more comparisons"
            " before you train with it.",
            n,
        ) % {"n": f"{n:,}", "enough": PAIRS_TO_SHOW}
    return gettext(
        "It is not surely better than chance on %(n)s held-out pairs. See how far raters agree"
        " before you collect more comparisons, and do not train with it."
    ) % {"n": f"{n:,}"}
