"""Signs that warn: how many rollouts they need, and the shares of honest runs that they name."""

import json
from collections.abc import Callable
from math import ceil
from pathlib import Path

import pytest

from training.trainer.ppo import collapse

STORED = Path(__file__).parents[3] / "benchmarks" / "results" / "watchdog.json"


@pytest.mark.parametrize("batch_size", [8, 16, 64, 512])
@pytest.mark.parametrize(
    "check", [collapse.refuse_longer, collapse.refuse_unlikely, collapse.refuse_repeating]
)
def test_a_sign_says_nothing_before_it_has_64_responses_and_4_rollouts_of_each(
    check: Callable[..., None], batch_size: int
) -> None:
    n = max(4, ceil(64 / batch_size))

    for n_seen in range(2 * n):
        check(([0.2] * n + [0.9] * n)[:n_seen], batch_size=batch_size)
        check([0.2, 0.9][:n_seen], batch_size=batch_size)
    with pytest.raises(collapse.Collapse):
        check([0.2] * n + [0.9] * n, batch_size=batch_size)


def test_the_shares_that_warnings_name_are_those_of_the_stored_benchmark() -> None:
    assert json.loads(STORED.read_text())["quick"]["false_alarms"] == collapse.FALSE_ALARMS
