"""A person with a token, and the client talking to the site within the test's transaction."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from accounts.models import User
from preferably_client import Preferably
from tests.api.conftest import _no_calls_counted, secret_of, wsgi
from tests.cast import PASSWORD

__all__ = ["_no_calls_counted", "wsgi"]  # fixtures


@pytest.fixture
def bo(db: None) -> User:
    """Admin and researcher in one person."""
    return User.objects.create_user(
        email="bo@example.org", name="Bo", password=PASSWORD, is_admin=True, is_researcher=True
    )


@pytest.fixture
def site(bo: User, wsgi: Any) -> Iterator[Preferably]:
    transport = httpx2.WSGITransport(app=wsgi)
    with Preferably("http://testserver", token=secret_of(bo), transport=transport) as client:
        yield client
