"""Mails invitation links, after the invitations are stored and over one connection."""

from collections.abc import Callable, Sequence
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.models import User
from labeling.people.invitations.services import LIVES, Sent
from pages import plain_text


def send(*, sent: Sequence[Sent], address_of: Callable[[str], str], by: User) -> bool:
    """Mail each invitation its link; `address_of` makes the URL from its secret. False when the
    mail server failed: the links work anyway.
    """
    messages = [_message(entry, address=address_of(entry.secret), by=by) for entry in sent]
    try:
        get_connection().send_messages(messages)
    except (OSError, SMTPException):
        return False
    return True


def _message(sent: Sent, *, address: str, by: User) -> EmailMessage:
    invitation = sent.invitation
    context = {"invitation": invitation, "address": address, "by": by, "days": LIVES.days}
    subject = _("Join us in “%(pool)s”") % {"pool": invitation.pool.name}
    return EmailMessage(
        plain_text.one_line(subject),
        render_to_string("labeling/people/email/invitation.txt", context),
        None,
        [invitation.email],
    )
