"""Queries about people and the audit log."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import AuditEvent, User


def people(*, words: str = "", role: str = "", is_active: bool | None = None) -> QuerySet[User]:
    """People by name. `words` is searched in name and e-mail; `role` is one of
    accounts.people.services.ROLES or "".
    """
    users = User.objects.order_by("name", "email")
    if words:
        users = users.filter(Q(name__icontains=words) | Q(email__icontains=words))
    if role:
        users = users.filter(**{f"is_{role}": True})
    if is_active is not None:
        users = users.filter(is_active=is_active)
    return users


def has_two_factor(*, user: User) -> bool:
    is_on: bool = Authenticator.objects.filter(user=user).exists()
    return is_on


def providers_of(*, user: User) -> list[str]:
    """The providers that this account is linked to, by the names that people know."""
    links = SocialAccount.objects.filter(user=user).order_by("pk")
    providers = settings.OIDC_PROVIDERS
    return [
        providers[name].label if name in providers else name
        for name in links.values_list("provider", flat=True)
    ]


def events_about(*, user: User, n: int = 20) -> QuerySet[AuditEvent]:
    """The latest `n` actions on this person's login, newest first; log-ins would hide the rest."""
    return (
        AuditEvent.objects.filter(target_type=User._meta.label_lower, target_id=user.pk)
        .exclude(action="log_in")
        .select_related("by")
        .order_by("-at", "-pk")[:n]
    )


def events(
    *,
    words: str = "",
    by: str = "",
    action: str = "",
    target_type: str = "",
    target_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEvent]:
    """The audit log, newest first. `by` is searched in name and e-mail; `since` is inclusive,
    `until` exclusive.

    Each of `words` must occur in the object's name at the time or in the values recorded before or
    after.
    """
    entries = AuditEvent.objects.select_related("by").order_by("-at", "-pk")
    for word in words.casefold().split():
        entries = entries.filter(words__contains=word)
    if by:
        entries = entries.filter(Q(by__name__icontains=by) | Q(by__email__icontains=by))
    asked = {
        "action": action,
        "target_type": target_type,
        "target_id": target_id,
        "at__gte": since,
        "at__lt": until,
    }
    return entries.filter(
        **{lookup: value for lookup, value in asked.items() if value not in ("", None)}
    )


def audited_actions() -> list[str]:
    return list(AuditEvent.objects.order_by("action").values_list("action", flat=True).distinct())


def audited_types() -> list[str]:
    """Types of objects that occur in the log, such as labeling.campaign."""
    return list(
        AuditEvent.objects.order_by("target_type").values_list("target_type", flat=True).distinct()
    )
