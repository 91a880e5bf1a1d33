"""Curations over HTTP: preview, ledger, restore, snapshot."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.api.conftest import client_with, secret_of
from tests.training.conftest import NOW
from tests.training.snapshots.curating import documents
from training.models import Curation
from training.snapshots.curation import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def calling() -> Callable[..., Client]:
    return lambda person: client_with(secret_of(person))


def test_a_script_previews_restores_and_makes_the_snapshot(
    noor: User, calling: Callable[..., Client]
) -> None:
    client = calling(noor)

    def post(path: str, **body: object) -> Any:
        return client.post(f"/api/v1/{path}", body, content_type="application/json")

    given = {"name": "web", "kind": "text", "recipe": "light", "licence": "CC0-1.0"}
    lines = "".join(json.dumps({"text": one.text}) + "\n" for one in documents())
    made = post("curations", **given, documents=lines)
    assert (made.status_code, made.json()["state"]) == (201, "queued")
    path = f"curations/{made.json()['id']}"
    assert client.get(f"/api/v1/{path}/ledger").json() == {"next_cursor": None, "results": []}
    services.CURATIONS.run(made.json()["id"], clock=lambda: NOW)
    read = client.get(f"/api/v1/{path}").json()
    assert (read["state"], read["account"]["removed"], read["n_documents"]) == ("ready", 1, 42)
    first = client.get(f"/api/v1/{path}/ledger?limit=1").json()
    assert (first["results"][0]["outcome"], first["next_cursor"]) == ("changed", 1)
    [entry] = client.get(f"/api/v1/{path}/ledger?cursor=1").json()["results"]
    assert (entry["rule"], entry["is_restored"]) == ("exact_duplicate", False)

    restored = post(f"{path}/restore", document=entry["id"])
    assert restored.json()["rule"] == "exact_duplicate"
    post(f"{path}/snapshot")
    services.CURATIONS.run(made.json()["id"], clock=lambda: NOW)
    snapshot = client.get(f"/api/v1/{path}").json()["snapshot"]
    assert client.get(f"/api/v1/snapshots/{snapshot}").json()["card"]["curation"]["removed"] == 0
    ledger_rows = client.get(f"/api/v1/snapshots/{snapshot}/ledger").json()["results"]
    assert [row["rule"] for row in ledger_rows] == ["personal_data"]
    [one] = client.get("/api/v1/restored-documents?recipe=light").json()["results"]
    assert post(f"restored-documents/{one['id']}/undo").status_code == 200
    assert client.get("/api/v1/restored-documents").json()["results"] == []
    assert post(f"{path}/discard").status_code == 409


def test_the_api_says_what_is_wrong_with_documents(
    noor: User, calling: Callable[..., Client]
) -> None:
    given = {"name": "web", "kind": "text", "recipe": "light", "licence": "CC0-1.0"}

    for changed, field, sentence in (
        ({"documents": '{"text": "a"}\n{"txt": 1}\n'}, "documents", "Line 2: “text” is missing"),
        ({"documents": ""}, "documents", "blank"),
        ({"documents": '{"text": "a"}', "recipe": "best"}, "recipe", "best"),
    ):
        refused = calling(noor).post(
            "/api/v1/curations", given | changed, content_type="application/json"
        )
        assert refused.status_code == 400
        assert sentence in str(refused.json()["errors"][field])

    assert not Curation.objects.exists()
