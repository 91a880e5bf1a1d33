"""Mails invitation links, after the invitations are stored."""

from collections.abc import Callable, Sequence

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.notices import mail
from accounts.notices.mail import Letter
from arithmetic import plain_text
from labeling.people.invitations.services import LIVES, Sent


def send(*, sent: Sequence[Sent], address_of: Callable[[str], str], by: User) -> bool:
    """Mail each invitation its link; `address_of` makes the URL from its secret. False when broker
    and mail server are away: the links work anyway.
    """
    return mail.post([_letter(entry, address=address_of(entry.secret), by=by) for entry in sent])


def _letter(sent: Sent, *, address: str, by: User) -> Letter:
    invitation = sent.invitation
    context = {"invitation": invitation, "address": address, "by": by, "days": LIVES.days}
    subject = _("Join us in “%(pool)s”") % {"pool": invitation.pool.name}
    return Letter(
        invitation.email,
        plain_text.one_line(subject),
        render_to_string("labeling/people/email/invitation.txt", context),
    )
