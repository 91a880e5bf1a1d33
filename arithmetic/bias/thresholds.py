"""When a rater is flagged."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Tuned on simulated pools (benchmarks/raters.py --tuning) and fixed before the pools that it
    reports.
    """

    n_judgments: int = 20
    """the minimum number of judgments; where a part of them is tested, the minimum in each part"""
    false_share: float = 0.1
    """the share of a kind's flags that may be false (Benjamini and Hochberg's q)"""
    luck: float = 0.001
    """the highest p-value of a flag: beside many careless raters, a share of false flags would be
    many
    """
    luck_in_chance: float = 0.006
    """and that of `chance`, which needs more answers than the others"""
    trio: float = 0.15
    """the number of pairs of colleagues who follow nobody either from which a taste is possible"""
    taste: float = 0.02
    """the probability that raters who share a taste agree as little as this rater and such a pair,
    from which the rater is not called careless
    """
    careful: float = 1.0
    """how far a careful rater follows the others, where 1 is the median rater; the test is whether
    a rater is below it
    """
    chance: float = 0.55
    """the highest such value at which a rater is flagged"""
    poor: float = 0.65
    """the highest such value in a part (late, recent, some sittings) at which it is flagged"""
    fall: float = 0.3
    """how much lower it must be there than in the rest"""
    place: float = 0.2
    """above the pool's share of judgments that rank the first-shown, or the last-shown, response
    on top
    """
    longer: float = 0.15
    """above the pool's share of pairs that the longer response wins"""
    alternates: float = 0.25
    """the share of answers that step to the next position, beyond what chance gives"""
    copied: float = 0.5
    """the share of equal rankings among those that chance would not explain"""
    surely_copied: float = 0.65
    """and that from which the copies are not counted as votes"""
    even: float = 0.33
    """the spread of a rater's times (in logarithms) as a share of the usual one"""
    tired_after_s: float = 3_600.0
    """within one sitting"""
    pause_s: float = 1_800.0
    """a longer pause starts a new sitting"""
    chars_per_s: float = 60.0
    """three times a fast reader's pace; slower raters are never flagged as too fast"""
    times_pool: float = 3.0
    """and this many times the pool's pace"""


THRESHOLDS = Thresholds()
