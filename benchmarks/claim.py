"""How long a claim takes, in a small and in a large queue, for a new and for an experienced rater.

    python scripts/run_with_services.py python benchmarks/claim.py [--slots 1000000] [--quick]

The experienced rater (“veteran”) has answered the first tenth of the large campaign's slots
(100,000 of 1,000,000), so they have already seen everything at the head of the queue. The last line
is JSON, with times in milliseconds: medians of `claims` claims, each followed by a submit that is
not timed. `first_ms` is the veteran's first claim, without a remembered place in the queue, which
walks once over everything they have done. `desk_list_…_ms` is the desk's list, which counts up to
1,000.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from benchmarks.fixtures import command_line  # noqa: E402
from labeling.campaigns import services as campaigns_services  # noqa: E402
from labeling.desk import open_campaigns  # noqa: E402
from labeling.desk.judgments import submit  # noqa: E402
from labeling.desk.judgments.checked_answers import DemonstrationAnswer  # noqa: E402
from labeling.guidelines import services as guidelines_services  # noqa: E402
from labeling.kinds.demonstration import DemonstrationSettings  # noqa: E402
from labeling.models import Campaign, Guideline, Pool, PoolMembership, Prompt, Rater, Source  # noqa: E402
from labeling.queue.claiming import (  # noqa: E402
    claim,
    order,
)

OVERLAP = 3
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slots", type=int, default=1_000_000)
    options.add_argument("--claims", type=int, default=300)
    options.add_argument("--quick", action="store_true", help="200,000 slots")
    chosen = options.parse_args()
    n_slots = 200_000 if chosen.quick else chosen.slots
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps(measure(n_slots=n_slots, n_claims=chosen.claims)))
    finally:
        teardown_databases(databases, verbosity=0)


def measure(*, n_slots: int, n_claims: int) -> dict[str, object]:
    n_judged = n_slots // 10
    small = campaign_of(n_slots=10_000)
    large = campaign_of(n_slots=n_slots)
    veteran = Rater.everyone.create(alias="veteran")
    judge_first(campaign=large, rater=veteran, n_items=n_judged)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    newcomers = [Rater.everyone.create(alias=name) for name in ("new in small", "new in large")]
    workers = [(small, newcomers[0]), (large, newcomers[1]), (large, veteran)]
    in_small, in_large, by_veteran = claim_times(workers, n=n_claims)
    small_ms, large_ms, veteran_ms = (
        round(statistics.median(times), 3) for times in (in_small, in_large, by_veteran)
    )
    return {
        "slots": n_slots,
        "judged_by_veteran": n_judged,
        "claims": n_claims,
        "new_10k_ms": small_ms,
        "new_ms": large_ms,
        "veteran_ms": veteran_ms,
        "veteran_p95_ms": round(statistics.quantiles(by_veteran, n=20)[-1], 3),
        "veteran_first_ms": round(by_veteran[0], 1),
        "desk_list_new_ms": desk_list_ms(newcomers[1]),
        "desk_list_veteran_ms": desk_list_ms(veteran),
        "growth": round(max(large_ms, veteran_ms) / small_ms, 3),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "database": f"{connection.vendor} {getattr(connection, 'pg_version', '')}".strip(),
        "commit": command_line.commit(),
    }


def campaign_of(*, n_slots: int) -> Campaign:
    """An open demonstration campaign, generated in the database: the same prompt for every item."""
    source, _ = Source.objects.get_or_create(name="benchmark", kind=Source.Kind.IMPORT)
    prompt = Prompt.objects.create(
        messages=[{"role": "user", "content": "Why?"}], messages_sha256="", source=source
    )
    pool, _ = Pool.objects.get_or_create(name="benchmark")
    guideline = Guideline.objects.filter(name="benchmark").first()
    guideline = guideline or guidelines_services.create_guideline(
        name="benchmark", text="Answer.", by=None, now=NOW
    )
    campaign = campaigns_services.create_campaign(
        name=f"{n_slots} slots",
        settings=DemonstrationSettings(overlap=OVERLAP),
        pool=pool,
        guideline=guideline,
        prompts=[prompt],
        by=None,
        now=NOW,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_item (campaign_id, prompt_id, position, created_at)"
            " SELECT %s, %s, n, now() FROM generate_series(1, %s) n",
            [campaign.pk, prompt.pk, n_slots // OVERLAP],
        )
        cursor.execute(
            "INSERT INTO labeling_slot (item_id, campaign_id, number, state, is_gold, queue_rank)"
            " SELECT id, campaign_id, n, 'free', false, position::bigint * %s + n"
            " FROM labeling_item, generate_series(0, %s) n WHERE campaign_id = %s AND position > 0",
            [order.MAX_SLOTS, OVERLAP - 1, campaign.pk],
        )
    return campaign


def judge_first(*, campaign: Campaign, rater: Rater, n_items: int) -> None:
    """Stores answers of `rater` to the first `n_items` items, one slot each, without a remembered
    place in the queue.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_slot SET state = 'submitted', rater_id = %s FROM labeling_item i"
            " WHERE i.id = item_id AND i.campaign_id = %s AND i.position < %s AND number = 0",
            [rater.pk, campaign.pk, n_items],
        )
        cursor.execute(
            "INSERT INTO labeling_judgment (kind, rater_id, prompt_id, campaign_id, item_id,"
            " slot_id, is_extra, is_gold, presentation, warnings, submitted_at, version,"
            " is_current) SELECT 'demonstration', rater_id, i.prompt_id, s.campaign_id, i.id, s.id,"
            " false, false, '{}', '[]', now(), 1, true FROM labeling_slot s JOIN labeling_item i ON"
            " i.id = s.item_id WHERE s.rater_id = %s",
            [rater.pk],
        )


def claim_times(workers: list[tuple[Campaign, Rater]], *, n: int) -> list[list[float]]:
    """Milliseconds of each of `n` claims by each worker. They alternate, so that other load on the
    machine affects all of them.
    """
    times: list[list[float]] = [[] for _ in workers]
    for number in range(n):
        now = NOW + timedelta(seconds=number)
        for (campaign, rater), took in zip(workers, times, strict=True):
            start = time.perf_counter()
            slot = claim.claim(campaign=campaign, rater=rater, now=now)
            took.append((time.perf_counter() - start) * 1000)
            assert slot is not None
            assert slot.lease is not None
            submit.submit(
                lease=slot.lease, rater=rater, answer=DemonstrationAnswer(text="Because."), now=now
            )
    return times


def desk_list_ms(rater: Rater) -> float:
    """Median time to list the open campaigns of `rater`: both, with the number of items to do and
    of answers today.
    """
    PoolMembership.objects.get_or_create(pool=Pool.objects.get(name="benchmark"), rater=rater)
    times = []
    for _ in range(21):
        start = time.perf_counter()
        lines = open_campaigns.open_campaigns(rater=rater, since=NOW, now=NOW + timedelta(hours=1))
        times.append((time.perf_counter() - start) * 1000)
        assert all(line.has_work for line in lines)
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
