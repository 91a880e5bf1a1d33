"""What an item costs at the desk, how many fit into a second, how long the next one takes, and
whether an answer is ever lost.

    python scripts/run_with_services.py --durable python benchmarks/desk.py [--quick]
    python scripts/run_with_services.py --durable python benchmarks/desk.py --workers 1,2,4

The benchmark starts the site as in production: gunicorn with two workers, all middleware, hashed
static files, and a PostgreSQL that waits for its disk (fsync). The site and the clients share this
machine's cores. The clients behave like the page (benchmarks/fixtures/desk_clients.py): each keeps
its connection, reviews, submits, and takes the next item from the response to the submit. Items
have 4 responses of 150 words in Markdown and one slot each, so every item is shown for the first
time. The raters have 30,000 judgments of a past campaign behind them.

The last line is JSON:

- `cpu_ms_per_item`: processor time of gunicorn and PostgreSQL (/proc/<pid>/stat) per item with 50
  active raters, for the submit with the next item in its response.
- `with_review_ms`: the same plus the review before it, as when a rater presses the key twice.
- `floor_ms`: an empty page for a logged-in user, 3,000 of them, before and after that load.
- `ratio`: `cpu_ms_per_item / floor_ms`, at most 1.7.
- `growth_1m`: claim and show (the button, and the page it leads to) at 1,000,000 slots divided by
  the same at 10,000, overlap 3, medians, for a new rater and for one who has answered the first
  100,000 items: the worse of both.
- `by_workers`: with several numbers of gunicorn workers, this instead of the lines above: for each
  number, the load without a pause (`cpu_ms`, `per_s`), with one (`paused`), and what saving a draft
  costs (`draft_ms`).
- `over_assigned`, `lost`: counts over everything, including 50 raters who compete for the last
  slots of 300 items at overlap 3.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "PREFERABLY_MODE": "production",
    "PREFERABLY_SECRET_KEY": secrets.token_urlsafe(40),
    "PREFERABLY_LOG_LEVEL": "WARNING",
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # for counts between loads, in the clients' loop
}

import django  # noqa: E402
import services as servers  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

django.setup()

from benchmarks.fixtures import command_line, desk_campaigns, desk_clients  # noqa: E402
from benchmarks.fixtures.desk_clients import DeskRater  # noqa: E402
from labeling.models import Campaign, Rater  # noqa: E402

N_RATERS = 50
PAUSE_S = 0.4
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="2,000 items, shorter, growth to 200,000 slots: below a minute",
    )
    parser.add_argument(
        "--workers", default="2", help="of gunicorn; several numbers, such as 1,2,4, compare them"
    )
    parser.add_argument("--threads", type=int, default=4, help="of each gunicorn worker")
    parser.add_argument("--only-load", action="store_true", help="leave the growth out")
    chosen = parser.parse_args()
    n_workers = [int(word) for word in chosen.workers.split(",")]
    is_comparison = len(n_workers) > 1
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        if cursor.fetchone() != ("on",):
            raise SystemExit(
                "This PostgreSQL does not wait for its disk. Start it with"
                " scripts/run_with_services.py --durable."
            )
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    fresh, contested = desk_campaigns.loads(
        n_items=(2_000 if chosen.quick else 10_000) * len(n_workers)
    )
    n_slots = 200_000 if chosen.quick else 1_000_000
    queues = (
        []
        if chosen.only_load or is_comparison
        else [desk_campaigns.queue_of(n_slots=10_000), desk_campaigns.queue_of(n_slots=n_slots)]
    )
    people = [desk_campaigns.signed_in(f"rater {number}") for number in range(N_RATERS)]
    desk_campaigns.past_work(raters=[rater for rater, _ in people], n_judgments=30_000)
    newcomers = [
        desk_campaigns.signed_in("new in small"),
        desk_campaigns.signed_in("new in large"),
        desk_campaigns.signed_in("veteran"),
    ]
    if queues:
        desk_campaigns.judge_first(campaign=queues[1], rater=newcomers[2][0], n_items=n_slots // 10)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    seconds = 4.0 if chosen.quick else 20.0
    if is_comparison:
        result = compare(n_workers, people, fresh, threads=chosen.threads, seconds=seconds)
    else:
        with web_server(workers=n_workers[0], threads=chosen.threads) as web:
            result = asyncio.run(
                measure(web, people, newcomers, fresh, contested, queues, seconds=seconds)
            )
    about = {
        "over_assigned": n_over_assigned(),
        "items": fresh.items.count(),
        "slots": n_slots,
        "took_s": round(time.perf_counter() - started, 1),
        "load_average": os.getloadavg(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "database": f"postgresql {count('SHOW server_version_num')}",
        "commit": command_line.commit(),
    }
    print(json.dumps(result | about))


# --- measurements ---------------------------------------------------------------------------------
async def measure(
    web: "Web",
    people: list[tuple[Rater, str]],
    newcomers: list[tuple[Rater, str]],
    fresh: Campaign,
    contested: Campaign,
    queues: list[Campaign],
    *,
    seconds: float,
) -> dict[str, object]:
    def rater_in(campaign: Campaign, number: int, session: str) -> DeskRater:
        return DeskRater(web.port, campaign.pk, session, seed=number)

    raters = [rater_in(fresh, number, session) for number, (_, session) in enumerate(people)]
    for rater in raters:
        await rater.start()
    await desk_clients.work_together(
        raters, seconds=1
    )  # opens every thread's connection and compiles every template
    floor_before = await floor_ms(web, raters)
    plain = await load(web, raters, seconds=seconds, reviews=False)
    floor = round((floor_before + await floor_ms(web, raters)) / 2, 2)
    reviewed = await load(web, raters, seconds=seconds / 2, reviews=True)
    paused = await load(web, raters, seconds=seconds, reviews=True, pause_s=PAUSE_S)
    first_kb = await first_load_kb(raters[0])
    contest = [rater_in(contested, number, session) for number, (_, session) in enumerate(people)]
    for rater in contest:
        await rater.start()
    await desk_clients.work_together(contest, seconds=120)
    growth = {}
    queued = []
    if queues:
        places = [queues[0], queues[1], queues[1]]
        queued = [
            rater_in(place, number, session)
            for number, (place, (_, session)) in enumerate(zip(places, newcomers, strict=True))
        ]
        growth = await growth_of(queued, n=60 if seconds < 10 else 200)
    acknowledged = [given.lease for rater in [*raters, *contest, *queued] for given in rater.given]
    for rater in [*raters, *contest, *queued]:
        rater.close()
    return {
        "cpu_ms_per_item": plain["cpu_ms"],
        "floor_ms": floor,
        "ratio": round(plain["cpu_ms"] / floor, 3),
        "items_per_s_50": plain["per_s"],
        "next_p95_ms_50": paused["p95_ms"],
        "growth_1m": growth.get("growth"),
        "first_load_kb": first_kb,
        "next_item_kb": plain["next_kb"],
        "lost": await asyncio.to_thread(n_lost, acknowledged),
        "judged": len(acknowledged),
        "server_ms": plain["server_ms"],
        "database_ms": plain["database_ms"],
        "with_review": {
            name: reviewed[name] for name in ("cpu_ms", "per_s", "server_ms", "database_ms")
        },
        "paused": {name: paused[name] for name in ("cpu_ms", "per_s", "p50_ms", "p95_ms")},
        "clients_cpu_ms_per_item": plain["clients_ms"],
        "growth": growth,
    }


def compare(
    n_workers: list[int],
    people: list[tuple[Rater, str]],
    fresh: Campaign,
    *,
    threads: int,
    seconds: float,
) -> dict[str, object]:
    """The load, for each number of workers."""
    found = {}
    for n in n_workers:
        with web_server(workers=n, threads=threads) as web:
            found[n] = asyncio.run(measure_load(web, people, fresh, seconds=seconds))
    return {"by_workers": found}


async def measure_load(
    web: "Web", people: list[tuple[Rater, str]], fresh: Campaign, *, seconds: float
) -> dict[str, object]:
    raters = [
        DeskRater(web.port, fresh.pk, session, seed=number)
        for number, (_, session) in enumerate(people)
    ]
    for rater in raters:
        await rater.start()
    await desk_clients.work_together(raters, seconds=1)
    plain = await load(web, raters, seconds=seconds, reviews=False)
    draft = await draft_ms(web, raters)
    paused = await load(web, raters, seconds=seconds, reviews=True, pause_s=PAUSE_S)
    acknowledged = [given.lease for rater in raters for given in rater.given]
    for rater in raters:
        rater.close()
    return {
        "cpu_ms": plain["cpu_ms"],
        "per_s": plain["per_s"],
        "p95_ms": plain["p95_ms"],
        "draft_ms": draft,
        "paused": {name: paused[name] for name in ("cpu_ms", "per_s", "p50_ms", "p95_ms")},
        "lost": await asyncio.to_thread(n_lost, acknowledged),
    }


async def draft_ms(web: "Web", raters: list[DeskRater], *, each: int = 20) -> float:
    async def save(rater: DeskRater) -> None:
        for _ in range(each):
            await rater.save_draft()

    before = web.cpu_ms() + database_cpu_ms()
    await asyncio.gather(*(save(rater) for rater in raters))
    return round((web.cpu_ms() + database_cpu_ms() - before) / len(raters) / each, 2)


async def load(
    web: "Web", raters: list[DeskRater], *, seconds: float, reviews: bool, pause_s: float = 0.0
) -> dict[str, float]:
    """How much `raters` do together, and what it costs."""
    before = [len(rater.given) for rater in raters]
    for rater in raters:
        rater.reviews = reviews
    server, database, clients = web.cpu_ms(), database_cpu_ms(), time.process_time() * 1000
    took = await desk_clients.work_together(raters, seconds=seconds, pause_s=pause_s)
    server, database, clients = (
        web.cpu_ms() - server,
        database_cpu_ms() - database,
        time.process_time() * 1000 - clients,
    )
    given = [
        given for rater, start in zip(raters, before, strict=True) for given in rater.given[start:]
    ]
    times = sorted(one.took_s * 1000 for one in given)
    return {
        "cpu_ms": round((server + database) / len(given), 2),
        "server_ms": round(server / len(given), 2),
        "database_ms": round(database / len(given), 2),
        "clients_ms": round(clients / len(given), 2),
        "per_s": round(len(given) / took, 1),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "next_kb": round(statistics.median(one.next_bytes for one in given) / 1024, 2),
    }


async def floor_ms(web: "Web", raters: list[DeskRater], *, each: int = 30) -> float:
    async def ask(rater: DeskRater) -> None:
        for _ in range(each):
            await rater.get("/my-guidelines/?")

    before = web.cpu_ms() + database_cpu_ms()
    await asyncio.gather(*(ask(rater) for rater in raters))
    return round((web.cpu_ms() + database_cpu_ms() - before) / len(raters) / each, 2)


async def growth_of(raters: list[DeskRater], *, n: int) -> dict[str, object]:
    """Milliseconds to claim and show. Raters alternate, so that other load affects all of them.

    The veteran's first claim is reported separately: without a remembered place in the queue, it
    walks once over everything they did.
    """
    times: list[list[float]] = [[] for _ in raters]
    for _ in range(n + 1):
        for rater, took in zip(raters, times, strict=True):
            start = time.perf_counter()
            await rater.start()
            took.append((time.perf_counter() - start) * 1000)
            await rater.judge(is_last=True)
    small, new, veteran = (round(statistics.median(took[1:]), 2) for took in times)
    return {
        "growth": round(max(new, veteran) / small, 3),
        "new_10k_ms": small,
        "new_ms": new,
        "veteran_ms": veteran,
        "veteran_first_ms": round(times[2][0], 1),
    }


async def first_load_kb(rater: DeskRater) -> float:
    """The size of the page with an item and of every file it loads, as sent, with an empty
    browser cache.
    """
    page = await rater.get(rater.item)
    html = page.body.decode()
    imports = json.loads(found(r'<script type="importmap"[^>]*>(.*?)</script>', html)[0])["imports"]
    wanted = found(r'<(?:link|script)[^>]*(?:href|src)="(/static/[^"]+)"', html)
    wanted += [
        imports[f"js/{name}"]
        for names in found(r'data-behavior="([^"]+)"', html)
        for name in names.split()
    ]
    size, seen = len(page.raw), set()
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        seen.add(path)
        file = await rater.get(path)
        size += len(file.raw)
        if path.endswith(".js"):
            wanted += [imports[name] for name in found(r'from "(js/[^"]+)"', file.body.decode())]
    return round(size / 1024, 1)


def found(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text, re.DOTALL)


def n_over_assigned() -> int:
    """Items with more counted judgments than slots, or with two by one rater."""
    return count(
        "SELECT count(*) FROM (SELECT j.item_id FROM labeling_judgment j JOIN labeling_campaign c"
        " ON c.id = j.campaign_id WHERE NOT j.is_extra AND j.is_current GROUP BY j.item_id,"
        " c.overlap HAVING count(*) > c.overlap OR count(DISTINCT j.rater_id) < count(*)) over"
    )


def n_lost(leases: list[str]) -> int:
    """Judgments reported to a rater as saved that are missing or incomplete."""
    whole = (
        "SELECT count(*) FROM labeling_judgment j JOIN labeling_comparison c ON c.judgment_id ="
        " j.id WHERE j.lease = ANY(%s::uuid[]) AND %s = (SELECT count(*) FROM"
        " labeling_rankedresponse r WHERE r.comparison_id = c.judgment_id AND r.rank IS NOT NULL)"
    )
    return len(set(leases)) - count(whole, [leases, desk_campaigns.K])


def count(statement: str, values: Sequence[Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])


# --- processor time -------------------------------------------------------------------------------
class Web:
    """gunicorn and its workers."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def cpu_ms(self) -> float:
        return cpu_ms_of(self.pid)


