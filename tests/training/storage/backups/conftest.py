"""A site with a bit of everything that a backup must hold."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON
from tests.training.storage.backups import sites
from training.models import Run, Snapshot, TrainedModel
from training.runs import run_queue
from training.runs import services as runs_services
from training.snapshots import services as snapshots_services
from training.storage import artifacts, store


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The PostgreSQL that tests run on brings its own programs."""
    monkeypatch.setenv("PATH", str(sites.programs()), prepend=os.pathsep)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FIRST_RETRY_DELAY_S", 0.001)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture
def store_kind() -> str:
    """Where the artifacts are: below PREFERABLY_HOME, in a folder, at a URL, or in a bucket."""
    return "home"


@pytest.fixture
def folders(
    request: pytest.FixtureRequest, tmp_path: Path, settings: LazySettings, store_kind: str
) -> sites.Folders:
    named = {
        "home": str(tmp_path / "home" / "artifacts"),
        "folder": str(tmp_path / "artifacts"),
        "url": f"file://{tmp_path}/artifacts",
    }
    if store_kind == "bucket":
        named[store_kind] = f"{request.getfixturevalue('s3')}/{tmp_path.name}"
    return sites.use(settings, sites.Folders(tmp_path / "home", named[store_kind]))


def weights(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(f"weights of {name}")
    return folder


@pytest.fixture
def site(
    folders: sites.Folders, demonstration_campaign: Campaign, rosa: Rater, noor: User
) -> sites.Folders:
    """A judgment, its snapshot, a base model, a run with its model, one in progress, and an
    uploaded file that waits for its import.
    """
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Two.", sources=""),
        recorded=Recorded(presentation={}, active_s=1, warnings=[]),
        now=NOON,
    )
    snapshot = snapshots_services.create_snapshot(
        kind="demonstrations",
        name="first",
        filters=snapshots_services.Filters(),
        by=noor,
        now=NOON + timedelta(minutes=5),
    )
    base = TrainedModel.objects.create(
        name="base", kind="policy", location=str(weights(folders.home / "models" / "base", "base"))
    )
    _runs(folders, snapshot, base, noor)
    imports_services.start_upload(
        upload=SimpleUploadedFile("own.jsonl", b'{"prompt": "Why is the sky blue?"}\n'),
        file_format=None,
        source_name="own",
        licence="CC0-1.0",
        by=noor,
        now=NOON,
    )
    return folders


def _runs(folders: sites.Folders, snapshot: Snapshot, base: TrainedModel, noor: User) -> None:
    ended, going = (
        run_queue.queue_run(
            kind="sft", name=name, config={}, snapshot=snapshot, base_model=base, by=noor, now=NOON
        )
        for name in ("ended", "going")
    )
    ended.state, ended.outcome = Run.State.FINISHED, Run.Outcome.SUCCEEDED
    ended.save()
    made = artifacts.store_model(
        weights(folders.home / "runs" / str(ended.pk) / "model", "made"), name=f"run-{ended.pk}-1"
    )
    TrainedModel.objects.create(name="made", kind="policy", location=made, parent=base, run=ended)
    runs_services.claim_run(run_id=going.pk, node="node-1", now=NOON)
