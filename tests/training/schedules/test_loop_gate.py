"""The report of `make loop` carries the verdict of a new schedule's gate."""

from collections.abc import Callable

import loop_figures
import pytest

from labeling.models import Rater
from tests.training.schedules import test_gates
from tests.training.schedules.test_gates import goes_on, judge
from training.models import Chain

pytestmark = pytest.mark.django_db

at_gate = test_gates.at_gate


@pytest.mark.parametrize(("n_won", "outcome"), [(18, "passed"), (10, "failed")])
def test_the_loops_gate_decides_as_a_chains_gate(
    n_won: int, outcome: str, at_gate: Callable[..., Chain], rosa: Rater
) -> None:
    chain = at_gate()
    judge(chain, rosa, n_won)
    goes_on(chain)

    found = loop_figures.gate()

    assert found is not None
    assert found["outcome"] == outcome
    assert found["sentence"] == chain.links.get(step="gate").verdict["sentence"]


def test_without_a_ppo_model_there_is_no_verdict() -> None:
    assert loop_figures.gate() is None
