"""The rule behind config.permissions: which roles a person has, what these open, and what a token
may be used for.
"""

from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from config.permissions import API_TABLE, Grant, Role, Scope


def roles_of(user: User | AnonymousUser) -> frozenset[str]:
    if not isinstance(user, User):
        return frozenset({"anyone"})
    return frozenset({"anyone", "member"}) | user.roles


def may_open(url_name: str, roles: frozenset[str]) -> bool:
    """Whether somebody with `roles` may open the URL called `url_name`; closed when the table does
    not name it.
    """
    table = settings.URL_PERMISSIONS
    allowed = table.get(url_name)
    if allowed is None:
        allowed = table.get(url_name.split(":")[0] + ":*", frozenset())
    return bool(allowed & roles)


def grant_for(*, method: str, url_name: str) -> Grant | None:
    """What a call of the API takes; None where the table has no line."""
    return API_TABLE.get(f"{'GET' if method == 'HEAD' else method} {url_name}")


def may_call(grant: Grant | None, *, scopes: Collection[str], roles: Collection[str]) -> bool:
    return (
        grant is not None
        and grant.scope in scopes
        and not grant.roles.isdisjoint(Role(role) for role in roles)
    )


def scopes_of(roles: Collection[str]) -> list[Scope]:
    """The scopes that open anything to somebody with these roles."""
    useful = {
        grant.scope
        for grant in API_TABLE.values()
        if may_call(grant, scopes=[grant.scope], roles=roles)
    }
    return [scope for scope in Scope if scope in useful]
