"""Every write about nodes: what a node says of itself, and whether it takes runs."""

from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from training.models import Node
from training.processes.machine import Report


def announce_node(*, name: str, report: Report, now: datetime) -> None:
    """A node says that it lives and what it has. That it drains is not its own to say."""
    Node.objects.update_or_create(
        name=name,
        defaults={
            "seen_at": now,
            "n_cores": report.n_cores,
            "memory_gb": report.memory_gb,
            "memory_free_gb": report.memory_free_gb,
            "gpus": report.gpus_as_json(),
            "versions": report.versions,
        },
    )


def drain_node(*, node: Node, by: User, now: datetime) -> bool:
    """From now on it finishes what it has and takes nothing new. False when it drained already."""
    with transaction.atomic():
        is_changed = (
            Node.objects.filter(pk=node.pk, draining_since=None).update(draining_since=now) == 1
        )
        if is_changed:
            audit_log.record(by=by, action="drain", target=node, now=now)
    return is_changed


def resume_node(*, node: Node, by: User, now: datetime) -> bool:
    with transaction.atomic():
        is_changed = (
            Node.objects.filter(pk=node.pk, draining_since__isnull=False).update(
                draining_since=None
            )
            == 1
        )
        if is_changed:
            audit_log.record(by=by, action="resume", target=node, now=now)
    return is_changed


def forget_node(*, node: Node, by: User, now: datetime) -> None:
    """Takes a machine that is gone off the page. One that lives announces itself again."""
    with transaction.atomic():
        audit_log.record(by=by, action="forget", target=node, before={"name": node.name}, now=now)
        Node.objects.filter(pk=node.pk).delete()
