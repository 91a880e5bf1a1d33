"""Quality reports with a million judgments: time and memory of the job, speed of the pages.

    python scripts/run_with_services.py python benchmarks/quality.py [--judgments 1000000] [--quick]

One campaign of rankings of four, three judgments per item, by 200 raters over 90 days, generated in
the database. The job runs twice in its own process: over everything, and after 1,000 more
judgments; before that, the same at a quarter of the judgments, to show how both grow. Then an admin
opens every quality page. The last line is JSON: seconds of both, also of the processor, the larger
peak of resident memory, the median of all openings, and the slowest page's 95th percentile in
milliseconds.
"""

# ruff: noqa: S608  # statements put together from this file's own constants

import argparse
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402
from django.urls import reverse  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.fixtures import command_line  # noqa: E402
from labeling.campaigns import services as campaigns_services  # noqa: E402
from labeling.desk.judgments import submit  # noqa: E402
from labeling.desk.judgments.checked_answers import ComparisonAnswer  # noqa: E402
from labeling.guidelines import services as guidelines_services  # noqa: E402
from labeling.kinds.comparison import ComparisonSettings  # noqa: E402
from labeling.models import (  # noqa: E402
    Campaign,
    Comparison,
    Item,
    ItemResponse,
    Judgment,
    Pool,
    Prompt,
    QualityReport,
    RankedResponse,
    Rater,
    Response,
    Source,
    VoteBlock,
)
from labeling.quality import services as quality_services  # noqa: E402
from labeling.queue.claiming import claim  # noqa: E402

K = 4
OVERLAP = 3
N_RATERS = 200
N_NEW = 1_000
OPENINGS = 100
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--judgments", type=int, default=1_000_000)
    options.add_argument("--quick", action="store_true", help="200,000 judgments")
    options.add_argument("--compute", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.compute:
        print(json.dumps(computed(chosen.compute)))
        return
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps(measure(n_judgments=200_000 if chosen.quick else chosen.judgments)))
    finally:
        teardown_databases(databases, verbosity=0)


