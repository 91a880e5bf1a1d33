"""How confident a response sounds: words that strengthen a claim minus words that soften it.
English only.

Raters take confident wording for correctness: they miss more errors in an assertive answer than in
a modest one (Hosking et al. 2024, arXiv 2309.16349).
"""

import re

import numpy as np

from arithmetic.figures import Floats

BOOSTERS = (
    "absolutely",
    "always",
    "beyond doubt",
    "certainly",
    "clearly",
    "completely",
    "definitely",
    "entirely",
    "evidently",
    "exactly",
    "guaranteed",
    "in fact",
    "indeed",
    "inevitably",
    "never",
    "no doubt",
    "obvious",
    "obviously",
    "of course",
    "precisely",
    "proven",
    "proves",
    "surely",
    "totally",
    "truly",
    "undeniably",
    "undoubtedly",
    "unquestionably",
    "without a doubt",
)
HEDGES = (
    "apparently",
    "appear to",
    "appears to",
    "approximately",
    "arguably",
    "as far as I know",
    "could",
    "generally",
    "I believe",
    "I could be wrong",
    "I don't know",
    "I guess",
    "I suspect",
    "I think",
    "I'm not sure",
    "in my opinion",
    "it depends",
    "likely",
    "may",
    "maybe",
    "might",
    "not always",
    "not certain",
    "not clear",
    "not completely",
    "not entirely",
    "not exactly",
    "not necessarily",
    "not obvious",
    "not sure",
    "often",
    "perhaps",
    "possibly",
    "presumably",
    "probably",
    "roughly",
    "seem",
    "seemed",
    "seems",
    "sometimes",
    "somewhat",
    "suggests",
    "tend to",
    "tends to",
    "typically",
    "uncertain",
    "unclear",
    "unlikely",
    "usually",
)
"""Both lists are our own: short, and without words that mostly have other uses, such as “must” or
“about”.
"""
CONFIDENCE_MARGIN = 0.5
"""The minimum difference, in words per hundred, for one response to count as more confident."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_LISTED = sorted(
    (*BOOSTERS, *HEDGES), key=len, reverse=True
)  # longest first: “not always” is a hedge and not a booster
_MARKED = re.compile(r"\b(?:" + "|".join(_LISTED).lower().replace(" ", r"\s+") + r")\b")
_MONTH = re.compile(r"\bMay\b")
_STRONG = frozenset(BOOSTERS)


def confidence(text: str) -> float:
    """Boosters minus hedges per hundred words; above 0 sounds confident. Code is ignored, and a
    text without words scores 0.
    """
    plain = _MONTH.sub("", _CODE.sub(" ", text)).replace("’", "'").lower()
    markers = [" ".join(marked.split()) for marked in _MARKED.findall(plain)]
    n_boosters = sum(marked in _STRONG for marked in markers)
    n_words = len(_WORD.findall(plain))
    return 100 * (2 * n_boosters - len(markers)) / n_words if n_words else 0.0


def surer(first: Floats, second: Floats) -> Floats:
    """Which of two sounds more confident by CONFIDENCE_MARGIN: 1 the first, −1 the other, 0 about
    equal, NaN if either is unknown.
    """
    apart = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    return np.where(np.abs(apart) < CONFIDENCE_MARGIN, 0.0, np.sign(apart))
