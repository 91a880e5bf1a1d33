"""Looks up an invitation by its link."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from labeling.models import Invitation, Rater


@dataclass(frozen=True)
class Joining:
    """`problem` says why the link does not work; `has_login` whether the person signs in instead of
    choosing a password.
    """

    invitation: Invitation | None
    problem: str
    has_login: bool


def invitation_behind(*, secret_sha256: str, now: datetime) -> Joining:
    invitation = (
        Invitation.objects.select_related("pool", "sent_by")
        .filter(secret_sha256=secret_sha256)
        .first()
    )
    problem = closed_sentence(invitation=invitation, now=now)
    has_login = (
        invitation is not None and User.objects.filter(email__iexact=invitation.email).exists()
    )
    return Joining(invitation, problem, has_login)


def closed_sentence(*, invitation: Invitation | None, now: datetime) -> str:
    """Why the link does not work; empty when it does."""
    if invitation is None or invitation.revoked_at is not None:
        return _(
            "This invitation is unknown or has been replaced. Open the link in the latest e-mail."
        )
    if invitation.accepted_at is not None:
        return _(
            "This invitation has already been used. Sign in with the e-mail and password you chose."
        )
    if invitation.expires_at <= now:
        return _("This invitation has expired. Ask the sender for a new one.")
    if Rater.objects.filter(user__email=invitation.email, withdrawn_at__isnull=False).exists():
        return withdrawn_sentence()
    return ""


def withdrawn_sentence() -> str:
    return _(
        "You asked us to stop using your answers, so you can't join. Ask the person who invited you"
        " to undo that first."
    )
