"""Completes the lineage of comparison snapshots made by older versions. Run it where the snapshots
are.
"""

from django.core.management.base import BaseCommand

from training.models import Snapshot
from training.snapshots import services
from training.storage import store


class Command(BaseCommand):
    help = (
        "Record the demonstrations beside older comparison snapshots as part of them, so that a"
        " withdrawal finds them. Can be run again."
    )

    def handle(self, *args: object, **options: object) -> None:
        for snapshot in Snapshot.objects.filter(kind=Snapshot.Kind.COMPARISONS).order_by("pk"):
            try:
                n = services.trace_demonstrations(snapshot=snapshot)
            except (OSError, store.StoreUnavailable, store.Damaged) as problem:
                self.stderr.write(f"{snapshot}: its files could not be read ({problem}).")
            else:
                self.stdout.write(f"{snapshot}: {n} demonstrations recorded.")
