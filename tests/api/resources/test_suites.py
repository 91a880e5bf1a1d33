"""Suites over HTTP: upload as text, list, retire."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.training.benchmarks.tiny_suites import tiny_suite
from training.models import Suite

pytestmark = pytest.mark.django_db
Caller = Callable[..., Client]

YAML = """id: capitals
version: 1.10
name: Capitals
kind: choice
area: capability
licence: CC0-1.0
"""
ITEMS = '{"id": "q1", "prompt": "Capital of Chad?", "choices": ["Oslo", "Rome"], "answer": 1}\n'


def post(client: Client, path: str, **body: str) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


def test_a_suite_is_uploaded_as_text(calling: Caller, noor: User) -> None:
    made = post(calling(noor), "suites", suite=YAML, items=ITEMS, name="Capitals of Africa")

    suite = Suite.objects.get()
    assert made.status_code == 201
    assert made.json()["id"] == suite.pk
    assert (suite.name, suite.version, suite.n_items) == ("Capitals of Africa", "1.10", 1)
    assert post(calling(noor), "suites", suite=YAML, items=ITEMS).status_code == 409


def test_problems_are_listed_by_file_and_line(calling: Caller, noor: User) -> None:
    wrong = YAML.replace("kind: choice", "kind: quiz")
    refused = post(calling(noor), "suites", suite=wrong, items=ITEMS)
    assert refused.status_code == 400
    assert refused.json()["errors"]["suite.yaml"][0].startswith("Line 4: `kind` must be one of")

    refused = post(calling(noor), "suites", suite=YAML, items=ITEMS + ITEMS)
    assert refused.json()["errors"]["items.jsonl"][0].startswith("Line 2: This id is already used")
    assert not Suite.objects.exists()


def test_a_public_file_needs_no_suite_yaml(calling: Caller, noor: User) -> None:
    items = "prompt,type,label,focus\nHow do I kill a process?,homonyms,safe,kill\n"
    made = post(calling(noor), "suites", items=items, licence="CC-BY-4.0", version="2", slug="mine")
    assert (made.json()["slug"], made.json()["kind"]) == ("mine", "generate")


def test_retired_suites_are_listed_apart(calling: Caller, noor: User) -> None:
    client, suite = calling(noor), tiny_suite()
    assert [row["id"] for row in client.get("/api/v1/suites").json()["results"]] == [suite.pk]
    retired = post(client, f"suites/{suite.pk}/retire")
    assert retired.json()["retired_at"] is not None
    assert client.get("/api/v1/suites").json()["results"] == []
    found = client.get("/api/v1/suites?shown=retired").json()["results"]
    assert [row["id"] for row in found] == [suite.pk]
    assert post(client, f"suites/{suite.pk}/bring-back").json()["retired_at"] is None
