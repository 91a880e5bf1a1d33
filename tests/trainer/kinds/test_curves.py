"""A run's points in TensorBoard's event files and at trackers."""

import dataclasses
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event
from transformers import TrainerCallback
from transformers.integrations import integration_utils

from tests.trainer import runs, warm
from training.configs.sft import SftConfig
from training.processes import run_dir
from training.processes.run_dir import Job, RunFolder
from training.trainer import curves

QUICK = SftConfig(n_epochs=1, batch_size=4, accumulation=1, max_tokens=64, log_every=1)
JOB = Job(kind="ppo", run_id=7, attempt=1, config={"batch_size": 3}, model="m", snapshot="s")


def events(folder: Path) -> Iterator[Any]:
    """Every event of the files, in order: TFRecord is a length, its sum, the bytes and their
    sum.
    """
    for path in sorted((folder / run_dir.TENSORBOARD).iterdir()):
        written = path.read_bytes()
        at = 0
        while at < len(written):
            (size,) = struct.unpack_from("<Q", written, at)
            yield Event.FromString(written[at + 12 : at + 12 + size])
            at += 16 + size


def points(folder: Path) -> list[tuple[int, str, float]]:
    return [
        (event.step, value.tag, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
    ]


@contextmanager
def opened(path: Path, job: Job = JOB) -> Iterator[RunFolder]:
    run_dir.write_job(path, job)
    with curves.reporting(RunFolder(path, job.attempt), job) as folder:
        yield folder


class Recorder(TrainerCallback):
    """As a tracker: what it was told, and of which run."""

    told: list[tuple[Any, ...]] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        self.told.append((args.run_name, args.to_dict(), state.global_step, logs))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.told.append(("ended", state.global_step))


def test_points_are_read_back_from_the_event_file(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        folder.append_point(0, 2, {"reward": 0.5})
        folder.append_point(1, 2, {"reward": 0.75, "kl": 2.0, "broken": float("nan")})
        found = points(tmp_path)

    assert found == [(0, "reward", 0.5), (1, "reward", 0.75), (1, "kl", 2.0)]


def test_a_later_attempt_says_from_which_step_on_it_repeats(tmp_path: Path) -> None:
    again = dataclasses.replace(JOB, attempt=2)

    for job, step in ((JOB, 3), (again, 2)):
        with opened(tmp_path, job) as folder:
            folder.append_point(step, 9, {"reward": 0.5})

    starts = [e.step for e in events(tmp_path) if e.WhichOneof("what") == "session_log"]
    assert starts == [2]


def test_a_run_s_child_writes_every_point_of_its_page(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = runs.prepare(
        run_folder, "sft", QUICK, tiny_model, runs.demonstrations(tmp_path / "snapshot")
    )

    child = warm.as_child(folder.path)

    assert child.returncode == run_dir.EXIT_FINISHED, child.stderr
    shown = [line for line in run_dir.read_progress(run_folder, 0)[0] if "values" in line]
    expected = [
        (line["step"], name, pytest.approx(value))
        for line in shown
        for name, value in line["values"].items()
    ]
    assert len(expected) > 4
    assert points(run_folder) == expected


def test_a_tracker_gets_the_points_and_the_run_s_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wandb.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "wandb", Recorder)
    monkeypatch.setattr(Recorder, "told", [])
    monkeypatch.setenv(curves.TRACKERS, " wandb,")

    with opened(tmp_path) as folder:
        folder.append_point(4, 9, {"reward": 0.5})

    about = {"batch_size": 3, "kind": "ppo", "run": 7, "model": "m"}
    assert Recorder.told == [("ppo-7", about, 4, {"reward": 0.5}), ("ended", 4)]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [("mlflow", "pip install mlflow"), ("wandbb", "It can be mlflow, trackio, wandb")],
)
def test_a_tracker_that_is_not_there_stops_the_run_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, sentence: str
) -> None:
    monkeypatch.setenv(curves.TRACKERS, names)

    with pytest.raises(curves.UnableToTrack, match=sentence), opened(tmp_path):
        pass


def test_only_the_first_of_several_processes_reports(tmp_path: Path) -> None:
    run_dir.write_job(tmp_path, JOB)

    with curves.reporting(RunFolder(tmp_path, 1, rank=1), JOB) as folder:
        assert folder.on_point is None
