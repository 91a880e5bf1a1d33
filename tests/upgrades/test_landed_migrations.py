"""A migration that has landed never changes."""

from pathlib import Path

import pytest

from tests.upgrades import landed

LANDED = {"labeling/migrations/0001_initial.py": "aa", "labeling/migrations/0002_more.py": "bb"}


def test_every_migration_is_as_it_landed() -> None:
    problems = landed.problems(landed.migrations(), landed.recorded(), landed.replaced())

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        pytest.param(
            LANDED | {"labeling/migrations/0002_more.py": "cc"},
            "0002_more.py was edited, but sites have applied it as it was. Restore it, and write a"
            " new migration",
            id="edited",
        ),
        pytest.param(
            {"labeling/migrations/0001_initial.py": "aa"},
            "0002_more.py was removed, but sites have applied it. Restore it",
            id="removed",
        ),
        pytest.param(
            LANDED | {"labeling/migrations/0003_new.py": "dd"},
            "0003_new.py is not recorded. Run `make landed`",
            id="new",
        ),
    ],
)
def test_a_difference_is_a_sentence_that_says_what_to_do(
    found: dict[str, str], sentence: str
) -> None:
    (problem,) = landed.problems(found, LANDED)

    assert sentence in problem


def test_recording_adds_new_migrations_and_changes_no_other_entry() -> None:
    found = {
        "labeling/migrations/0001_initial.py": "edited",
        "labeling/migrations/0003_new.py": "dd",
    }

    record = landed.with_new(found, LANDED)

    assert record == LANDED | {"labeling/migrations/0003_new.py": "dd"}


def test_one_changed_character_of_a_migration_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "labeling" / "migrations" / "0001_initial.py"
    file.parent.mkdir(parents=True)
    file.write_text("operations = []\n")
    before = landed.migrations(tmp_path)
    file.write_text("operations = [ ]\n")

    (problem,) = landed.problems(landed.migrations(tmp_path), before)

    assert problem.startswith("labeling/migrations/0001_initial.py was edited")


def test_a_migration_may_go_that_another_replaces(tmp_path: Path) -> None:
    folder = tmp_path / "labeling" / "migrations"
    folder.mkdir(parents=True)
    squashed = folder / "0001_squashed_0002_more.py"
    squashed.write_text(
        "class Migration(migrations.Migration):\n"
        "    replaces = [('labeling', '0001_initial'), ('labeling', '0002_more')]\n"
    )
    found = landed.migrations(tmp_path)

    assert landed.problems(found, LANDED | found, landed.replaced(tmp_path)) == []


def test_a_migration_that_never_landed_cannot_be_replaced() -> None:
    (problem,) = landed.problems(LANDED, LANDED, ["labeling/migrations/0002_mroe.py"])

    assert problem.startswith("labeling/migrations/0002_mroe.py is replaced, but never landed")
