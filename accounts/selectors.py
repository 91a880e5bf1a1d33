"""Reads about people that a page needs."""

from django.db.models import Q, QuerySet

from accounts.models import AuditEvent, User


def people(*, words: str = "", role: str = "", is_active: bool | None = None) -> QuerySet[User]:
    """People by name; `words` are looked for in name and e-mail, `role` is one of accounts.services.ROLES or ""."""
    found = User.objects.order_by("name", "email")
    if words:
        found = found.filter(Q(name__icontains=words) | Q(email__icontains=words))
    if role:
        found = found.filter(**{f"is_{role}": True})
    if is_active is not None:
        found = found.filter(is_active=is_active)
    return found


def events_about(*, user: User, n: int = 20) -> QuerySet[AuditEvent]:
    """The latest `n` acts on this person's login, newest first."""
    return (
        AuditEvent.objects.filter(target_type=User._meta.label_lower, target_id=user.pk)
        .select_related("by")
        .order_by("-at", "-pk")[:n]
    )
