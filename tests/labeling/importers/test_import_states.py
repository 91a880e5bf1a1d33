"""An import from start to publication: refused, interrupted, discarded, and by the command."""

import gzip
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from labeling import access as labeling_access
from labeling.data.imports import clearing
from labeling.data.imports import problems as imports_problems
from labeling.data.imports import selectors as imports_selectors
from labeling.data.imports import services as imports_services
from labeling.data.imports.services import UnableToImport
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Import,
    Item,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
)
from tests.cast import NOON
from tests.labeling.importers.import_rows import clock, reply, tree

pytestmark = pytest.mark.django_db
Bring = Callable[..., Import]


def test_nothing_is_visible_before_the_end(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports_services, "BATCH", 1)
    seen: list[int] = []

    def looking() -> datetime:
        seen.append(labeling_access.visible(Prompt.objects.all()).count())
        return NOON

    batch = bring({"prompt": "One"}, {"prompt": "Two"}, {"prompt": "Three"}, runs=False)
    imports_services.IMPORTS.run(batch.pk, clock=looking)

    assert set(seen) == {0}
    assert labeling_access.visible(Prompt.objects.all()).count() == 3


def test_strict_refuses_at_the_first_problem_and_shows_nothing(bring: Bring) -> None:
    batch = bring({"prompt": "One"}, {"prompt": ""}, is_strict=True)

    assert (batch.state, batch.error) == (Import.State.REFUSED, "")
    assert batch.problems == [
        {"line": 2, "sentence": "`prompt` is empty. Add text or remove this line."}
    ]
    assert not labeling_access.visible(Prompt.objects.all()).exists()


def test_a_refused_import_can_be_published_after_all(bring: Bring) -> None:
    batch = bring({"prompt": "One"}, {"prompt": ""}, is_strict=True)

    imports_services.publish(batch=batch, by=None, now=NOON)

    assert labeling_access.visible(Prompt.objects.all()).count() == 1


def test_a_file_without_a_single_prompt_is_refused_for_good(bring: Bring) -> None:
    batch = bring({"prompt": ""})

    assert (batch.state, batch.error) == (
        Import.State.REFUSED,
        "The file contains no usable prompt.",
    )
    with pytest.raises(UnableToImport):
        imports_services.publish(batch=batch, by=None, now=NOON)


def test_a_file_that_went_away_is_refused_with_a_sentence(bring: Bring) -> None:
    batch = bring({"prompt": "One"}, runs=False)
    Path(batch.path).unlink()

    imports_services.IMPORTS.run(batch.pk, clock=clock)

    batch.refresh_from_db()
    assert batch.state == Import.State.REFUSED
    assert "could not be read" in batch.error


def test_an_import_whose_worker_died_is_read_again_from_the_start(bring: Bring) -> None:
    batch = bring({"prompt": "One"}, {"prompt": "Two"})
    Prompt.objects.filter(messages__0__content="Two").delete()
    Import.objects.update(state=Import.State.RUNNING, heartbeat_at=NOON - timedelta(minutes=5))

    assert imports_services.IMPORTS.waiting(now=NOON) == [batch.pk]
    imports_services.IMPORTS.run(batch.pk, clock=clock)

    batch.refresh_from_db()
    assert (batch.state, batch.attempt) == (Import.State.PUBLISHED, 2)
    assert Prompt.objects.count() == 2


def elsewhere(act: Callable[[], object]) -> None:
    """Do something on another connection, as another process would, and wait for it."""

    def acting() -> None:
        act()
        connection.close()

    thread = threading.Thread(target=acting)
    thread.start()
    thread.join()


def interrupted(act: Callable[[], object]) -> Callable[[], datetime]:
    """A clock during whose fourth look somebody else acts: in the second batch, when batches hold
    one prompt.
    """
    looks: list[None] = []

    def look() -> datetime:
        looks.append(None)
        if len(looks) == 4:
            elsewhere(act)
        return NOON

    return look


@pytest.mark.django_db(transaction=True)
def test_an_old_copy_writes_nothing_once_another_has_claimed(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_services, "BATCH", 1)
    batch = bring({"prompt": "One"}, {"prompt": "Two"}, {"prompt": "Three"}, runs=False)

    imports_services.IMPORTS.run(
        batch.pk,
        clock=interrupted(lambda: Import.objects.filter(pk=batch.pk).update(attempt=2)),
    )

    batch.refresh_from_db()
    assert (batch.state, batch.attempt) == (Import.State.RUNNING, 2)
    assert [str(prompt) for prompt in Prompt.objects.all()] == ["One"]


@pytest.mark.django_db(transaction=True)
def test_discarding_a_running_import_stops_it(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_services, "BATCH", 1)
    batch = bring({"prompt": "One"}, {"prompt": "Two"}, {"prompt": "Three"}, runs=False)

    imports_services.IMPORTS.run(
        batch.pk,
        clock=interrupted(lambda: imports_services.discard(batch=batch, by=None, now=NOON)),
    )

    batch.refresh_from_db()
    assert batch.state == Import.State.DISCARDED
    assert [str(prompt) for prompt in Prompt.objects.all()] == ["One"]


