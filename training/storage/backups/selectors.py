"""When the site was backed up, and whether it is time to do it again."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import Backup


def last_success() -> Backup | None:
    return Backup.objects.filter(problem="").order_by("-ended_at", "-pk").first()


def last_failure() -> Backup | None:
    """The last attempt, if it failed."""
    newest = Backup.objects.order_by("-ended_at", "-pk").first()
    return newest if newest is not None and newest.problem else None


def is_due(*, now: datetime, again_after: timedelta) -> bool:
    """Whether the last backup began PREFERABLY_BACKUP_EVERY hours ago, and the last failure is not
    newer than `again_after`.
    """
    made = Backup.objects.filter(place=settings.BACKUP_URL)
    is_recent = made.filter(
        problem="", started_at__gt=now - timedelta(hours=settings.BACKUP_EVERY_HOURS)
    )
    has_failed = made.exclude(problem="").filter(ended_at__gt=now - again_after)
    return not is_recent.exists() and not has_failed.exists()
