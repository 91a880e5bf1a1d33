"""The page of a run with 100,000 points: how long the server takes, compared with an empty page.

    python scripts/run_with_services.py python benchmarks/run_page.py [--points 100000] [--each 40]

Requests for both alternate, in one process, through all of Django and a real PostgreSQL, so a busy
machine slows both. `run_ms` is the median processor time, `wall_ms` the elapsed time, and `ratio`
the run's page divided by the empty one. The run is training: its page is the longest there is, with
charts, samples, a log and a node. `fragment_ms` is the refresh every two seconds. The last line is
JSON.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_databases,
    setup_test_environment,
    teardown_databases,
)
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from training.configs import kinds  # noqa: E402
from training.models import Run, RunPoint, RunSample, Snapshot  # noqa: E402
from training.nodes import services as nodes_services  # noqa: E402
from training.processes.machine import Gpu, Report  # noqa: E402
from training.registry import services as registry_services  # noqa: E402
from training.runs.services import level_of  # noqa: E402

AT_ONCE = 5_000
FLOOR = "/notices/"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--points", type=int, default=100_000)
    options.add_argument("--each", type=int, default=40, help="how often each page is asked for")
    chosen = options.parse_args()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps(measure(chosen.points, chosen.each)))
    finally:
        teardown_databases(databases, verbosity=0)


def measure(n_points: int, each: int) -> dict[str, object]:
    person = User.objects.create_user(email="noor@example.org", name="Noor", is_researcher=True)
    run = a_run(person, n_points)
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    pages = {"floor": FLOOR, "run": f"/runs/{run.pk}/", "fragment": f"/runs/{run.pk}/live"}
    n_bytes = len(client.get(pages["run"]).content)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for _round in range(each + 3):
        for name, path in pages.items():
            taken[name].append(timed(lambda path=path: answered(client, path)))  # type: ignore[misc]
    busy = {
        name: statistics.median(cpu for cpu, _wall in times[3:]) * 1000
        for name, times in taken.items()
    }
    wall = {
        name: statistics.median(clock for _cpu, clock in times[3:]) * 1000
        for name, times in taken.items()
    }
    return {
        "points": n_points,
        "run_ms": round(busy["run"], 1),
        "fragment_ms": round(busy["fragment"], 1),
        "floor_ms": round(busy["floor"], 1),
        "ratio": round(busy["run"] / busy["floor"], 2),
        "wall_ms": {name: round(value, 1) for name, value in wall.items()},
        "page_kb": round(n_bytes / 1024),
        "each": each,
    }


def timed(ask: Callable[[], None]) -> tuple[float, float]:
    """(processor seconds of this process, elapsed seconds)."""
    cpu, clock = time.process_time(), time.perf_counter()
    ask()
    return time.process_time() - cpu, time.perf_counter() - clock


def answered(client: Client, path: str) -> None:
    if client.get(path).status_code != 200:
        raise RuntimeError(path)


def a_run(person: User, n_points: int) -> Run:
    """PPO halfway through a long run, as its supervisor has recorded it."""
    now = timezone.now()
    model = registry_services.register_model(
        name="base",
        kind="policy",
        location="/models/base",
        licence="",
        is_elsewhere=True,
        by=person,
        now=now,
    )
    card = {"kind": "demonstrations", "rows": 1000, "prompts": 900, "splits": {"train": 1000}}
    snapshot = Snapshot.objects.create(
        name="November", kind="demonstrations", folder="none", n_rows=1000, card=card
    )
    config = kinds.as_json(kinds.PRESETS["sft"]["balanced"])
    run = Run.objects.create(
        name="A long way",
        kind="sft",
        config=config,
        snapshot=snapshot,
        base_model=model,
        created_by=person,
        state="running",
        attempt=1,
        node="gpu-1",
        step=n_points,
        n_steps=2 * n_points,
        heartbeat_at=now,
        started_at=now - timedelta(hours=9),
        log_tail="\n".join(
            f"14:20:11 step {n} loss 1.2345 and so on and so forth" for n in range(500)
        ),
    )
    nodes_services.record_node_heartbeat(
        name="gpu-1",
        report=Report(64, 512.0, 400.0, (Gpu("H100", 80.0, 60.0, 0.9, 61.0),) * 8, {}),
        now=now,
    )
    for start in range(1, n_points + 1, AT_ONCE):
        RunPoint.objects.bulk_create(
            RunPoint(
                run=run,
                attempt=1,
                step=step,
                at=now,
                values=values(step, n_points),
                level=level_of(step=step, values=values(step, n_points)),
            )
            for step in range(start, min(start + AT_ONCE, n_points + 1))
        )
    RunSample.objects.bulk_create(
        RunSample(
            run=run,
            attempt=1,
            step=n,
            line=n,
            prompt="Why is the sky blue? " * 5,
            response="It scatters. " * 40,
            scores={"reward": 1.5},
        )
        for n in range(20)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return run


def values(step: int, n_points: int) -> dict[str, float]:
    noise = ((step * 7919) % 1000) / 1000
    found = {
        "loss": 2.0 - step / n_points + 0.1 * noise,
        "grad_norm": 0.8 + noise,
        "learning_rate": 1e-5 * (1 - step / (2 * n_points)),
        "mean_token_accuracy": 0.6 + 0.2 * step / n_points,
        "entropy": 1.5 - noise / 10,
        "tokens_per_s": 12_000 + 500 * noise,
        "gpu_memory_gb": 61.5,
    }
    return found | ({"held_out_loss": 2.1 - step / n_points} if step % 500 == 0 else {})


if __name__ == "__main__":
    main()