def measure(*, n_judgments: int) -> dict[str, object]:
    began = time.perf_counter()
    quarter = n_judgments // 4
    campaign = campaign_of(n_items=n_judgments // OVERLAP)
    judge(first=0, n=quarter, of=n_judgments)
    print(f"built in {time.perf_counter() - began:.0f} s", flush=True)
    _full, before = computed_twice(campaign, n_judgments=quarter, of=n_judgments)
    judge(first=quarter + N_NEW, n=n_judgments - quarter - N_NEW, of=n_judgments)
    VoteBlock.objects.all().delete()
    full, increment = computed_twice(campaign, n_judgments=n_judgments, of=n_judgments)
    times = {name: openings(address) for name, address in pages(campaign).items()}
    for name, took in times.items():
        print(
            f"{name:24} median {statistics.median(took):6.1f} ms, 95 % within {p95(took):6.1f} ms",
            flush=True,
        )
    return {
        "judgments": QualityReport.objects.get().n_judgments,
        "responses": K,
        "full_s": full["seconds"],
        "increment_s": increment["seconds"],
        "increment_cpu_s": increment["cpu_s"],
        "peak_mb": max(full["peak_mb"], increment["peak_mb"]),
        "increment_s_at_a_quarter": before["seconds"],
        "increment_cpu_s_at_a_quarter": before["cpu_s"],
        "increment_mb": increment["peak_mb"],
        "increment_mb_at_a_quarter": before["peak_mb"],
        "page_ms_median": round(statistics.median(ms for took in times.values() for ms in took), 1),
        "page_ms_max": round(max(map(p95, times.values())), 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
        "database": f"{connection.vendor} {getattr(connection, 'pg_version', '')}",
        "commit": command_line.commit(),
    }


def computed_twice(
    campaign: Campaign, *, n_judgments: int, of: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Over everything, and after N_NEW more."""
    execute("ANALYZE")
    full = in_a_worker(campaign)
    print(f"{n_judgments} in {full['seconds']} s, at most {full['peak_mb']} MB", flush=True)
    execute("UPDATE labeling_qualityreport SET rests_until = NULL")
    judge(first=n_judgments, n=N_NEW, of=of)
    increment = in_a_worker(campaign)
    print(
        f"{N_NEW} more in {increment['seconds']} s ({increment['cpu_s']} CPU-s), at most"
        f" {increment['peak_mb']} MB",
        flush=True,
    )
    return full, increment


def p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


# --- the background job ---------------------------------------------------------------------------


def in_a_worker(campaign: Campaign) -> dict[str, float]:
    command = [sys.executable, __file__, "--compute", str(campaign.pk)]
    environment = os.environ | {"DATABASE_URL": own_database()}
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def computed(campaign_id: int) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    report = quality_services.compute_quality(campaign_id=campaign_id, now=datetime.now(UTC))
    assert report is not None
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "peak_mb": round(peak_mb),
    }


def own_database() -> str:
    """The URL of the database that this process created for the benchmark."""
    return re.sub(r"/[^/]*$", f"/{connection.settings_dict['NAME']}", os.environ["DATABASE_URL"])


# --- pages ----------------------------------------------------------------------------------------


def pages(campaign: Campaign) -> dict[str, str]:
    rater = Rater.everyone.order_by("pk").first()
    item = Item.objects.filter(campaign=campaign, position__gt=0).order_by("pk").first()
    assert rater is not None
    assert item is not None
    on_campaign = (
        "campaign",
        "campaign_items",
        "campaign_quality",
        "campaign_agreement",
        "campaign_bias",
        "campaign_gold",
        "campaign_review",
    )
    addresses = {name: reverse(name, args=[campaign.pk]) for name in on_campaign}
    orders = {
        f"review by {order}": f"{addresses['campaign_review']}?order={order}"
        for order in ("fast", "new", "random")
    }
    return (
        addresses
        | orders
        | {
            "quality": reverse("quality"),
            "campaign_bias_judgments": reverse(
                "campaign_bias_judgments", args=[campaign.pk, "first"]
            ),
            "campaign_rater": reverse("campaign_rater", args=[campaign.pk, rater.pk]),
            "rater": reverse("rater", args=[rater.pk]),
            "campaign_review_item": reverse("campaign_review_item", args=[campaign.pk, item.pk]),
            "campaign_item": reverse("campaign_item", args=[campaign.pk, item.pk]),
            "appeals": reverse("appeals"),
        }
    )


def openings(address: str) -> list[float]:
    """Milliseconds of each opening, without the first, which warms up."""
    admin, _is_new = User.objects.get_or_create(
        email="admin@example.org", defaults={"is_admin": True, "name": "Admin"}
    )
    client = Client()
    client.force_login(admin)
    took = []
    for _ in range(OPENINGS + 1):
        start = time.perf_counter()
        answer = client.get(address)
        took.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)
    return took[1:]


# --- a campaign, generated in the database --------------------------------------------------------


FIRST = 1_000_000
"""Ids of what is made here start above: item n has prompt n, and responses 4 n to 4 n + 3."""
_COLLEAGUE = "CASE i % 3 WHEN 0 THEN 0 WHEN 1 THEN 1 + i / 600 % 99 ELSE 100 + i / 600 % 99 END"
_RATER = f"FIRST + ((i / 3)::bigint * 7919 + i / 600 * 53 + {_COLLEAGUE}) % 200"
"""Three different ones an item, and not the same three for long."""
_TASTE = "sin(response_id * 12.9898) + 0.8 * (random() + random() + random() - 1.5)"
"""What a rater thinks of a response: mostly what everybody thinks."""


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("FIRST", str(FIRST)))


def campaign_of(*, n_items: int) -> Campaign:
    """Items with four responses from two sources, and more for the later judgments."""
    campaign = a_small_one()
    without_checks()
    numbers = f"SELECT n FROM generate_series(1, {n_items + N_NEW // OVERLAP + 1}) n"
    copy(
        Rater,
        f"SELECT n FROM generate_series(0, {N_RATERS - 1}) n",
        id="FIRST + n",
        alias="'rater ' || n",
        user_id="NULL",
    )
    sources = Source.objects.order_by("pk").values_list("pk", flat=True)[:2]
    two_sources = ", ".join(map(str, sources))
    categories = "(ARRAY['brainstorming', 'open_qa', 'chat', 'rewrite'])[1 + n % 4]"
    copy(Prompt, numbers, id="FIRST + n", category=categories, cluster="n::text")
    copy(
        Response,
        f"SELECT n, k FROM ({numbers}) all_n, generate_series(0, 3) k",
        id="FIRST + 4 * n + k",
        prompt_id="FIRST + n",
        number="k",
        source_id=f"(ARRAY[{two_sources}])[1 + k % 2]",
        text=(
            "repeat('Some words of an answer. ', 4 + (n * 4 + k) % 17) || CASE WHEN n % 3 = k THEN"
            " E'\\n- **b**' ELSE '' END"
        ),
    )
    copy(Item, numbers, id="FIRST + n", prompt_id="FIRST + n", position="n")
    copy(
        ItemResponse,
        f"SELECT n, k FROM ({numbers}) all_n, generate_series(0, 3) k",
        item_id="FIRST + n",
        response_id="FIRST + 4 * n + k",
    )
    return campaign


def judge(*, first: int, n: int, of: int) -> None:
    """Judgments from number `first` on, three per item; `of` of them are spread evenly over the
    time before NOW.
    """
    numbers = (
        f"SELECT i, FIRST + 1 + i / 3 AS item FROM generate_series({first}, {first + n - 1}) i"
    )
    copy(
        Judgment,
        numbers,
        id="FIRST + i",
        item_id="item",
        prompt_id="item",
        rater_id=_RATER,
        slot_id="NULL",
        lease="NULL",
        active_s="20 + 300 * random() * random()",
        submitted_at=(
            f"'2025-12-01T00:00Z'::timestamptz + i * interval '{90 * 86_400 / of:.3f} s'"
        ),
    )
    copy(Comparison, numbers, judgment_id="FIRST + i")
    tastes = (
        f"SELECT i, response_id, {_TASTE} AS taste, random() AS place FROM (SELECT i, 4 * item - 3"
        f" * FIRST + k AS response_id FROM ({numbers}) all_i, generate_series(0, 3) k) shown"
    )
    ranked = (
        "SELECT i, response_id, taste, row_number() OVER (PARTITION BY i ORDER BY taste DESC) AS"
        f" rank, row_number() OVER (PARTITION BY i ORDER BY place) AS place FROM ({tastes}) tasted"
    )
    copy(
        RankedResponse,
        ranked,
        comparison_id="FIRST + made.i",
        response_id="made.response_id",
        position="made.place - 1",
        rank="greatest(1, made.rank - (i % 7 = 0)::int)",
        ratings="jsonb_build_object('overall', greatest(1, least(7, round(4 + taste)))::int)",
    )


def copy(model: type[Model], rows: str, **columns: str) -> None:
    """Inserts a row of `model` for each of `rows`: these columns as SQL, all others copied from
    the one existing row.
    """
    fields = [
        str(field.column)
        for field in model._meta.concrete_fields
        if field.column in columns or not field.primary_key
    ]
    values = ", ".join(columns.get(field, f'template."{field}"') for field in fields)
    table, names = model._meta.db_table, ", ".join(f'"{field}"' for field in fields)
    template = f"(SELECT * FROM {table} ORDER BY {model._meta.pk.column} LIMIT 1)"
    execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM ({rows}) AS made, {template} AS"
        " template"
    )
    if "id" in columns:
        execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        )


def a_small_one() -> Campaign:
    """One prompt with four responses that one rater has ranked. All other rows are copies of
    this.
    """
    sources = [
        Source.objects.create(name=name, kind=Source.Kind.MODEL)
        for name in ("one model", "another")
    ]
    prompt = Prompt.objects.create(
        messages=[{"role": "user", "content": "Why is the sky blue, and the sea as well?"}],
        source=sources[0],
        language="en",
    )
    for number in range(K):
        Response.objects.create(
            prompt=prompt, source=sources[number % 2], number=number, text="Because."
        )
    pool = Pool.objects.create(name="benchmark")
    rater = Rater.everyone.create(alias="the first")
    campaign = campaigns_services.create_campaign(
        name="A million",
        settings=ComparisonSettings(n_responses=K, overlap=OVERLAP),
        pool=pool,
        guideline=guidelines_services.create_guideline(
            name="benchmark", text="Compare.", by=None, now=NOW
        ),
        prompts=[prompt],
        by=None,
        now=NOW,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOW)
    slot = claim.claim(campaign=campaign, rater=rater, now=NOW)
    assert slot is not None
    assert slot.lease is not None
    ratings = {place: {"overall": 4} for place in range(K)}
    ranks: dict[int, int | None] = {place: place + 1 for place in range(K)}
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=NOW,
    )
    return campaign


def without_checks() -> None:
    """Skips foreign key checks: the keys are right by construction, and checking them would take
    most of the time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() == (True,):
            cursor.execute("SET session_replication_role = replica")


if __name__ == "__main__":
    main()
