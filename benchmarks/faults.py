"""Is anything lost when everything breaks that can? Kills, restarts, full disks and duplicated
messages, while runs and raters work.

usage: python benchmarks/faults.py [--quick] [--only conversations|judge] [--faults 292] [--seed 1]
       [--keep FOLDER]

Ten short runs are always in progress on two GPU nodes without a shared disk. Their child processes
count steps and save them, with the trainer's own protocol. Raters write demonstrations over HTTP
and retry requests without a response. Faults happen one after another in random order: kill -9 of
child, supervisor, worker, beat, web and broker (with and without its data), the database killed and
its connections cut, the store unavailable, a node's disk full, the clock jumping, messages
duplicated and lost, many claims of one run at once, a node frozen for too long, a node gone for
good. A process that dies is restarted after a second.

Other raters talk with models meanwhile: a local one in a child process and three at an endpoint.
kill -9 of child, worker, web and broker comes at each state of a turn: asked, claimed, one side
answered, both, judged, conversation finished. `--only conversations` causes these faults alone.

`--only judge` breaks an AI judge, which no other run has: kill -9 of its worker, its server, the
broker and the beat at each state of a request; a server that fails, is busy, hangs, says something
else or loses the connection; clocks, messages and the database as above; and an admin who stops and
starts it. What is silent for eight seconds counts as silent for minutes, and a judge rests for two
seconds at most. What failed is asked again in the end.

The last line is JSON; a full run writes it to benchmarks/results/faults.json:

- `runs_lost`: runs that did not succeed.
- `runs_twice`: runs that ended or produced a model more than once.
- `judgments_lost`: answers that the site reported as saved but that are not stored exactly once, as
  sent.
- `turns_lost`, `turns_twice`: turns of conversations that the site reported as saved but that are
  not stored whole, and what is stored or answered twice.
- `verdicts_lost`, `pairs_judged_wrongly_or_twice`: requests to a judge that did not end with what
  its server sent, and pairs whose judgments are not exactly what both orders say.
- `money_uncounted`, `money_summed_wrongly`: what the judge's server may charge for and nobody has
  counted, and by how much the judge's cost differs from the sum of its verdicts' prices.
- `max_redone_steps_over_interval`: the most steps repeated after an interruption, in checkpoint
  intervals.
- `hung`: runs, raters and processes that never came back.

If a run's process has died twice without progress, it is spared, because three such deaths mean
LOST. Runs that ended on a full disk are retried, as their error message asks.
"""

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import services as servers  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from benchmarks.fixtures import command_line  # noqa: E402
from benchmarks.fixtures.faulty import HOME, judging, talks  # noqa: E402
from benchmarks.fixtures.faulty.gpu_simulator import GpuSimulator  # noqa: E402
from benchmarks.fixtures.faulty.judging import Judging  # noqa: E402
from benchmarks.fixtures.faulty.load import Load  # noqa: E402
from benchmarks.fixtures.faulty.reckoning import reckon  # noqa: E402
from benchmarks.fixtures.faulty.scale import FULL, OFTEN, QUICK, Scale, deck  # noqa: E402
from benchmarks.fixtures.faulty.strikes import Strikes, race, running  # noqa: E402
from benchmarks.fixtures.faulty.talks import Talks  # noqa: E402
from benchmarks.fixtures.faulty.waiting import NoTarget, comes_back, until  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "faults.json"
QUICK_HELP = """each of the twenty faults and six of conversations once, meant for under a minute on
two quiet cores. Left out: the model in a child process, that faults meet in other orders and by the
dozen, ten runs at a time (three are on their way, of 30 steps and not 80), three raters (one
writes), the beat's own time (reaping and ringing come every second), and the migrations (the tables
are made from the models)."""
A_WHOLE_RUN = 270
# A fault that finds nothing to break for this long is skipped and does not count.
NO_TARGET_S = 60


