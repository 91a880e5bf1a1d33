"""Tokens for the REST API: create, show once, check, revoke. A token opens nothing beyond its
person's roles.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import access as accounts_access
from accounts import audit_log
from accounts.models import ApiToken, User
from accounts.refusals import Refusal
from config.api_permissions import Scope
from jobs import guard

MARK = "pfb_"
"""The prefix of every secret, so that scanners find one that was committed by mistake."""
N_SHOWN = len(MARK) + 8
MAX_DAYS = 366
USE_NOTED_EVERY = timedelta(minutes=1)


class UnableToCreateToken(Refusal):
    """A token that would open nothing, or for too long; the text says what to change."""


class TokenRefused(Exception):
    """The secret is unknown, expired or revoked; the text says what to do."""


def create_token(
    *, user: User, name: str, scopes: Collection[str], n_days: int, now: datetime
) -> tuple[ApiToken, str]:
    """Returns the token and its secret, which is not stored. Raises UnableToCreateToken."""
    useful = accounts_access.scopes_of(user.roles)
    if not scopes or not set(scopes) <= set(useful):
        raise UnableToCreateToken(_("Select permissions that your roles allow."))
    if not 1 <= n_days <= MAX_DAYS:
        raise UnableToCreateToken(_("Choose a lifetime between 1 day and 1 year."))
    secret = MARK + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name,
            prefix=secret[:N_SHOWN],
            secret_sha256=_hash(secret),
            scopes=[scope for scope in Scope if scope in scopes],
            created_at=now,
            expires_at=now + timedelta(days=n_days),
        )
        audit_log.record(
            user, "create", token, after={"name": name, "scopes": token.scopes}, now=now
        )
    return token, secret


def revoke_token(*, user: User, pk: int, now: datetime) -> bool:
    """Revokes one of the person's own tokens at once. False if there is no such token or it is
    already revoked.
    """
    with transaction.atomic():
        if not guard.update_one(user.api_tokens.filter(pk=pk, revoked_at=None), revoked_at=now):
            return False
        audit_log.record(user, "revoke", user.api_tokens.get(pk=pk), now=now)
    return True


def revoke_all(*, user: User, by: User | None, now: datetime) -> int:
    """Revokes every token of the person. Returns how many worked until now."""
    with transaction.atomic():
        n_revoked = user.api_tokens.filter(revoked_at=None).update(revoked_at=now)
        if n_revoked:
            audit_log.record(by, "revoke_tokens", user, after={"n_tokens": n_revoked}, now=now)
    return n_revoked


def tokens_of(*, user: User) -> QuerySet[ApiToken]:
    """Tokens that are not revoked, newest first; expired ones are included."""
    return user.api_tokens.filter(revoked_at=None).order_by("-created_at", "-pk")


def check(*, secret: str, now: datetime) -> ApiToken:
    """Returns the token for a secret and records its use. Raises TokenRefused."""
    # A secret is 256 random bits, so a plain hash is as good as a slow one, and the timing of the
    # index lookup reveals nothing useful.
    token = ApiToken.objects.select_related("user").filter(secret_sha256=_hash(secret)).first()
    if token is None or token.revoked_at is not None or not token.user.is_active:
        raise TokenRefused(_("Unknown token. Create one on your profile page."))
    if token.expires_at <= now:
        raise TokenRefused(_("This token has expired. Create a new one on your profile page."))
    unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
        ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    return token


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
