"""GPU nodes: machines with a worker on the queue `gpu`. A node writes its own row."""

from django.db import models


class Node(models.Model):
    """The last heartbeat of a worker about its machine. A node silent for long is gone, and nothing
    waits for it.
    """

    name = models.CharField(max_length=200, unique=True)
    seen_at = models.DateTimeField()
    n_cores = models.PositiveIntegerField(default=0)
    memory_gb = models.FloatField(default=0, help_text="of the machine")
    memory_free_gb = models.FloatField(default=0)
    gpus = models.JSONField(
        default=list, help_text="name, memory_gb, used_gb, load, temperature_c of each"
    )
    versions = models.JSONField(default=dict)
    draining_since = models.DateTimeField(
        null=True, help_text="finishes its runs and takes no new ones"
    )

    def __str__(self) -> str:
        return self.name