def main() -> None:
    options = arguments()
    if options.race:
        run_id, at = options.race
        race(int(run_id), float(at))
        return
    chance = random.Random(options.seed)
    scale = QUICK if options.quick else FULL
    if options.only:
        scale = replace(scale, n_in_flight=0, n_raters=0)
    os.environ["PREFERABLY_RUN_REAP_AFTER_S"] = str(scale.reap_s)
    settings.RUN_REAP_AFTER_S = scale.reap_s
    rack = GpuSimulator(
        HOME,
        servers.Postgres(outlives_kill=True, port=port(os.environ["DATABASE_URL"])),
        port(os.environ["REDIS_URL"]),
        servers.free_port(),
        dict(os.environ),
    )
    try:
        rack.begin()
        make_tables(is_hurried=scale.is_hurried)
        if not options.quick and options.only != "judge":
            scale = replace(scale, tiny_model=tiny_model())
        faults = faults_of(options, chance)
        found = endure(rack, scale, chance, faults, has_judge=options.only == "judge")
    finally:
        if options.keep:
            shutil.copytree(HOME / "log", options.keep, dirs_exist_ok=True)
        rack.finish()
    if not options.quick and not options.only and len(faults) >= A_WHOLE_RUN:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=QUICK_HELP)
    parser.add_argument("--only", choices=["conversations", "judge"], help="these faults alone")
    parser.add_argument("--faults", type=int, help="how many; without it, every one of the deck")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="copy the logs here")
    parser.add_argument("--race", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def faults_of(options: argparse.Namespace, chance: random.Random) -> list[str]:
    only = {"conversations": talks, "judge": judging}.get(options.only)
    if options.quick:
        return [*only.QUICK] if only else [*talks.QUICK, *OFTEN]
    often = only.OFTEN if only else OFTEN | talks.OFTEN
    return deck(options.faults or sum(often.values()), chance, often)


def tiny_model() -> str:
    folder = HOME / "tiny"
    words = (
        "import pathlib, sys; from tests.trainer import tiny;"
        " tiny.build_tiny_model(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", words, str(folder)], cwd=ROOT, check=True)
    return str(folder)


def make_tables(*, is_hurried: bool) -> None:
    """Runs the migrations or, a few seconds faster, creates the tables from the models."""
    if is_hurried:
        settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=is_hurried)


def port(address: str) -> int:
    return int(address.rpartition(":")[2].partition("/")[0])


def endure(
    rack: GpuSimulator,
    scale: Scale,
    chance: random.Random,
    faults: list[str],
    *,
    has_judge: bool,
) -> dict[str, object]:
    """Starts the site and the load, causes the faults, ends the load."""
    began = time.monotonic()
    load = Load(rack, scale)
    strikes = Strikes(rack, scale, chance)
    beside = (
        Judging(rack, scale, load.noor, strikes, chance)
        if has_judge
        else Talks(rack, scale, load.noor)
    )
    rack.add_site()
    if scale.n_in_flight:
        strikes.add_node()
        strikes.add_node()
    threading.Thread(target=rack.keep, daemon=True).start()
    load.begin()
    beside.begin()
    if scale.n_in_flight:
        until(running, "the first run")
    done: Counter[str] = Counter()
    for kind in faults:
        is_beside = has_judge or "_killed_when_" in kind
        words = struck(load, beside.strike if is_beside else strikes.strike, kind)
        done[kind] += words is not None
        print(
            f"{time.monotonic() - began:6.1f} s  {kind}:"
            f" {'nothing to break' if words is None else words}",
            flush=True,
        )
        time.sleep(chance.uniform(*scale.between_s))
    hung = beside.wait_for_the_end() + load.wait_for_the_end()
    hung += [name for name in rack.commands if not comes_back(rack, name)]
    return {
        "faults": done.total(),
        **reckon(load.raters, hung),
        **beside.reckon(),
        "retried_by_hand": load.n_retried,
        "restarts": rack.n_starts,
        "by_kind": dict(sorted(done.items())),
        "seconds": round(time.monotonic() - began),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load_average": os.getloadavg(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "commit": command_line.commit(),
    }


def struck(load: Load, strike: Callable[[str], str], kind: str) -> str | None:
    """Waits for something to break and returns what was broken; None if there is nothing."""
    deadline = time.monotonic() + NO_TARGET_S
    while time.monotonic() < deadline:
        load.refill()
        try:
            return strike(kind)
        except NoTarget:
            time.sleep(0.2)
    return None


if __name__ == "__main__":
    main()
