"""Prompts, demonstrations and comparisons that a recipe cleans before they are frozen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from accounts.models import User
from labeling.models import Demonstration, Prompt, Rater, Response
from tests.cast import some_prompts
from tests.training.cast import a_model
from tests.training.conftest import NOW
from tests.training.snapshots.curating import EMAIL
from tests.training.snapshots.test_freezing import compare, demonstrate
from training.models import Curation, Snapshot
from training.snapshots.contents.filters import Filters
from training.snapshots.curation import ledger, selectors, services
from training.snapshots.curation.rules import documents
from training.snapshots.curation.rules.documents import Document
from training.snapshots.curation.rules.verdicts import Verdict

pytestmark = pytest.mark.django_db
SPAM = "Make money fast with this secret."
Curate = Callable[..., Curation]


@pytest.fixture
def curate(noor: User) -> Curate:
    def made(kind: str, recipe: str) -> Curation:
        curation = services.start_curation(
            name="cleaned",
            kind=kind,
            recipe=recipe,
            filters=Filters().as_json(),
            makes_snapshot=True,
            by=noor,
            now=NOW,
        )
        services.CURATIONS.run(curation.pk, clock=lambda: NOW)
        curation.refresh_from_db()
        return curation

    return made


def rows_of(curation: Curation) -> list[dict[str, Any]]:
    assert curation.snapshot is not None, curation.error
    folder = Path(site.SNAPSHOTS_DIR) / curation.snapshot.folder
    names = ("train", "validation", "test")
    return [
        json.loads(line)
        for name in names
        for line in (folder / f"{name}.jsonl").read_text().splitlines()
    ]


def answer(prompt: Prompt, rater: Rater, text: str) -> None:
    Demonstration.objects.filter(judgment=demonstrate(prompt, rater)).update(text=text)


def test_demonstrations_are_masked_and_removed_by_what_they_say(
    rosa: Rater, raul: Rater, curate: Curate
) -> None:
    one, other, third = some_prompts(3)
    asked = [{"role": "user", "content": f"Who is {EMAIL}?"}]
    Prompt.objects.filter(pk=third.pk).update(messages=asked)
    answer(one, rosa, "It is four.")
    answer(one, raul, "It is four.")
    answer(other, rosa, SPAM)
    answer(third, rosa, f"It says: {EMAIL}")

    curation = curate("demonstrations", "demonstration")

    account = curation.account
    assert (account["read"], account["kept"], account["changed"], account["removed"]) == (
        3,
        1,
        1,
        1,
    )
    rows = rows_of(curation)
    assert [row["completion"][0]["content"] for row in rows] == [
        "It is four.",
        "It is four.",
        "It says: <EMAIL>",
    ]
    assert rows[2]["prompt"] == [{"role": "user", "content": "Who is <EMAIL>?"}]
    snapshot = curation.snapshot
    assert snapshot is not None
    assert snapshot.card["left_out"] == {"removed by the recipe": 1}
    assert snapshot.card["curation"] == account
    assert (snapshot.judgments.count(), snapshot.filters["recipe"]) == (3, "demonstration")
    [removed] = selectors.entries(source=snapshot, rule="blocklist", skip=0, n=5) or []
    assert removed.entry.is_removed
    folder = Path(site.SNAPSHOTS_DIR) / snapshot.folder
    assert EMAIL not in "".join(path.read_text() for path in folder.iterdir())


def test_a_comparison_loses_the_responses_that_the_recipe_removes(
    rosa: Rater, curate: Curate
) -> None:
    for n_bad, prompt in enumerate(some_prompts(2), start=1):
        compare(prompt, rosa, [rank for rank in (1, 2, 3) if rank <= 4 - n_bad])
        texts = [SPAM, f"Ask {EMAIL}.", "A third one."]
        for response, text in zip(prompt.responses.order_by("pk"), texts, strict=False):
            Response.objects.filter(pk=response.pk).update(text=text)

    curation = curate("comparisons", "response")

    [row] = rows_of(curation)
    assert [one["text"] for one in row["responses"]] == ["Ask <EMAIL>.", "A third one."]
    snapshot = curation.snapshot
    assert snapshot is not None
    assert snapshot.card["left_out"] == {"removed by the recipe": 1}
    assert sum(snapshot.card["pairs"].values()) == 1


def test_the_ledger_names_the_source_of_each_text_and_a_model_as_it_is_registered(
    noor: User, rosa: Rater, curate: Curate
) -> None:
    [prompt], rosie = some_prompts(1), a_model(noor, "Rosie")
    compare(prompt, rosa, [1, 2, 3])
    written, copied, _kept = prompt.responses.order_by("pk")
    Response.objects.filter(pk=written.pk).update(text=SPAM, source=rosie.source)
    Response.objects.filter(pk=copied.pk).update(text=f"Listen: {SPAM}")

    curation = curate("comparisons", "response")

    shown = selectors.entries(source=curation, rule="blocklist", skip=0, n=5) or []
    assert [entry.source for entry in shown] == ["Rosie", copied.source.name]


def test_a_ledger_of_an_earlier_version_names_a_source_once(tmp_path: Path) -> None:
    found = Verdict("blocklist", "spam", "none")
    row = documents.entry(0, Document(SPAM, source="a, b, a, a"), found)
    (tmp_path / ledger.LEDGER).write_bytes(documents.line_of(row))

    [entry] = ledger.read(tmp_path)

    assert entry.source == "a, b"


def test_prompts_are_judged_by_their_last_turn(curate: Curate) -> None:
    one, other, third = some_prompts(3)
    turns = [
        {"role": "user", "content": SPAM},
        {"role": "assistant", "content": f"By {EMAIL}?"},
        {"role": "user", "content": "No."},
    ]
    Prompt.objects.filter(pk=one.pk).update(messages=turns)
    Prompt.objects.filter(pk=other.pk).update(messages=turns[:1])

    curation = curate("prompts", "prompt")

    found = {row["prompt_id"]: row["prompt"] for row in rows_of(curation)}
    assert found.keys() == {one.pk, third.pk}
    assert [turn["content"] for turn in found[one.pk]] == [SPAM, "By <EMAIL>?", "No."]
    assert [turn["role"] for turn in found[one.pk]] == ["user", "assistant", "user"]


def test_an_answer_that_came_after_the_preview_is_not_frozen(
    noor: User, rosa: Rater, raul: Rater, signed_in: Callable[..., Client]
) -> None:
    client, [prompt] = signed_in(noor), some_prompts(1)
    answer(prompt, rosa, "It is four.")
    client.post(
        "/snapshots/new/?kind=demonstrations",
        {"name": "cleaned", "recipe": "demonstration", "preview": "1", "includes_imports": "on"},
    )
    curation = Curation.objects.get()
    services.CURATIONS.run(curation.pk, clock=lambda: NOW)
    answer(prompt, raul, "It is five.")

    client.post(f"/curations/{curation.pk}/snapshot/")
    services.CURATIONS.run(curation.pk, clock=lambda: NOW)

    snapshot = Snapshot.objects.get()
    assert snapshot.n_rows == 1
    assert snapshot.card["left_out"] == {"new since the curation": 1}
    assert "demonstration" in client.get(f"/snapshots/{snapshot.pk}/").text
