"""Lists a pool's invitations with their states, and looks up an invitation by its link."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from labeling.models import Invitation, Rater


@dataclass(frozen=True)
class InvitationLink:
    """`problem` says why the link does not work; `has_login` whether the person signs in instead of
    choosing a password.
    """

    invitation: Invitation | None
    problem: str
    has_login: bool

    def is_joined_by(self, user: User) -> bool:
        """Whether this person has accepted it, and only opens the link again."""
        accepted_by = None if self.invitation is None else self.invitation.rater
        return accepted_by is not None and accepted_by.user_id == user.pk


def find_invitation(*, secret_sha256: str, now: datetime) -> InvitationLink:
    invitation = (
        Invitation.objects.select_related("pool", "sent_by", "rater")
        .filter(secret_sha256=secret_sha256)
        .first()
    )
    problem = closed_sentence(invitation=invitation, now=now)
    has_login = invitation is not None and User.objects.filter(email=invitation.email).exists()
    return InvitationLink(invitation, problem, has_login)


def is_invited(*, email: str, now: datetime) -> bool:
    """Whether an invitation to this address is open."""
    return (
        invitations(pool_id=None, state=InvitationState.WAITS, now=now).filter(email=email).exists()
    )


def closed_sentence(*, invitation: Invitation | None, now: datetime) -> str:
    """Why the link does not work; empty when it does."""
    if invitation is None or invitation.revoked_at is not None:
        return _(
            "This invitation is unknown or has been replaced. Open the link in the latest e-mail."
        )
    if invitation.accepted_at is not None:
        return _(
            "This invitation has already been used. Log in with the e-mail and password you chose."
        )
    if invitation.expires_at <= now:
        return _("This invitation has expired. Ask the sender for a new one.")
    if Rater.people.filter(user__email=invitation.email, withdrawn_at__isnull=False).exists():
        return withdrawn_sentence()
    return ""


def withdrawn_sentence() -> str:
    return _(
        "You asked us to stop using your answers, so you can't join. Ask the person who invited you"
        " to undo that first."
    )


class InvitationState(models.TextChoices):
    WAITS = "waits", gettext_lazy("pending")
    ACCEPTED = "accepted", gettext_lazy("accepted")
    EXPIRED = "expired", gettext_lazy("expired")
    REVOKED = "revoked", gettext_lazy("revoked")


@dataclass(frozen=True)
class InvitationRow:
    invitation: Invitation
    state: InvitationState

    @property
    def is_open(self) -> bool:
        return self.state in {InvitationState.WAITS, InvitationState.EXPIRED}


def invitations(*, pool_id: int | None, state: str = "", now: dt.datetime) -> QuerySet[Invitation]:
    """To a pool, or to any; newest first. `state` is an InvitationState, or empty for all."""
    queryset = Invitation.objects.select_related("rater__user", "sent_by").order_by(
        "-sent_at", "-pk"
    )
    queryset = queryset if pool_id is None else queryset.filter(pool=pool_id)
    is_open = Q(accepted_at=None, revoked_at=None)
    conditions = {
        InvitationState.WAITS: is_open & Q(expires_at__gt=now),
        InvitationState.ACCEPTED: Q(accepted_at__isnull=False),
        InvitationState.EXPIRED: is_open & Q(expires_at__lte=now),
        InvitationState.REVOKED: Q(revoked_at__isnull=False),
    }
    return (
        queryset.filter(conditions[InvitationState(state)])
        if state in InvitationState
        else queryset
    )


def invitation_rows(*, invitations: Iterable[Invitation], now: dt.datetime) -> list[InvitationRow]:
    return [
        InvitationRow(invitation, _invitation_state(invitation, now)) for invitation in invitations
    ]


def _invitation_state(invitation: Invitation, now: dt.datetime) -> InvitationState:
    if invitation.accepted_at is not None:
        return InvitationState.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationState.REVOKED
    return InvitationState.EXPIRED if invitation.expires_at <= now else InvitationState.WAITS
