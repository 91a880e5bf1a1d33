"""Invitations to a pool: create, resend, revoke and accept them. The link contains a secret; only
its hash is stored.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from arithmetic import plain_text
from jobs import guard
from labeling.models import Invitation, Pool, Rater
from labeling.people.accounts import services as accounts_services
from labeling.people.invitations import selectors
from labeling.people.invitations.csv_file import Invitee
from labeling.people.pools import services as pools_services

LIVES = timedelta(days=7)


class UnableToAccept(Refusal):
    """Raised when a link no longer works; the text says what to do."""


class UnableToInvite(Refusal):
    """Raised when people cannot be invited; the text says who and why."""


@dataclass(frozen=True)
class Sent:
    """An invitation and the secret of its link, which is not stored."""

    invitation: Invitation
    secret: str


def invite_to_pool(
    *, pool: Pool, invitees: Sequence[Invitee], by: User | None, now: datetime
) -> list[Sent]:
    """Create an invitation for each person. An open invitation is replaced by a new one; people in
    the pool are left out.

    Raises UnableToInvite, and invites nobody, if one of them has withdrawn.
    """
    by_email = {plain_text.mail_address(invitee.email): invitee for invitee in invitees}
    with transaction.atomic():
        _refuse_withdrawn(by_email)
        Pool.objects.select_for_update().get(
            pk=pool.pk
        )  # serialises two admins with the same list, so that no address gets two invitations
        inside = pool.memberships.filter(is_active=True, rater__user__email__in=by_email)
        for email in inside.values_list("rater__user__email", flat=True):
            by_email.pop(email, None)
        waiting = {entry.email: entry for entry in _waiting(pool).filter(email__in=by_email)}
        sent = [_renew(waiting[email], by=by, now=now) for email in by_email if email in waiting]
        sent += _create(
            pool,
            [(email, by_email[email].name) for email in by_email if email not in waiting],
            by=by,
            now=now,
        )
        if sent:
            after = {"invited": [entry.invitation.email for entry in sent]}
            audit_log.record(by, "invite", pool, after=after, now=now)
    return sent


def resend_invitation(*, invitation: Invitation, by: User | None, now: datetime) -> Sent | None:
    """Create a new link with a full lifetime; the old one stops working. None when it was accepted
    or revoked. Raises UnableToInvite.
    """
    with transaction.atomic():
        stored = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if stored.accepted_at is not None or stored.revoked_at is not None:
            return None
        _refuse_withdrawn([stored.email])
        sent = _renew(stored, by=by, now=now)
        audit_log.record(by, "resend", stored, after={"email": stored.email}, now=now)
    return sent


def revoke_invitation(*, invitation: Invitation, by: User | None, now: datetime) -> bool:
    """The link stops working. False when it was accepted or revoked before."""
    with transaction.atomic():
        waits = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if not guard.update_one(waits, revoked_at=now):
            return False
        audit_log.record(by, "revoke", invitation, before={"email": invitation.email}, now=now)
    return True


def accept_invitation(
    *,
    secret: str,
    user: User | None,
    name: str = "",
    password: str = "",
    time_zone: str = "UTC",
    now: datetime,
) -> User:
    """Accept the invitation and make its person a rater in the pool: `user` if signed in, or a new
    login with name and password.

    Raises UnableToAccept, and UnableToCreatePerson when the address already has a login that nobody
    is signed in with.
    """
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(of=("self",))
            .select_related("pool")
            .filter(secret_sha256=hash_of(secret=secret))
            .first()
        )
        problem = selectors.closed_sentence(invitation=invitation, now=now)
        if invitation is None or problem:
            raise UnableToAccept(problem)
        if user is not None and user.email != invitation.email:
            raise UnableToAccept(
                _(
                    "This invitation is for a different address than the one you are logged in"
                    " with. Log out first."
                )
            )
        if user is None:
            user = accounts_services.create_person(
                email=invitation.email,
                name=name,
                roles=["rater"],
                time_zone=time_zone,
                password=password,
                by=None,
                now=now,
            )
        elif not user.is_rater:
            roles = [*user.roles, "rater"]
            user = accounts_services.change_person(
                user=user,
                email=user.email,
                name=user.name,
                roles=roles,
                time_zone=user.time_zone,
                is_active=True,
                by=None,
                now=now,
            )
        Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now, rater=user.rater)
        try:
            pools_services.add_raters(pool=invitation.pool, raters=[user.rater], by=user, now=now)
        except pools_services.UnableToAddRaters as refusal:
            raise UnableToAccept(selectors.withdrawn_sentence()) from refusal
        audit_log.record(user, "accept", invitation, after={"email": invitation.email}, now=now)
    return user


def hash_of(*, secret: str) -> str:
    """A secret is 256 random bits, so a plain hash is as good as a slow one."""
    return sha256(secret.encode()).hexdigest()


def _refuse_withdrawn(emails: Iterable[str]) -> None:
    """They would get work that is then left out of everything."""
    withdrawn = Rater.people.filter(
        user__email__in=list(emails), withdrawn_at__isnull=False
    ).order_by("user__email")
    addresses = list(withdrawn.values_list("user__email", flat=True))
    if addresses:
        sentence = _(
            "%(email)s has withdrawn, so no one was invited. Undo the withdrawal on the rater's"
            " page first."
        )
        raise UnableToInvite(sentence % {"email": ", ".join(addresses)})


def _waiting(pool: Pool) -> QuerySet[Invitation]:
    return pool.invitations.filter(accepted_at=None, revoked_at=None)


def _renew(invitation: Invitation, *, by: User | None, now: datetime) -> Sent:
    secret = secrets.token_urlsafe(32)
    invitation.secret_sha256, invitation.sent_by = hash_of(secret=secret), by
    invitation.sent_at, invitation.expires_at, invitation.n_sent = (
        now,
        now + LIVES,
        invitation.n_sent + 1,
    )
    invitation.save(update_fields=["secret_sha256", "sent_by", "sent_at", "expires_at", "n_sent"])
    return Sent(invitation, secret)


def _create(
    pool: Pool, people: Iterable[tuple[str, str]], *, by: User | None, now: datetime
) -> list[Sent]:
    sent = []
    for email, name in people:
        secret = secrets.token_urlsafe(32)
        invitation = Invitation(
            pool=pool,
            email=email,
            name=name,
            secret_sha256=hash_of(secret=secret),
            sent_by=by,
            created_at=now,
            sent_at=now,
            expires_at=now + LIVES,
        )
        sent.append(Sent(invitation, secret))
    Invitation.objects.bulk_create(entry.invitation for entry in sent)
    return sent
