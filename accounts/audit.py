"""The audit log's one way in: an act is written down in the transaction that does it."""

from collections.abc import Iterator, Mapping
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
    """`by` is None for what the site does by itself; `before` and `after` hold only what changed,
    as JSON values.
    """
    was, is_now = dict(before or {}), dict(after or {})
    return AuditEvent.objects.create(
        at=now,
        by=by,
        action=action,
        target_type=target._meta.label_lower,
        target_id=target.pk,
        before=was,
        after=is_now,
        words=" ".join([str(target), *_words(was), *_words(is_now)]).casefold(),
    )


def _words(value: Any) -> Iterator[str]:
    """What people may look for: names and values, at whatever depth."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name).replace("_", " ")
            yield from _words(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
