"""The queues of the site. A row that waits is the truth; messages only wake the workers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Delivery
from jobs.messages import GPU, MODELS, SHORT
from labeling.models import Export, HubDownload, Import
from training.models import Curation, Publication, Run

LIMIT = 10_000
"""No queue is counted further."""
MESSAGES = (SHORT, GPU, MODELS)
"""Celery's queues."""


@dataclass(frozen=True)
class Queue:
    """What waits for a worker on Celery's queue `messages`, and the page that lists it."""

    name: str
    label: Promise
    messages: str
    url_name: str
    rows: QuerySet[Any]
    since: str = "created_at"
    """the column with the time at which a row began to wait"""


@dataclass(frozen=True)
class Waiting:
    """How much waits, and since when the oldest does."""

    queue: Queue
    n: int
    since: datetime | None


def _queued(model: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(state=model.State.QUEUED)
    return rows


QUEUES = (
    # A run that went back to the queue has not waited since it was created.
    Queue(
        "runs",
        _("Runs"),
        "gpu",
        "nodes",
        _queued(Run).annotate(back_at=Coalesce("heartbeat_at", "created_at")),
        since="back_at",
    ),
    Queue("imports", _("Imports"), "short", "imports", _queued(Import)),
    Queue("downloads", _("Downloads from a hub"), "short", "imports", _queued(HubDownload)),
    Queue("exports", _("Exports"), "short", "campaigns", _queued(Export)),
    Queue("curations", _("Curations"), "short", "snapshots", _queued(Curation)),
    Queue("publications", _("Publications on a hub"), "models", "models", _queued(Publication)),
    # One that was tried in vain waits for its next time, not for a worker.
    Queue(
        "webhooks",
        _("Webhook messages"),
        "short",
        "webhooks",
        Delivery.objects.filter(
            state=Delivery.State.WAITING, webhook__disabled_at=None, due_at__lte=Now()
        ),
        since="due_at",
    ),
)


def waiting(queue: Queue) -> Waiting:
    """One query, whose cost does not grow beyond LIMIT rows."""
    counts = queue.rows.order_by()[:LIMIT].aggregate(n=Count("pk"), since=Min(queue.since))
    return Waiting(queue, counts["n"], counts["since"])
