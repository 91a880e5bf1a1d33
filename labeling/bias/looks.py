"""What can be seen on a response without reading it: length, lists, bold, links, emoji, and whether it opens as a refusal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling.figures import Floats

_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+•‣]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]*\S\*\*|__(?=\S)[^_\n]*\S__")
_LINK = re.compile(r"\[[^\]\n]+\]\([^)\s]+\)|https?://[^\s)>\]]+")
_EMOJI = re.compile("[\U0001f300-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff]")
_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:really |very |so )?sorry,? but|i (?:can(?:no|['’])t|can not|won['’]t|will not)"
    r" (?:help|assist|provide|do that|answer|comply|support|create|write|share|engage)"
    r"|i(?:['’]m| am) (?:not able|unable) to|as an ai\b|it (?:would|wouldn['’]t) be (?:inappropriate|unethical|appropriate))",
    re.IGNORECASE,
)
_OPENING = 300
"""Characters in which a refusal shows itself; later ones are mostly caveats."""


@dataclass(frozen=True)
class Features:
    n_chars: int
    n_list_items: int
    n_bold: int
    n_links: int
    n_emoji: int
    is_refusal: bool
    """by English phrases in the opening; other languages count as no refusal"""


def features(text: str) -> Features:
    return Features(
        n_chars=len(text),
        n_list_items=len(_LIST_ITEM.findall(text)),
        n_bold=len(_BOLD.findall(text)),
        n_links=len(_LINK.findall(text)),
        n_emoji=len(_EMOJI.findall(text)),
        is_refusal=bool(_REFUSAL.search(text[:_OPENING])),
    )


def differences(first: Sequence[Features], second: Sequence[Features]) -> dict[str, Floats]:
    """First less second, by name, for `choices`: length in doublings, everything else as "only this one has it" (−1, 0, 1)."""
    names = {"list": "n_list_items", "bold": "n_bold", "link": "n_links", "emoji": "n_emoji", "refusal": "is_refusal"}
    lengths = [np.log2([1 + one.n_chars for one in side]) if side else np.zeros(0) for side in (first, second)]
    found = {"length": np.asarray(lengths[0] - lengths[1], dtype=float)}
    for name, field in names.items():
        has = [np.array([bool(getattr(one, field)) for one in side], dtype=float) for side in (first, second)]
        found[name] = has[0] - has[1]
    return found
