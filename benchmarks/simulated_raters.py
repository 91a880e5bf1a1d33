"""Simulated pools of raters, honest and with planted habits, for benchmarks/raters.py."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from labeling.statistics.bias.judgment_table import Rankings
from labeling.statistics.bias.sittings import minutes_in_sitting

N_RATERS, OVERLAP = 100, 3
CALIBRATION = 0.4
"""the share of a rater's answers that are on items that everybody ranks"""
HABIT = 0.7
"""the share of answers in which a planted rater follows the habit"""
SKILL_SPREAD = 0.25
"""of the log noise: honest raters order 67 to 82 % of pairs correctly"""


@dataclass(frozen=True)
class Pool:
    habit: list[str]
    """by rater; "" is honest, "minority" is honest with a taste of their own"""
    quality: np.ndarray
    """(items, K)"""
    n_regular: int
    """items before the calibration items"""
    rankings: Rankings


def n_answers(k: int) -> int:
    """Answers by one rater in about eight hours: 35 seconds for each response, at least 100."""
    return max(100, 800 // k)


def simulate(
    seed: int,
    k: int,
    planted: Mapping[str, int],
    *,
    n_each: int | None = None,
    spread: float = SKILL_SPREAD,
    skill: float = 1.0,
) -> Pool:
    random = np.random.default_rng([seed, k])
    n_each = n_each or n_answers(k)
    n_calibration = round(CALIBRATION * n_each)
    n_items = N_RATERS * (n_each - n_calibration) // OVERLAP
    habit = [name for name, n in planted.items() for _ in range(n)]
    habit += [""] * (N_RATERS - len(habit))
    habit = [habit[at] for at in random.permutation(N_RATERS)]
    honest = [rater for rater, name in enumerate(habit) if not name]
    copiers = [rater for rater, name in enumerate(habit) if name == "copy"]
    colleague = dict(
        zip(copiers, random.choice(honest, len(copiers), replace=False).tolist(), strict=True)
    )
    whole = (n_items + n_calibration, k)
    quality, taste = random.standard_normal(whole), random.standard_normal(whole)
    chars = np.exp(
        6.3 + 0.5 * (0.2 * quality + np.sqrt(1 - 0.2**2) * random.standard_normal(whole))
    ).round()
    queues = _deal(random, colleague, n_items, n_calibration)
    rows: list[tuple[np.ndarray, ...]] = []
    handed_in: dict[int, np.ndarray] = {}
    when: dict[int, np.ndarray] = {}
    # colleagues before those who copy them
    for rater in sorted(range(N_RATERS), key=lambda rater: rater in colleague):
        theirs = colleague.get(rater)
        queue = queues[rater if theirs is None else theirs]
        n = len(queue)
        active = np.exp(
            np.log(35 * k) + 0.35 * random.standard_normal() + 0.5 * random.standard_normal(n)
        )
        if habit[rater] == "even":
            active = np.exp(np.log(35 * k) + 0.1 * random.standard_normal(n))
        at = _clock(random, active) if theirs is None else when[theirs] + random.uniform(300, 900)
        when[rater] = at
        shown = random.random((n, k)).argsort(axis=1)  # the response at each position
        noise = skill * np.exp(spread * random.standard_normal())
        believed = taste if habit[rater] == "minority" else quality
        score = believed[queue] + noise * random.standard_normal((n, k))
        follows = random.random(n) < HABIT
        if habit[rater] == "shared":  # the other person always answers at random
            follows[:] = True
        score = np.where(
            follows[:, None],
            _by_habit(
                random,
                habit[rater],
                score,
                shown,
                chars[queue],
                at,
                None if theirs is None else handed_in[theirs],
            ),
            score,
        )
        handed_in[rater] = score
        ranks = (-score).argsort(axis=1).argsort(axis=1) + 1
        judgment = rater * n_each + np.arange(n)
        rows.append(
            tuple(
                column.reshape(-1)
                for column in (
                    np.repeat(judgment[:, None], k, axis=1),
                    np.repeat(queue[:, None], k, axis=1),
                    np.full((n, k), rater),
                    queue[:, None] * k + np.arange(k),
                    ranks,
                    shown.argsort(axis=1),
                    chars[queue],
                    np.repeat(at[:, None], k, axis=1),
                    np.repeat(active[:, None], k, axis=1),
                )
            )
        )
    return Pool(
        habit,
        quality,
        n_items,
        Rankings(*(np.concatenate(column) for column in zip(*rows, strict=True))),
    )


def _by_habit(
    random: np.random.Generator,
    habit: str,
    honest: np.ndarray,
    shown: np.ndarray,
    chars: np.ndarray,
    at: np.ndarray,
    copied: np.ndarray | None,
) -> np.ndarray:
    """The scores that a rater's habit gives instead of honest ones. (answers, K)"""
    n, k = honest.shape
    score = honest.copy()
    if habit == "chance":
        return random.standard_normal((n, k))
    if habit == "tires":
        late = minutes_in_sitting(at, 1_800) > 60
        score[late] = random.standard_normal((int(late.sum()), k))
    if habit == "shared":
        starts = np.r_[True, np.diff(at) > 1_800]
        other = np.cumsum(starts) % 2 == random.integers(2)
        score[other] = random.standard_normal((int(other.sum()), k))
    if habit == "first":
        score[np.arange(n), shown[:, 0]] = honest.max(axis=1) + 1
    if habit == "last":
        score[np.arange(n), shown[:, -1]] = honest.max(axis=1) + 1
    if habit == "alternates":
        score[np.arange(n), shown[np.arange(n), np.arange(n) % k]] = honest.max(axis=1) + 1
    if habit == "longer":
        return chars
    if habit == "copy":
        assert copied is not None
        return copied
    return score


def _deal(
    random: np.random.Generator, colleague: dict[int, int], n_items: int, n_calibration: int
) -> dict[int, np.ndarray]:
    """Which rater gets which items: three raters per item, mixed with the calibration items."""
    each = n_items * OVERLAP // N_RATERS
    copied = sorted(colleague.values())
    others = [rater for rater in range(N_RATERS) if rater not in colleague and rater not in copied]
    items = random.permutation(n_items)
    own: dict[int, list[int]] = {
        rater: items[at * each : (at + 1) * each].tolist() for at, rater in enumerate(copied)
    }
    own |= {rater: [] for rater in others}
    n_copied = len(copied) * each
    needs = [
        int(item) for at, item in enumerate(items) for _ in range(1 if at < n_copied else OVERLAP)
    ]
    for start in range(0, len(needs), len(others)):
        block = needs[start : start + len(others)]
        turn = random.permutation(others)
        while any(item in own[rater] for rater, item in zip(turn.tolist(), block, strict=False)):
            turn = random.permutation(others)
        for rater, item in zip(turn.tolist(), block, strict=False):
            own[rater].append(item)
    calibration = np.arange(n_items, n_items + n_calibration)
    return {
        rater: random.permutation(np.concatenate([given, calibration]).astype(int))
        for rater, given in own.items()
    }


def _clock(random: np.random.Generator, active: np.ndarray) -> np.ndarray:
    """When each answer is submitted: sessions of 1.5 to 3 hours, hours apart."""
    now, lasts, times = random.uniform(0, 36_000), random.uniform(5_400, 10_800), []
    began = now
    for seconds in active:
        if now - began > lasts:
            now += random.uniform(30_000, 60_000)
            began, lasts = now, random.uniform(5_400, 10_800)
        now += seconds * random.uniform(1.0, 1.3)
        times.append(now)
    return np.array(times)
