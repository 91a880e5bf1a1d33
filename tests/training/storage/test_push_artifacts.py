"""Files of a run beyond its node: checkpoints, snapshots and models go through a shared store."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from tests.training.runs.processes import until
from training.models import Run, TrainedModel
from training.processes import run_dir
from training.runs.supervisor import attempt as supervisor_attempt
from training.runs.supervisor import supervise
from training.storage import artifacts, push_artifacts, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def shared(settings: LazySettings, tmp_path: Path) -> Path:
    """The store's folder; nodes know it as a URL."""
    settings.ARTIFACT_STORE = f"file://{tmp_path}/shared"
    return tmp_path / "shared"


@pytest.fixture
def move_to(settings: LazySettings, tmp_path: Path) -> Callable[[str], None]:
    """Turns this process into another node: its folders are empty except for the stand-in child's
    script.
    """

    def move(name: str) -> None:
        for room in ("runs", "models"):
            folder = tmp_path / name / room
            folder.mkdir(parents=True)
            setattr(settings, f"{room.upper()}_DIR", folder)

    return move


def supervised(run: Run, **more: Any) -> Run:
    supervise.supervise(run_id=run.pk, node="node", **more)
    run.refresh_from_db()
    return run


def own(folder: Path) -> None:
    """The first attempt's."""
    folder.mkdir()
    run_dir.write_atomically(folder / run_dir.ATTEMPT, "1")


def script_of(run: Run, settings: LazySettings) -> str:
    return (settings.RUNS_DIR / str(run.pk) / "script.json").read_text()


def first_step(run: Run, attempt: int, settings: LazySettings) -> int:
    (mark,) = (settings.RUNS_DIR / str(run.pk)).glob(f"resumed-{attempt}-at-*")
    return int(mark.name.rsplit("-", 1)[1])


def test_another_node_goes_on_from_the_checkpoint_in_the_store(
    queue: Callable[..., Run], settings: LazySettings, move_to: Callable[[str], None]
) -> None:
    run = supervised(queue(n_steps=6, checkpoint_every=2, kill_at=6, only_attempt=1))
    script = script_of(run, settings)
    shutil.rmtree(settings.RUNS_DIR)

    move_to("elsewhere")
    (settings.RUNS_DIR / str(run.pk)).mkdir()
    (settings.RUNS_DIR / str(run.pk) / "script.json").write_text(script)
    supervised(run)

    assert (run.outcome, first_step(run, 2, settings)) == ("succeeded", 4)


def test_a_run_that_is_given_back_leaves_its_last_step_in_the_store(
    queue: Callable[..., Run],
) -> None:
    run = supervised(queue(n_steps=50, pause_s=0.05), is_leaving=lambda: True)

    kept = artifacts.newest_checkpoint(run_id=run.pk)

    assert run.state == Run.State.QUEUED
    assert kept is not None
    assert kept.step >= 1


def test_a_node_that_got_further_than_the_store_goes_on_from_its_own(
    queue: Callable[..., Run], settings: LazySettings, tmp_path: Path
) -> None:
    run = supervised(queue(n_steps=6, checkpoint_every=2, kill_at=6, only_attempt=1))
    store.discard(f"{settings.ARTIFACT_STORE}/checkpoints/run-{run.pk}/step-4-1")

    supervised(run)

    assert first_step(run, 2, settings) == 4


@pytest.mark.slow
def test_checkpoints_leave_the_store_when_their_run_has_succeeded(
    queue: Callable[..., Run], settings: LazySettings
) -> None:
    run = supervised(queue(n_steps=5, checkpoint_every=2, pause_s=0.1))

    assert run.outcome == "succeeded"
    assert store.list_folders(f"{settings.ARTIFACT_STORE}/checkpoints") == []
    assert [one.is_whole for one in store.list_folders(f"{settings.ARTIFACT_STORE}/models")] == [
        True
    ]


def test_the_store_keeps_the_last_two_checkpoints_of_a_run(tmp_path: Path) -> None:
    own(tmp_path / "run")
    for step in (2, 4, 6):
        with run_dir.RunFolder(tmp_path / "run", 1).published(
            tmp_path / "run" / f"step-{step}"
        ) as aside:
            (aside / "state").write_text(str(step))
        artifacts.store_checkpoint(tmp_path / "run" / f"step-{step}", run_id=7, attempt=1)

    assert [one.step for one in artifacts._checkpoints(7)] == [6, 4]


def test_a_checkpoint_that_its_child_has_removed_is_passed_over(tmp_path: Path) -> None:
    artifacts.store_checkpoint(tmp_path / "run" / "step-2", run_id=7, attempt=1)

    assert artifacts.newest_checkpoint(run_id=7) is None


