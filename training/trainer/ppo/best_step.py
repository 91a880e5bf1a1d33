"""Which step of a PPO run is kept: the one whose reward on held-out prompts rose most surely. Half
of the prompts choose the step, and the other half reports its reward, because the step that does
best on some prompts was also lucky on them.
"""

from collections.abc import Hashable, Sequence
from statistics import fmean

from arithmetic import intervals

# Fewer held-out prompts than this are not halved.
FEWEST_HALVED = 8


def halves(n: int, *, has_choice: bool) -> tuple[slice, slice]:
    """(the held-out prompts that choose the step to keep, those whose reward is reported). All, if
    there is no choice or no half.
    """
    if not has_choice or n < FEWEST_HALVED:
        return slice(None), slice(None)
    return slice(0, None, 2), slice(1, None, 2)


def sure_gain(
    scores: Sequence[float], before: Sequence[float], prompts: Sequence[Hashable]
) -> float:
    """The lower end of the 95 % interval of the mean gain over the start. Compared prompt by
    prompt, because prompts differ far more in reward than steps do; responses to one prompt belong
    together. The mean gain if there are too few prompts for an interval.

    `before`: the rewards of the same prompts before training; empty in a run that began with an
    earlier version, whose rewards are then taken as they are.
    """
    gains = [
        after - start for after, start in zip(scores, before or [0.0] * len(scores), strict=True)
    ]
    ends = intervals.of_mean(gains, prompts)
    return fmean(gains) if ends is None else ends[0]


def reported_gain(
    after: Sequence[float], before: Sequence[float], prompts: Sequence[Hashable]
) -> dict[str, float]:
    """The mean gain over the start and its interval, compared prompt by prompt on the prompts that
    do not choose the step. Empty from too few prompts, or if the start was not measured.
    """
    if not before:
        return {}
    gains = [now - then for now, then in zip(after, before, strict=True)]
    ends = intervals.of_mean(gains, prompts)
    if ends is None:
        return {}
    return {"reward_gain": fmean(gains), "reward_gain_low": ends[0], "reward_gain_high": ends[1]}
