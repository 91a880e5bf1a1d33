"""Expand, then contract: while a new version is rolled out, the one before runs on the same
database. `make lint` checks that no migration takes away what it still uses:
`python -m tests.upgrades.expand`

A column or table goes in the release after the one that stopped using it, and is then listed below
with the reason.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import django
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

APPS = ("accounts", "labeling", "training")
ALLOWED: Mapping[str, str] = {
    "labeling.0004_squashed_0016_red_teaming: AddConstraint campaign.campaign_responses_fit_kind": (
        "It allows campaigns of imported answers and of conversations, and nothing less."
    ),
    "labeling.0021_rater_kind: AddConstraint rater.rater_with_user_is_person": (
        "The version before writes people only."
    ),
    "training.0004_squashed_0014_attacks: AddConstraint publication.publication_of_one_thing": (
        "The version before writes a model and no export, which it allows."
    ),
}
"""What breaks the rule, as `problems` names it → why it may."""
ADVICE = (
    "The version before this one still runs while this is applied. Add first, and take away in a"
    " later release; then list it in tests/upgrades/expand.py with the reason."
)


def problems(in_order: Iterable[migrations.Migration]) -> dict[str, str]:
    """What takes something away, as "app.migration: operation" → a sentence."""
    found = {}
    state = ProjectState()
    for migration in in_order:
        app = migration.app_label
        made = set(map(_model, _tables(migration.operations)))
        for operation in migration.operations:
            if app in APPS:
                for name, sentence in _problems(operation, app, state, made):
                    found[f"{app}.{migration.name}: {name}"] = sentence
            operation.state_forwards(app, state)
    return found


def every_migration() -> list[migrations.Migration]:
    """Each after those it needs."""
    graph = MigrationLoader(None).graph
    keys: dict[tuple[str, str], None] = {}
    for leaf in graph.leaf_nodes():
        keys |= dict.fromkeys(graph.forwards_plan(leaf))
    return [graph.nodes[key] for key in keys]


def _problems(
    operation: Operation, app: str, before: ProjectState, made: set[str]
) -> Iterator[tuple[str, str]]:
    about: Any = operation
    kind = type(operation).__name__
    match operation:
        case migrations.SeparateDatabaseAndState():
            for inner in about.database_operations:
                yield from _problems(inner, app, before, made)
        case migrations.DeleteModel():
            yield f"{kind} {about.name}", "The table is still read and written."
        case migrations.RenameModel():
            yield f"{kind} {about.old_name}", "The table is still used under its old name."
        case migrations.AlterModelTable():
            yield f"{kind} {about.name}", "The table is still used under its old name."
        case migrations.RemoveField():
            yield f"{kind} {about.model_name}.{about.name}", "The column is still read and written."
        case migrations.RenameField():
            name = f"{about.model_name}.{about.old_name}"
            yield f"{kind} {name}", "The column is still used under its old name."
        case migrations.AddField() if _model(about.model_name) not in made:
            if not _is_optional(about.field):
                yield (
                    f"{kind} {about.model_name}.{about.name}",
                    "A row without it is refused: give the column null=True or a db_default.",
                )
        case migrations.AlterField() if _model(about.model_name) not in made:
            old = before.models[app, _model(about.model_name)].fields[about.name]
            for sentence in _narrowed(old, about.field):
                yield f"{kind} {about.model_name}.{about.name}", sentence
        case migrations.AddConstraint() if _model(about.model_name) not in made:
            yield (
                f"{kind} {about.model_name}.{about.constraint.name}",
                "Rows that are written meanwhile may break it.",
            )
        case migrations.AlterUniqueTogether() if _model(about.name) not in made:
            yield f"{kind} {about.name}", "Rows that are written meanwhile may break it."


def _is_optional(field: "Field[Any, Any]") -> bool:
    """Whether a row can be written by code that does not know the column. Django's own default is
    not enough: the database forgets it after the migration.
    """
    return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED


def _narrowed(old: Any, new: Any) -> Iterator[str]:
    if old.null and not new.null:
        yield "Rows without it are still written."
    if old.get_internal_type() != new.get_internal_type():
        yield "The column gets another type."
    elif old.max_length and new.max_length and new.max_length < old.max_length:
        yield "Longer values are still written."
    if new.unique and not old.unique:
        yield "Equal values are still written."
    if old.db_column != new.db_column:
        yield "The column is still used under its old name."


def _tables(operations: Iterable[Operation]) -> list[str]:
    return [one.name for one in operations if isinstance(one, migrations.CreateModel)]


def _model(name: str) -> str:
    return name.lower()


def unexplained(found: Mapping[str, str], allowed: Mapping[str, str]) -> list[str]:
    """What breaks the rule without a reason, and reasons that nothing needs, as sentences."""
    return [
        *(
            f"{name}. {sentence} {ADVICE}"
            for name, sentence in found.items()
            if name not in allowed
        ),
        *(f"{name} is allowed, but no migration does it." for name in allowed if name not in found),
    ]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if wrong := unexplained(problems(every_migration()), ALLOWED):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
