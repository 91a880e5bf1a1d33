"""The suite's own machinery: empty databases, and tests that declare what they need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from labeling.models import Campaign, Prompt, Rater
from tests.tooling import databases, selection, times

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.django_db(transaction=True)
def test_a_database_is_emptied_of_all_that_a_test_has_committed(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    before = databases.n_rows()
    assert Prompt.objects.exists()

    databases.empty()

    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{name}")')  # noqa: S608  # our own names
            assert cursor.fetchone()[0] == (name in databases.WITH_ROWS), name
    assert databases.n_rows() == before


@pytest.mark.django_db(transaction=True)
def test_foreign_keys_are_checked_again_once_a_database_is_emptied() -> None:
    databases.empty()

    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone()[0] == "origin"


@pytest.mark.parametrize(
    ("path", "markers"),
    [
        ("browser/training/test_runs.py", {"browser"}),
        ("browser/training/test_models.py", {"browser", "torch"}),
        ("trainer/test_configs.py", {"torch"}),
        ("training/runs/multi_node", {"torch"}),
        ("training/runs/test_supervisor.py", set()),
    ],
)
def test_what_a_file_imports_says_what_it_needs(path: str, markers: set[str]) -> None:
    assert selection.needs(TESTS / path) == markers


@pytest.mark.parametrize(("bar", "code"), [("0.001", 1), ("1000000", 0)])
def test_a_run_fails_whose_tests_cost_more_than_the_bar(
    bar: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "test_sum.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", times.__name__, f"--cpu-bar={bar}", tmp_path],
        cwd=TESTS.parent,
        env=os.environ
        | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": f"-c {os.devnull}"}
        | {"PYTEST_PLUGINS": ""},
        capture_output=True,
        text=True,
    )

    assert run.returncode == code, run.stdout + run.stderr
    *_, cost, closing = run.stdout.splitlines()
    assert cost.startswith("processor time: ")
    assert "1 passed in" in closing
