"""Every endpoint × every scope, role and anonymous, against the one table."""

from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.login import tokens
from accounts.models import User
from config.api_permissions import API_TABLE, Scope
from config.permissions import TABLE
from tests.api.conftest import client_with
from tests.cast import PASSWORD
from tests.house.test_permissions import PEOPLE, path_of

ENDPOINTS = [tuple(line.split(" ")) for line in API_TABLE]


def person(kind: str) -> User:
    return User.objects.create_user(
        email=f"{kind}@example.org", name=kind, password=PASSWORD, **PEOPLE[kind]
    )


def call(client: Client, method: str, name: str) -> int:
    path = path_of(name)
    if method == "GET":
        return client.get(path).status_code
    return client.generic(method, path, "{}", content_type="application/json").status_code


def token_with(user: User, scope: Scope) -> Client:
    """Whatever the roles: the token was made when the person had others."""
    roles: dict[str, Any] = {"is_admin": True, "is_researcher": True}
    both = User(pk=user.pk, **roles)
    return client_with(
        tokens.create_token(user=both, name="x", scopes=[scope], n_days=300, now=timezone.now())[1]
    )


def test_every_endpoint_has_a_line() -> None:
    names = {name for name in get_resolver("config.api").reverse_dict if isinstance(name, str)}

    assert names - {"api_schema", "api_docs", "api_nothing"} == {
        name for _method, name in ENDPOINTS
    }


def test_every_method_that_a_view_has_is_in_the_table() -> None:
    found = set()
    for resolver in get_resolver("config.api").url_patterns:
        for pattern in getattr(resolver, "url_patterns", []):
            methods = set(pattern.callback.actions) - {"head"}
            found |= {(method.upper(), pattern.name) for method in methods}

    assert found == set(ENDPOINTS)


def test_nobody_anonymous_gets_anything(db: None) -> None:
    assert {call(Client(), method, name) for method, name in ENDPOINTS} == {401}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "scope"), list(product(["rater", "admin", "researcher", "superuser"], Scope))
)
def test_a_call_goes_through_when_scope_and_role_both_allow_it(
    kind: str, scope: Scope, db: None
) -> None:
    user = person(kind)
    client = token_with(user, scope)

    wrong = []
    for method, name in ENDPOINTS:
        grant = API_TABLE[f"{method} {name}"]
        is_allowed = scope == grant.scope and bool(grant.roles & user.roles)
        status = call(client, method, name)
        # An unknown object, an empty body: the door itself was open.
        if (status in (200, 400, 404)) != is_allowed or (status == 403) == is_allowed:
            wrong.append(f"{method} {name}: {status}")

    assert wrong == []


@pytest.mark.parametrize("kind", ["rater", "admin", "researcher", "superuser"])
def test_a_session_opens_what_the_roles_open(kind: str, db: None) -> None:
    user = person(kind)
    client = Client()
    client.force_login(user, backend="accounts.login.sessions.Backend")

    wrong = [
        f"{method} {name}"
        for method, name in ENDPOINTS
        if (call(client, method, name) == 403)
        == bool(API_TABLE[f"{method} {name}"].roles & user.roles)
    ]

    assert wrong == []


def test_a_session_writes_with_its_csrf_token_only(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="accounts.login.sessions.Backend")

    assert call(client, "POST", "api_pools") == 403


def test_raters_have_no_line(db: None) -> None:
    """The API tells sources and database ids: a rater who reads it judges blindly no more."""
    assert {role for grant in API_TABLE.values() for role in grant.roles} == {"admin", "researcher"}


def test_the_middleware_leaves_the_api_to_the_api() -> None:
    assert {name for _method, name in ENDPOINTS} <= {
        name for name, roles in TABLE.items() if "anyone" in roles
    }


def test_another_method_is_405_for_everyone(db: None) -> None:
    assert Client().delete("/api/v1/prompts").status_code == 405


def test_an_address_that_is_not_there_is_said_in_json(db: None) -> None:
    response = Client().get("/api/v1/nowhere")

    assert (response.status_code, response.headers["Content-Type"], response.json()) == (
        404,
        "application/problem+json",
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "No such API endpoint.",
            "errors": {},
        },
    )


def test_an_id_that_is_not_there_is_said_without_the_name_of_a_class(alice: User) -> None:
    client = Client()
    client.force_login(alice, backend="accounts.login.sessions.Backend")

    response = client.get("/api/v1/pools/999")

    assert (response.status_code, response.json()["detail"]) == (404, "Not found.")
