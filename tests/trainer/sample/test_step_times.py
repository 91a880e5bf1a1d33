"""What a run was bound by."""

import threading
import time

import pytest

from tests.trainer.ppo import models
from training.trainer.sample import step_times
from training.trainer.sample.step_times import StepTimes


def computing(seconds: float) -> None:
    """By the processor's clock, so that other work on the machine does not shorten it."""
    ends_at = time.process_time() + seconds
    while time.process_time() < ends_at:
        pass


def test_a_part_inside_another_is_not_counted_twice() -> None:
    times = StepTimes()

    with times.part(step_times.UPDATING):
        computing(0.05)
        with times.part(step_times.MEASURING):
            computing(0.05)
            with times.part(step_times.WRITING):
                computing(0.2)
    computing(0.1)
    with times.part(step_times.UPDATING):
        pass

    shares = times.shares()
    timed = [value for name, value in shares.items() if name != "waiting_share"]
    assert sum(timed) == pytest.approx(1)
    assert shares["writing_share"] > shares["measuring_share"]
    assert times.seconds[step_times.WRITING] >= 0.2
    assert shares["else_share"] > 0


def test_waiting_is_the_time_in_which_the_process_does_nothing() -> None:
    times = StepTimes()

    with times.part(step_times.WRITING):
        threading.Event().wait(0.3)

    assert times.waited > 0.2
    assert times.shares()["waiting_share"] > 0.7


def test_a_run_without_a_step_says_nothing() -> None:
    assert StepTimes().shares() == {}


def test_the_clocks_cost_less_than_a_hundredth_of_the_smallest_step() -> None:
    """Of eight responses of six tokens by two layers, in the processor's time."""
    trainer = models.trainer(n_episodes=24)
    began = time.process_time()
    n_steps = sum(1 for _step in trainer.steps())
    a_step = (time.process_time() - began) / n_steps
    times, began = StepTimes(), time.process_time()
    for _number in range(1000):
        with times.part(step_times.WRITING):
            pass
    a_part = (time.process_time() - began) / 1000

    assert 3 * a_part < a_step / 100
    shares = trainer.times.shares()
    assert set(shares) == {
        "writing_share",
        "measuring_share",
        "updating_share",
        "else_share",
        "waiting_share",
    }
    assert sum(value for name, value in shares.items() if name != "waiting_share") == pytest.approx(
        1
    )
