"""Imports over HTTP: sending a file or rows, following the job, publishing and discarding."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.data.imports import agreement as imports_agreement
from labeling.data.imports import services as imports_services
from labeling.models import Campaign, Import, Prompt, RankedResponse, Source
from tests.cast import NOON

pytestmark = pytest.mark.django_db
Caller = Callable[..., Client]

RIVERS = [{"prompt": "Name three rivers."}, {"prompt": "Name three lakes."}]
ABOUT = {"source": "rivers", "licence": "CC0-1.0"}
BAD = [{"prompt": ""}] * 3


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path
    return tmp_path


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(
        f"/api/v1/imports{path}", body or {}, content_type="application/json", headers=headers
    )


def a_file(text: str, name: str = "rivers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def run(batch: Import) -> Import:
    imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    batch.refresh_from_db()
    return batch


def imported(client: Client, rows: list[dict[str, Any]], **about: Any) -> Import:
    answer = post(client, "", {"rows": rows, **ABOUT, **about})
    return run(Import.objects.get(pk=answer.json()["id"]))


def test_rows_become_a_job_and_then_prompts(calling: Caller, alice: User) -> None:
    client = calling(alice)

    answer = post(client, "", {"rows": RIVERS, **ABOUT})

    batch = Import.objects.get()
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["finished_at"]) == ("queued", None)
    assert (batch.created_by, batch.file_name) == (alice, "rows.jsonl")
    run(batch)
    found = client.get(f"/api/v1/imports/{batch.pk}").json()
    assert (found["state"], found["share"], found["counts"]["prompts"]) == ("published", 1.0, 2)
    assert found["source"] == {"id": batch.source_id, "name": "rivers", "kind": "import"}
    assert Prompt.objects.count() == 2


def test_a_file_is_sent_as_a_form_with_its_columns_as_json(calling: Caller, alice: User) -> None:
    fields = {"file": a_file("Frage,Lang\nWho?,en\n"), **ABOUT, "is_strict": "true"}
    columns = json.dumps({"prompt": "Frage", "language": "Lang"})

    answer = calling(alice).post("/api/v1/imports", fields | {"columns": columns})

    batch = run(Import.objects.get())
    assert (answer.status_code, answer.json()["format"]) == (202, "csv")
    assert (batch.file_name, batch.is_strict) == ("rivers.csv", True)
    prompt = Prompt.objects.get()
    assert (prompt.messages[0]["content"], prompt.language) == ("Who?", "en")


def test_a_preview_of_names_that_cannot_be_stored_is_answered_again(
    calling: Caller, alice: User
) -> None:
    rows = {"rows": [{"prompt": "Who?", "a\0b": "x"}]}
    client = calling(alice)

    first, again = (
        post(client, "/preview", rows, **{"Idempotency-Key": "p-1"}) for _call in range(2)
    )

    assert (first.status_code, again.json()) == (200, first.json())


def test_a_large_file_goes_to_disk_and_not_into_memory(
    calling: Caller, alice: User, settings: Any, uploads: Path
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    text = '{"prompt": "Name three rivers."}\n' * 1_000

    answer = calling(alice).post("/api/v1/imports", {"file": a_file(text, "a.jsonl"), **ABOUT})

    assert answer.status_code == 202
    assert Path(Import.objects.get().path).parent == uploads / "imports"
    assert post(calling(alice), "", {"rows": RIVERS * 500, **ABOUT}).status_code == 413


def test_a_file_sent_twice_with_one_key_is_imported_once(calling: Caller, alice: User) -> None:
    client = calling(alice)

    def send(text: str) -> Any:
        fields = {"file": a_file(text), **ABOUT}
        return client.post("/api/v1/imports", fields, headers={"Idempotency-Key": "i-1"})

    first, again, other = send("prompt\nWho?\n"), send("prompt\nWho?\n"), send("prompt\nWhy?\n")

    assert (first.status_code, again.json()) == (202, first.json())
    assert (again.headers["Idempotency-Replayed"], other.status_code) == ("true", 422)
    assert Import.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"rows": []}, "rows", "Ensure this field has at least 1 elements."),
        ({"licence": ""}, "licence", "This field may not be blank."),
        ({"format": "word"}, "format", "“word” is not a valid choice."),
        (
            {"columns": {"question": "Frage"}},
            "columns",
            "“question” is not a column that can be mapped. Use one of: prompt, response, chosen,"
            " rejected, model, label, system, category, language, licence.",
        ),
    ],
)
def test_values_that_do_not_fit_are_named(
    calling: Caller, alice: User, change: dict[str, Any], field: str, sentence: str
) -> None:
    answer = post(calling(alice), "", {"rows": RIVERS, **ABOUT, **change})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert sentence.replace("“", "").replace("”", "") in answer.json()["errors"][field][0].replace(
        "“", ""
    ).replace("”", "").replace('"', "")
    assert not Import.objects.exists()


def test_a_source_under_another_licence_is_refused_and_leaves_no_file(
    calling: Caller, alice: User, uploads: Path
) -> None:
    Source.objects.create(name="rivers", kind=Source.Kind.IMPORT, licence="MIT")

    answer = post(calling(alice), "", {"rows": RIVERS, **ABOUT})

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The source “rivers” is licensed under MIT.")
    assert list((uploads / "imports").iterdir()) == []


def test_problems_are_paged_by_line(calling: Caller, alice: User) -> None:
    client = calling(alice)
    batch = imported(client, BAD + RIVERS)

    path = f"/api/v1/imports/{batch.pk}/problems?limit=2"
    first = client.get(path).json()
    last = client.get(f"{path}&cursor={first['next_cursor']}").json()

    assert client.get(f"/api/v1/imports/{batch.pk}").json()["n_problems"] == 3
    assert [row["line"] for row in first["results"]] == [1, 2]
    assert first["results"][0]["sentence"].startswith("`prompt` is empty.")
    assert ([row["line"] for row in last["results"]], last["next_cursor"]) == ([3], None)


def test_a_preview_shows_the_rows_as_they_would_be_stored_and_stores_nothing(
    calling: Caller, alice: User, uploads: Path
) -> None:
    rows = [{"Frage": "Who?", "chosen": "I.", "rejected": "You."}, {"Frage": ""}]

    answer = post(calling(alice), "/preview", {"rows": rows, "columns": {"prompt": "Frage"}}).json()

    assert (answer["format"], answer["names"]) == ("hf", ["Frage", "chosen", "rejected"])
    assert answer["rows"][0]["messages"] == [{"role": "user", "content": "Who?"}]
    assert [reply["text"] for reply in answer["rows"][0]["replies"]] == ["I.", "You."]
    assert answer["problems"][0]["line"] == 2
    assert not Import.objects.exists()
    assert list(uploads.rglob("*")) == []


def test_a_preview_of_text_that_cannot_be_encoded_is_answered(calling: Caller, alice: User) -> None:
    answer = post(calling(alice), "/preview", {"rows": [{"prompt": "a \ud800 b"}]})

    assert answer.status_code == 200


def test_a_strict_import_with_problems_is_published_by_a_call(calling: Caller, alice: User) -> None:
    client = calling(alice)
    batch = imported(client, BAD + RIVERS, is_strict=True)
    assert client.get(f"/api/v1/imports/{batch.pk}").json()["can_publish"]

    published = post(client, f"/{batch.pk}/publish")
    again = post(client, f"/{batch.pk}/publish")

    assert (published.status_code, published.json()["state"]) == (200, "published")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "This import has nothing left to publish.",
    )
    assert AuditEvent.objects.filter(action="publish", by=alice).count() == 1


def test_a_discarded_import_is_listed_under_its_state(calling: Caller, alice: User) -> None:
    client = calling(alice)
    first, second = imported(client, RIVERS), imported(client, [{"prompt": "Who?"}])

    discarded = post(client, f"/{first.pk}/discard")

    def listed(state: str) -> list[int]:
        rows = client.get(f"/api/v1/imports?state={state}").json()["results"]
        return [row["id"] for row in rows]

    assert discarded.json()["state"] == "discarded"
    assert (listed("discarded"), listed("published")) == ([first.pk], [second.pk])


def test_a_researcher_cannot_import(calling: Caller, noor: User) -> None:
    assert post(calling(noor), "", {"rows": RIVERS, **ABOUT}).status_code == 403


def test_the_agreement_of_an_import_is_that_of_its_page(calling: Caller, alice: User) -> None:
    client = calling(alice)
    rows = [
        {"prompt": "Who?", "chosen": first, "rejected": second, "worker": worker}
        for worker, first, second in [("a", "I.", "You."), ("b", "I.", "You.")]
    ]
    batch = imported(client, rows, with_judgments=True)

    found = client.get(f"/api/v1/imports/{batch.pk}/agreement").json()

    stored = imports_agreement.agreement_of_import(batch=batch)
    assert found["n_judgments"] == stored.n_judgments > 0
    assert found["figures"].keys() == stored.figures.keys()
    assert found["consensus"] == list(stored.consensus)


# --- answers by several raters --------------------------------------------------------------------

VOTES = [
    {
        "item": 7,
        "prompt": "Hi",
        "response_a": "x",
        "response_b": "y",
        "rater": "ann",
        "winner": "0",
    },
    {
        "item": 7,
        "prompt": "Hi",
        "response_a": "x",
        "response_b": "y",
        "rater": "bob",
        "winner": "1",
    },
]


def test_answers_of_raters_become_a_campaign(calling: Caller, alice: User) -> None:
    client = calling(alice)
    body = {"rows": VOTES, "campaign": "Votes", "legend": {"0": "second", "1": "first"}, **ABOUT}

    batch = run(Import.objects.get(pk=post(client, "", body).json()["id"]))

    campaign = Campaign.objects.get()
    assert client.get(f"/api/v1/imports/{batch.pk}").json()["campaigns"] == [campaign.pk]
    assert (campaign.name, campaign.judgments.count()) == ("Votes", 2)
    best = RankedResponse.objects.filter(rank=1, comparison__judgment__rater__origin="rivers: ann")
    assert [ranked.response.text for ranked in best] == ["y"]


def test_votes_that_nobody_explained_are_refused(calling: Caller, alice: User) -> None:
    answer = post(calling(alice), "", {"rows": VOTES, "campaign": "Votes", **ABOUT})

    assert answer.status_code == 409
    assert "not clear what 0, 1 mean" in answer.json()["detail"]
    assert not Import.objects.exists()


def test_votes_may_come_with_the_texts_of_their_items(calling: Caller, alice: User) -> None:
    body = {
        "rows": [{"id": 7, "worker": "ann", "winner": "left"}],
        "texts": [{"id": 7, "text": "Hi", "result_x": "x", "result_y": "y"}],
        "campaign": "Votes",
        **ABOUT,
    }

    answer = post(calling(alice), "", body)

    assert answer.status_code == 202
    run(Import.objects.get())
    assert set(RankedResponse.objects.values_list("response__text", "rank")) == {("x", 1), ("y", 2)}


def test_a_form_may_name_a_campaign_and_roles(calling: Caller, alice: User) -> None:
    form = {
        "file": a_file("item,person,score\n7,ann,3\n7,bob,4\n", "scores.csv"),
        "campaign": "Scores",
        "roles": json.dumps({"item": "item", "person": "rater", "score": "scale"}),
        **ABOUT,
    }

    answer = calling(alice).post("/api/v1/imports", form)

    assert answer.status_code == 202
    run(Import.objects.get())
    assert Campaign.objects.get().judgments.count() == 2


def test_an_unknown_role_is_named(calling: Caller, alice: User) -> None:
    body = {"rows": VOTES, "campaign": "Votes", "roles": {"rater": "boss"}, **ABOUT}

    answer = post(calling(alice), "", body)

    assert answer.status_code == 400
    assert "“boss” is not a known meaning" in json.dumps(answer.json(), ensure_ascii=False)


def test_a_form_may_have_a_second_file_with_the_texts(calling: Caller, alice: User) -> None:
    texts = '{"id": 7, "text": "Hi", "result_x": "x", "result_y": "y"}\n'
    form = {
        "file": a_file("id,worker,winner\n7,ann,left\n", "votes.csv"),
        "texts": a_file(texts, "pairs.jsonl"),
        "campaign": "Votes",
        **ABOUT,
    }

    answer = calling(alice).post("/api/v1/imports", form)

    assert answer.status_code == 202
    run(Import.objects.get())
    assert Campaign.objects.get().judgments.count() == 1


JUDGED = [{"prompt": "Name a river.", "response": "Elbe", "urteil": "gut"}]


@pytest.mark.parametrize("is_file", [False, True], ids=["rows", "file"])
def test_columns_that_may_judge_stop_it_until_a_program_says_what_they_mean(
    calling: Caller, alice: User, is_file: bool
) -> None:
    client = calling(alice)

    def sent(**more: Any) -> Any:
        if not is_file:
            return post(client, "", ABOUT | {"rows": JUDGED, "with_judgments": True} | more)
        file = a_file("".join(json.dumps(row) + "\n" for row in JUDGED), "a.jsonl")
        words = {name: json.dumps(value) for name, value in more.items()}
        body = ABOUT | {"file": file, "with_judgments": "true"} | words
        return client.post("/api/v1/imports", body)

    refused = sent()

    assert refused.status_code == 409
    assert "Say what the columns named here mean" in refused.text
    assert "urteil (gut)" in refused.text
    assert not Import.objects.exists()
    assert sent(stores_responses=True).status_code == 202
