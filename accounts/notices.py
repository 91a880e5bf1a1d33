"""What the site has to tell people: written in the transaction of the event, mailed afterwards to
those who want it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import Notice, User

N_MAILED_AT_ONCE = 200


def tell(
    *,
    people: Iterable[User],
    key: str,
    kind: Notice.Kind,
    words: Callable[[], str],
    path: str,
    now: datetime,
) -> None:
    """One notice a person, in the language of each. An event that is told again under its `key` is
    told once.
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
    """The newest first."""
    return Notice.objects.filter(person=person).order_by("-at", "-pk")


def mark_read(*, person: User, now: datetime, pk: int | None = None) -> Notice | None:
    """The one named, or all of them."""
    mine = Notice.objects.filter(person=person)
    if pk is not None:
        mine = mine.filter(pk=pk)
    mine.filter(read_at=None).update(read_at=now)
    return mine.first() if pk is not None else None


def choose_mail(*, person: User, mailed: str) -> None:
    """Which notices come by mail from now on."""
    User.objects.filter(pk=person.pk).update(mailed_notices=mailed)


def mail_waiting(*, now: datetime) -> int:
    """Mails what waits and is wanted; how many. A notice is taken by one conditional update, so
    nobody gets it twice.

    A mail server that does not answer leaves the rest for the next time.
    """
    wanted = Q(person__mailed_notices=User.MailedNotices.ALL) | (
        Q(person__mailed_notices=User.MailedNotices.TROUBLE) & ~Q(kind=Notice.Kind.FINISHED)
    )
    # Somebody who chooses more mail later is not sent the past.
    Notice.objects.filter(mailed_at=None).exclude(wanted, person__is_active=True).update(
        mailed_at=F("at")
    )
    n_mailed = 0
    for notice in (
        Notice.objects.filter(mailed_at=None)
        .select_related("person")
        .order_by("pk")[:N_MAILED_AT_ONCE]
    ):
        if Notice.objects.filter(pk=notice.pk, mailed_at=None).update(mailed_at=now) != 1:
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
        footer = _("Which notices you get by mail is chosen on the page “Notices”.")
    link = f"{settings.SITE_URL}{notice.path}" if settings.SITE_URL else notice.path
    send_mail(
        subject, f"{notice.sentence}\n\n{link}\n\n-- \n{footer}\n", None, [notice.person.email]
    )
