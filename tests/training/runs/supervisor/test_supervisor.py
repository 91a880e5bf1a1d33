"""One attempt from claim to end, with a real child process as a stand-in for the trainer."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from accounts.models import User
from labeling.models import Response
from tests.cast import some_prompts
from tests.training.conftest import NOW
from tests.training.runs.processes import until
from training.models import Node, Run, RunPoint, RunSample, Snapshot, TrainedModel
from training.processes import launch, run_dir
from training.runs import services as runs_services
from training.runs.supervisor import supervise

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def supervised(run: Run) -> Run:
    supervise.supervise(run_id=run.pk, node="node-1")
    run.refresh_from_db()
    return run


def test_a_run_succeeds_when_its_child_says_so(queue: Callable[..., Run]) -> None:
    run = queue(n_steps=3)

    supervised(run)

    assert (run.state, run.outcome, run.error) == ("finished", "succeeded", "")
    assert (run.step, run.n_steps, run.attempt, run.node) == (3, 3, 1, "node-1")


def test_every_step_becomes_a_point_of_the_curve(queue: Callable[..., Run]) -> None:
    run = supervised(queue(n_steps=3))

    points = RunPoint.objects.filter(run=run).order_by("step").values_list("step", "values")

    assert list(points) == [(1, {"loss": 1.0}), (2, {"loss": 0.5}), (3, {"loss": 1 / 3})]


def test_the_lines_of_a_runs_log_are_counted(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = supervised(queue(n_steps=3))

    whole = (settings.RUNS_DIR / str(run.pk) / run_dir.LOG).read_text()
    assert (run.log_attempt, run.n_log_lines) == (1, whole.count("\n"))
    assert run.n_log_lines > 0


def test_a_finished_run_leaves_a_model_with_parent_metrics_and_an_opaque_source(
    queue: Callable[..., Run],
) -> None:
    run = supervised(queue())

    model = TrainedModel.objects.get(run=run)

    assert (model.parent, model.licence, model.metrics) == (
        run.base_model,
        "Apache-2.0",
        {"loss_before": 2.0, "loss_after": 1.0},
    )
    assert model.source is not None
    assert (Path(model.location) / "config.json").is_file()


def test_weights_stay_when_the_answer_to_their_registration_is_lost(
    queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    really, lost = runs_services.finish_run, iter([True])

    def answered(**ending: Any) -> bool:
        kept = really(**ending)
        if next(lost, False):
            raise OperationalError("server closed the connection unexpectedly")
        return kept

    monkeypatch.setattr(runs_services, "finish_run", answered)

    run = supervised(queue(n_steps=2))

    assert run.outcome == "succeeded"
    assert (Path(TrainedModel.objects.get(run=run).location) / "config.json").is_file()


def test_samples_and_notes_are_kept_beside_the_curves(queue: Callable[..., Run]) -> None:
    run = supervised(queue())

    assert RunSample.objects.get(run=run).response == "Three times three."
    assert run.notes == ["2 of 10 rows were cut."]


def test_a_run_that_is_not_waiting_is_left_alone(queue: Callable[..., Run]) -> None:
    run = supervised(queue())

    supervised(run)

    assert run.attempt == 1


def test_a_killed_child_is_queued_again_and_resumes_from_its_last_checkpoint(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = queue(n_steps=6, checkpoint_every=2, kill_at=6, only_attempt=1)

    supervised(run)
    assert (run.state, run.n_crashes) == ("queued", 1)
    supervised(run)

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    assert (settings.RUNS_DIR / str(run.pk) / "resumed-2-at-4").exists()


def test_a_resumed_run_goes_on_in_the_precision_that_it_began_in(
    queue: Callable[..., Run],
) -> None:
    """The second attempt's node would measure another one."""
    run = queue(
        n_steps=4,
        checkpoint_every=2,
        kill_at=4,
        only_attempt=1,
        measures=["bfloat16", "float32"],
    )
    supervised(run)

    supervised(run)

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    assert (run.auto_dtype, run.notes[0]) == ("bfloat16", "Precision: bfloat16.")
    assert "Precision: float32." not in run.notes


