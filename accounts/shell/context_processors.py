"""Values that base.html needs on every page."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django.utils.translation import gettext

from accounts import access as accounts_access
from accounts.models import User
from accounts.notices import services as notices_services
from accounts.shell import navigation
from accounts.shell import tours as shell_tours


@dataclass(frozen=True)
class Shell:
    """The frame around a signed-in person's page."""

    groups: list[navigation.Group]
    section: navigation.Link | None
    """whose pages are listed above this page"""
    role: str
    n_unread: int | None
    """unread notices; None for people who never receive any"""
    may_search: bool
    languages: list[tuple[str, str]]
    is_broker_away: bool
    """what an admin or a researcher starts will wait; raters start nothing"""
    tours: list[shell_tours.Tour]
    card: shell_tours.Card | None
    """of a tour, on this page"""


def shell(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"shell": None, "languages": _languages()}
    match = request.resolver_match
    roles = accounts_access.roles_of(user)
    url_name = match.view_name if match else ""
    groups = navigation.groups_for(current=url_name, may_open=_openable(roles))
    return {
        "shell": Shell(
            groups=groups,
            section=navigation.current_section(groups),
            role=role_in_words(user),
            n_unread=(
                notices_services.unread(person=user).count()
                if accounts_access.may_open("notices", roles)
                else None
            ),
            may_search=accounts_access.may_open("search", roles),
            languages=_languages(),
            is_broker_away=(user.is_admin or user.is_researcher) and _is_broker_away(),
            tours=shell_tours.of(user),
            card=shell_tours.card(
                user, url_name=url_name, asked=request.GET.get(shell_tours.PARAMETER, "")
            ),
        )
    }


def _is_broker_away() -> bool:
    """The broker is the Redis of the cache."""
    cache: Any = caches["default"]
    return bool(cache.is_away())


@lru_cache
def _openable(roles: frozenset[str]) -> frozenset[str]:
    return frozenset(
        name for name in settings.URL_PERMISSIONS if accounts_access.may_open(name, roles)
    )


def role_in_words(user: User) -> str:
    roles = [
        word
        for word, is_held in (
            (gettext("Rater"), user.is_rater),
            (gettext("Admin"), user.is_admin),
            (gettext("Researcher"), user.is_researcher),
        )
        if is_held
    ]
    return ", ".join(roles) or gettext("No role")


def _languages() -> list[tuple[str, str]]:
    """The code and short name of each language."""
    return [(code, code.upper()) for code, _name in settings.LANGUAGES]