def test_a_finished_model_waits_for_a_store_that_is_away_and_its_run_beats_meanwhile(
    queue: Callable[..., Run], settings: LazySettings, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUN_HEARTBEAT_S = 0.05
    monkeypatch.setattr(store, "FIRST_RETRY_DELAY_S", 0.01)
    shared.write_text("in the way")
    run = queue(n_steps=2)

    def put_back() -> None:
        until(lambda: (settings.RUNS_DIR / str(run.pk) / run_dir.RESULT).exists(), "the result")
        for _beat in range(3):
            await_heartbeat()
        shared.unlink()
        connection.close()

    def await_heartbeat() -> None:
        before = heart()
        until(lambda: heart() > before, "a heartbeat")

    def heart() -> Any:
        return Run.objects.values_list("heartbeat_at", flat=True).get(pk=run.pk)

    other = threading.Thread(target=put_back)
    other.start()
    supervised(run)
    other.join()

    model = TrainedModel.objects.get(run=run)
    assert run.outcome == "succeeded"
    assert Path(artifacts.fetch_model(model.location), "config.json").is_file()


def test_a_store_that_stays_away_ends_in_a_sentence_and_the_run_can_be_tried_again(
    queue: Callable[..., Run], shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FIRST_RETRY_DELAY_S", 0.01)
    monkeypatch.setattr(supervisor_attempt, "STORE_TIMEOUT_S", 0)
    shared.write_text("in the way")

    run = supervised(queue(n_steps=2))

    assert run.outcome == "failed"
    assert "store is not responding" in run.error


def test_a_node_without_the_snapshot_fetches_it(
    queue: Callable[..., Run], settings: LazySettings, tmp_path: Path
) -> None:
    run = queue(n_steps=2)
    artifacts.store_snapshot(settings.SNAPSHOTS_DIR / run.snapshot.folder)
    settings.SNAPSHOTS_DIR = tmp_path / "elsewhere"

    supervised(run)

    assert run.outcome == "succeeded"


def test_a_run_that_meets_a_full_disk_goes_back_to_the_queue_uncounted(
    queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    run = queue(n_steps=2)
    monkeypatch.setattr(run_dir, "write_job", full)

    supervised(run)

    assert (run.state, run.n_crashes) == ("queued", 0)


def test_an_uploader_that_failed_tries_again_later(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FIRST_RETRY_DELAY_S", 0.001)
    monkeypatch.setattr(push_artifacts, "RETRY_AFTER_S", 0.0)
    own(tmp_path / "run")
    with run_dir.RunFolder(tmp_path / "run", 1).published(
        tmp_path / "run" / run_dir.CHECKPOINTS / "step-2"
    ) as aside:
        (aside / "state").write_text("2")
    uploader = push_artifacts.CheckpointUploader(tmp_path / "run", run_id=7, attempt=1)
    shared.write_text("in the way")
    uploader.send_if_new()
    until(lambda: not uploader._is_busy(), "the first try")

    shared.unlink()
    uploader.send_if_new()
    uploader.finish()

    newest = artifacts.newest_checkpoint(run_id=7)
    assert newest is not None
    assert newest.step == 2


@pytest.mark.slow
def test_another_node_goes_on_with_the_folds_that_one_has_measured(
    queue: Callable[..., Run], settings: LazySettings, move_to: Callable[[str], None]
) -> None:
    run = supervised(queue(n_steps=50, pause_s=0.05, folds_at=1), is_leaving=lambda: True)
    script = script_of(run, settings)
    shutil.rmtree(settings.RUNS_DIR)

    move_to("elsewhere")
    (settings.RUNS_DIR / str(run.pk)).mkdir()
    (settings.RUNS_DIR / str(run.pk) / "script.json").write_text(script)
    supervised(run, is_leaving=lambda: True)

    assert run_dir.n_folds(settings.RUNS_DIR / str(run.pk)) == 2


def test_the_store_keeps_the_latest_folds_and_gives_them_to_a_folder_with_fewer(
    tmp_path: Path,
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        folder.mkdir()
    for n in (1, 2):
        run_dir.write_json(here / run_dir.FOLDS, [{"fold": number} for number in range(n)])
        artifacts.store_folds(here, run_id=7)

    first, again = (artifacts.fetch_folds(run_id=7, folder=elsewhere) for _time in range(2))

    assert (first, again) == (2, 2)
    assert (elsewhere / run_dir.FOLDS).read_text() == (here / run_dir.FOLDS).read_text()
    assert [url.rsplit("/", 1)[1] for _n, url in artifacts.stored_folds(7)] == ["folds-2"]
    assert artifacts.newest_checkpoint(run_id=7) is None
    artifacts.discard_checkpoints(run_id=7)
    assert artifacts.stored_folds(7) == []
