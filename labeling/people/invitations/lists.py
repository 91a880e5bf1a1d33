"""Lists of a pool's invitations, with their states."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from labeling.models import Invitation, Pool


class InvitationState(models.TextChoices):
    WAITS = "waits", _("pending")
    ACCEPTED = "accepted", _("accepted")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


@dataclass(frozen=True)
class InvitationRow:
    invitation: Invitation
    state: InvitationState

    @property
    def is_open(self) -> bool:
        return self.state in {InvitationState.WAITS, InvitationState.EXPIRED}


def invitations(*, pool: Pool, state: str = "", now: dt.datetime) -> QuerySet[Invitation]:
    """Newest first; `state` is an InvitationState, or empty for all."""
    found = pool.invitations.select_related("rater__user", "sent_by").order_by("-sent_at", "-pk")
    is_open = Q(accepted_at=None, revoked_at=None)
    conditions = {
        InvitationState.WAITS: is_open & Q(expires_at__gt=now),
        InvitationState.ACCEPTED: Q(accepted_at__isnull=False),
        InvitationState.EXPIRED: is_open & Q(expires_at__lte=now),
        InvitationState.REVOKED: Q(revoked_at__isnull=False),
    }
    return found.filter(conditions[InvitationState(state)]) if state in InvitationState else found


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
