"""Files and answers that are made to do harm, through every door: do they end in a sentence, within
memory and time?

    python scripts/run_with_services.py python benchmarks/hostile.py [--quick]

The files are those of tests/labeling/importers/hostile. Each goes through the page of imports, and
with --quick through one other door in turn: the page of answers, the API, a hub, the command, the
worker. Files of suites, golds and invitations go through their own pages, folders of models
(tests/training/storage/hostile_models.py) through the page that registers them, and a server
answers as no hub and no endpoint should. Hub, endpoint and site are on this machine. The last line
is JSON:

- `crashed`: cases that ended the process of the site, or in an exception.
- `over_memory`: cases in which the process that asks grew by more than 128 MB, or the child that
  reads had more than it may (PREFERABLY_FILE_MEMORY_MB, and 150 MB for its program).
- `over_time`: cases that took more than a minute on a page, or five in a worker.
- `sentence`: the share of cases that ended in a sentence for whoever sent the file.
- `cases`, `files`, `grown_mb` (the most), `child_mb` (the most), `slowest_s` by door.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.access import scopes_of  # noqa: E402
from accounts.login import tokens  # noqa: E402
from accounts.models import User  # noqa: E402
from benchmarks.fixtures import command_line, desk_campaigns  # noqa: E402
from benchmarks.foreign import doors, servers, suites  # noqa: E402
from benchmarks.foreign.doors import Doors, Outcome  # noqa: E402
from tests.labeling.data.dataset_hub import DatasetHub, dataset_hub  # noqa: E402
from tests.labeling.importers.hostile.files import FILES  # noqa: E402
from tests.training.storage import hostile_models  # noqa: E402

Case = tuple[str, str]
"""A door, and the name of a file or answer."""
OTHERS = ("answers page", "API", "hub", "command", "worker")
MOST_GROWN_MB, PROGRAM_MB = 128, 150
IN_WORKERS = {"hub", "command", "worker", "hub's answers", "endpoint"}


def main() -> None:
    parser = command_line.parser(__doc__, quick="each file through two doors, not six")
    parser.add_argument("--doors", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.doors:
        folder, hub, server = chosen.doors
        doors.answer_cases(doors_of(Path(folder), hub, server), iter(sys.stdin.readline, ""))
        return
    call_command("migrate", verbosity=0)
    desk_campaigns.loads(n_items=2)
    with (
        tempfile.TemporaryDirectory(prefix="hostile-benchmark-") as home,
        dataset_hub() as hub,
        servers.hostile_server() as server,
        watched() as child_mb,
    ):
        files = Path(home, "files")
        files.mkdir()
        site = Site([str(files), hub.url, server], home)
        outcomes = {case: site.outcome(case, files, hub) for case in cases_of(chosen.quick)}
        site.end()
    report(outcomes, child_mb=child_mb[0])


def cases_of(is_quick: bool) -> Iterator[Case]:
    for number, name in enumerate(FILES):
        yield "page", name
        yield from ((door, name) for door in (OTHERS[number % 5 :][:1] if is_quick else OTHERS))
    for door, names in (
        ("suites page", suites.SUITES),
        ("golds page", suites.GOLDS),
        ("invitations page", suites.INVITATIONS),
        ("models page", hostile_models.MODELS),
        ("hub's answers", [*servers.CARDS, *servers.ANSWERS]),
        ("endpoint", servers.ANSWERS),
    ):
        yield from ((door, name) for name in names)


MADE: Mapping[str, Callable[[], bytes]] = {
    **FILES,
    **suites.SUITES,
    **suites.GOLDS,
    **suites.INVITATIONS,
}


class Site:
    """The process with the doors, started again after a case that ended it."""

    def __init__(self, arguments: list[str], home: str) -> None:
        self._program = [sys.executable, __file__, "--doors", *arguments]
        self._environment = os.environ | {"PREFERABLY_HOME": home}
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self._program,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def outcome(self, case: Case, files: Path, hub: DatasetHub) -> Outcome:
        """Makes the file of the case, and asks the site what becomes of it."""
        door, name = case
        if name in hostile_models.MODELS:
            shutil.rmtree(files / "model", ignore_errors=True)
            hostile_models.write(files / "model", hostile_models.MODELS[name]())
        if name in MADE and not (files / name).exists():
            for old in files.iterdir():
                if old.is_file():
                    old.unlink()
            (files / name).write_bytes(MADE[name]())
        if door == "hub":
            repository = f"stranger/{doors.repository_name(name)}"
            hub.files = {repository: {"train.jsonl": (files / name).read_bytes()}}
        outcome = self._asked(case)
        print(f"{door:>16}  {name}: {outcome}", file=sys.stderr)
        return outcome

    def _asked(self, case: Case) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        limit = threading.Timer(2 * doors.WORKER_S, self._process.kill)
        limit.start()
        try:
            self._process.stdin.write(json.dumps(case) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            limit.cancel()
        if line:
            answered: Outcome = json.loads(line)
            return answered
        ended = f"The process ended with {self._process.wait()}."
        self._process = self._start()
        return Outcome(sentence="", took_s=0, grown_mb=0, ended=ended)

    def end(self) -> None:
        self._process.communicate()


def doors_of(folder: Path, hub: str, server: str) -> Doors:
    """In the process of the site."""
    admin, _is_new = User.objects.get_or_create(
        email="admin@example.org", defaults={"name": "Admin", "is_admin": True}
    )
    User.objects.filter(pk=admin.pk).update(is_researcher=True, is_superuser=True)
    admin = User.objects.get(pk=admin.pk)
    _token, secret = tokens.create_token(
        user=admin, name="hostile", scopes=scopes_of(admin.roles), n_days=1, now=timezone.now()
    )
    return Doors(folder=folder, hub=hub, server=server, admin=admin, token=secret)


@contextmanager
def watched() -> Iterator[list[int]]:
    """The most memory of a child that reads a file, in a list of one number."""
    most, ends = [0], threading.Event()

    def watch() -> None:
        while not ends.wait(0.1):
            most[0] = max([most[0], *map(_reader_mb, Path("/proc").glob("[0-9]*"))])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield most
    ends.set()
    thread.join()


def _reader_mb(process: Path) -> int:
    try:
        if b"labeling.importers.child" not in (process / "cmdline").read_bytes():
            return 0
        pages = int((process / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024**2


def report(outcomes: Mapping[Case, Outcome], *, child_mb: int) -> None:
    slowest: dict[str, float] = {}
    for (door, _name), outcome in outcomes.items():
        slowest[door] = max(slowest.get(door, 0.0), outcome["took_s"])
    most_child_mb = int(os.environ.get("PREFERABLY_FILE_MEMORY_MB", "1024")) + PROGRAM_MB
    n_sentences = sum(bool(outcome["sentence"]) for outcome in outcomes.values())
    result = {
        "crashed": sum(bool(outcome["ended"]) for outcome in outcomes.values()),
        "over_memory": sum(outcome["grown_mb"] > MOST_GROWN_MB for outcome in outcomes.values())
        + (child_mb > most_child_mb),
        "over_time": sum(is_over_time(case, outcome) for case, outcome in outcomes.items()),
        "sentence": round(n_sentences / len(outcomes), 4),
        "cases": len(outcomes),
        "files": len({name for _door, name in outcomes}),
        "grown_mb": max(outcome["grown_mb"] for outcome in outcomes.values()),
        "child_mb": child_mb,
        "slowest_s": slowest,
        "load_average": os.getloadavg(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps(result))


def is_over_time(case: Case, outcome: Outcome) -> bool:
    return outcome["took_s"] > (doors.WORKER_S if case[0] in IN_WORKERS else doors.PAGE_S)


if __name__ == "__main__":
    main()
