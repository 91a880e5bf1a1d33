"""Is anything lost when everything that can break does? Kills, restarts, full disks and odd messages, while runs and raters work.

    python benchmarks/faults.py [--quick] [--faults 220] [--seed 1] [--keep FOLDER]

Ten short runs are always on their way on two GPU nodes without a shared disk (their children count steps and save them, by the
trainer's own protocol), raters write demonstrations over HTTP and send again what was not answered, and faults come one after
another in random order: kill -9 of child, supervisor, worker, beat, web and broker (with its data and without), the database
killed and its connections cut, the store away, a node's disk full, the clock jumping, messages twice and lost, many claims of one
run at once, a node frozen past its time, a node gone for good. Whoever dies is started again after a second.

Ends with one JSON line. `runs_lost`: runs that did not succeed. `runs_twice`: runs that ended or left a model more than once.
`judgments_lost`: answers that the site said it had stored and that are not there once, as sent. `max_redone_steps_over_interval`:
the most steps done again after an interruption, in checkpoint intervals. `hung`: runs, raters and processes that never came back.
A process of a run that has died twice without getting further is spared: three such deaths are what LOST means. Runs that ended
on a full disk are retried, as their sentence asks.
"""

import argparse
import contextlib
import json
import logging
import os
import platform
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import services as servers  # noqa: E402

