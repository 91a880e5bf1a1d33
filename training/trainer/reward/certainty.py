"""How sure a reward model may be: the temperature that turns its margins into probabilities,
whether they then hold on new prompts, and how often it is right where it is least and most sure.
Pure.
"""

import math
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from arithmetic import intervals
from training.benchmarks.statistics import calibration
from training.configs.metrics import FEWEST_PAIRS
from training.trainer.reward import breakdown
from training.trainer.reward.breakdown import Accuracy

FEWEST_PROMPTS = 2 * intervals.FEWEST_PROMPTS
"""each half needs as many as an interval"""
USUALLY_ENOUGH = 1000
GOOD = 0.05
"""the highest calibration error that is called well calibrated"""

TOO_FEW_PAIRS, TOO_FEW_PROMPTS = "too_few_pairs", "too_few_prompts"
CHANCE, CALIBRATED, OFF = "chance", "calibrated", "off"


class Certainty(TypedDict):
    """As a run's metrics have it. Without the figures where there are too few pairs or prompts.
    `verdict` is one of the words above; `n_enough`: about how many pairs would tell.
    """

    n: int
    n_prompts: int
    verdict: str
    n_enough: int
    ece_before: NotRequired[float]
    ece_after: NotRequired[float]
    ece_by_chance: NotRequired[float]
    least_sure: NotRequired[Accuracy]
    most_sure: NotRequired[Accuracy]


def metrics(margins: Sequence[float], prompts: Sequence[int]) -> dict[str, object]:
    """A run's metrics from the margins of its held-out pairs; none without a pair."""
    n, n_prompts = len(margins), len(set(prompts))
    if not n:
        return {}
    few: Certainty = {
        "n": n,
        "n_prompts": n_prompts,
        "verdict": TOO_FEW_PAIRS if n < FEWEST_PAIRS else TOO_FEW_PROMPTS,
        "n_enough": USUALLY_ENOUGH,
    }
    if n < FEWEST_PAIRS or n_prompts < FEWEST_PROMPTS:
        return {"certainty": few}
    fitted = calibration.cross_fitted(margins, prompts)
    pairs = list(zip(margins, prompts, strict=True))
    by_sureness = sorted(pairs, key=lambda pair: abs(pair[0]))
    certainty: Certainty = few | {
        "verdict": _verdict(fitted, breakdown.accuracy(pairs)),
        "n_enough": _enough(n, fitted),
        "ece_before": fitted.ece_before,
        "ece_after": fitted.ece_after,
        "ece_by_chance": fitted.by_chance,
        "least_sure": breakdown.accuracy(by_sureness[: n // 10]),
        "most_sure": breakdown.accuracy(by_sureness[-(n // 10) :]),
    }
    return {
        "certainty": certainty,
        "temperature": fitted.temperature,
        "calibration_error": fitted.ece_after,
    }


def _verdict(fitted: calibration.CrossFitted, all_pairs: Accuracy) -> str:
    """A model that is no better than chance is calibrated if it says so, and useless."""
    if all_pairs["low"] is None or all_pairs["low"] <= 0.5:
        return CHANCE
    if fitted.ece_after > max(GOOD, fitted.by_chance_high):
        return OFF
    return CALIBRATED if max(fitted.ece_after, fitted.by_chance) <= GOOD else TOO_FEW_PAIRS


def _enough(n: int, fitted: calibration.CrossFitted) -> int:
    """The error that chance makes falls with the square root of the number of pairs. Rounded up."""
    exact = max(FEWEST_PAIRS, n * (fitted.by_chance_high / GOOD) ** 2)
    step = 10 ** (math.floor(math.log10(exact)) - 1)
    return math.ceil(exact / step) * step
