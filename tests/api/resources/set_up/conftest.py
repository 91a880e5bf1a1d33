"""An admin's program, with every scope that the roles open."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User

Caller = Callable[..., Client]


class Api:
    """Calls as a program makes them; each returns the response."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}")

    def post(self, path: str, body: object = None) -> Any:
        return self._sent("post", path, body)

    def patch(self, path: str, body: object) -> Any:
        return self._sent("patch", path, body)

    def delete(self, path: str) -> Any:
        return self._sent("delete", path, None)

    def rows(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path).json()["results"]
        return found

    def _sent(self, method: str, path: str, body: object) -> Any:
        call = getattr(self.client, method)
        return call(f"/api/v1/{path}", body or {}, content_type="application/json")


@pytest.fixture
def api(calling: Caller, alice: User) -> Api:
    return Api(calling(alice))