HOME = Path(os.environ.get("FAULTS_HOME") or tempfile.mkdtemp(prefix="preferably-faults-"))
if "FAULTS_HOME" not in os.environ:
    os.environ |= {
        "FAULTS_HOME": str(HOME),
        "PREFERABLY_MODE": "test",
        "PREFERABLY_HOME": str(HOME / "site"),
        "PREFERABLY_ARTIFACTS": f"file://{HOME}/store",
        "DATABASE_URL": f"postgres://preferably@127.0.0.1:{servers.free_port()}/postgres",
        "REDIS_URL": f"redis://127.0.0.1:{servers.free_port()}/0",
        "PREFERABLY_RUN_HEARTBEAT_S": "1",
        "PREFERABLY_RUN_REAP_AFTER_S": "30",
        "PREFERABLY_TRAINER": f"{sys.executable} -m tests.training.stand_in_child",
        "PREFERABLY_TRAINER_THREADS": "1",
        "PREFERABLY_LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }

import django  # noqa: E402

django.setup()

import httpx2  # noqa: E402
import redis  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import InterfaceError, OperationalError, connection  # noqa: E402
from django.db.models import F, Max, Min  # noqa: E402
from django.utils import timezone  # noqa: E402
from rack import Rack, descendants, end, parent  # noqa: E402
from visitor import Page, UnexpectedPage, Visitor  # noqa: E402

from accounts.models import Notice, User  # noqa: E402
from labeling import services as labeling  # noqa: E402
from labeling.models import Campaign, Judgment, Prompt, Slot, Source  # noqa: E402
from training import artifacts, doorbell, freezing, run_dir, services, supervisor  # noqa: E402
from training.models import Run, RunPoint, Snapshot, TrainedModel  # noqa: E402

logging.getLogger("httpx2").setLevel(logging.WARNING)
T = TypeVar("T")
INTERVAL = 10
PASSWORD = "everything breaks, nothing is lost"
PATIENCE_S = 120
JUMP = timedelta(hours=1)
DISK_FULL = "disk of the node is full"


@dataclass(frozen=True)
class Scale:
    n_in_flight: int
    n_steps: int
    pause_s: float
    n_raters: int
    n_items: int
    reap_s: int
    end_s: int
    is_hurried: bool = False
    """The reaper and the ringing come every second and not every fifteen."""


FULL = Scale(n_in_flight=10, n_steps=80, pause_s=0.12, n_raters=3, n_items=1500, reap_s=30, end_s=420)
QUICK = Scale(n_in_flight=3, n_steps=40, pause_s=0.05, n_raters=1, n_items=200, reap_s=8, end_s=240, is_hurried=True)
# How often each comes among 220.
OFTEN = {
    "child_killed": 30,
    "supervisor_killed": 20,
    "worker_killed": 12,
    "worker_main_killed": 8,
    "beat_killed": 10,
    "web_killed": 14,
    "short_killed": 8,
    "broker_killed": 10,
    "broker_wiped": 8,
    "database_killed": 8,
    "database_restarted": 4,
    "connections_cut": 10,
    "store_away": 10,
    "disk_full": 8,
    "clock_jumped": 12,
    "message_twice": 14,
    "message_lost": 12,
    "claimed_at_once": 10,
    "node_frozen": 4,
    "node_vanished": 8,
}
SLOWEST = {"node_frozen", "database_restarted", "short_killed", "worker_main_killed"}


class NoTarget(Exception):
    """Nothing there to break just now."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="one fault of each kind but the slowest, in under a minute")
    options.add_argument("--faults", type=int, default=sum(OFTEN.values()))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=Path, help="copy the logs here")
    options.add_argument("--race", nargs="+", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.race:
        race(*chosen.race)
        return
    if chosen.quick:
        os.environ["PREFERABLY_RUN_REAP_AFTER_S"] = str(QUICK.reap_s)
    port = int(os.environ["DATABASE_URL"].rpartition(":")[2].partition("/")[0])
    broker_port = int(os.environ["REDIS_URL"].rpartition(":")[2].partition("/")[0])
    database = servers.Postgres(outlives_kill=True, port=port)
    rack = Rack(HOME, database, broker_port, servers.free_port(), dict(os.environ))
    ordeal = Ordeal(rack, QUICK if chosen.quick else FULL, random.Random(chosen.seed))
    try:
        rack.begin()
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
        result = ordeal.run(deck(chosen.faults, ordeal.chance, is_quick=chosen.quick))
    finally:
        if chosen.keep:
            shutil.copytree(HOME / "log", chosen.keep, dirs_exist_ok=True)
        rack.finish()
    print(json.dumps(result))


def deck(n: int, chance: random.Random, *, is_quick: bool) -> list[str]:
    """The faults in the order in which they come."""
    if is_quick:
        kinds = [kind for kind in OFTEN if kind not in SLOWEST]
        return chance.sample(kinds, len(kinds))
    whole = [kind for kind, often in OFTEN.items() for _ in range(often)]
    drawn = chance.sample(whole, len(whole))
    return (drawn * (n // len(drawn) + 1))[:n]


@dataclass
class Ordeal:
    """The load, the faults, and the reckoning."""

    rack: Rack
    scale: Scale
    chance: random.Random
    raters: list["Writer"] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    n_retried: int = 0
    hung: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, faults: list[str]) -> dict[str, object]:
        began = time.monotonic()
        self.noor, campaign, self.snapshot, self.base = set_up(self.rack, self.scale)
        self.rack.add_site()
        for node in ("node-1", "node-2"):
            self.rack.add_node(node)
        self.n_nodes = 2
        threading.Thread(target=self.rack.keep, daemon=True).start()
        threading.Thread(target=self.operate, daemon=True).start()
        for number in range(self.scale.n_raters):
            self.raters.append(Writer(f"http://127.0.0.1:{self.rack.web_port}", number, campaign.pk, self.is_over))
            self.raters[-1].start()
        self.refill()
        until(lambda: self.running(), "the first run", PATIENCE_S)
        for kind in faults:
            self.strike(kind, began)
        self.wait_for_the_end()
        return self.reckon(time.monotonic() - began)

    def strike(self, kind: str, began: float) -> None:
        self.refill()
        deadline = time.monotonic() + 30
        while True:
            try:
                words = getattr(self, kind)()
            except NoTarget as problem:
                if time.monotonic() > deadline:
                    print(f"{time.monotonic() - began:6.1f} s  {kind}: skipped, {problem}", flush=True)
                    return
                time.sleep(0.2)
                continue
            break
        self.faults[kind] += 1
        print(f"{time.monotonic() - began:6.1f} s  {kind}: {words}", flush=True)
        time.sleep(self.chance.uniform(0.2, 0.6 if self.scale.is_hurried else 2.0))

    def refill(self) -> None:
        while asked(lambda: Run.objects.exclude(state=Run.State.FINISHED).count()) < self.scale.n_in_flight:
            asked(
                lambda: services.queue_run(
                    kind="sft",
                    name="short",
                    config={"checkpoint_every": INTERVAL},
                    snapshot=self.snapshot,
                    base_model=self.base,
                    by=self.noor,
                    now=timezone.now(),
                )
            )

    def operate(self) -> None:
        """The person on duty: makes room and retries what ended for want of it."""
        while not self.is_over.wait(1):
            with contextlib.suppress(OperationalError, InterfaceError):
                if self.scale.is_hurried:
                    services.reap_runs(now=timezone.now())
                    for pk in Run.objects.filter(state=Run.State.QUEUED).values_list("pk", flat=True):
                        doorbell.ring(pk)
                for run in Run.objects.filter(outcome=Run.Outcome.FAILED, error__contains=DISK_FULL):
                    with contextlib.suppress(services.UnableToRetry):
                        services.retry_run(run=run, by=self.noor, now=timezone.now())
                        self.n_retried += 1
            connection.close()

    # --- processes -----------------------------------------------------------------------------------------------

    def child_killed(self) -> str:
        run, pid = self.victim()
        end(pid)
        return f"run {run.pk} at step {run.step}"

    def supervisor_killed(self) -> str:
        run, pid = self.victim()
        above = parent(pid)
        if above is None or above == os.getpid():
            raise NoTarget("its supervisor is gone")
        end(above)
        return f"of run {run.pk} on {run.node}"

    def worker_killed(self) -> str:
        node = self.node()
        self.rack.kill(node)
        return node

    def worker_main_killed(self) -> str:
        node = self.node()
        end(self.rack.processes[node].pid)
        return node

    def beat_killed(self) -> str:
        self.rack.kill("beat")
        return ""

    def web_killed(self) -> str:
        self.rack.kill("web")
        return ""

    def short_killed(self) -> str:
        self.rack.kill("short")
        return ""

    def broker_killed(self) -> str:
        self.rack.kill("broker")
        return "its data kept"

    def broker_wiped(self) -> str:
        with self.rack.down("broker"):
            self.rack.kill("broker")
            shutil.rmtree(self.rack.broker_data)
            self.rack.broker_data.mkdir()
        return "its data gone"

    # --- what they stand on --------------------------------------------------------------------------------------

    def database_killed(self) -> str:
        return self._restart_database(signal.SIGKILL)

    def database_restarted(self) -> str:
        return self._restart_database(signal.SIGINT)

    def _restart_database(self, number: int) -> str:
        self.rack.database.stop(number)
        time.sleep(self.chance.uniform(0, 2))
        connection.close()
        for _try in range(20):
            with contextlib.suppress(SystemExit):
                self.rack.database.start()
                return signal.Signals(number).name
            time.sleep(0.5)  # the dead one's children still hold its memory
        raise AssertionError("the database does not come back")

    def connections_cut(self) -> str:
        def cut() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

        asked(cut)
        return "all"

    def store_away(self) -> str:
        aside = self.rack.store.with_name("store-aside")
        self.rack.store.rename(aside)
        self.rack.store.write_text("in the way")
        seconds = self.chance.uniform(1, 5)
        time.sleep(seconds)
        self.rack.store.unlink()
        aside.rename(self.rack.store)
        return f"{seconds:.1f} s"

    def disk_full(self) -> str:
        node = self.node()
        home = self.rack.node_home(node)
        if home in self.rack.mounted:
            ballast = home / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * 65536)
            time.sleep(self.chance.uniform(1, 4))
            ballast.unlink()
            return f"{node}: not a byte left"
        run, pid = self.victim()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, 1))
        return f"run {run.pk}: its process may write no more"

    def clock_jumped(self) -> str:
        """Every stored time moves, as if the clocks of all machines had been set the other way."""
        by = JUMP if self.chance.random() < 0.5 else -JUMP

        def jump() -> None:
            running = Run.objects.filter(state=Run.State.RUNNING)
            running.update(heartbeat_at=F("heartbeat_at") + by, started_at=F("started_at") + by)
            Slot.objects.filter(state=Slot.State.LEASED).update(expires_at=F("expires_at") + by, leased_at=F("leased_at") + by)

        if any(not self.may_die(run) for run in self.running()):
            raise NoTarget("a run has died twice in a row")
        asked(jump)
        return "backward" if by > timedelta(0) else "forward"

    # --- messages and claims -------------------------------------------------------------------------------------

    def message_twice(self) -> str:
        pks = asked(lambda: list(Run.objects.exclude(state=Run.State.FINISHED).values_list("pk", flat=True)))
        for pk in pks:
            doorbell.ring(pk)
            doorbell.ring(pk)
        return f"{len(pks)} runs"

    def message_lost(self) -> str:
        try:
            with redis.Redis.from_url(settings.REDIS_URL) as broker:
                n_lost = int(broker.llen("gpu")) + int(broker.llen("short"))
                broker.delete("gpu", "short", "unacked", "unacked_index")
        except redis.RedisError as problem:
            raise NoTarget("the broker is away") from problem
        return f"{n_lost} in line, and what was not acknowledged"

    def claimed_at_once(self) -> str:
        waiting = asked(lambda: Run.objects.filter(state=Run.State.QUEUED).order_by("pk").first())
        if waiting is None:
            raise NoTarget("no run waits")
        at = time.time() + 4
        environment = self.rack.environment | {"PREFERABLY_HOME": str(self.rack.home / "race")}
        words = [sys.executable, __file__, "--race", str(waiting.pk), str(at)]
        with (self.rack.home / "log" / "race.log").open("ab") as log:
            subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log, preexec_fn=servers.die_with_parent)
        for _ring in range(4):
            doorbell.ring(waiting.pk)
        return f"run {waiting.pk}, by four"

    def node_frozen(self) -> str:
        """As a machine that swaps: it stands still past its time, and wakes up when its run is somebody else's."""
        node = self.node()
        pids = [self.rack.processes[node].pid, *descendants(self.rack.processes[node].pid)]
        for pid in pids:
            end(pid, signal.SIGSTOP)
        time.sleep(self.scale.reap_s + 5)
        for pid in pids:
            end(pid, signal.SIGCONT)
        return node

    def node_vanished(self) -> str:
        node = self.node()
        self.rack.lose_node(node)
        self.n_nodes += 1
        self.rack.add_node(f"node-{self.n_nodes}")
        return f"{node}, its disk with it"

    # --- targets -------------------------------------------------------------------------------------------------

    def running(self) -> list[Run]:
        return asked(lambda: list(Run.objects.filter(state=Run.State.RUNNING)))

    def may_die(self, run: Run) -> bool:
        return run.n_crashes < settings.RUN_MAX_ATTEMPTS - 1 or asked(lambda: services.runs._has_advanced(run.pk, run.attempt))

    def victim(self) -> tuple[Run, int]:
        """A run with a process that lives, and the process."""
        found = []
        for run in self.running():
            named = self.rack.home / (run.node if run.node in self.rack.nodes else "race") / "runs" / str(run.pk) / "child.json"
            with contextlib.suppress(OSError, ValueError):
                pid = json.loads(named.read_text())["pid"]
                if self.may_die(run) and is_stand_in(pid):
                    found.append((run, pid))
        if not found:
            raise NoTarget("no run has a process")
        return self.chance.choice(found)

    def node(self) -> str:
        """One whose run may lose another process."""
        spared = {run.node for run in self.running() if not self.may_die(run)}
        nodes = [node for node in self.rack.nodes if node not in spared]
        if not nodes:
            raise NoTarget("every node has a run that died twice in a row")
        return self.chance.choice(nodes)

    # --- the reckoning -------------------------------------------------------------------------------------------

    def wait_for_the_end(self) -> None:
        to_retry = Run.objects.filter(outcome=Run.Outcome.FAILED, error__contains=DISK_FULL)
        unfinished = Run.objects.exclude(state=Run.State.FINISHED) | to_retry
        deadline = time.monotonic() + self.scale.end_s
        while asked(unfinished.exists) and time.monotonic() < deadline:
            time.sleep(0.5)
        self.hung += [f"run {run.pk} {run.state}" for run in asked(lambda: list(Run.objects.exclude(state=Run.State.FINISHED)))]
        self.is_over.set()
        for rater in self.raters:
            rater.join(timeout=60)
            if rater.is_alive() or rater.trouble:
                self.hung.append(f"rater {rater.number}: {rater.trouble}")
        self.hung += [name for name in self.rack.commands if not until_alive(self.rack, name)]

    def reckon(self, seconds: float) -> dict[str, object]:
        runs = list(Run.objects.all())
        lost = [run for run in runs if run.outcome != Run.Outcome.SUCCEEDED]
        for run in lost:
            print(f"run {run.pk}: {run.state} {run.outcome} {run.error}")
        for words in self.hung:
            print(f"hung: {words}")
        ratio = max((redone(run) / INTERVAL for run in runs), default=0)
        return {
            "faults": self.faults.total(),
            "runs_lost": len(lost),
            "runs_twice": sum(is_twice(run) for run in runs),
            "judgments_lost": sum(rater.n_lost() for rater in self.raters),
            "max_redone_steps_over_interval": round(ratio, 2),
            "hung": len(self.hung),
            "runs": len(runs),
            "attempts": sum(run.attempt for run in runs),
            "retried_by_hand": self.n_retried,
            "judgments": sum(len(rater.stored) for rater in self.raters),
            "restarts": self.rack.n_starts,
            "by_kind": dict(sorted(self.faults.items())),
            "seconds": round(seconds),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
        }


def redone(run: Run) -> int:
    """The most steps that an attempt did again."""
    spans = RunPoint.objects.filter(run=run).values("attempt").annotate(first=Min("step"), last=Max("step")).order_by("attempt")
    most, furthest = 0, 0
    for span in spans:
        again = furthest - (span["first"] - 1)
        if again > INTERVAL:
            print(f"run {run.pk}: attempt {span['attempt']} began at {span['first']} after {furthest}")
        most, furthest = max(most, again), max(furthest, span["last"])
    return most


def is_twice(run: Run) -> bool:
    n_told = Notice.objects.filter(key__startswith=f"run-{run.pk}-", kind=Notice.Kind.FINISHED).count()
    return n_told > 1 or TrainedModel.objects.filter(run=run).count() > 1


# --- the load ----------------------------------------------------------------------------------------------------


class Writer(threading.Thread):
    """A rater who writes demonstrations, and sends again whatever the site has not answered."""

    def __init__(self, address: str, number: int, campaign_id: int, is_over: threading.Event) -> None:
        super().__init__(name=f"rater {number}", daemon=True)
        self.number, self.campaign_id, self.is_over = number, campaign_id, is_over
        self.visitor = Visitor(address, self.name)
        self.visitor.client.timeout = httpx2.Timeout(20)
        self.stored: dict[str, str] = {}
        """What the site said it has: text by lease."""
        self.trouble = ""

    def run(self) -> None:
        try:
            self.insist(lambda: self.visitor.sign_in(f"writer{self.number}@example.org", PASSWORD))
            while not self.is_over.wait(0.3):
                self.write_one()
        except UnexpectedPage as trouble:
            self.trouble = str(trouble)

    def write_one(self) -> None:
        held = self.insist(lambda: self.visitor.open(f"/desk/{self.campaign_id}/next"))
        if "/item/" not in held.address:
            held = self.insist(lambda: self.visitor.send(held, held.form("/next")))
        if "/item/" not in held.address:
            return
        lease = held.address.partition("/item/")[2].partition("/")[0]
        text = f"An answer of its own, {uuid.uuid4()}, written to be found again word for word."
        review = self.insist(lambda: self.visitor.send(held, held.form("/submit"), step="review", text=text))
        page = self.insist(lambda: self.visitor.send(review, review.form("/submit"), step="submit"))
        if lease not in page.address or ("Stored" in page.text and "You submitted" in page.text):
            self.stored[lease] = text

    def insist(self, call: Callable[[], Page]) -> Page:
        """As a person does before a page that does not come: once more, for two minutes."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except (httpx2.HTTPError, UnexpectedPage) as problem:
                if time.monotonic() > deadline:
                    raise UnexpectedPage(f"{self.name}: nothing for {PATIENCE_S} s: {problem}") from problem
                time.sleep(0.5)

    def n_lost(self) -> int:
        there = {
            str(lease): text
            for lease, text in Judgment.objects.filter(lease__in=self.stored).values_list("lease", "demonstration__text")
        }
        lost = [lease for lease, text in self.stored.items() if there.get(lease) != text]
        for lease in lost:
            print(f"{self.name}: {lease} is {there.get(lease)!r} and was {self.stored[lease]!r}")
        return len(lost)


def set_up(rack: Rack, scale: Scale) -> tuple[User, Campaign, Snapshot, TrainedModel]:
    now = timezone.now()
    noor = labeling.create_person(
        email="noor@example.org", name="Noor", roles=["researcher"], password=PASSWORD, by=None, now=now
    )
    pool = labeling.create_pool(name="Day shift", by=None, now=now)
    writers = [
        labeling.create_person(
            email=f"writer{number}@example.org", name=f"Writer {number}", roles=["rater"], password=PASSWORD, by=None, now=now
        )
        for number in range(scale.n_raters)
    ]
    labeling.add_raters(pool=pool, raters=[person.rater for person in writers], by=None, now=now)
    source = Source.objects.create(name="questions", kind=Source.Kind.IMPORT)
    prompts = Prompt.objects.bulk_create(
        Prompt(messages=[{"role": "user", "content": f"What is {n}?"}], messages_sha256=f"faults-{n}", source=source)
        for n in range(scale.n_items)
    )
    guideline = labeling.create_guideline(name="Answer", text="Answer.", by=None, now=now)
    campaign = labeling.create_campaign(
        name="Write", kind="demonstration", pool=pool, guideline=guideline, prompts=prompts, overlap=2, by=None, now=now
    )
    labeling.open_campaign(campaign=campaign, by=None, now=now)
    return noor, campaign, cut(rack, scale, noor), register(rack, noor)


def cut(rack: Rack, scale: Scale, by: User) -> Snapshot:
    """A snapshot that carries the stand-in's script to every node."""
    folder = Path(settings.SNAPSHOTS_DIR) / "script"
    folder.mkdir(parents=True)
    for split in run_dir.SPLITS:
        (folder / f"{split}.jsonl").write_text("")
    script = {"n_steps": scale.n_steps, "pause_s": scale.pause_s, "checkpoint_every": INTERVAL}
    (folder / "script.json").write_text(json.dumps(script))
    artifacts.keep_snapshot(folder)
    return Snapshot.objects.create(
        name="script", kind="demonstrations", folder="script", n_rows=1, fingerprint=freezing.fingerprint(folder), created_by=by
    )


def register(rack: Rack, by: User) -> TrainedModel:
    folder = rack.home / "base"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return services.register_model(name="base", kind="policy", location=str(folder), licence="", by=by, now=timezone.now())


def race(run_id: str, at: str) -> None:
    """Four supervisors that reach for one run at the same moment; each in a process of its own."""
    pids = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            time.sleep(max(0.0, float(at) - time.time()))
            supervisor.supervise(run_id=int(run_id), node=f"racer-{number}")
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


# --- waiting -----------------------------------------------------------------------------------------------------


def asked(call: Callable[[], T]) -> T:
    """Through a database that is away for a while."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def until(claim: Callable[[], object], what: str, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not claim():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.1)


def until_alive(rack: Rack, name: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if rack.processes[name].poll() is None:
            return True
        time.sleep(0.2)
    return False


def is_stand_in(pid: int) -> bool:
    try:
        return b"stand_in_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


if __name__ == "__main__":
    main()
