"""The suite's own machinery: empty databases, and tests that declare what they need."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from django.db import connection

from labeling.models import Campaign, Prompt, Rater
from tests.tooling import databases, schedule, selection, times

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
        ("browser/training/runs/test_runs.py", {"browser"}),
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

    run = pytest_on(tmp_path, "-p", times.__name__, f"--cpu-bar={bar}")

    assert run.returncode == code, run.stdout + run.stderr
    *_, cost, closing = run.stdout.splitlines()
    assert cost.startswith("processor time: ")
    assert "1 passed in" in closing


def test_a_slow_processor_raises_the_bar_and_a_fast_one_does_not_lower_it() -> None:
    usual = times.REFERENCE_S

    assert times.slowness([]) == 1
    assert times.slowness([usual / 3] * 3) == 1
    assert times.slowness([1.5 * usual] * 3) == pytest.approx(1.5)
    assert times.slowness([1.5 * usual, 1.5 * usual, 90 * usual]) == pytest.approx(1.5)
    assert 0 < times.yardstick_s() < 100 * usual


def test_a_process_runs_whole_files_and_half_begin_with_slow_ones(tmp_path: Path) -> None:
    for name, mark in {"a": "", "b": "# mark.slow", "c": "", "d": "# mark.slow"}.items():
        tests = "".join(f"def test_{n}():\n    time.sleep(0.05)\n" for n in range(8))
        (tmp_path / f"test_{name}.py").write_text(f"import time {mark}\n{tests}")

    plugins = ("-p", "xdist.plugin", "-p", schedule.__name__)
    options = ("-v", "-n", "2", "--dist", "loadgroup", f"--rootdir={tmp_path}")

    run = pytest_on(tmp_path, *plugins, *options)

    assert run.returncode == 0, run.stdout + run.stderr
    files: dict[str, list[str]] = defaultdict(list)
    for process, file in re.findall(r"\[(gw\d)\] .* PASSED .*(test_\w)\.py", run.stdout):
        files[process].append(file)
    assert {tuple(ran[:8]) for ran in files.values()} == {("test_a",) * 8, ("test_b",) * 8}
    assert {tuple(ran.count(file) for ran in files.values()) for file in ("test_c", "test_d")} <= {
        (0, 8),
        (8, 0),
    }


def pytest_on(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """A run without the plugins and settings of this one."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, folder],
        cwd=TESTS.parent,
        env=os.environ
        | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": f"-c {os.devnull}"}
        | {"PYTEST_PLUGINS": ""},
        capture_output=True,
        text=True,
    )