def test_a_checkpoint_whose_bytes_changed_is_dropped_for_the_one_before(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    """Of the same size, as after a flipped bit."""
    run = queue(n_steps=8, checkpoint_every=2, kill_at=7, only_attempt=1)
    supervised(run)
    checkpoints = settings.RUNS_DIR / str(run.pk) / run_dir.CHECKPOINTS
    (checkpoints / "step-6" / "state.json").write_text('{"step": 7}')

    supervised(run)

    assert (run.outcome, run.attempt) == ("succeeded", 2)
    assert (settings.RUNS_DIR / str(run.pk) / "resumed-2-at-4").exists()
    assert any("Removed damaged checkpoints (steps 6)" in note for note in run.notes)


def test_a_run_is_lost_after_three_killed_children(queue: Callable[..., Run]) -> None:
    run = queue(kill_at=2)

    for _attempt in range(3):
        supervised(run)

    assert (run.state, run.outcome, run.attempt) == ("finished", "lost", 3)
    assert "SIGKILL" in run.error


def test_a_stop_saves_and_leaves_a_model(queue: Callable[..., Run], noor: User) -> None:
    run = queue(n_steps=50, waits_after=1)
    Run.objects.filter(pk=run.pk).update(stop_requested_at=NOW)

    supervised(run)

    assert (run.outcome, run.error) == ("stopped", "")
    assert TrainedModel.objects.filter(run=run).exists()


def test_a_stopped_run_is_as_far_as_it_got(queue: Callable[..., Run]) -> None:
    run = queue(n_steps=40, waits_after=1)
    Run.objects.filter(pk=run.pk).update(stop_requested_at=NOW)

    supervised(run)

    assert (run.outcome, run.n_steps) == ("stopped", 40)
    assert run.step in (1, 2)


def test_a_stopped_run_goes_on_from_its_last_state_and_replaces_its_model(
    queue: Callable[..., Run], settings: LazySettings, noor: User
) -> None:
    run = queue(n_steps=6, waits_after=2, only_attempt=1)
    Run.objects.filter(pk=run.pk).update(stop_requested_at=NOW)
    supervised(run)
    model = TrainedModel.objects.get(run=run)
    first, reached = Path(model.location), run.step
    assert (run.outcome, run.n_steps, first.exists()) == ("stopped", 6, True)

    runs_services.retry_run(run=run, by=noor, now=NOW)
    supervised(run)

    assert (run.outcome, run.attempt, run.step, run.n_steps) == ("succeeded", 2, 6, 6)
    assert (settings.RUNS_DIR / str(run.pk) / f"resumed-2-at-{reached}").exists()
    model.refresh_from_db()
    assert (TrainedModel.objects.filter(run=run).count(), first.exists()) == (1, False)
    assert (Path(model.location) / "config.json").is_file()


def test_a_supervisor_that_must_leave_gives_the_run_back_saved(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = queue(n_steps=50, waits_after=1)

    supervise.supervise(run_id=run.pk, node="node-1", is_leaving=lambda: True)

    run.refresh_from_db()
    assert (run.state, run.n_crashes) == ("queued", 0)
    assert list((settings.RUNS_DIR / str(run.pk) / "checkpoints").iterdir())


def test_sampled_responses_reach_labeling_once_under_the_models_source(
    queue: Callable[..., Run],
) -> None:
    prompts = some_prompts(2)
    rows = [
        {
            "prompt_id": prompt.pk,
            "text": f"answer {number}",
            "number": number,
            "is_ended": True,
            "sampling": {"seed": 1},
        }
        for prompt in prompts
        for number in range(2)
    ]
    first, second = queue("sample", responses=rows), queue("sample", responses=rows)

    supervised(first)
    supervised(second)

    assert (first.outcome, second.outcome) == ("succeeded", "succeeded")
    assert first.base_model.source is not None
    assert Response.objects.filter(source=first.base_model.source).count() == 8
    assert not TrainedModel.objects.filter(run=first).exists()


def test_text_that_the_database_cannot_hold_is_stored_as_near_as_can_be(
    queue: Callable[..., Run],
) -> None:
    prompt = some_prompts(1)[0]
    row = {
        "prompt_id": prompt.pk,
        "text": "a\x00b\ud800c",
        "number": 0,
        "is_ended": True,
        "sampling": {},
    }

    run = supervised(queue("sample", responses=[row]))

    assert run.outcome == "succeeded"
    assert Response.objects.get().text == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ({"error": "The loss became nan at step 3."}, "The loss became nan at step 3."),
        ({"raise_at": 2, "raises": "MemoryError"}, "Out of memory"),
        (
            {"raise_at": 2, "raises": "OSError", "says": "[Errno 28] No space left on device"},
            "disk of the node is full",
        ),
        ({"raise_at": 2, "says": "a bug"}, "RuntimeError: a bug"),
    ],
)
def test_a_failure_ends_in_a_sentence(
    queue: Callable[..., Run], script: dict[str, Any], sentence: str
) -> None:
    run = supervised(queue(**script))

    assert (run.outcome, run.attempt) == ("failed", 1)
    assert sentence in run.error


def test_a_measure_that_is_no_number_fails_the_run_and_says_since_when(
    queue: Callable[..., Run],
) -> None:
    run = supervised(queue(n_steps=4, nan_from=3))

    assert (run.state, run.outcome, run.attempt, run.n_crashes) == ("finished", "failed", 1, 0)
    assert "loss (since step 3)" in run.error
    assert (run.metrics, TrainedModel.objects.filter(run=run).exists()) == ({}, False)
    assert RunSample.objects.get(run=run).scores == {"length": 3}


