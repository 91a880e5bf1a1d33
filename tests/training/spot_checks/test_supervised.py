"""What the supervisor carries between the training process and the site."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from labeling.models import Prompt, Rater, Response
from tests.training.conftest import NOW
from tests.training.spot_checks.conftest import N_PROMPTS, advance, campaign_of, judge
from training.models import Run, SpotCheck
from training.processes import run_dir, run_lines
from training.processes.run_dir import Job, RunFolder
from training.processes.run_lines import Kept
from training.runs.supervisor import follow
from training.runs.supervisor.attempt import Attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(run: Run, settings: LazySettings) -> Attempt:
    path = Path(settings.RUNS_DIR) / str(run.pk)
    run_dir.write_job(path, Job("ppo", run.pk, 1, {}, "model", "snapshot"))
    return Attempt(run=run, folder=path, is_leaving=lambda: False)


@pytest.fixture
def write(attempt: Attempt, prompts: list[Prompt]) -> Callable[[int], None]:
    """What the training process does at a step."""
    folder = RunFolder(attempt.folder, 1)

    def check(step: int) -> None:
        rows = [
            {
                "prompt_id": prompt.pk,
                "text": f"Text {number}\x00 of {step}",
                "number": number,
                "is_ended": False,
                "sampling": {"step": step},
            }
            for prompt in prompts
            for number in (0, 1)
        ]
        folder.append_lines(run_dir.PROGRESS, [{"attempt": 1, "step": step, "check": rows}])

    return check


def test_the_verdict_of_raters_reaches_the_training_process(
    attempt: Attempt, write: Callable[[int], None], rosa: Rater
) -> None:
    attempt.send_heartbeat()
    assert run_lines.read_kept(attempt.folder) is None

    write(0)
    write(10)
    follow.record_progress(attempt)
    attempt.send_heartbeat()
    assert run_lines.read_kept(attempt.folder) == Kept(0, 0)

    advance()
    judge(campaign_of(attempt.run, 10), rosa, n=N_PROMPTS, likes_new=True)
    advance()
    attempt.send_heartbeat()
    assert run_lines.read_kept(attempt.folder) == Kept(10, 10)


def test_responses_are_stored_as_they_were_written_but_for_what_the_database_cannot_hold(
    attempt: Attempt, write: Callable[[int], None]
) -> None:
    write(0)
    follow.record_progress(attempt)

    response = Response.objects.order_by("pk").first()
    assert response is not None
    assert response.text == "Text 0� of 0"
    assert response.is_ended is False
    assert response.sampling == {"step": 0}
    assert response.created_at > NOW


def test_the_next_supervisor_reads_the_same_lines_without_effect(
    attempt: Attempt, write: Callable[[int], None]
) -> None:
    write(0)
    follow.record_progress(attempt)
    again = Attempt(run=attempt.run, folder=attempt.folder, is_leaving=lambda: False)
    write(10)

    follow.record_progress(again)

    checks = SpotCheck.objects.filter(run=attempt.run).order_by("step")
    assert [check.step for check in checks] == [0, 10]
    assert Response.objects.count() == 2 * 2 * N_PROMPTS
