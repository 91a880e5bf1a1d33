"""Curves of long runs: thinned, with their ends and rare measurements."""

from itertools import pairwise

import pytest

from accounts.models import User
from tests.training import cast
from tests.training.conftest import NOW
from training.models import Run
from training.results import curves
from training.results.curves import N_POINTS_READ
from training.runs import services as runs_services
from training.runs.services import Point

pytestmark = pytest.mark.django_db


def long_run(by: User, n_points: int) -> Run:
    run = cast.a_run(by, state="running", attempt=1)
    points = [Point(1, step, n_points, NOW, values(step)) for step in range(n_points)]
    for start in range(0, n_points, 5000):
        runs_services.record_progress(
            run_id=run.pk,
            attempt=1,
            points=points[start : start + 5000],
            samples=[],
            notes=[],
            log_tail="",
            now=NOW,
        )
    run.refresh_from_db()
    return run


def values(step: int) -> dict[str, float]:
    return {"loss": 1 / (step + 1)} | ({"held_out_loss": 2.0} if step % 1000 == 0 else {})


@pytest.mark.slow
def test_a_long_run_is_read_thinned_to_its_ends(noor: User) -> None:
    run = long_run(noor, 20_000)

    found = curves.curves(run=run)["loss"].points

    assert N_POINTS_READ / 2 <= len(found) <= N_POINTS_READ
    assert (found[0][0], found[-1][0]) == (0, 19_999)
    assert max(later - earlier for (earlier, _), (later, _) in pairwise(found)) <= 32


def test_what_is_measured_now_and_then_is_not_thinned_out(noor: User) -> None:
    run = long_run(noor, 8_000)

    assert len(curves.curves(run=run)["held_out_loss"].points) == 8


def test_a_short_run_is_read_whole(noor: User) -> None:
    run = long_run(noor, 100)

    assert len(curves.curves(run=run)["loss"].points) == 100
