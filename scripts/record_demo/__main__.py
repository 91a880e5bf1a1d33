"""`make record-demo`: records the site that the demo opens with, through the real product.

Starts a site with the content of `seed_demo` and lives two weeks on it in about an hour: an admin,
a researcher and eight simulated raters use it over HTTP, every run trains or samples with SmolLM2,
and between two stages all dates move into the past. What comes out is stored with the package
(training.management.demo.recording). A recorded history was chosen over a replay, because a replay
would train for an hour before anything can be seen; what is recorded is what the product did.

A stage that is finished is not done again: after an interruption, start with the same --home.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import local_site
import services
from form_browser import UnexpectedPage
from record_demo import stages
from record_demo.stages import Recorder

HOME = local_site.ROOT / "build" / "demo-recording"
FILE = local_site.ROOT / "training" / "management" / "demo" / "recorded.tar.xz"


class Stage(NamedTuple):
    name: str
    carry_out: Callable[[Recorder], None]
    days: float
    """that pass until the next one"""


STAGES = (
    Stage("people", stages.people, 1.2),
    Stage("demonstrations", stages.demonstrations, 1.1),
    Stage("first-model", stages.first_model, 0.9),
    Stage("comparing", stages.compare, 1.1),
    Stage("golds", stages.golds, 0.2),
    Stage("comparing-on", stages.compare, 1.0),
    Stage("comparing-last", stages.compare_rest, 1.2),
    Stage("pausing", stages.pause_some, 0.1),
    Stage("schedule", stages.schedule, 0.1),
    Stage("cycle-1-candidates", stages.fire, 0.8),
    Stage("cycle-1-ranking", stages.rank_some, 1.0),
    Stage("cycle-1-ranked", stages.rank_rest, 0.9),
    Stage("cycle-1-gate", stages.judge, 3.1),
    Stage("cycle-2-candidates", stages.fire, 0.9),
    Stage("cycle-2-ranking", stages.rank_some, 1.0),
    Stage("cycle-2-ranked", stages.rank_rest, 1.1),
    Stage("cycle-2-gate", stages.judge, 0.7),
    Stage("review", stages.review, 0.05),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=HOME, help="folder of the recorded site")
    parser.add_argument("--seed", type=int, default=1, help="of the raters' mistakes")
    parser.add_argument("--until", help="stop after this stage")
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="record nothing: bring the stored site to today's migrations, as before a release",
    )
    arguments = parser.parse_args()
    if arguments.refresh:
        refresh()
        return
    home = arguments.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    database = home / "preferably.sqlite3"
    # One thread, so that nothing waits for a second one on a machine that does other work.
    os.environ.setdefault("PREFERABLY_TRAINER_THREADS", "1")
    site = local_site.LocalSite(home, services.free_port(), f"sqlite:///{database}")
    n_done = restored(home, database)
    with local_site.process_tree(site):
        local_site.start_broker(site)
        local_site.manage(site, "seed_demo")
        local_site.start_site(site)
        for number, stage in enumerate(STAGES[n_done:], start=n_done + 1):
            print(f"[{time.strftime('%H:%M:%S')}] {number}/{len(STAGES)} {stage.name}", flush=True)
            stage.carry_out(Recorder(site, arguments.seed * 100 + number))
            in_site(site, "shift", str(-stage.days))
            copy(database, aside := home / "stages" / "aside.sqlite3")
            aside.rename(home / "stages" / f"{number:02}-{stage.name}.sqlite3")
            if stage.name == arguments.until:
                return
        in_site(site, "store", str(FILE))


def refresh() -> None:
    with tempfile.TemporaryDirectory(prefix="preferably-demo-") as name:
        database = f"sqlite:///{name}/preferably.sqlite3"
        site = local_site.LocalSite(Path(name), services.free_port(), database)
        in_site(site, "refresh", str(FILE))


def restored(home: Path, database: Path) -> int:
    """Puts the database back to the end of the last finished stage. Returns how many are."""
    folder = home / "stages"
    folder.mkdir(exist_ok=True)
    done = sorted(folder.glob("[0-9]*.sqlite3"))
    for beside in ("", "-wal", "-shm"):
        Path(f"{database}{beside}").unlink(missing_ok=True)
    if done:
        shutil.copy(done[-1], database)
        forget_runs_after(done[-1], home / "runs")
    return len(done)


def forget_runs_after(database: Path, folder: Path) -> None:
    """Of a stage that was interrupted: their numbers are given again."""
    with closing(sqlite3.connect(database)) as stored:
        (last,) = stored.execute("SELECT coalesce(max(id), 0) FROM training_run").fetchone()
    for run in folder.glob("*") if folder.is_dir() else ():
        if run.name.isdecimal() and int(run.name) > last:
            shutil.rmtree(run)


def copy(database: Path, target: Path) -> None:
    """Of a database that is in use."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as to:
        source.backup(to)


def in_site(site: local_site.LocalSite, *words: str) -> None:
    """Something that needs Django, in the site's environment."""
    environment = site.environment | {"PYTHONPATH": f"{local_site.ROOT}"}
    command = [sys.executable, str(Path(__file__).with_name("in_site.py")), *words]
    subprocess.run(command, cwd=local_site.ROOT, env=environment, check=True)


if __name__ == "__main__":
    try:
        main()
    except UnexpectedPage as trouble:
        raise SystemExit(f"The recording reached an unexpected page. {trouble}") from trouble
