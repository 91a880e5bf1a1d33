"""API clients: a Django client with the token of a named person."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone

from accounts import access as accounts_access
from accounts.login import tokens
from accounts.models import User
from config.api_permissions import Scope
from config.wsgi import application

Caller = Callable[..., Client]


def secret_of(person: User, *scopes: Scope) -> str:
    """A token's secret; of everything that the person's roles open when no scope is named."""
    wanted = scopes or tuple(accounts_access.scopes_of(person.roles))
    return tokens.create_token(
        user=person, name="a script", scopes=wanted, n_days=30, now=timezone.now()
    )[1]


def client_with(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=True)


@pytest.fixture
def calling() -> Caller:
    """calling(alice) and calling(noor, Scope.TRAINING_READ) are programs with a token of theirs."""
    return lambda person, *scopes: client_with(secret_of(person, *scopes))


@pytest.fixture(autouse=True)
def _no_calls_counted() -> None:
    """Calls are counted in the shared cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def wsgi(db: None) -> Iterator[Callable[..., object]]:
    """The site as a web server calls it, within the test's transaction: Django ends its connection
    with every request.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield application
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
