"""Fixtures for the training tests: folders, a researcher, and a model and snapshot for a stand-in
child.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from training.models import Run, Snapshot, TrainedModel
from training.processes import run_dir
from training.registry import services as registry_services
from training.runs import run_queue
from training.snapshots import freeze

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folders(settings: LazySettings, tmp_path: Path) -> Path:
    """Nothing a test writes lands among the developer's own runs."""
    for name in ("runs", "snapshots", "models"):
        setattr(settings, f"{name.upper()}_DIR", tmp_path / name)
        (tmp_path / name).mkdir()
    settings.ARTIFACT_STORE = str(tmp_path / "artifacts")
    settings.TRAINER_THREADS = 1
    return tmp_path


@pytest.fixture
def base_model(noor: User, tmp_path: Path) -> TrainedModel:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return registry_services.register_model(
        name="base", kind="policy", location=str(folder), licence="Apache-2.0", by=noor, now=NOW
    )


@pytest.fixture
def make_snapshot(noor: User, settings: LazySettings) -> Callable[..., Snapshot]:
    """A snapshot's row and folder, without judgments."""

    def make(kind: str = "demonstrations", n_rows: int = 1, **splits: str) -> Snapshot:
        name = f"{kind}-{Snapshot.objects.count()}"
        folder = settings.SNAPSHOTS_DIR / name
        folder.mkdir()
        for split in run_dir.SPLITS:
            (folder / f"{split}.jsonl").write_text(splits.get(split, ""))
        fingerprint = freeze.fingerprint(folder)
        return Snapshot.objects.create(
            name=name,
            kind=kind,
            folder=name,
            n_rows=n_rows,
            fingerprint=fingerprint,
            created_by=noor,
        )

    return make


@pytest.fixture
def stand_in(settings: LazySettings) -> None:
    """Runs go to a child that knows the protocol and no torch."""
    settings.TRAINER_COMMAND = [sys.executable, "-m", "tests.training.runs.stand_in_child"]


@pytest.fixture
def queue(
    stand_in: None,
    base_model: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
    noor: User,
    settings: LazySettings,
) -> Callable[..., Run]:
    """A queued run whose child does what the script says."""

    def make(kind: str = "sft", **script: Any) -> Run:
        run = run_queue.queue_run(
            kind=kind,
            name=f"{kind} run",
            config={},
            snapshot=make_snapshot(run_queue.snapshot_kinds(kind)[0].value),
            base_model=base_model,
            by=noor,
            now=NOW,
        )
        folder = settings.RUNS_DIR / str(run.pk)
        folder.mkdir()
        (folder / "script.json").write_text(json.dumps(script))
        return run

    return make
