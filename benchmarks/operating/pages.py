"""Pages of a site with a million judgments, opened first with an empty cache and then with what a
worker has counted. All judgments are in a snapshot.

- `first_page_ms`, `page_ms`: the slowest page, as the median of its openings; each page is printed.
- `counted_s`: how long the worker counts.

benchmarks/operate.py starts it.
"""

import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.cache import cache  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks import quality  # noqa: E402
from labeling.campaigns import board  # noqa: E402
from labeling.models import Campaign, Judgment  # noqa: E402
from training.models import Snapshot, SnapshotJudgment  # noqa: E402
from training.registry.lineage import collected_data  # noqa: E402

N_JUDGMENTS = 1_000_000
OPENINGS = 7
ADDRESSES = (
    "/campaigns/",
    "/campaigns/{pk}/",
    "/campaigns/{pk}/close",
    "/campaigns/{pk}/export/",
    "/campaigns/{pk}/set-up/",
    "/campaigns/new/",
    "/lineage/campaigns/{pk}/",
    "/prompts/",
    "/snapshots/new/",
    "/snapshots/new/?kind=comparisons",
    "/snapshots/new/?kind=prompts",
)
FIGURES = ("answered", "n_answers", "licences", "sources", "standing", "board")


def main() -> None:
    n_judgments = N_JUDGMENTS // 10 if sys.argv[1:] == ["--quick"] else N_JUDGMENTS
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps(_measured(n_judgments=n_judgments)))
    finally:
        teardown_databases(databases, verbosity=0)


def _measured(*, n_judgments: int) -> dict[str, float]:
    campaign = quality.campaign_of(n_items=n_judgments // quality.OVERLAP)
    quality.judge(first=0, n=n_judgments, of=n_judgments)
    _freeze()
    quality.execute("ANALYZE")
    client = Client()
    client.force_login(
        User.objects.create_user(email="both@example.org", is_admin=True, is_researcher=True)
    )
    first = {address: _opened(client, campaign, address, is_cold=True) for address in ADDRESSES}
    began = time.perf_counter()
    for name in FIGURES:
        board.refresh_figures(name=name, pk=campaign.pk, now=datetime.now(UTC))
    collected_data.refresh_snapshots(name="in_snapshots", pk=campaign.pk, now=datetime.now(UTC))
    counted_s = time.perf_counter() - began
    warm = {address: _opened(client, campaign, address, is_cold=False) for address in ADDRESSES}
    for address in ADDRESSES:
        print(f"{address:36} first {first[address]:8.1f} ms, then {warm[address]:8.1f} ms")
    return {
        "first_page_ms": round(max(first.values()), 1),
        "page_ms": round(max(warm.values()), 1),
        "counted_s": round(counted_s, 1),
    }


def _freeze() -> None:
    snapshot = Snapshot.objects.create(name="everything", kind="comparisons", n_rows=1)
    member = SnapshotJudgment.objects.create(
        snapshot=snapshot, judgment=Judgment.of_people.earliest("pk")
    )
    quality.copy(
        SnapshotJudgment,
        f"SELECT id FROM labeling_judgment WHERE id <> {member.judgment_id}",  # noqa: S608
        judgment_id="made.id",
    )


def _opened(client: Client, campaign: Campaign, address: str, *, is_cold: bool) -> float:
    """The median of its openings in milliseconds, each of them with an empty cache if `is_cold`."""
    took = []
    for _opening in range(OPENINGS):
        if is_cold:
            cache.clear()
        began = time.perf_counter()
        answer = client.get(address.format(pk=campaign.pk))
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)
    return statistics.median(took)


if __name__ == "__main__":
    main()
