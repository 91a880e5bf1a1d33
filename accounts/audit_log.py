"""The only way to write to the audit log, in the same transaction as the change it records, and to
delete from it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Model

from accounts.models import AuditEvent, User

READ_AGAIN_AFTER_S = 60 * 60


def record(
    by: User | None,
    action: str,
    target: Model,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    address: str | None = None,
    now: datetime,
) -> AuditEvent:
    """Who did what to which object, read as a sentence. `by` is None when the site itself acts.
    `before` and `after` hold only the values that changed, as JSON values. `address` is of the
    client, for log-ins. An object that is not stored stands for one that nobody knows.
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
        address=address,
        words=" ".join([str(target), *_words(was), *_words(is_now)]).casefold(),
    )


def record_reading(
    by: User, action: str, target: Model, *, after: Mapping[str, object], now: datetime
) -> None:
    """Something that is read page by page, once an hour: a program asks every minute for ever."""
    key = f"{action}:{target._meta.label_lower}:{target.pk}:{by.pk}"
    if cache.add(key, 1, timeout=READ_AGAIN_AFTER_S):
        record(by, action, target, after=after, now=now)


def delete_old(*, now: datetime) -> None:
    """Deletes entries after PREFERABLY_KEEP_AUDIT_DAYS and addresses after
    PREFERABLY_KEEP_ADDRESSES_DAYS; nothing of what is 0.
    """
    if settings.KEEP_ADDRESSES_DAYS:
        made_before = now - timedelta(days=settings.KEEP_ADDRESSES_DAYS)
        AuditEvent.objects.filter(at__lt=made_before, address__isnull=False).update(address=None)
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
