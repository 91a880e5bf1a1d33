"""Does anybody notice an upgrade? 30 raters work through Caddy on two web processes, while the
database is migrated and each process is stopped and started again.

    python scripts/run_with_services.py --durable python -m benchmarks.operating.restarts

The two processes run the command of deploy/preferably-web@.service behind the Caddyfile of
compose.yaml, on a database of their own. The raters reload pages, save drafts and submit as the
desk's page does. While a "backup" has tables open, the migrations wait for its locks no longer than
PREFERABLY_LOCK_TIMEOUT_S allows, fail, and are tried again, as docs/operators.md says.

By default the next release is this code with two more migrations (next_release.py). With --from
COMMIT, the site starts with the code of that commit, and this code is the upgrade.

- `failed`: requests after which a person saw an error. `repeated`: those that the page's scripts
  sent again by themselves, as they do until the site answers.
- `lost`: answers reported as stored that are missing or incomplete; `judged`: all of them.
- `judged_without_redis`: answers stored after Redis was killed, at the end.
- `slowest_ms`: the longest wait for a response, the repeated ones included.
- `longest_stop_s`, `longest_start_s`: of a web process.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psycopg
import services as servers

from benchmarks.operating import caddy
from benchmarks.operating.busy_raters import Crowd

ROOT = Path(__file__).resolve().parents[2]
N_RATERS = 30
N_SLOTS = 60_000
N_SLOTS_QUICK = 6_000
UNIT = ROOT / "deploy" / "preferably-web@.service"
# Run with the code that the site starts with.
SEED = f"""
import json, sys
import django
django.setup()
from benchmarks.fixtures import desk_campaigns
desk_campaigns.loads(n_items=1)
campaign = desk_campaigns.queue_of(n_slots=int(sys.argv[1]))
sessions = [desk_campaigns.signed_in(f"rater {{n}}")[1] for n in range({N_RATERS})]
print(json.dumps([campaign.pk, sessions]))
"""
WHOLE = (
    "SELECT count(*) FROM labeling_judgment j JOIN labeling_comparison c ON c.judgment_id = j.id"
    " WHERE j.lease = ANY(%s::uuid[]) AND 4 = (SELECT count(*) FROM labeling_rankedresponse r"
    " WHERE r.comparison_id = c.judgment_id AND r.rank IS NOT NULL)"
)


@dataclass(frozen=True)
class Release:
    """The code of a release, and the environment in which its processes run."""

    root: Path
    environment: dict[str, str]

    def python(self, *words: str, **more: str) -> str:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def manage(self, *words: str) -> str:
        return self.python("manage.py", *words)


class Web:
    """A web process, started by the command of its unit."""

    def __init__(self, folder: Path) -> None:
        self.port = servers.free_port()
        self._log = folder / f"web-{self.port}.log"

    def start(self, release: Release) -> float:
        """Returns the seconds until it answers."""
        began = time.monotonic()
        (command,) = re.findall(r"^ExecStart=\S+/bin/(.*)$", UNIT.read_text(), re.MULTILINE)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command.replace("%i", str(self.port)).split()],
                cwd=release.root,
                env=release.environment,
                stdout=log,
                stderr=log,
                preexec_fn=servers.die_with_parent,
            )
        servers.wait(self._answers, self.process, self._log)
        return time.monotonic() - began

    def stop(self) -> float:
        """As systemd does: TERM, and no more than the unit's limit to end."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout=30)
        return time.monotonic() - began

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def measure(*, is_quick: bool, ref: str = "", template: str = "") -> dict[str, float]:
    """`is_quick` leaves out the time in which nothing happens, before and after; the raters answer
    more slowly, and fewer items wait. `template`: a migrated database to copy; the site then runs
    in the mode of tests, without collected files.
    """
    quiet_s = 2.0 if is_quick else 15.0
    with (
        tempfile.TemporaryDirectory(prefix="preferably-restarts-") as name,
        database(template) as url,
        contextlib.ExitStack() as redis,
    ):
        folder = Path(name)
        broker = redis.enter_context(servers.redis())
        old, new = releases(folder, url, broker, ref, is_for_tests=bool(template))
        if not template:
            old.manage("migrate", "--noinput", "--verbosity", "0")
            for release in {old.root: old, new.root: new}.values():
                release.manage("collectstatic", "--noinput", "--verbosity", "0")
        n_slots = N_SLOTS_QUICK if is_quick else N_SLOTS
        campaign, sessions = json.loads(old.python("-c", SEED, str(n_slots)).splitlines()[-1])
        with (
            pair_of_processes(folder, old) as webs,
            caddy.proxy(web_ports=[web.port for web in webs], folder=folder) as port,
        ):
            crowd = Crowd(
                port=port,
                campaign=campaign,
                sessions=sessions,
                pause_s=4.0 if is_quick else 1.0,
            )
            crowd.begin()
            time.sleep(quiet_s)
            n_attempts = migrated(new, url, folder, is_same_code=not ref)
            stops, starts = restarted(webs, new, crowd)
            redis.close()
            n_before = crowd.n_judged()
            wait_for_answers(crowd, n=2 * N_RATERS)
            n_without_redis = crowd.n_judged() - n_before
            time.sleep(quiet_s)
            crowd.end()
        return {
            **told(crowd, url),
            "judged_without_redis": n_without_redis,
            "restarts": len(stops),
            "longest_stop_s": round(max(stops), 1),
            "longest_start_s": round(max(starts), 1),
            "migrate_attempts": n_attempts,
        }


