"""Rules about the tables as a whole, and about the migrations that make them."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field

from accounts.management.commands.makemigrations import WORDS
from accounts.models import User
from labeling.models import Campaign

APPS = ("accounts", "labeling", "training")


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run")


def test_no_migration_holds_words() -> None:
    names = {
        f"{app}.{name} says {word!r}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in APPS
        for options in every_options(migration.operations)
        for word in WORDS & options.keys()
    }

    assert names == set(), "Make it again by `manage.py makemigrations`, which leaves words out."


@pytest.mark.django_db
def test_other_words_in_models_make_no_migration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    overlap, kind = (Campaign._meta.get_field(name) for name in ("overlap", "kind"))
    reword(overlap, "verbose_name", "Answers", monkeypatch)
    reword(overlap, "help_text", "How many raters answer each item.", monkeypatch)
    reword(kind, "choices", [("comparison", "Which is better?")], monkeypatch)
    monkeypatch.setitem(User._meta.original_attrs, "verbose_name", "person")
    monkeypatch.setitem(User._meta.original_attrs, "verbose_name_plural", "people")

    call_command("makemigrations", "--check", "--dry-run")
    call_command("migrate")

    assert "have changes" not in capsys.readouterr().out


@pytest.mark.django_db
def test_another_column_makes_a_migration_without_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(User._meta.get_field("name"), "max_length", 77)

    with pytest.raises(SystemExit):
        call_command("makemigrations", "--check", "--dry-run", verbosity=3)

    written = capsys.readouterr().out
    assert "field=models.CharField(max_length=77)," in written


def reword(field: Any, word: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field, word, value)
    if word == "verbose_name":
        monkeypatch.setattr(field, "_verbose_name", value)
    assert field.deconstruct()[3][word] == value


def every_options(operations: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Of each model and field in the operations."""
    for operation in operations:
        yield from every_options(getattr(operation, "database_operations", ()))
        yield from every_options(getattr(operation, "state_operations", ()))
        yield getattr(operation, "options", {})
        fields = dict(getattr(operation, "fields", ()) or {})
        for field in (*fields.values(), getattr(operation, "field", None)):
            if isinstance(field, Field):
                yield field.deconstruct()[3]
