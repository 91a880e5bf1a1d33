"""How much memory a worker needs for an export, in a small and in a large campaign.

    python scripts/run_with_services.py python benchmarks/export.py [--quick] [--shape rankings]

Each export runs in a process of its own that has loaded what a Celery worker loads, on PostgreSQL
and on SQLite. Rankings are of 4 responses of about 100 words. The last line is JSON:

- `peak_mb`: the largest resident memory of a worker that wrote all rankings, of both databases; at
  most 400.
- `growth_mb`: that peak less the one at a tenth of the rankings.
- `by_database`: for each, the peaks, and rows per second of processor time.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.fixtures import command_line, desk_campaigns  # noqa: E402
from config.celery import app  # noqa: E402
from labeling.data.exports.jobs import EXPORTS, request_export  # noqa: E402
from labeling.models import (  # noqa: E402
    Campaign,
    Comparison,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Source,
)

N_RATERS = 100
BATCH = 5_000
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def main() -> None:
    parser = command_line.parser(__doc__, quick="200,000 rankings, not 1,000,000")
    parser.add_argument("--shape", default="rankings")
    parser.add_argument("--site", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker is not None:
        print(json.dumps(write_export(chosen.worker)))
        return
    if chosen.site is not None:
        print(json.dumps(measure_site(n_rankings=chosen.site, shape=chosen.shape)))
        return
    n_rankings = 200_000 if chosen.quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="export-benchmark-") as name:
        home = Path(name)
        urls = {
            "postgresql": os.environ["DATABASE_URL"],
            "sqlite": f"sqlite:///{home / 'preferably.sqlite3'}",
        }
        by_database = {
            database: run(
                ["--site", str(n_rankings), "--shape", chosen.shape],
                {"DATABASE_URL": url, "PREFERABLY_HOME": name},
            )
            for database, url in urls.items()
        }
    peaks = [(peaks["peak_mb"], peaks["peak_mb_tenth"]) for peaks in by_database.values()]
    result = {
        "peak_mb": max(whole for whole, _tenth in peaks),
        "growth_mb": round(max(whole - tenth for whole, tenth in peaks), 1),
        "by_database": by_database,
        "rankings": n_rankings,
        "shape": chosen.shape,
        "load_average": os.getloadavg(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps(result))


def run(arguments: list[str], environment: dict[str, str]) -> dict[str, float]:
    """The last line of another process of this script."""
    program = [sys.executable, __file__, *arguments]
    done = subprocess.run(
        program, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure_site(*, n_rankings: int, shape: str) -> dict[str, float]:
    call_command("migrate", verbosity=0)
    admin = User.objects.create_user(email="admin@example.org", name="Admin")
    raters = Rater.everyone.bulk_create(Rater(alias=f"rater-{n}") for n in range(N_RATERS))
    rows = {}
    for name, n in (("tenth", n_rankings // 10), ("whole", n_rankings)):
        campaign = finished_campaign(name, n_items=n // N_RATERS, raters=raters)
        export = request_export(campaign=campaign, shape=shape, by=admin, now=NOW)
        rows[name] = run(["--worker", str(export.pk)], {})
    return {
        "peak_mb": rows["whole"]["peak_mb"],
        "peak_mb_tenth": rows["tenth"]["peak_mb"],
        "n_rows": rows["whole"]["n_rows"],
        "rows_per_cpu_s": round(rows["whole"]["n_rows"] / rows["whole"]["cpu_s"], 1),
    }


def write_export(pk: int) -> dict[str, float]:
    app.loader.init_worker()
    started = time.process_time()
    EXPORTS.run(pk)
    export = EXPORTS.model.objects.get(pk=pk)
    if export.state != export.State.DONE:
        raise SystemExit(f"The export ended as {export.state}: {export.error}")
    return {
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "cpu_s": round(time.process_time() - started, 2),
        "n_rows": export.n_rows,
    }


def finished_campaign(name: str, *, n_items: int, raters: list[Rater]) -> Campaign:
    """Every rater has ranked the responses of every item."""
    chance = Random(4)
    source = Source.objects.create(name=f"model of {name}", kind=Source.Kind.MODEL)
    prompts = Prompt.objects.bulk_create(
        Prompt(
            messages=[{"role": "user", "content": desk_campaigns.words(chance, 30)}], source=source
        )
        for _ in range(n_items)
    )
    Response.objects.bulk_create(
        (
            Response(prompt=prompt, source=source, number=n, text=desk_campaigns.response(chance))
            for prompt in prompts
            for n in range(desk_campaigns.K)
        ),
        batch_size=BATCH,
    )
    campaign = desk_campaigns.campaign(name=name, prompts=prompts, overlap=1)
    judgments = judgments_of(campaign, raters)
    while batch := list(islice(judgments, BATCH)):
        store(Judgment.of_people.bulk_create(batch))
    return campaign


def judgments_of(campaign: Campaign, raters: list[Rater]) -> Iterator[Judgment]:
    for item in campaign.items.all():
        for rater in raters:
            yield Judgment(
                kind=Judgment.Kind.COMPARISON,
                rater=rater,
                prompt_id=item.prompt_id,
                campaign=campaign,
                item=item,
                submitted_at=NOW,
            )


def store(judgments: list[Judgment]) -> None:
    """Each ranks the responses in the order of their ids."""
    comparisons = Comparison.objects.bulk_create(Comparison(judgment=row) for row in judgments)
    shown: dict[int | None, list[int]] = {}
    items = {judgment.item_id for judgment in judgments}
    through = Response.items.through.objects.filter(item__in=items)
    for item, response in through.values_list("item_id", "response_id"):
        shown.setdefault(item, []).append(response)
    RankedResponse.objects.bulk_create(
        RankedResponse(comparison=comparison, response_id=response, position=place, rank=place + 1)
        for comparison in comparisons
        for place, response in enumerate(sorted(shown[comparison.judgment.item_id]))
    )


if __name__ == "__main__":
    main()
