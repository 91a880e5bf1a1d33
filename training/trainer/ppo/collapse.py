"""Checks that stop a PPO run when the policy collapses. Each raises Collapse with a sentence."""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, variance

from arithmetic import intervals

# The minimum number of responses for a meaningful share.
_TELLING = 64
# The minimum number of rollouts whose means show how far they vary by chance.
_FEWEST_ROLLOUTS = 4


class Collapse(Exception):
    """The run must not continue; the text says why and what to try. `last_good` is the last step
    whose policy was fine: if a rollout shows the collapse, the policy that wrote it has collapsed.
    """

    last_good: int = 0


@contextlib.contextmanager
def last_good(step: int) -> Iterator[None]:
    """A collapse inside this block has the policy of `step` as the last good one."""
    try:
        yield
    except Collapse as collapse:
        collapse.last_good = step
        raise


def refuse_broken(metrics: Mapping[str, float]) -> None:
    broken = [name for name, value in metrics.items() if not math.isfinite(value)]
    if broken:
        raise Collapse(
            f"{', '.join(broken)} became infinite or not a number. Lower the learning rate, or"
            " raise β."
        )


def refuse_far(kl: float, ceiling: float) -> None:
    """In nats per response; a ceiling of 0 means none."""
    if ceiling and kl > ceiling:
        raise Collapse(
            f"The KL to the reference model reached {kl:.1f} nats a response, above the ceiling of "
            f"{ceiling:g}. Raise β or lower the learning rate."
        )


def refuse_fallen(watchdog: Sequence[float], drop: float, *, batch_size: int) -> None:
    """The watchdog's mean reward of the latest rollouts is lower than that of the first by more
    than `drop`, and not by chance. Compares at least 64 responses and 4 rollouts of each, with the
    error of both means. `watchdog` is the mean of each rollout. A drop of 0 means no check.
    """
    n = max(_FEWEST_ROLLOUTS, math.ceil(_TELLING / batch_size))
    if not drop or len(watchdog) < 2 * n:
        return
    first, latest = watchdog[:n], watchdog[-n:]
    error = math.sqrt((variance(first) + variance(latest)) / n)
    if fmean(first) - fmean(latest) - intervals.student(2 * n - 1) * error > drop:
        raise Collapse(
            f"The watchdog's reward fell from {fmean(first):.2f} to {fmean(latest):.2f}, more than"
            " chance explains: the policy may be exploiting its reward model. Raise β, or train on"
            " fresher comparisons."
        )


def refuse_rambling(ended: Sequence[float], floor: float, *, batch_size: int) -> None:
    """Far fewer of the latest responses end than of the first. Compares 64 of each, because eight
    would be noise. `ended` is the share of each rollout's responses that ended; `floor` is the
    minimum fraction of the first share.
    """
    n = math.ceil(_TELLING / batch_size)
    if len(ended) < 2 * n:
        return
    first, latest = sum(ended[:n]) / n, sum(ended[-n:]) / n
    if first >= 0.2 and latest < first * floor:
        raise Collapse(
            f"Only {latest:.0%} of the responses end, against {first:.0%} at the start: "
            "the policy has learned to ramble. Raise the penalty for a missing end, or β."
        )
