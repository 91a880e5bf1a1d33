"""Finished runs with a checkpoint and a model on disk, and a bucket."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest
import services as servers
from django.conf import LazySettings

from accounts.models import User
from tests.training.conftest import NOW
from training.models import Run, Snapshot, TrainedModel
from training.processes import run_dir

Made = Callable[..., tuple[Run, TrainedModel]]


@pytest.fixture
def made(
    base_model: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
    noor: User,
    settings: LazySettings,
    tmp_path: Path,
) -> Made:
    """A run that has succeeded `days` ago, with a kept state and a model of a kilobyte each; the
    loss tells the best.
    """

    def make(loss: float, *, days: int = 60, **fields: Any) -> tuple[Run, TrainedModel]:
        values: dict[str, Any] = {
            "kind": "sft",
            "base_model": base_model,
            "kept_step": 10,
            "outcome": "succeeded",
        } | fields
        at = NOW - timedelta(days=days)
        metrics = {"held_out_loss_after": loss}
        snapshot = Snapshot.objects.first() or make_snapshot()
        run = Run.objects.create(
            name=f"loss {loss}",
            state="finished",
            snapshot=snapshot,
            metrics=metrics,
            created_by=noor,
            created_at=at,
            finished_at=at,
            **values,
        )
        checkpoint = settings.RUNS_DIR / str(run.pk) / run_dir.CHECKPOINTS / "step-10"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights").write_bytes(bytes(1000))
        (settings.RUNS_DIR / str(run.pk) / run_dir.LOG).write_bytes(bytes(50))
        folder = tmp_path / "artifacts" / "models" / f"run-{run.pk}-1"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes(2000))
        model = TrainedModel.objects.create(
            name=f"sft-{run.pk}",
            kind="policy",
            location=str(folder),
            parent=run.base_model,
            run=run,
            metrics=metrics,
            created_at=at,
        )
        return run, model

    return make


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A bucket on moto's server, in its own process. The keys are in the environment, like every
    secret.
    """
    port = servers.free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=servers.die_with_parent,
    )
    named = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in named}
    os.environ |= named
    try:
        servers.wait(lambda: servers.listens(port), server)
        fsspec.filesystem("s3").mkdir("preferably")
        yield "s3://preferably/kept"
    finally:
        server.kill()
        server.wait(timeout=60)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
