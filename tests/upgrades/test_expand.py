"""A migration that takes away what the version before still uses is found."""

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from tests.upgrades import expand

TABLE = migrations.CreateModel(
    "Pool",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("note", models.TextField(null=True)),
    ],
)
ADDED: dict[str, "models.Field[Any, Any]"] = {
    "null": models.TextField(null=True),
    "db_default": models.TextField(db_default=""),
    "default": models.TextField(default=""),
}


def found(*operations: Operation, app: str = "labeling") -> dict[str, str]:
    """Problems of a migration that follows one with a table."""
    return expand.problems(
        [migration("0001_initial", app, TABLE), migration("0002_change", app, *operations)]
    )


def migration(name: str, app: str, *operations: Operation) -> migrations.Migration:
    made = type("Migration", (migrations.Migration,), {"operations": list(operations)})(name, app)
    assert isinstance(made, migrations.Migration)
    return made


def test_every_migration_adds_only_or_has_a_reason() -> None:
    everything = expand.problems(expand.every_migration())

    assert expand.unexplained(everything, expand.ALLOWED) == []


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (migrations.RemoveField("Pool", "note"), "RemoveField Pool.note"),
        (migrations.RenameField("Pool", "note", "notes"), "RenameField Pool.note"),
        (migrations.RenameModel("Pool", "Group"), "RenameModel Pool"),
        (migrations.AlterModelTable("Pool", "pools"), "AlterModelTable Pool"),
        (migrations.DeleteModel("Pool"), "DeleteModel Pool"),
        (migrations.AddField("Pool", "new", ADDED["default"]), "AddField Pool.new"),
        (migrations.AlterField("Pool", "note", models.TextField()), "AlterField Pool.note"),
        (
            migrations.AlterField("Pool", "name", models.CharField(max_length=19)),
            "AlterField Pool.name",
        ),
        (migrations.AlterField("Pool", "name", models.IntegerField()), "AlterField Pool.name"),
        (
            migrations.AlterField("Pool", "name", models.CharField(max_length=20, unique=True)),
            "AlterField Pool.name",
        ),
        (
            migrations.AddConstraint(
                "Pool", models.UniqueConstraint(fields=["name"], name="one_name")
            ),
            "AddConstraint Pool.one_name",
        ),
        (
            migrations.SeparateDatabaseAndState(
                database_operations=[migrations.RemoveField("Pool", "note")]
            ),
            "RemoveField Pool.note",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_version_before_still_uses_is_not_taken_away(
    operation: Operation, name: str
) -> None:
    assert list(found(operation)) == [f"labeling.0002_change: {name}"]


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("Pool", "new", ADDED["null"]),
        migrations.AddField("Pool", "new", ADDED["db_default"]),
        migrations.AddField("Pool", "people", models.ManyToManyField("labeling.Pool")),
        migrations.AlterField("Pool", "name", models.CharField(max_length=21, help_text="new")),
        migrations.AlterField("Pool", "name", models.CharField(max_length=20, null=True)),
        migrations.AddIndex("Pool", models.Index(fields=["name"], name="by_name")),
        migrations.RunPython(migrations.RunPython.noop),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_adds_or_widens_is_allowed(operation: Operation) -> None:
    assert found(operation) == {}


def test_a_table_that_is_new_may_have_anything() -> None:
    new = migrations.CreateModel("Visit", [("id", models.BigAutoField(primary_key=True))])
    constraint: Any = models.UniqueConstraint(fields=["code"], name="one_code")

    assert (
        found(
            new,
            migrations.AddField("Visit", "code", models.TextField(default="")),
            migrations.AlterField("Visit", "code", models.IntegerField()),
            migrations.AddConstraint("Visit", constraint),
        )
        == {}
    )


def test_the_migrations_of_other_packages_are_their_own_affair() -> None:
    assert found(migrations.RemoveField("Pool", "note"), app="account") == {}


def test_a_problem_says_what_to_do_and_a_reason_that_nothing_needs_is_one_too() -> None:
    (wrong,) = expand.unexplained(found(migrations.DeleteModel("Pool")), {})
    (needless,) = expand.unexplained({}, {"labeling.0001_initial: DeleteModel Pool": "Why?"})

    assert wrong.startswith("labeling.0002_change: DeleteModel Pool. The table is still read")
    assert "tests/upgrades/expand.py" in wrong
    assert needless.endswith("is allowed, but no migration does it.")
