"""The program of the SQLite test: creates a database, lets eight processes judge at once, and
compares their results.
"""

import multiprocessing
import os
import sys
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from labeling.guidelines import services as guidelines_services  # noqa: E402
from labeling.models import Campaign, Rater  # noqa: E402
from labeling.people.pools import services as pools_services  # noqa: E402
from tests.cast import NOON, open_demonstration_campaign  # noqa: E402
from tests.labeling.queue.test_concurrent_claims import assert_all_is_well, work_until_empty  # noqa: E402

N_PROCESSES = 8


def set_up() -> Campaign:
    # From the models, which saves 20 s. tests/upgrades runs the migrations on SQLite.
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=True)
    pool = pools_services.create_pool(name="Day shift", by=None, now=NOON)
    guideline = guidelines_services.create_guideline(
        name="Helpful answers", text="Be helpful.", by=None, now=NOON
    )
    Rater.everyone.bulk_create(Rater(alias=f"rater {n}") for n in range(N_PROCESSES))
    return open_demonstration_campaign(pool=pool, guideline=guideline, n_items=40, overlap=3)


def work(number: int, start: Barrier, answers: "Queue[list[int]]") -> None:
    campaign, rater = Campaign.objects.get(), Rater.everyone.get(alias=f"rater {number}")
    answers.put(work_until_empty(campaign, rater, number, start))


def main() -> None:
    campaign = set_up()
    connections.close_all()  # a connection must not be shared with a child
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(N_PROCESSES), context.Queue()
    workers = [
        context.Process(target=work, args=(number, start, answers)) for number in range(N_PROCESSES)
    ]
    for worker in workers:
        worker.start()
    acknowledged = [pk for _ in workers for pk in answers.get(timeout=200)]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert_all_is_well(campaign, acknowledged)
    print(f"{len(acknowledged)} judgments by {N_PROCESSES} processes")  # noqa: T201  # the test reads it


if __name__ == "__main__":
    main()
