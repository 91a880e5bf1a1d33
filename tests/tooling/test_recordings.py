"""Scenes that are made once and replayed in later tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from labeling.models import Prompt, Source
from tests.tooling import recordings
from tests.tooling.recordings import recorded

made: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_RECORDINGS", {})
    made.clear()


@contextmanager
def a_test() -> Iterator[None]:
    """What is written in the block is undone, as after a test."""
    recordings.pytest_runtest_setup()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@recorded
def a_source(name: str) -> Source:
    made.append(name)
    return Source.objects.create(name=name, kind=Source.Kind.MODEL)


@recorded
def a_prompt(source: Source, *, text: str = "100 % of 'it'?") -> Prompt:
    made.append(text)
    messages = [{"role": "user", "content": text}]
    return Prompt.objects.create(source=source, messages=messages, messages_sha256=text)


@recorded
def renamed(source: Source) -> None:
    made.append("renamed")
    source.name = "another name"
    source.save()
    Prompt.objects.filter(source=source).delete()


def rows() -> list[object]:
    return [*Source.objects.order_by("pk").values(), *Prompt.objects.order_by("pk").values()]


@pytest.mark.django_db
def test_a_scene_is_made_once_and_has_the_same_rows_in_every_test() -> None:
    with a_test():
        first = a_prompt(a_source("a model"))
        there = rows()

    with a_test():
        source = a_source("a model")
        second = a_prompt(source)

        assert rows() == there
        assert second == first
        assert second.source is source
        assert second.messages == first.messages
    assert made == ["a model", "100 % of 'it'?"]


@pytest.mark.django_db
def test_rows_that_a_scene_changes_and_deletes_are_changed_and_deleted_again() -> None:
    for _ in range(2):
        with a_test():
            source = a_source("a model")
            a_prompt(source)

            renamed(source)

            assert source.name == Source.objects.get().name == "another name"
            assert not Prompt.objects.exists()
    assert made.count("renamed") == 1


@pytest.mark.django_db
def test_other_arguments_make_another_scene() -> None:
    with a_test():
        a_source("a model")
    with a_test():
        assert a_source("another model").name == "another model"

    assert made == ["a model", "another model"]


@pytest.mark.django_db
def test_a_scene_is_made_again_where_the_database_holds_something_else() -> None:
    with a_test():
        a_source("a model")
    with a_test():
        Source.objects.create(name="written by the test", kind=Source.Kind.IMPORT)
        a_source("a model")
    with a_test():
        a_source("another model")
        a_source("a model")

    assert made == ["a model", "a model", "another model", "a model"]


@pytest.mark.django_db
def test_arguments_that_cannot_be_told_apart_make_the_scene_again() -> None:
    @recorded
    def named(name: object) -> None:
        made.append(str(name))

    for _ in range(2):
        with a_test():
            named(iter([]))

    assert len(made) == 2


@pytest.mark.django_db
def test_what_waits_for_the_commit_waits_again() -> None:
    @recorded
    def told(name: str) -> None:
        transaction.on_commit(lambda: made.append(name))

    for _ in range(2):
        with a_test():
            told("committed")
            waiting = [entry[1] for entry in connection.run_on_commit]
            waiting[-1]()

    assert made == ["committed", "committed"]


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_makes_its_scenes_itself() -> None:
    first = a_source("a model")
    Source.objects.all().delete()
    recordings.pytest_runtest_setup()

    assert a_source("a model").pk != first.pk
    assert made == ["a model", "a model"]


@pytest.mark.django_db
def test_foreign_keys_are_checked_after_a_replay() -> None:
    for _ in range(2):
        with a_test():
            a_source("a model")

    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone()[0] == "origin"
