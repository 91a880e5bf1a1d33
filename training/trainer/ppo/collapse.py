"""Checks of a PPO run. Each raises Collapse with a sentence. What honest runs show too
(benchmarks/watchdog.py) only warns, unless a person asks to stop at warnings.
"""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, variance

from arithmetic import intervals

# The minimum number of responses for a meaningful share.
_TELLING = 64
# The minimum number of rollouts whose means show how far they vary by chance.
_FEWEST_ROLLOUTS = 4
FALSE_ALARMS = {"ended": 1.0, "length": 0.5, "log_loss": 0.0, "repetition": 1.0}
"""By the name of a check that warns: the share of honest runs of benchmarks/watchdog.py in which it
does so before their best checkpoint.
"""
HONEST_RUNS = 20
"""of which these are shares: its quick run has two honest rewards and ten seeds of each"""
_LONGER, _LESS_LIKELY, _MORE_REPEATED = 1.5, 1.3, 0.1


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


def refuse_far(kl: float, ceiling: float, *, is_start: bool) -> None:
    """In nats per response; a ceiling of 0 means none. `is_start`: nothing has been learned yet."""
    if ceiling and kl > ceiling and is_start:
        raise Collapse(
            f"The model that this run begins with is {kl:.1f} nats a response from its reference"
            f" model, above the ceiling of {ceiling:g}. Choose a reference model that is nearer,"
            " such as this model itself, or raise the ceiling."
        )
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


def refuse_longer(tokens: Sequence[float], *, batch_size: int) -> None:
    """Responses have grown by half. `tokens` is the mean length of each rollout."""
    first, latest, is_chance = _compared(tokens, batch_size)
    if latest > first * _LONGER and not is_chance:
        raise Collapse(
            f"Responses have grown from {first:.0f} to {latest:.0f} tokens: the reward may be"
            " paying for length. Read some, or raise β."
        )


def refuse_unlikely(log_loss: Sequence[float], *, batch_size: int) -> None:
    """The reference finds the responses much less likely. `log_loss` is in nats per token, the mean
    of each rollout.
    """
    first, latest, is_chance = _compared(log_loss, batch_size)
    if latest > first * _LESS_LIKELY and not is_chance:
        raise Collapse(
            f"The reference's log-loss on the responses rose from {first:.2f} to {latest:.2f} nats"
            " a token: they no longer read like its own. Read some, or raise β."
        )


def refuse_repeating(repeated: Sequence[float], *, batch_size: int) -> None:
    """Responses repeat themselves more. `repeated` is the share of tokens that a response has
    written before, the mean of each rollout.
    """
    first, latest, is_chance = _compared(repeated, batch_size)
    if latest > first + _MORE_REPEATED and not is_chance:
        raise Collapse(
            f"The share of tokens that a response repeats rose from {first:.0%} to {latest:.0%}:"
            " the reward may be paying for a few words. Read some, or raise β."
        )


def _compared(values: Sequence[float], batch_size: int) -> tuple[float, float, bool]:
    """(the first mean, the latest, whether chance explains the difference). Of at least 64
    responses and 4 rollouts each; before that, of nothing.
    """
    n = max(_FEWEST_ROLLOUTS, math.ceil(_TELLING / batch_size))
    if len(values) < 2 * n:
        return 0.0, 0.0, True
    first, latest = values[:n], values[-n:]
    error = math.sqrt((variance(first) + variance(latest)) / n)
    apart = abs(fmean(latest) - fmean(first))
    return fmean(first), fmean(latest), apart <= intervals.student(2 * n - 1) * error


def in_honest_runs(check: str) -> str:
    """How often this happens where nothing is wrong, as a sentence; "" if that is not known."""
    if check not in FALSE_ALARMS:
        return ""
    share = f"{FALSE_ALARMS[check]:.0%} of the {HONEST_RUNS} honest runs"
    return f" {share} in our benchmark showed this too."


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
