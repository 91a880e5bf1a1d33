"""The task that publishes models and exports to a hub."""

from jobs.protocol import Clock
from training.models import Publication
from training.registry import launch_remote
from training.registry.publish import PUBLICATIONS


@PUBLICATIONS
def publish_model(publication: Publication, clock: Clock) -> None:
    launch_remote.send(publication=publication, clock=clock)
