"""kill -9 during real training: SFT of a tiny model by the real trainer, with real workers and a
real broker.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from accounts.models import User
from tests.trainer.tiny import build_tiny_model
from tests.training.conftest import NOW
from tests.training.runs.processes import (
    REAL_TRAINER,
    Processes,
    is_alive,
    kill,
    processes,
    run_folder,
    until,
)
from tests.training.runs.supervisor.test_kills import (
    child_pid,
    has_reached,
    is_finished,
    now_of,
    reap_silent,
)
from training.models import Run, RunPoint, Snapshot
from training.processes import run_dir
from training.registry import services as registry_services
from training.runs import run_queue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as running:
        running.trainer = REAL_TRAINER
        yield running


@pytest.fixture
def sft(noor: User, make_snapshot: Callable[..., Snapshot], tmp_path: Path) -> Run:
    """Twenty steps of full fine-tuning, each long enough to be killed in, a checkpoint every
    third.
    """
    model = registry_services.register_model(
        name="tiny",
        kind="policy",
        location=str(build_tiny_model(tmp_path / "tiny", hidden=192)),
        licence="",
        by=noor,
        now=NOW,
    )
    snapshot = make_snapshot(
        "demonstrations", n_rows=164, train=demonstrations(160), validation=demonstrations(4)
    )
    config = {
        "method": "full",
        "n_epochs": 1,
        "batch_size": 8,
        "accumulation": 1,
        "max_tokens": 256,
        "dtype": "float32",
    }
    config |= {"checkpoint_every": 3, "learning_rate": 1e-3}
    return run_queue.queue_run(
        kind="sft",
        name="tiny",
        config=config,
        snapshot=snapshot,
        base_model=model,
        by=noor,
        now=NOW,
    )


def demonstrations(n: int) -> str:
    rows = [
        {
            "id": f"demonstration-{number}",
            "prompt": [{"role": "user", "content": f"What is {number} plus {number}? " * 4}],
            "completion": [{"role": "assistant", "content": f"It is {2 * number}. " * 12}],
            "judgment": number,
            "cluster": str(number),
            "source": "raters",
        }
        for number in range(n)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def steps_of(run: Run, attempt: int) -> list[int]:
    return list(
        RunPoint.objects.filter(run=run, attempt=attempt)
        .order_by("step")
        .values_list("step", flat=True)
    )


def test_training_outlives_its_broker_and_a_child_killed_in_the_middle_of_a_step_resumes(
    site: Processes, sft: Run
) -> None:
    broker = site.start_broker()
    site.start_worker()
    site.ring(sft.pk)
    until(has_reached(sft, 1), "the first step", limit_s=120)
    broker.kill()
    broker.wait()
    until(lambda: steps_in_file(sft) >= 5, "the fifth step without a broker", limit_s=120)

    kill(child_pid(sft))  # the point of step 5 is written: a later step is under way
    saved = last_checkpoint(sft)
    until(lambda: now_of(sft).state == Run.State.QUEUED, "back in the queue")
    site.start_broker()
    site.ring(sft.pk)
    until(is_finished(sft), "the end of the second attempt", limit_s=120)

    assert (sft.outcome, sft.attempt, sft.step) == ("succeeded", 2, 20)
    assert saved >= 3
    assert min(steps_of(sft, attempt=2)) == saved + 1
    assert sft.metrics["held_out_loss_after"] < sft.metrics["held_out_loss_before"]


def test_a_supervisor_killed_while_a_checkpoint_is_saved_takes_its_child_along(
    site: Processes, sft: Run
) -> None:
    supervisor = site.start_supervisor(sft.pk, "first")
    saving, step = freeze_while_saving(sft)

    kill(supervisor.pid)
    until(lambda: not is_alive(child_pid(sft)), "the end of the child")
    assert saving.exists()
    reap_silent(sft)
    assert now_of(sft).state == Run.State.QUEUED
    site.start_supervisor(sft.pk, "second")
    until(is_finished(sft), "the end of the second attempt", limit_s=120)

    assert (sft.outcome, sft.attempt, sft.n_crashes) == ("succeeded", 2, 1)
    assert min(steps_of(sft, attempt=2)) == step - 2
    assert not saving.exists()


def is_either_there(one: Path, other: Path) -> bool:
    return one.exists() or other.exists()


def freeze_while_saving(run: Run) -> tuple[Path, int]:
    """Stops the child in the middle of saving a checkpoint after its first; one that was renamed
    just before is let go on.

    Seeing the folder and killing are two acts, and a fast save can end between them: a stopped
    process cannot.
    """
    for step in (6, 9, 12):
        saving = run_folder(run.pk) / "checkpoints" / f".tmp-1-step-{step}"
        done = saving.with_name(f"step-{step}")
        until(
            partial(is_either_there, saving, done), f"checkpoint {step} in the making", limit_s=120
        )
        os.kill(child_pid(run), signal.SIGSTOP)
        if saving.exists():
            return saving, step
        os.kill(child_pid(run), signal.SIGCONT)
    raise AssertionError("every checkpoint was saved before the child could be stopped")


def last_checkpoint(run: Run) -> int:
    """The step of the latest whole checkpoint, 0 where there is none.

    How far a child comes between a test's look and its kill is the machine's affair.
    """
    folders = (run_folder(run.pk) / "checkpoints").glob("step-*")
    return max((int(folder.name.removeprefix("step-")) for folder in folders), default=0)


def steps_in_file(run: Run) -> int:
    lines, _offset = run_dir.read_progress(run_folder(run.pk), 0)
    return max((line["step"] for line in lines if "step" in line), default=0)