@contextmanager
def database(template: str) -> Iterator[str]:
    """A database on the server of DATABASE_URL: empty, or a copy."""
    server = os.environ["DATABASE_URL"]
    name = f"restarts_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def releases(
    folder: Path, url: str, broker: str, ref: str, *, is_for_tests: bool
) -> tuple[Release, Release]:
    environment = os.environ | {
        "DATABASE_URL": url,
        "REDIS_URL": broker,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PREFERABLY_MODE": "test" if is_for_tests else "production",
        "PREFERABLY_HTTPS": "1",
        "EMAIL_URL": "smtp://127.0.0.1:9",  # nobody is mailed
        "PREFERABLY_SECRET_KEY": secrets.token_urlsafe(40),
        "PREFERABLY_LOG_LEVEL": "WARNING",
        "PREFERABLY_HOME": str(folder / "home"),
        "PREFERABLY_STATIC": str(folder / "static"),
    }
    new = Release(ROOT, environment)
    if not ref:
        return new, new
    root = folder / "old"
    root.mkdir()
    archive = subprocess.run(
        ["git", "archive", ref], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    subprocess.run(["tar", "-x"], cwd=root, input=archive, check=True)
    return Release(root, environment | {"PREFERABLY_STATIC": str(folder / "old-static")}), new


@contextmanager
def pair_of_processes(folder: Path, release: Release) -> Iterator[list[Web]]:
    webs = [Web(folder), Web(folder)]
    for web in webs:
        web.start(release)
    try:
        yield webs
    finally:
        for web in webs:
            web.process.kill()
            web.process.wait()


def migrated(new: Release, url: str, folder: Path, *, is_same_code: bool) -> int:
    """Migrates while a backup has the tables open; returns how often that was tried."""
    command = (
        ["-m", "benchmarks.operating.next_release", str(folder)]
        if is_same_code
        else ["manage.py", "migrate", "--noinput", "--verbosity", "0"]
    )
    with psycopg.connect(url) as backup:
        backup.execute("LOCK TABLE labeling_judgment, labeling_slot IN ACCESS SHARE MODE")
        n_attempts = 1
        while not is_migrated(new, command):
            n_attempts += 1
            backup.rollback()  # it has ended
    return n_attempts


def is_migrated(new: Release, command: Sequence[str]) -> bool:
    try:
        new.python(*command, PREFERABLY_LOCK_TIMEOUT_S="1")
    except subprocess.CalledProcessError:
        return False
    return True


def restarted(webs: list[Web], new: Release, crowd: Crowd) -> tuple[list[float], list[float]]:
    """One after the other, each while the raters go on; the seconds that each took."""
    stops, starts = [], []
    for web in webs:
        stops.append(web.stop())
        starts.append(web.start(new))
        wait_for_answers(crowd, n=N_RATERS)
    return stops, starts


def wait_for_answers(crowd: Crowd, *, n: int) -> None:
    wanted = crowd.n_judged() + n
    deadline = time.monotonic() + 120
    while crowd.n_judged() < wanted and time.monotonic() < deadline:
        time.sleep(0.2)


def told(crowd: Crowd, url: str) -> dict[str, float]:
    leases = crowd.leases()
    with psycopg.connect(url) as connection:
        ((n_whole,),) = connection.execute(WHOLE, [leases]).fetchall()
    for sentence in [sentence for rater in crowd.raters for sentence in rater.failed][:20]:
        print(sentence, file=sys.stderr)
    return {
        "raters": len(crowd.raters),
        "requests": sum(rater.n_requests for rater in crowd.raters),
        "failed": sum(len(rater.failed) for rater in crowd.raters),
        "repeated": sum(rater.n_repeated for rater in crowd.raters),
        "judged": len(leases),
        "lost": len(set(leases)) - int(n_whole),
        "slowest_ms": round(1000 * max(rater.slowest_s for rater in crowd.raters)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="without the quiet time around it")
    parser.add_argument("--from", dest="ref", default="", help="a commit: upgrade from its code")
    parser.add_argument("--template", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    print(json.dumps(measure(is_quick=chosen.quick, ref=chosen.ref, template=chosen.template)))


if __name__ == "__main__":
    main()
