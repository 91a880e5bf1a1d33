"""`make record-demo`: records the site that the demo opens with, through the real product.

Starts a site with the content of `seed_demo` and lives two weeks on it in about an hour: an admin,
a researcher and eight simulated raters use it over HTTP, every run trains or samples with SmolLM2,
and between two stages all dates move into the past. What comes out is stored with the package
(training.management.demo.recording). A recorded history was chosen over a replay, because a replay
would train for an hour before anything can be seen; what is recorded is what the product did.

`make record-demo ARGS=--extend` records only what comes on top (extension.py), on the stored site:
nothing is trained again.

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
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import local_site
import services
from form_browser import UnexpectedPage
from record_demo import extension, stages
from record_demo.stages import Recorder

HOME = local_site.ROOT / "build" / "demo-recording"
FILE = local_site.ROOT / "training" / "management" / "demo" / "recorded.tar.xz"
HOW = "make record-demo"


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
EXTENSION = (
    Stage("back", extension.back, 0.0),
    Stage("conversations", extension.conversations, 0.15),
    Stage("red-teaming", extension.red_teaming, 0.1),
    Stage("reviews", extension.reviews, 0.1),
    Stage("curation", extension.curation, 0.1),
    Stage("quality", extension.quality, 0.02),
)
"""Of a site that was recorded and stored."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, help="folder of the recorded site")
    parser.add_argument("--seed", type=int, default=1, help="of the raters' mistakes")
    parser.add_argument("--until", help="stop after this stage")
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="record nothing: bring the stored site to today's migrations, as before a release",
    )
    parser.add_argument(
        "--extend",
        action="store_true",
        help="record conversations, a red teaming and a curation on the stored site",
    )
    arguments = parser.parse_args()
    if arguments.refresh:
        refresh()
        return
    if arguments.extend:
        record(arguments, HOME.with_name("demo-extension"), EXTENSION, "seed_demo", "--recorded")
    else:
        record(arguments, HOME, STAGES, "seed_demo")


def record(arguments: argparse.Namespace, home: Path, to_do: Sequence[Stage], *begins: str) -> None:
    """Carries out what is to do, and stores the site."""
    home = (arguments.home or home).absolute()
    home.mkdir(parents=True, exist_ok=True)
    database = home / "preferably.sqlite3"
    # One thread, so that nothing waits for a second one on a machine that does other work.
    os.environ.setdefault("PREFERABLY_TRAINER_THREADS", "1")
    site = local_site.LocalSite(home, services.free_port(), f"sqlite:///{database}")
    n_done = restored(home, database)
    with local_site.process_tree(site):
        local_site.start_broker(site)
        local_site.manage(site, *begins)
        local_site.start_site(site)
        for number, stage in enumerate(to_do[n_done:], start=n_done + 1):
            print(f"[{time.strftime('%H:%M:%S')}] {number}/{len(to_do)} {stage.name}", flush=True)
            stage.carry_out(Recorder(site, arguments.seed * 100 + number))
            in_site(site, "shift", str(-stage.days))
            copy(database, aside := home / "stages" / "aside.sqlite3")
            aside.rename(home / "stages" / f"{number:02}-{stage.name}.sqlite3")
            if stage.name == arguments.until:
                return
        in_site(site, "store", str(FILE), HOW + " --extend" * arguments.extend)


def refresh() -> None:
    with tempfile.TemporaryDirectory(prefix="preferably-demo-") as name:
        database = f"sqlite:///{name}/preferably.sqlite3"
        site = local_site.LocalSite(Path(name), services.free_port(), database)
        in_site(site, "refresh", str(FILE), f"{HOW} --refresh")


def restored(home: Path, database: Path) -> int:
    """Puts the database back to the end of the last finished stage. Returns how many are."""
    folder = home / "stages"
    folder.mkdir(exist_ok=True)
    done = sorted(folder.glob("[0-9]*.sqlite3"))
    for beside in ("", "-wal", "-shm"):
        Path(f"{database}{beside}").unlink(missing_ok=True)
    if done:
        shutil.copy(done[-1], database)
        forget_after(done[-1], home)
    return len(done)


def forget_after(database: Path, home: Path) -> None:
    """Deletes files of a stage that was interrupted: of runs, whose numbers are given again, and of
    curations.
    """
    with closing(sqlite3.connect(database)) as stored:
        (last,) = stored.execute("SELECT coalesce(max(id), 0) FROM training_run").fetchone()
        curations = {name for (name,) in stored.execute("SELECT folder FROM training_curation")}
    later = [
        folder
        for folder in (home / "runs").glob("*")
        if folder.name.isdecimal() and int(folder.name) > last
    ]
    later += [
        folder
        for folder in (home / "uploads" / "curations").glob("*")
        if folder.name not in curations
    ]
    for folder in later:
        shutil.rmtree(folder)


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
