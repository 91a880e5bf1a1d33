"""Stores the suites that come with the product. Safe to run again."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from training.benchmarks.suites import shipped_suites


class Command(BaseCommand):
    help = "Store the suites that come with the product, those that are not stored yet."

    def handle(self, *args: object, **options: object) -> None:
        loaded = shipped_suites.load(by=None, now=timezone.now())
        for suite in loaded:
            self.stdout.write(f"{suite}: {suite.n_items} items stored.")
        if not loaded:
            self.stdout.write("All suites are already stored.")
