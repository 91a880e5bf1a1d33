"""Sends a run's points out: always to TensorBoard files in the run's folder, and to the trackers
that PREFERABLY_TRACKERS names, by transformers' own callbacks. The same for every kind of run.
"""

import dataclasses
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import get_reporting_integration_callbacks

from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, Job, RunFolder
from training.trainer import progress
from training.trainer.modeling import loading

TRACKERS = "PREFERABLY_TRACKERS"
KNOWN = ("mlflow", "trackio", "wandb")


class UnableToTrack(AnticipatedFailure):
    """A tracker that the node names is not there."""


@contextmanager
def reporting(folder: RunFolder, job: Job) -> Iterator[RunFolder]:
    """The folder, whose points go out as well. Raises UnableToTrack. Of several processes only the
    first reports.
    """
    if folder.rank:
        yield folder
        return
    curves = Curves(folder, job, trackers(os.environ.get(TRACKERS, "")))
    try:
        yield dataclasses.replace(folder, on_point=curves.add)
    finally:
        curves.close()


def trackers(names: str) -> list[TrainerCallback]:
    """transformers' callbacks for these names, which are separated by commas."""
    os.environ["WANDB_LOG_MODEL"] = "false"  # curves only: models are kept by the site
    callbacks: list[TrainerCallback] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in KNOWN:
            raise UnableToTrack(
                f"{TRACKERS} names “{name}” on this node. It can be {', '.join(KNOWN)}."
            )
        if find_spec(name) is None:
            raise UnableToTrack(
                f"{TRACKERS} names “{name}”, which is not installed on this node. Run"
                f" pip install {name} there, then start again."
            )
        callbacks += [make() for make in get_reporting_integration_callbacks([name])]
    return callbacks


@dataclass
class _Arguments(TrainingArguments):
    """transformers' arguments, described to a tracker by the run's own settings."""

    about: dict[str, object] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        return self.about


class Curves:
    """One run's points as they come. Opens what it writes to with the first point."""

    def __init__(self, folder: RunFolder, job: Job, callbacks: list[TrainerCallback]) -> None:
        self._folder = folder
        self._job = job
        self._callbacks = callbacks
        self._writer: EventsWriter | None = None
        self._arguments: TrainingArguments | None = None
        self._state = TrainerState()

    def add(self, step: int, n_steps: int, values: Mapping[str, float]) -> None:
        self._write(step, values)
        if not self._callbacks:
            return
        self._state = TrainerState(
            global_step=step,
            max_steps=n_steps,
            is_local_process_zero=True,
            is_world_process_zero=True,
        )
        for callback in self._callbacks:
            callback.on_log(
                self._described(), self._state, TrainerControl(), model=None, logs=dict(values)
            )

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._arguments is None:
            return
        for callback in self._callbacks:
            callback.on_train_end(self._arguments, self._state, TrainerControl(), model=None)

    def _write(self, step: int, values: Mapping[str, float]) -> None:
        """Written at once: a killed run keeps its points."""
        if self._writer is None:
            self._writer = self._opened(step)
        for name, value in values.items():
            self._writer.write_event(
                Event(wall_time=time.time(), step=step, summary=summary.scalar(name, value))
            )
        self._writer.flush()

    def _opened(self, step: int) -> EventsWriter:
        """A later attempt repeats steps: TensorBoard drops the earlier attempt's from there on."""
        path = self._folder.path / run_dir.TENSORBOARD
        path.mkdir(exist_ok=True)
        writer = EventsWriter(str(path / "events"), f".{self._folder.attempt}")
        if self._folder.attempt > 1:
            start = SessionLog(status=SessionLog.START)
            writer.write_event(Event(wall_time=time.time(), step=step, session_log=start))
        return writer

    def _described(self) -> TrainingArguments:
        """Made with the first point: it must not decide how the processes are connected."""
        if self._arguments is None:
            job = self._job
            self._arguments = _Arguments(
                output_dir=str(progress.scratch(self._folder)),
                run_name=f"{job.kind}-{job.run_id}",
                project="preferably",
                report_to="none",
                use_cpu=loading.device().type == "cpu",
                about={**job.config, "kind": job.kind, "run": job.run_id, "model": job.model},
            )
        return self._arguments
