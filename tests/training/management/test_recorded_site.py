"""The site that the demo begins with: it is complete on a new machine, and gives nothing away."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from tests.upgrades import populate
from training.management.commands.seed_demo import LOGINS
from training.management.demo import dates, recording

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("recorded site")]
ROOT = Path(__file__).resolve().parents[3]
MOST_MB = 5
OF_A_MACHINE = re.compile(rb"/(home|root|Users|work|tmp|build)/[\w.-]+")
"""Folders of whoever has recorded the site."""
SECRETS = {
    "accounts_loginsession",
    "accounts_token",
    "account_emailconfirmation",
    "accounts_webhook",
    "django_session",
    "mfa_authenticator",
    "training_endpoint",
}
"""Tables whose rows let somebody in, here or elsewhere."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    with tarfile.open(recording.FILE, "r:xz") as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the demo's first start makes of it."""
    home = tmp_path_factory.mktemp("started")
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{home / 'preferably.sqlite3'}",
        "PREFERABLY_HOME": str(home),
        "PREFERABLY_MODE": "demo",
        "PYTHONPATH": str(ROOT / "scripts"),
    }
    command = [sys.executable, "-m", "tests.training.management.recorded_site"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- what the demo begins with --------------------------------------------------------------------


def test_every_page_of_the_recorded_site_opens_for_each_of_the_three(
    started: dict[str, Any],
) -> None:
    assert started["failures"] == []
    assert started["pages"] > 400


def test_the_recorded_site_ends_now_and_begins_more_than_two_weeks_ago(
    started: dict[str, Any],
) -> None:
    (offset,) = started["offsets"]

    assert offset > 0
    assert 0 <= started["hours_since_the_last_answer"] < 24
    assert started["days"] > 14


def test_the_three_logins_work_and_no_other(started: dict[str, Any]) -> None:
    assert started["logins"] == {login.email: True for login in LOGINS}
    assert started["others_with_a_password"] == []


def test_each_of_the_three_is_offered_the_tour(started: dict[str, Any]) -> None:
    assert started["tours"] == {login.role: True for login in LOGINS}


def test_models_lie_in_the_folder_of_the_new_site_and_can_be_restored(
    started: dict[str, Any],
) -> None:
    assert started["places"] == []
    assert started["without_adapter"] == []


def test_quality_has_found_the_careless_rater_and_the_two_of_another_taste(
    started: dict[str, Any],
) -> None:
    """One ranks without reading, two by length, and the five others by the guideline."""
    least_reliable = started["least_reliable"]["SmolLM2 and the first model, simulated raters"]
    assert least_reliable == ["Casper (simulated)", "Lena (simulated)", "Lorenz (simulated)"]
    assert started["golds"] > 0
    assert started["adjudications"] > started["golds"]


def test_gates_of_two_cycles_have_decided_on_what_raters_answered(
    started: dict[str, Any],
) -> None:
    """Whatever they decided: it is what was measured."""
    gates = started["gates"]

    assert len(gates) >= 2
    assert gates[0]["outcome"] == "passed"
    assert all(gate["outcome"] in {"passed", "failed", "undecided"} for gate in gates)
    assert all(gate["n_votes"] > 100 for gate in gates)
    assert all("% of votes" in gate["sentence"] for gate in gates)


def test_three_raters_have_talked_with_two_models(started: dict[str, Any]) -> None:
    talks = started["talks"]

    assert (talks["conversations"], talks["raters"], talks["models"]) == (6, 3, 2)
    assert talks["rated_turns"] >= 2 * talks["conversations"]


def test_attackers_say_what_their_stated_rule_says_and_others_have_reviewed_them(
    started: dict[str, Any],
) -> None:
    attacks = started["attacks"]

    assert len(attacks) == 6
    assert [attack["success"] for attack in attacks] == [attack["by_rule"] for attack in attacks]
    assert all(attack["is_reviewed"] for attack in attacks)


def test_pages_of_the_red_teaming_and_the_curation_say_how_much_they_rest_on(
    started: dict[str, Any],
) -> None:
    verdicts, [measured] = started["verdicts"], started["measured"]

    assert re.search(r"of 6 (succeeded|did), say (reviewers|attackers)", verdicts["red teaming"])
    assert measured["n"] > 0
    assert 0 <= measured["share"] <= 1
    assert f"of {measured['n']} judged should go." in verdicts["curation"]
    assert "Simulated by rules of their own." in verdicts["pool"]


# --- what is stored -------------------------------------------------------------------------------


def test_the_stored_site_has_no_folder_of_the_machine_that_recorded_it(archive: Path) -> None:
    files = [path for path in archive.rglob("*") if path.is_file()]

    found = {
        str(path.relative_to(archive)): matches
        for path in files
        if (matches := set(re.findall(OF_A_MACHINE, path.read_bytes())))
    }

    assert len(files) > 10
    assert found == {}


def test_the_stored_site_has_no_session_no_token_and_no_password_but_those_of_the_demo(
    archive: Path,
) -> None:
    with closing(sqlite3.connect(archive / recording.DATABASE)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        filled = {
            table
            for table in tables & SECRETS
            if database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        }
        with_password = {
            email
            for email, password in database.execute("SELECT email, password FROM accounts_user")
            if not password.startswith("!")
        }

    assert {"django_session", "accounts_loginsession"} <= tables
    assert filled == set()
    assert with_password == {login.email for login in LOGINS}


def test_the_stored_site_is_small() -> None:
    assert recording.FILE.stat().st_size < MOST_MB * 1_000_000


# --- dates ----------------------------------------------------------------------------------------

WEEK = timedelta(days=7)


@pytest.mark.django_db
def test_every_date_of_every_model_moves_and_nothing_else() -> None:
    """On a database with rows of nearly all models."""
    populate.populate()
    before = values()

    dates.shift(WEEK)

    after = values()
    expected = {
        place: old + WEEK
        if isinstance(old, date)
        else dates.shifted(old, WEEK)
        if isinstance(old, dict | list)
        else old
        for place, old in before.items()
    }
    assert after == expected
    assert len({label for (label, _pk, _name), old in before.items() if isinstance(old, date)}) > 50


def values() -> dict[tuple[str, Any, str], Any]:
    """Every value in the database, by its model, row and field."""
    return {
        (model._meta.label, row.pk, field.attname): field.value_from_object(row)
        for model in apps.get_models(include_auto_created=True)
        for row in model._base_manager.all()
        for field in model._meta.local_concrete_fields
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 8, 12, tzinfo=UTC)),
        (date(2026, 3, 1), date(2026, 3, 8)),
        ("2026-03-01T12:00:00+00:00", "2026-03-08T12:00:00+00:00"),
        (
            {"looks": [{"at": "2026-03-01T12:00:00Z"}]},
            {"looks": [{"at": "2026-03-08T12:00:00+00:00"}]},
        ),
        ("It was on 2026-03-01T12:00:00Z.", "It was on 2026-03-01T12:00:00Z."),
        (None, None),
        (12, 12),
    ],
)
def test_dates_move_in_columns_and_in_json(value: object, expected: object) -> None:
    assert dates.shifted(value, WEEK) == expected


def test_a_day_moves_to_the_day_that_its_noon_moves_to() -> None:
    assert dates.shifted(date(2026, 3, 1), timedelta(days=2, hours=20)) == date(2026, 3, 4)
    assert dates.shifted(date(2026, 3, 1), timedelta(days=2, hours=2)) == date(2026, 3, 3)
