"""Prints as JSON what a loop left in the database. Run by scripts/loop.py with the site's environment; reads and never writes."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db.models import Count, F, Q  # noqa: E402  # models can be imported once Django is set up

from labeling.models import Campaign, Import, Item, Judgment, Response  # noqa: E402
from training.models import Run, Snapshot, TrainedModel  # noqa: E402


def overlap_violations() -> int:
    """Items with more judgments than were asked for, slots taken twice, and raters who met an item twice."""
    counted = Count("judgments", filter=Q(judgments__is_extra=False), distinct=True)
    too_many = Item.objects.annotate(n=counted).filter(n__gt=F("campaign__overlap")).count()
    twice = Judgment.objects.exclude(item=None).values("item", "rater").annotate(n=Count("pk")).filter(n__gt=1).count()
    too_many_slots = Item.objects.annotate(n=Count("slots")).filter(n__gt=F("campaign__overlap")).count()
    return too_many + twice + too_many_slots


def figures() -> dict[str, object]:
    sampled = Response.objects.filter(source__trained_model__run__isnull=False)
    return {
        "imports": list(Import.objects.order_by("pk").values("file_name", "state", "counts")),
        "snapshots": list(Snapshot.objects.order_by("pk").values("pk", "name", "kind", "n_rows", "card")),
        "runs": list(Run.objects.order_by("pk").values("pk", "kind", "outcome", "error", "metrics", "notes", "versions")),
        "models": list(TrainedModel.objects.order_by("pk").values("pk", "name", "kind", "source__name")),
        "responses_sampled": sampled.count(),
        "responses_ended": sampled.filter(is_ended=True).count(),
        "judgments_submitted": Judgment.objects.exclude(campaign=None).count(),
        "judgments_extra": Judgment.objects.filter(is_extra=True).count(),
        "slots_wanted": sum(Campaign.objects.annotate(n=Count("slots")).values_list("n", flat=True)),
        "overlap_violations": overlap_violations(),
    }


if __name__ == "__main__":
    json.dump(figures(), sys.stdout)
