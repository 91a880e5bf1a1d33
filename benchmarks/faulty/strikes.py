"""Every fault, by name. Each breaks one thing and returns what it broke, or finds nothing to
break.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import redis
import services as servers
from django.conf import settings
from django.db import connection
from django.db.models import F

from benchmarks.faulty.gpu_simulator import ROOT, GpuSimulator, descendants, end, parent
from benchmarks.faulty.scale import Scale
from benchmarks.faulty.waiting import asked
from labeling.models import Slot
from training.models import Run
from training.processes import doorbell
from training.runs import services as runs_services
from training.runs.supervisor import supervise

JUMP = timedelta(hours=1)
N_RACERS = 4
RACE_BEGINS_S = 4


class NoTarget(Exception):
    """There is nothing to break at the moment."""


class Strikes:
    """Spares the processes of a run that died twice without progress, because three such deaths
    mean LOST.
    """

    def __init__(self, rack: GpuSimulator, scale: Scale, chance: random.Random) -> None:
        self.rack, self.scale, self.chance = rack, scale, chance
        self.n_nodes = 0
        self.store = rack.store.rename(
            rack.store.with_name("store-behind")
        )  # nothing is running yet
        self._lead_store_to(self.store)

    def strike(self, kind: str) -> str:
        """Returns what was broken. Raises NoTarget."""
        words: str = getattr(self, kind)()
        return words

    def add_node(self) -> None:
        self.n_nodes += 1
        self.rack.add_node(f"node-{self.n_nodes}")

    # --- processes --------------------------------------------------------------------------------

    def child_killed(self) -> str:
        run, pid = self._victim()
        end(pid)
        return f"run {run.pk} at step {run.step}"

    def supervisor_killed(self) -> str:
        run, pid = self._victim()
        above = parent(pid)
        if above is None or above == os.getpid():
            raise NoTarget("its supervisor is gone")
        end(above)
        return f"of run {run.pk} on {run.node}"

    def worker_killed(self) -> str:
        node = self._node()
        self.rack.kill(node)
        return node

    def worker_main_killed(self) -> str:
        node = self._node()
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

    # --- database, broker, store, disk and clock --------------------------------------------------

    def database_killed(self) -> str:
        return self._restart_database(signal.SIGKILL)

    def database_restarted(self) -> str:
        return self._restart_database(signal.SIGINT)

    def _restart_database(self, number: int) -> str:
        self.rack.database.stop(number)
        self._outage()
        connection.close()
        for _try in range(20):
            with contextlib.suppress(SystemExit):
                self.rack.database.start()
                return signal.Signals(number).name
            time.sleep(0.5)  # its children still hold its memory
        raise AssertionError("the database does not come back")

    def connections_cut(self) -> str:
        def cut() -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <>"
                    " pg_backend_pid()"
                )

        asked(cut)
        return "all"

    def store_away(self) -> str:
        in_the_way = self.store.with_name("in-the-way")
        in_the_way.touch()
        self._lead_store_to(in_the_way)
        seconds = self._outage()
        self._lead_store_to(self.store)
        return f"{seconds:.1f} s"

    def _lead_store_to(self, place: Path) -> None:
        """Switches the store in one step: a node that found nothing there, even for a moment,
        would start a new one.
        """
        link = self.rack.store.with_name("store-next")
        link.symlink_to(place)
        link.replace(self.rack.store)

    def disk_full(self) -> str:
        node = self._node()
        home = self.rack.node_home(node)
        if home in self.rack.mounted:
            ballast = home / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * 65536)
            self._outage()
            ballast.unlink()
            return f"{node}: not a byte left"
        run, pid = self._victim()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, 1))
        return f"run {run.pk}: its process may write no more"

    def clock_jumped(self) -> str:
        """Moves every stored time, as if all clocks had been set in the other direction."""
        by = JUMP if self.chance.random() < 0.5 else -JUMP

        def jump() -> None:
            running = Run.objects.filter(state=Run.State.RUNNING)
            running.update(heartbeat_at=F("heartbeat_at") + by, started_at=F("started_at") + by)
            Slot.objects.filter(state=Slot.State.LEASED).update(
                expires_at=F("expires_at") + by, leased_at=F("leased_at") + by
            )

        if any(not may_die(run) for run in running()):
            raise NoTarget("a run has died twice in a row")
        asked(jump)
        return "backward" if by > timedelta(0) else "forward"

    def node_frozen(self) -> str:
        """Freezes a node, like a machine that swaps, until another node has taken over its run."""
        node = self._node()
        pids = [self.rack.processes[node].pid, *descendants(self.rack.processes[node].pid)]
        for pid in pids:
            end(pid, signal.SIGSTOP)
        thaw = threading.Timer(self.scale.reap_s + 5, wake, [pids])
        thaw.daemon = True
        thaw.start()
        if not self.scale.is_hurried:
            thaw.join()
        return node

    def node_vanished(self) -> str:
        node = self._node()
        self.rack.lose_node(node)
        self.add_node()
        return f"{node}, its disk with it"

    def _outage(self) -> float:
        seconds = self.chance.uniform(*self.scale.outage_s)
        time.sleep(seconds)
        return seconds

    # --- messages and claims ----------------------------------------------------------------------

    def message_twice(self) -> str:
        pks = asked(
            lambda: list(Run.objects.exclude(state=Run.State.FINISHED).values_list("pk", flat=True))
        )
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
        words = [sys.executable, str(ROOT / "benchmarks" / "faults.py"), "--race", str(waiting.pk)]
        environment = self.rack.environment | {"PREFERABLY_HOME": str(self.rack.home / "race")}
        with (self.rack.home / "log" / "race.log").open("ab") as log:
            subprocess.Popen(
                [*words, str(time.time() + RACE_BEGINS_S)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=servers.die_with_parent,
            )
        for _ring in range(4):
            doorbell.ring(waiting.pk)
        return f"run {waiting.pk}, by {N_RACERS}"

    # --- targets ----------------------------------------------------------------------------------

    def _victim(self) -> tuple[Run, int]:
        """A run with a live process, and that process."""
        found = []
        for run in running():
            named = (
                self.rack.home
                / (run.node if run.node in self.rack.nodes else "race")
                / "runs"
                / str(run.pk)
                / "child.json"
            )
            with contextlib.suppress(OSError, ValueError):
                pid = json.loads(named.read_text())["pid"]
                if may_die(run) and is_stand_in(pid):
                    found.append((run, pid))
        if not found:
            raise NoTarget("no run has a process")
        return self.chance.choice(found)

    def _node(self) -> str:
        """A process whose run may still lose one more."""
        spared = {run.node for run in running() if not may_die(run)}
        nodes = [node for node in self.rack.nodes if node not in spared]
        if not nodes:
            raise NoTarget("every node has a run that died twice in a row")
        return self.chance.choice(nodes)


def race(run_id: int, at: float) -> None:
    """Four supervisors, each in its own process, that claim one run at the same moment."""
    pids = []
    for number in range(N_RACERS):
        pid = os.fork()
        if pid == 0:
            servers.die_with_parent()
            time.sleep(max(0.0, at - time.time()))
            supervise.supervise(run_id=run_id, node=f"racer-{number}")
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


def wake(pids: list[int]) -> None:
    for pid in pids:
        end(pid, signal.SIGCONT)


def running() -> list[Run]:
    return asked(lambda: list(Run.objects.filter(state=Run.State.RUNNING)))


def may_die(run: Run) -> bool:
    return run.n_crashes < settings.RUN_MAX_ATTEMPTS - 1 or asked(
        lambda: runs_services._made_progress(run.pk, run.attempt)
    )


def is_stand_in(pid: int) -> bool:
    try:
        return b"stand_in_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
