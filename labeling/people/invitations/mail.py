"""The mail that carries an invitation's link: sent after the invitation is stored, all of a list
over one connection.
"""

from collections.abc import Callable, Sequence
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.models import User
from labeling.people.invitations.services import LIVES, Sent


def send(*, sent: Sequence[Sent], address_of: Callable[[str], str], by: User) -> bool:
    """Mail each its link, `address_of` its secret. False when the mail server did not take them:
    the links work all the same.
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
        subject,
        render_to_string("labeling/people/email/invitation.txt", context),
        None,
        [invitation.email],
    )