def database_cpu_ms() -> float:
    backend = count("SELECT pg_backend_pid()")
    return cpu_ms_of(int(stat_of(backend)[1]))


def cpu_ms_of(pid: int) -> float:
    """Processor time of the process and its children, including ended ones."""
    children = [
        int(child.name)
        for child in Path("/proc").iterdir()
        if child.name.isdecimal() and parent_of(child) == pid
    ]
    return (
        sum(sum(int(ticks) for ticks in stat_of(one)[11:15]) for one in [pid, *children]) * TICK_MS
    )


def stat_of(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent_of(process: Path) -> int:
    try:
        return int(stat_of(int(process.name))[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


@contextmanager
def web_server(*, workers: int, threads: int) -> Iterator[Web]:
    port = servers.free_port()
    options = (
        f"--bind 127.0.0.1:{port} --workers {workers} --threads {threads} --preload"
        " --graceful-timeout 2 --no-control-socket"
    )
    command = f"gunicorn config.wsgi {options}"
    process = subprocess.Popen(
        [sys.executable, "-m", *command.split()], cwd=ROOT, preexec_fn=servers.die_with_parent
    )
    try:
        servers.wait(
            lambda: (
                subprocess.call(
                    ["bash", "-c", f": < /dev/tcp/127.0.0.1/{port}"], stderr=subprocess.DEVNULL
                )
                == 0
            ),
            process,
        )
        yield Web(process.pid, port)
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def process(command: list[str]) -> Iterator[None]:
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=servers.die_with_parent
    )
    try:
        yield
    finally:
        running.kill()
        running.wait(timeout=20)


if __name__ == "__main__":
    main()
