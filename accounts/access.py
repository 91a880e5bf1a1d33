"""The rule behind config.permissions: which roles a person has, and what these open."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def roles_of(user: User | AnonymousUser) -> frozenset[str]:
    if not isinstance(user, User):
        return frozenset({"anyone"})
    return frozenset({"anyone", "member"}) | user.roles


def may_open(url_name: str, roles: frozenset[str]) -> bool:
    """Whether somebody with `roles` may open the URL called `url_name`; closed when the table does not name it."""
    table = settings.URL_PERMISSIONS
    allowed = table.get(url_name)
    if allowed is None:
        allowed = table.get(url_name.split(":")[0] + ":*", frozenset())
    return bool(allowed & roles)
