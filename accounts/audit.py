"""The audit log's one way in: an act is written down in the transaction that does it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from accounts.models import AuditEvent, User


def record(
    *,
    by: User | None,
    action: str,
    target: Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEvent:
    """`by` is None for what the site does by itself; `before` and `after` hold only what changed, as JSON values."""
    return AuditEvent.objects.create(
        at=now,
        by=by,
        action=action,
        target_type=target._meta.label_lower,
        target_id=target.pk,
        before=dict(before or {}),
        after=dict(after or {}),
    )
