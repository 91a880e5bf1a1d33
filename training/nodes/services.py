"""Every write about nodes: heartbeats, draining, removal."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts import audit_log
from accounts.models import User
from jobs import guard
from training.models import Node
from training.processes.machine import Report


def record_node_heartbeat(*, name: str, report: Report, now: datetime) -> None:
    """The node is alive, with this hardware. Draining is not its own to decide, so it stays as it
    is.
    """
    Node.objects.update_or_create(
        name=name,
        defaults={
            "seen_at": now,
            "n_cores": report.n_cores,
            "memory_gb": report.memory_gb,
            "memory_free_gb": report.memory_free_gb,
            "gpus": report.gpus_as_json(),
            "versions": report.versions | ({"build": settings.BUILD} if settings.BUILD else {}),
        },
    )


def drain_node(*, node: Node, by: User, now: datetime) -> bool:
    """The node finishes its current run and takes no new ones. False when it drains already."""
    with transaction.atomic():
        is_changed = guard.update_one(
            Node.objects.filter(pk=node.pk, draining_since=None), draining_since=now
        )
        if is_changed:
            audit_log.record(by, "drain", node, now=now)
    return is_changed


def resume_node(*, node: Node, by: User, now: datetime) -> bool:
    with transaction.atomic():
        is_changed = guard.update_one(
            Node.objects.filter(pk=node.pk, draining_since__isnull=False), draining_since=None
        )
        if is_changed:
            audit_log.record(by, "resume", node, now=now)
    return is_changed


def forget_node(*, node: Node, by: User, now: datetime) -> None:
    """Removes a node that is gone. One that is alive comes back with its next heartbeat."""
    with transaction.atomic():
        audit_log.record(by, "forget", node, before={"name": node.name}, now=now)
        Node.objects.filter(pk=node.pk).delete()
