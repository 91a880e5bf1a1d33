"""The rules behind config.permissions: a person's roles, what they open, what an API token may do,
and whose log-in somebody may manage.
"""

from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from config.api_permissions import API_TABLE, Grant, Scope
from config.permissions import PASSWORD_PAGES
from config.roles import Role


def roles_of(user: User | AnonymousUser) -> frozenset[str]:
    if not isinstance(user, User):
        return frozenset({"anyone"})
    return frozenset({"anyone", "member"}) | user.roles


def may_open(url_name: str, roles: frozenset[str]) -> bool:
    """Whether somebody with `roles` may open the URL named `url_name`. URLs missing from the table
    are closed, and so are the pages for passwords on a site without.
    """
    if url_name in PASSWORD_PAGES and not settings.PASSWORDS:
        return False
    table = settings.URL_PERMISSIONS
    allowed = table.get(url_name)
    if allowed is None:
        allowed = table.get(url_name.split(":")[0] + ":*", frozenset())
    return bool(allowed & roles)


def may_manage_login(*, by: User | None, person: User) -> bool:
    """Whether `by` may change the e-mail address of `person` and see a link that sets their
    password. Either is enough to log in as them, so no admin may do it to another. None is a
    command of an operator.
    """
    return by is None or by.is_superuser or by.pk == person.pk or not _is_above(person)


def may_change_roles(*, by: User | None, person: User) -> bool:
    """Whether `by` may change the roles of `person` and close their account."""
    return by is None or by.is_superuser or by.pk == person.pk or not person.is_superuser


def may_make_admins(*, by: User | None) -> bool:
    """Whether `by` may make somebody an admin or take that role from them. With either, an admin
    would have the log-in of another: set a password while it is of no admin, and promote it.
    """
    return by is None or by.is_superuser


def _is_above(person: User) -> bool:
    return person.is_admin or person.is_superuser


def grant_for(*, method: str, url_name: str) -> Grant | None:
    """What an API call requires; None if the table does not list it."""
    return API_TABLE.get(f"{'GET' if method == 'HEAD' else method} {url_name}")


def may_call(grant: Grant | None, *, scopes: Collection[str], roles: Collection[str]) -> bool:
    return (
        grant is not None
        and grant.scope in scopes
        and not grant.roles.isdisjoint(Role(role) for role in roles)
    )


def scopes_of(roles: Collection[str]) -> list[Scope]:
    """The scopes that are of any use to somebody with these roles."""
    useful = {
        grant.scope
        for grant in API_TABLE.values()
        if may_call(grant, scopes=[grant.scope], roles=roles)
    }
    return [scope for scope in Scope if scope in useful]
