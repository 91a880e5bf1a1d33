"""Makes migrations without words: names, help and labels of choices are for people, and no part of
the database. They stand once, in the models, and rewording or translating them makes no migration.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.core.management.commands import makemigrations
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.models import Field

WORDS: Final = frozenset(
    {"choices", "error_messages", "help_text", "verbose_name", "verbose_name_plural"}
)
"""Options of fields and of models. The database does not store choices either."""


class Autodetector(MigrationAutodetector):
    def __init__(
        self,
        from_state: ProjectState,
        to_state: ProjectState,
        questioner: MigrationQuestioner | None = None,
    ) -> None:
        super().__init__(without_words(from_state), without_words(to_state), questioner)


class Command(makemigrations.Command):
    autodetector = Autodetector


def without_words(state: ProjectState) -> ProjectState:
    """The same tables, described without words."""
    state = state.clone()
    for model in state.models.values():
        model.fields = {name: _field(field) for name, field in model.fields.items()}
        model.options = _left(model.options)
    return state


def _field(field: "Field[object, object]") -> "Field[Any, Any]":
    """A copy, made as `Field.clone` makes one."""
    _name, _path, args, options = field.deconstruct()
    return type(field)(*args, **_left(options))


def _left(options: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in WORDS}
