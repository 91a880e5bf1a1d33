"""Runs one queued run in the foreground, without a worker: manage.py supervise RUN_ID. SIGTERM
saves the run and requeues it.
"""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from training.processes import shutdown_notice
from training.runs.supervisor import supervise


class Command(BaseCommand):
    help = "Runs one queued run here and now, as a GPU worker would."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run_id", type=int)

    def handle(self, *, run_id: int, **_options: object) -> None:
        with shutdown_notice.watch(has_worker=False) as is_leaving:
            supervise.supervise(run_id=run_id, node=settings.NODE_NAME, is_leaving=is_leaving)
