"""All rows of a database as JSON, whatever the database and whatever the release.

Models are the historical ones of the migrations, not today's classes: a file that was written at a
release is loaded at that release's migrations long after the classes have changed.
"""

from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

Rows = dict[str, list[dict[str, Any]]]
"""A model's label → its rows by field name, a foreign key by its column."""
LEFT_OUT = {"auth", "contenttypes", "django_celery_beat", "sessions"}
"""Apps whose rows the site writes by itself, after a migration or when it starts."""


def migrate(names: list[str]) -> Apps:
    """Brings the database to these migrations ("app.name"), and gives the models it has there."""
    executor = MigrationExecutor(connection)
    return executor.migrate(_nodes(executor.loader, names)).apps


def models_at(names: list[str]) -> Apps:
    """The models that these migrations describe."""
    loader = MigrationExecutor(connection).loader
    return loader.project_state(_nodes(loader, names)).apps


def forget_replacements(names: list[str]) -> None:
    """A site at these migrations has applied them one by one. Those that replace them came later:
    the database knows nothing of them.
    """
    executor = MigrationExecutor(connection)
    for app, name in _nodes(executor.loader, names):
        if f"{app}.{name}" not in names:
            executor.recorder.record_unapplied(app, name)


def _nodes(loader: MigrationLoader, names: list[str]) -> list[tuple[str, str]]:
    """Each migration, or the one that has replaced it."""
    by_replaced = {
        replaced: node
        for node, migration in loader.replacements.items()
        for replaced in migration.replaces
    }
    keys = [(app, name) for app, _dot, name in (full.partition(".") for full in names)]
    return [key if key in loader.graph.nodes else by_replaced[key] for key in keys]


def models_now() -> Apps:
    """The models that the newest migrations describe."""
    return MigrationExecutor(connection).loader.project_state().apps


def leaf_migrations() -> list[str]:
    """The last migration of each app, as "app.name"."""
    return sorted(
        ".".join(node) for node in MigrationExecutor(connection).loader.graph.leaf_nodes()
    )


def dump(apps: Apps) -> Rows:
    """Every row of every table that has some."""
    tables = {model._meta.label: list(_rows(model)) for model in _models(apps)}
    return {label: rows for label, rows in sorted(tables.items()) if rows}


def load(apps: Apps, rows: Rows) -> None:
    """Into empty tables. As a database would restore them: nothing is computed or filled in."""
    found = {model._meta.label: model for model in _models(apps)}
    with transaction.atomic(), connection.cursor() as cursor:
        for label, entries in rows.items():
            for entry in entries:
                cursor.execute(*_insert(found[label], entry))
        for statement in connection.ops.sequence_reset_sql(no_style(), list(found.values())):
            cursor.execute(statement)


def _models(apps: Apps) -> list[type[models.Model]]:
    """With the tables between many and many."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.app_label not in LEFT_OUT]


def _rows(model: type[models.Model]) -> Iterator[dict[str, Any]]:
    for row in model._base_manager.order_by("pk"):
        yield {field.attname: _plain(field, row) for field in model._meta.concrete_fields}


def _plain(field: Any, row: models.Model) -> Any:
    value = field.value_from_object(row)
    is_plain = value is None or isinstance(value, bool | int | float | str | list | dict)
    return value if is_plain else field.value_to_string(row)


def _insert(model: type[models.Model], entry: dict[str, Any]) -> tuple[str, list[Any]]:
    fields = [field for field in model._meta.concrete_fields if field.attname in entry]
    name = connection.ops.quote_name
    columns = ", ".join(name(str(field.column)) for field in fields)
    gaps = ", ".join("%s" for _ in fields)
    values = [
        field.get_db_prep_save(field.to_python(entry[field.attname]), connection)
        for field in fields
    ]
    return f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({gaps})", values  # noqa: S608


def needed_columns(before: Apps) -> list[str]:
    """Columns that the database wants in every row and that the models before do not know. Their
    processes still write rows while an upgrade is rolled out.
    """
    found = []
    with connection.cursor() as cursor:
        for model in _models(before):
            table = model._meta.db_table
            known = {field.column for field in model._meta.concrete_fields}
            for column in connection.introspection.get_table_description(cursor, table):
                if column.name not in known and not column.null_ok and column.default is None:
                    found.append(f"{table}.{column.name}")
    return found


def differences(before: Rows, after: Rows) -> list[str]:
    """What an upgrade has lost or changed, as sentences. More tables, rows of a table that was
    empty and new fields are no difference.
    """
    return [
        sentence
        for label, rows in before.items()
        for sentence in _differences(label, rows, after.get(label, []))
    ]


def _differences(
    label: str, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> Iterator[str]:
    if len(before) != len(after):
        yield f"{label} had {len(before)} rows and has {len(after)}."
        return
    for old, new in zip(before, after, strict=True):
        for field, value in old.items():
            if field not in new:
                yield f"{label}.{field} is gone."
            elif new[field] != value:
                yield f"{label}.{field} was {value!r:.60} and is {new[field]!r:.60}."
