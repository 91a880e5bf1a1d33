"""Anybody may read the schema, so reading it must not keep the site from its work."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client, RequestFactory
from drf_spectacular.generators import SchemaGenerator

from config.api import Schema

QUERIES = ["", "?x=1", "?lang=de", "?lang=xx", "?format=json", "?format=yaml", "?version=2", "?x=2"]


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each time that the schema is made; making it takes no time here."""
    lines: list[str] = []

    def generate(self: SchemaGenerator, request: Any = None, public: bool = False) -> Any:
        lines.append("made")
        return {"openapi": "3.0.3"}

    monkeypatch.setattr(SchemaGenerator, "get_schema", generate)
    monkeypatch.setattr(Schema, "made", {})
    return lines


def test_the_schema_is_made_once_whatever_the_query(client: Client, generated: list[str]) -> None:
    for query in QUERIES:
        client.get(f"/api/v1/schema{query}")
        client.get(f"/api/v1/schema{query}", headers={"Accept": "application/json"})

    assert generated == ["made"]


def test_the_schema_is_made_once_in_each_language(client: Client, generated: list[str]) -> None:
    for language in ("en", "de", "en;q=0.3, de", "xx", "de-AT", "de-CH"):
        client.get("/api/v1/schema", headers={"Accept-Language": language})

    assert generated == ["made"] * 2


def test_readers_who_come_together_have_it_made_once(generated: list[str]) -> None:
    def read(number: int) -> int:
        return Schema.as_view()(RequestFactory().get(f"/api/v1/schema?x={number}")).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(read, range(8)))

    assert statuses == [200] * 8
    assert generated == ["made"]