def test_a_discarded_import_is_deleted_whole(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "_DELETED_AT_ONCE", 2)
    batch = bring(
        *(tree(reply("x", 0), reply("y", 1), text=f"Number {i}") for i in range(5)),
        with_judgments=True,
    )

    imports_services.discard(batch=batch, by=None, now=NOON)
    assert imports_services.CLEARING.waiting(now=NOON) == [batch.pk]
    imports_services.clear_import(import_id=batch.pk)
    imports_services.clear_import(import_id=batch.pk)

    for model in (Prompt, Response, Judgment, Demonstration, Comparison, RankedResponse, Rater):
        assert not model._base_manager.exists()
    assert imports_services.CLEARING.waiting(now=NOON) == []


def test_an_import_in_use_by_a_campaign_is_not_discarded(
    bring: Bring, demonstration_campaign: Campaign
) -> None:
    batch = bring({"prompt": "One"})
    Item.objects.create(
        campaign=demonstration_campaign,
        prompt=Prompt.objects.get(import_batch=batch),
        position=10_000,
    )

    with pytest.raises(UnableToImport, match="use this import"):
        imports_services.discard(batch=batch, by=None, now=NOON)

    batch.refresh_from_db()
    assert batch.state == Import.State.PUBLISHED


def test_an_import_whose_prompts_another_answers_is_not_discarded(bring: Bring) -> None:
    batch = bring({"prompt": "One"})
    bring({"prompt": "One", "response": "1"}, source_name="b")

    with pytest.raises(UnableToImport, match="use this import"):
        imports_services.discard(batch=batch, by=None, now=NOON)


def test_a_licence_is_asked_for(bring: Bring) -> None:
    with pytest.raises(UnableToImport, match="Enter the licence"):
        bring({"prompt": "One"}, licence=" ")


def test_one_source_has_one_licence(bring: Bring) -> None:
    bring({"prompt": "One"})

    with pytest.raises(UnableToImport, match="is licensed under CC0"):
        bring({"prompt": "Two"}, licence="MIT")


def test_problems_are_counted_beyond_those_that_are_kept(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_problems, "KEPT", 3)

    batch = bring({"prompt": "One"}, *({"prompt": ""} for _ in range(10)))

    assert len(batch.problems) == 3
    assert imports_selectors.import_report(batch=batch).n_unlisted == 7


def test_sentences_are_in_the_language_of_whoever_imports(bring: Bring, alice: User) -> None:
    User.objects.update(language="de")

    batch = bring({"prompt": "One"}, by=alice)

    assert batch.created_by == alice
    assert batch.state == Import.State.PUBLISHED


def test_the_command_prints_every_problem_and_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "One"}\n{"prompt": ""}\n{"prompt": true}\n')

    call_command("import_prompts", path, source="a", licence="CC0-1.0")

    out, err = capsys.readouterr()
    assert "1 prompts" in out
    assert err.count("Line ") == 2


def test_the_command_fails_when_strict_refuses(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "One"}\n{"prompt": ""}\n')

    with pytest.raises(CommandError, match="nothing was published"):
        call_command("import_prompts", path, source="a", licence="CC0-1.0", strict=True)


def test_the_command_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="File not found"):
        call_command("import_prompts", tmp_path / "none", source="a", licence="CC0-1.0")


@pytest.mark.parametrize("harm", ["a byte", "the end"])
def test_nothing_of_a_damaged_gzip_is_published(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_services, "BATCH", 10)
    numbers = random.Random(0).sample(range(10**9), 600)
    # The blanks make the file longer than what gzip reads at once.
    lines = [b'{"prompt": "%d"}%400s\n' % (number, b"") for number in numbers]
    content = bytearray(gzip.compress(b"".join(lines)))
    if harm == "a byte":
        content[-6] ^= 0xFF  # in the checksum, which is read last
    else:
        del content[-2_000:]
    path = tmp_path / "damaged.jsonl.gz"
    path.write_bytes(content)
    batch = imports_services.start_import(
        path=path,
        file_name=path.name,
        file_format=None,
        source_name="a",
        licence="CC0-1.0",
        is_rung=False,
        by=None,
        now=NOON,
    )

    imports_services.IMPORTS.run(batch.pk, clock=clock)

    batch.refresh_from_db()
    assert batch.state == Import.State.REFUSED
    assert "Download it again" in batch.error
    assert Prompt.objects.count() > 10  # written, and never shown
    assert not labeling_access.visible(Prompt.objects.all()).exists()
    assert not imports_selectors.is_publishable(batch)


def test_the_planner_knows_of_the_rows_of_a_large_import(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_services, "_MANY_ROWS", 7)

    bring(*({"prompt": f"What is {number} plus {number}?"} for number in range(7)))

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'labeling_prompt'")
        assert cursor.fetchone() == (7,)


@pytest.mark.django_db
def test_the_command_stops_at_columns_that_may_judge_until_told_what_to_make_of_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "Name a river.", "response": "Elbe", "urteil": "gut"}\n')
    about = {"source": "a", "licence": "CC0-1.0", "with_judgments": True}

    with pytest.raises(CommandError, match="Say what the columns named here mean"):
        call_command("import_prompts", path, **about)
    assert not Import.objects.exists()
    call_command("import_prompts", path, **about, stores_responses=True)

    assert Import.objects.get().state == Import.State.PUBLISHED
