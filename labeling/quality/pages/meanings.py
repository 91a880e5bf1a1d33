"""What a figure of agreement or bias means, in a sentence."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic.figures import Figure


def pool_meaning(row: Mapping[str, Any]) -> str:
    n = row["n_pairs"]
    return ngettext(
        "Votes of the two pools on %(n)d shared pair. If this is as high as within the pool, both"
        " read the guideline the same way.",
        "Votes of the two pools on %(n)d shared pairs. If this is as high as within the pool, both"
        " read the guideline the same way.",
        n,
    ) % {"n": n}


def tau_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0:
        return _("Below 0: rankings disagree more often than they agree.")
    if value < 0.2:
        return _(
            "Barely above chance (0). At 0.4, 70 % of pairs are in the same order in two rankings."
        )
    if value <= 0.6:
        return _(
            "Normal: with 72–77 % of pairs in agreement, two rankings reach 0.44–0.54. 0 is chance,"
            " 1 is identical."
        )
    return _("High: at least four of five pairs are in the same order in two rankings.")


def icc_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0.2:
        return _(
            "Scores say more about the rater than the response. Compare them within a rater only."
        )
    if value < 0.5:
        return _(
            "Normal for a quality scale. A single score says little; the average of several says"
            " more."
        )
    return _("Scores from different raters are comparable.")


def raw_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0.6:
        return _(
            "Barely above chance (50 %). Check some answers against the guideline before you"
            " continue."
        )
    if value < 0.72:
        return _(
            "Below 72–77 %, the usual range for preferences: hard pairs, a vague guideline, or"
            " raters who need a check."
        )
    if value <= 0.78:
        return _("Normal: careful pools agree on 72–77 % of preferences.")
    return _(
        "Above 72–77 %, the usual range for preferences: easy pairs, a clear guideline, or raters"
        " who copy."
    )


def alpha_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0:
        return _("Below chance. Someone may be reading the scale the wrong way round.")
    if value < 0.2:
        return _(
            "Barely above chance. 0.2–0.5 is usual for preferences; a clearer guideline helps most."
        )
    if value <= 0.5:
        return _(
            "Normal: preferences reach 0.2–0.5. The textbook threshold of 0.667 is meant for facts."
        )
    return _(
        "Above the usual 0.2–0.5 for preferences: the pairs are easy, or the guideline is clear."
    )


def longer_meaning(figure: Figure) -> str:
    value = figure.value if figure.value is not None else 0.5
    if figure.low is None or figure.high is None:
        return _(figure.note) if figure.note else ""
    if figure.low <= 0.5 <= figure.high:
        return _("No detectable effect")
    if value < 0.5:
        return _("Shorter responses win more often")
    return _("Small effect") if value < 0.6 else _("Strong effect")


def first_meaning(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return _(figure.note) if figure.note else ""
    if figure.low <= 0.5 <= figure.high:
        return _("Display order is random, and position has no detectable effect.")
    return _(
        "Display order is random. A share other than 50 %, beyond chance, comes from position and"
        " not from the response."
    )