def test_an_error_that_the_supervisor_did_not_expect_fails_the_run_once(
    queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = runs_services.finish_run

    def answered(*, result: runs_services.AttemptResult, **more: Any) -> bool:
        if result.outcome == Run.Outcome.SUCCEEDED:
            raise IntegrityError("new row violates a constraint")
        return really(result=result, **more)

    monkeypatch.setattr(runs_services, "finish_run", answered)

    run = supervised(queue())

    assert (run.state, run.outcome, run.attempt, run.n_crashes) == ("finished", "failed", 1, 0)
    assert "IntegrityError: new row violates a constraint" in run.error


def test_a_missing_model_folder_is_named(queue: Callable[..., Run]) -> None:
    run = queue()
    shutil.rmtree(run.base_model.location)

    assert run.base_model.location in supervised(run).error


def test_the_child_gets_the_path_of_its_watchdog(
    queue: Callable[..., Run], settings: LazySettings, tmp_path: Path
) -> None:
    run = queue()
    (tmp_path / "config.json").write_text("{}")
    watchdog = TrainedModel.objects.create(name="w", kind="reward", location=str(tmp_path))
    Run.objects.filter(pk=run.pk).update(watchdog_model=watchdog)

    supervised(run)

    assert run_dir.read_job(settings.RUNS_DIR / str(run.pk)).watchdog_model == str(tmp_path)


def test_an_empty_snapshot_is_refused(queue: Callable[..., Run]) -> None:
    run = queue()
    Snapshot.objects.update(n_rows=0)

    assert "is empty" in supervised(run).error


def test_a_changed_snapshot_is_refused(queue: Callable[..., Run], settings: LazySettings) -> None:
    run = queue()
    (settings.SNAPSHOTS_DIR / run.snapshot.folder / "train.jsonl").write_text("{}\n")

    assert "were changed" in supervised(run).error


def test_a_folder_that_cannot_be_made_fails_the_run_with_a_sentence(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = queue()
    shutil.rmtree(settings.RUNS_DIR)
    settings.RUNS_DIR.write_text("a file in the way")

    assert "could not read or write" in supervised(run).error


@pytest.mark.parametrize(
    ("n_gpus", "seen"), [(0, "5 others ."), (1, "5 others ."), (3, "5 others 6,7.")]
)
def test_a_child_by_itself_sees_one_card_and_is_told_the_others_for_a_server(
    queue: Callable[..., Run],
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    n_gpus: int,
    seen: str,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6,7")
    settings.TRAINER_COMMAND = [
        sys.executable,
        "-c",
        "import os; own, others = (os.environ[name] for name in"
        f" ('CUDA_VISIBLE_DEVICES', '{launch.SERVER_CARDS}'));"
        " print(f'sees {own} others {others}.')",
    ]
    run = queue()
    Run.objects.filter(pk=run.pk).update(n_gpus=n_gpus)

    assert f"sees {seen}\n" in supervised(run).log_tail + "\n"


@pytest.mark.slow
def test_a_child_sees_the_card_that_its_run_was_given_and_waits_until_it_is_free(
    queue: Callable[..., Run], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6,7")
    settings.TRAINER_COMMAND = [
        sys.executable,
        "-c",
        "import os; print('sees', os.environ['CUDA_VISIBLE_DEVICES'])",
    ]
    gpus = [{"name": "card", "memory_gb": 80.0, "card": card} for card in ("5", "6", "7")]
    Node.objects.create(name="node-1", seen_at=timezone.now(), memory_gb=64, gpus=gpus)
    lock = Path(settings.RUNS_DIR) / ".card-6"
    lock.parent.mkdir(parents=True, exist_ok=True)
    first, second = queue(), queue()
    runs_services.claim_run(run_id=first.pk, node="node-1", now=timezone.now())
    # a child of a killed run that has not ended yet
    holder = subprocess.Popen(["flock", str(lock), "sleep", "2"])
    until(lambda: not is_unlocked(lock), "the lock is held")

    run = supervised(second)

    assert run.cards == ["6"]
    assert "sees 6\n" in run.log_tail + "\n"
    assert holder.poll() is not None


def is_unlocked(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_launched_processes_see_as_many_cards_as_the_run_asked_for(
    queue: Callable[..., Run], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6,7")
    monkeypatch.setattr(launch, "command", lambda *_trainer, **_more: settings.TRAINER_COMMAND)
    settings.TRAINER_COMMAND = [
        sys.executable,
        "-c",
        "import os; print('sees', os.environ['CUDA_VISIBLE_DEVICES'])",
    ]
    run = queue()
    Run.objects.filter(pk=run.pk).update(n_gpus=2, launch=launch.Launch(n_processes=2).as_json())

    assert "sees 5,6\n" in supervised(run).log_tail + "\n"


def test_the_child_gets_no_database_no_broker_and_no_key(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    settings.TRAINER_COMMAND = [sys.executable, "-c", "import os; print(sorted(os.environ))"]

    run = supervised(queue())

    assert "'DATABASE_URL'" not in run.log_tail
    assert "'REDIS_URL'" not in run.log_tail
    assert "'PYTHONUNBUFFERED'" in run.log_tail
