"""Creates 10,000 prompts by one call of the API: seconds from the call to published.

    python scripts/run_with_services.py python benchmarks/import_by_api.py [--prompts 10000]

The rows are sent as JSON, in calls of at most 10,000. The import then runs in this process, as it
does in a worker. One prompt in fifty nearly repeats an earlier one, and a few short ones are equal:
those are counted as duplicates. The last line is JSON.
"""

import argparse
import json
import os
import platform
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.login import tokens  # noqa: E402
from accounts.models import User  # noqa: E402
from benchmarks import imports as other  # noqa: E402
from config.api_permissions import Scope  # noqa: E402
from labeling.data.imports import services  # noqa: E402
from labeling.models import Import, Prompt  # noqa: E402

AT_ONCE = 10_000
WORDS = (5, 200)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--prompts", type=int, default=10_000)
    chosen = options.parse_args()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with tempfile.TemporaryDirectory(prefix="preferably-import-") as folder:
            settings.UPLOADS_DIR = Path(folder)
            print(json.dumps(measure(chosen.prompts)))
    finally:
        teardown_databases(databases, verbosity=0)


def measure(n: int) -> dict[str, Any]:
    bodies = [json.dumps(body) for body in bodies_of(rows(n))]
    client = a_client()
    client.get("/api/v1/imports")  # the first call of a process loads the whole site
    started, cpu = time.perf_counter(), time.process_time()
    for body in bodies:
        answer = client.post("/api/v1/imports", body, content_type="application/json")
        if answer.status_code != 202:
            raise SystemExit(answer.content.decode())
    answered_s = time.perf_counter() - started
    for batch in Import.objects.order_by("pk"):
        services.run_import(import_id=batch.pk, clock=timezone.now)
    seconds = time.perf_counter() - started
    counts = counts_of(Import.objects.values_list("counts", flat=True))
    if Prompt.objects.count() + counts["duplicates"] + counts["problems"] != n:
        raise SystemExit(f"Not every prompt is accounted for: {dict(counts)}")
    return {
        "prompts_sent": n,
        "prompts": Prompt.objects.count(),
        "duplicates": counts["duplicates"],
        "problems": counts["problems"],
        "states": sorted(set(Import.objects.values_list("state", flat=True))),
        "mb": round(sum(map(len, bodies)) / 2**20, 1),
        "calls_s": round(answered_s, 1),
        "seconds": round(seconds, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_1_min": round(os.getloadavg()[0], 1),
    }


def counts_of(reports: Iterable[dict[str, int]]) -> Counter[str]:
    return sum(map(Counter, reports), Counter[str]())


def a_client() -> Client:
    admin = User.objects.create_user(email="a@example.org", name="A", password="-", is_admin=True)
    scopes = [Scope.LABELING_WRITE]
    _token, secret = tokens.create_token(
        user=admin, name="benchmark", scopes=scopes, n_days=1, now=timezone.now()
    )
    return Client(headers={"Authorization": f"Bearer {secret}"})


def rows(n: int) -> list[dict[str, str]]:
    chance = random.Random(1)
    found = []
    for text in islice(other.texts(chance), n):
        words = text.split()[: chance.randint(*WORDS)]
        found.append({"prompt": " ".join(words), "language": "en"})
    return found


def bodies_of(found: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {"rows": found[at : at + AT_ONCE], "source": "benchmark", "licence": "CC0-1.0"}
        for at in range(0, len(found), AT_ONCE)
    ]


if __name__ == "__main__":
    main()
