"""Features of a response that are visible without reading it: length, lists, bold, links, emoji,
and whether it opens with a refusal.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arithmetic.figures import Floats

_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+•‣]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]*\S\*\*|__(?=\S)[^_\n]*\S__")
_LINK = re.compile(r"\[[^\]\n]+\]\([^)\s]+\)|https?://[^\s)>\]]+")
_EMOJI = re.compile("[\U0001f300-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff]")
_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:really |very |so )?sorry,? but|i (?:can(?:no|['’])t|can"
    r" not|won['’]t|will not)"
    r" (?:help|assist|provide|do that|answer|comply|support|create|write|share|engage)"
    r"|i(?:['’]m| am) (?:not able|unable) to|as an ai\b|it (?:would|wouldn['’]t) be"
    r" (?:inappropriate|unethical|appropriate))",
    re.IGNORECASE,
)
_OPENING = 300
"""Characters at the start that are searched for a refusal; later ones are mostly caveats."""


@dataclass(frozen=True)
class Features:
    n_chars: int
    n_list_items: int
    n_bold: int
    n_links: int
    n_emoji: int
    is_refusal: bool
    """by English phrases in the opening; other languages never count as refusals"""


def features(text: str) -> Features:
    return Features(
        n_chars=len(text),
        n_list_items=len(_LIST_ITEM.findall(text)),
        n_bold=len(_BOLD.findall(text)),
        n_links=len(_LINK.findall(text)),
        n_emoji=len(_EMOJI.findall(text)),
        is_refusal=bool(_REFUSAL.search(text[:_OPENING])),
    )


@dataclass(frozen=True)
class Looks:
    """Features of many responses, as parallel arrays."""

    n_chars: Floats
    has: Mapping[str, NDArray[np.bool_]]
    """by the names of SIGHTS"""

    def at(self, rows: np.ndarray) -> "Looks":
        return Looks(self.n_chars[rows], {name: column[rows] for name, column in self.has.items()})


SIGHTS = {
    "list": "n_list_items",
    "bold": "n_bold",
    "link": "n_links",
    "emoji": "n_emoji",
    "refusal": "is_refusal",
}


def looks(texts: Sequence[Features]) -> Looks:
    return Looks(
        np.array([feature.n_chars for feature in texts], dtype=float),
        {
            name: np.array([bool(getattr(feature, field)) for feature in texts], dtype=bool)
            for name, field in SIGHTS.items()
        },
    )


def differences(first: Looks, second: Looks) -> dict[str, Floats]:
    """First minus second, by name, for `choices`: length in doublings, everything else as "only
    this one has it" (−1, 0, 1).
    """
    gaps = {
        "length": np.asarray(np.log2(1 + first.n_chars) - np.log2(1 + second.n_chars), dtype=float)
    }
    return gaps | {name: first.has[name].astype(float) - second.has[name] for name in SIGHTS}
