"""Celery tasks of the registry: publish models and exports to a hub, count what snapshots hold."""

from django.utils import timezone

from jobs.protocol import Clock
from training.models import Publication
from training.registry import launch_remote
from training.registry.lineage import collected_data
from training.registry.publish import PUBLICATIONS


@PUBLICATIONS
def publish_model(publication: Publication, clock: Clock) -> None:
    launch_remote.send(publication=publication, clock=clock)


@collected_data.REFRESH_SNAPSHOTS
def refresh_snapshots(*, name: str, pk: int) -> None:
    """How many judgments of a large campaign each snapshot holds."""
    collected_data.refresh_snapshots(name=name, pk=pk, now=timezone.now())
