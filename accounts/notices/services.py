"""Notices to people: written in the event's transaction, mailed later to those who want it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import Notice, User
from jobs import guard

N_MAILED_AT_ONCE = 200


def notify(
    *,
    people: Iterable[User],
    key: str,
    kind: Notice.Kind,
    words: Callable[[], str],
    path: str,
    now: datetime,
) -> None:
    """Creates one notice per person, in each person's language. Calling it again with the same
    `key` has no effect.
    """
    notices = []
    for person in people:
        with override(person.language):
            notices.append(
                Notice(person=person, key=key, kind=kind, sentence=words(), path=path, at=now)
            )
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def unread(*, person: User) -> QuerySet[Notice]:
    return Notice.objects.filter(person=person, read_at=None)


def of(*, person: User) -> QuerySet[Notice]:
    """A person's notices, newest first."""
    return Notice.objects.filter(person=person).order_by("-at", "-pk")


def mark_read(
    *, person: User, now: datetime, pk: int | None = None, until: int | None = None
) -> Notice | None:
    """Marks one notice as read, or all of them when `pk` is None: those up to the one with the ID
    `until`, if it is given.
    """
    mine = Notice.objects.filter(person=person)
    if pk is not None:
        mine = mine.filter(pk=pk)
    if until is not None:
        mine = mine.filter(pk__lte=until)
    mine.filter(read_at=None).update(read_at=now)
    return mine.first() if pk is not None else None


def choose_mail(*, person: User, mailed: str) -> None:
    """Sets which notices are mailed from now on."""
    User.objects.filter(pk=person.pk).update(mailed_notices=mailed)


def mail_waiting(*, now: datetime) -> int:
    """Mails the pending notices that people want; returns how many. Each notice is claimed by one
    conditional update, so nobody gets it twice.

    If the mail server does not answer, the rest stays for the next call.
    """
    wants_mail = Q(person__mailed_notices=User.MailedNotices.ALL) | (
        Q(person__mailed_notices=User.MailedNotices.TROUBLE) & ~Q(kind=Notice.Kind.FINISHED)
    )
    # Somebody who asks for more mail later does not receive old notices.
    Notice.objects.filter(mailed_at=None).exclude(wants_mail, person__is_active=True).update(
        mailed_at=F("at")
    )
    n_mailed = 0
    for notice in (
        Notice.objects.filter(mailed_at=None)
        .select_related("person")
        .order_by("pk")[:N_MAILED_AT_ONCE]
    ):
        if not guard.update_one(Notice.objects.filter(pk=notice.pk, mailed_at=None), mailed_at=now):
            continue
        try:
            _mail(notice)
        except (OSError, SMTPException):
            Notice.objects.filter(pk=notice.pk).update(mailed_at=None)
            break
        n_mailed += 1
    return n_mailed


def _mail(notice: Notice) -> None:
    with override(notice.person.language):
        subject = _("Preferably: %(what)s") % {"what": notice.get_kind_display()}
        footer = _("Choose which notifications you get by e-mail on the “Notifications” page.")
    link = f"{settings.SITE_URL}{notice.path}" if settings.SITE_URL else notice.path
    send_mail(
        subject, f"{notice.sentence}\n\n{link}\n\n-- \n{footer}\n", None, [notice.person.email]
    )
