"""The only way to write to the audit log, in the same transaction as the change it records, and to
delete from it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Model

from accounts.models import AuditEvent, User


def record(
    by: User | None,
    action: str,
    target: Model,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    now: datetime,
) -> AuditEvent:
    """Who did what to which object, read as a sentence. `by` is None when the site itself acts.
    `before` and `after` hold only the values that changed, as JSON values.
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


def delete_old(*, now: datetime) -> None:
    """Deletes entries after PREFERABLY_KEEP_AUDIT_DAYS; nothing if that is 0."""
    if settings.KEEP_AUDIT_DAYS:
        made_before = now - timedelta(days=settings.KEEP_AUDIT_DAYS)
        AuditEvent.objects.filter(at__lt=made_before).delete()


def _words(value: object) -> Iterator[str]:
    """The searchable words: names and values at any depth."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name).replace("_", " ")
            yield from _words(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
