"""Many raters at once, on PostgreSQL with threads and on SQLite with processes: nothing is handed
out twice, nothing is lost.
"""

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from labeling.desk.judgments import submit as judgments_submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Judgment, Pass, Pool, Rater, Slot
from labeling.queue import slots
from labeling.queue.claiming import claim as claiming_claim
from tests.cast import NOON, lease_of, open_demonstration_campaign

N_RATERS, N_ITEMS, OVERLAP = 40, 60, 3


def work_until_empty(
    campaign: Campaign, rater: Rater, seed: int, start: threading.Barrier
) -> list[int]:
    """Claims until three claims in a row find nothing; the judgments that were acknowledged.

    One in ten items is released, one in ten only kept alive, one in ten submitted twice; now and
    then half an hour goes by with an item in hand. Every second rater may skip the first two items
    while many are left: one that most had skipped, or that is skipped at the very end by a rater
    whom a busy machine let in late, would find nobody left to take it.
    """
    chance = random.Random(seed)
    now = NOON
    acknowledged, n_claims, n_empty = [], 0, 0
    start.wait()
    try:
        while n_empty < 3:
            slot = claiming_claim.claim(campaign=campaign, rater=rater, now=now)
            now += timedelta(seconds=1)
            if slot is None:
                n_empty += 1
                now += timedelta(minutes=1)
                continue
            n_empty, n_claims = 0, n_claims + 1
            may_skip = seed % 2 == 0 and n_claims <= 2 and chance.random() < 0.3
            if may_skip and campaign.slots.filter(state="free").count() > N_RATERS:
                slots.skip(lease=lease_of(slot), rater=rater, reason="technical", now=now)
                continue
            if chance.random() < 0.1:
                now += timedelta(minutes=31)
            acknowledged += act(slot, rater, chance, now)
    finally:
        connection.close()
    return acknowledged


def act(slot: Slot, rater: Rater, chance: random.Random, now: datetime) -> list[int]:
    what = chance.random()
    if what < 0.1:
        slots.release(lease=lease_of(slot), rater=rater, now=now)
        return []
    if what < 0.2:
        slots.heartbeat(lease=lease_of(slot), rater=rater, now=now)
        return []
    given: dict[str, Any] = {
        "lease": lease_of(slot),
        "rater": rater,
        "answer": DemonstrationAnswer(text=f"{rater.alias} on {slot.item_id}"),
        "now": now,
    }
    judgment = judgments_submit.submit(**given)
    if what < 0.3:
        assert judgments_submit.submit(**given) == judgment
    return [judgment.pk]


def assert_all_is_well(campaign: Campaign, acknowledged: list[int]) -> None:
    counted = Counter(
        Judgment.of_people.filter(campaign=campaign, is_extra=False).values_list("item", flat=True)
    )
    assert set(counted.values()) == {campaign.overlap}, (
        "every item has its overlap, and none has more"
    )
    assert len(counted) == campaign.items.count()
    pairs = Counter(Judgment.of_people.filter(campaign=campaign).values_list("item", "rater"))
    assert set(pairs.values()) == {1}, "nobody twice on an item"
    assert sorted(acknowledged) == sorted(
        Judgment.of_people.filter(campaign=campaign).values_list("pk", flat=True)
    )
    assert not campaign.slots.exclude(state="submitted").exists(), (
        "the queue is drained to the last slot"
    )
    for slot in campaign.slots.select_related("judgment"):
        assert slot.judgment.rater_id == slot.rater_id
        assert slot.judgment.item_id == slot.item_id


@pytest.mark.slow
@pytest.mark.parametrize("order", ["finish_first", "spread"])
@pytest.mark.django_db(transaction=True)
def test_forty_raters_at_once_drain_a_campaign(
    day_shift: Pool, guideline: Guideline, order: str
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=N_ITEMS, overlap=OVERLAP, order=order
    )
    raters = Rater.everyone.bulk_create(Rater(alias=f"rater {n}") for n in range(N_RATERS))
    start = threading.Barrier(N_RATERS)

    with ThreadPoolExecutor(N_RATERS) as threads:
        futures = [
            threads.submit(work_until_empty, campaign, rater, seed, start)
            for seed, rater in enumerate(raters)
        ]
        acknowledged = [pk for future in futures for pk in future.result()]

    assert Pass.objects.exists()
    assert_all_is_well(campaign, acknowledged)


@pytest.mark.django_db(transaction=True)
def test_one_rater_in_many_tabs_holds_one_item(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=20)
    start = threading.Barrier(8)

    def claim() -> object:
        start.wait()
        try:
            return claiming_claim.claim(campaign=campaign, rater=rosa, now=NOON).lease
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        leases = {future.result() for future in [threads.submit(claim) for _ in range(8)]}

    assert len(leases) == 1
    assert campaign.slots.filter(state="leased").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_submit_sent_many_times_at_once_stores_once(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline)
    slot = claiming_claim.claim(campaign=campaign, rater=rosa, now=NOON)
    start = threading.Barrier(8)

    def submit() -> int:
        start.wait()
        try:
            return judgments_submit.submit(
                lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
            ).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        stored = {future.result() for future in [threads.submit(submit) for _ in range(8)]}

    assert len(stored) == 1
    assert Judgment.of_people.count() == 1


@pytest.mark.slow
def test_eight_processes_on_sqlite_drain_a_campaign(tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shared.sqlite3'}",
        "PREFERABLY_HOME": str(tmp_path),
    }
    program = [sys.executable, str(Path(__file__).with_name("sqlite_worker.py"))]

    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=240)

    assert done.returncode == 0, done.stderr
    assert "judgments by 8 processes" in done.stdout
