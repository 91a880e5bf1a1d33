"""The database's options, as settings.py builds them from the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.performance.compiled import fetch

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import json
from django.conf import settings
print(json.dumps(settings.DATABASES["default"]["OPTIONS"]))
"""
URL = "postgres://site:secret@db.example.org/preferably"
NETWORK = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
GENERIC = "-c plan_cache_mode=force_generic_plan"


def options(url: str, **environment: str) -> Any:
    shown = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(shown.stdout)


def test_options_of_the_url_reach_postgresql() -> None:
    assert options(
        f"{URL}?sslmode=verify-full&options=-c%20statement_timeout%3D5000"
    ) == NETWORK | {
        "sslmode": "verify-full",
        "options": f"-c statement_timeout=5000 {GENERIC}",
        "prepare_threshold": 1,
    }


def test_behind_a_pooler_nothing_is_prepared_and_no_setting_is_sent() -> None:
    assert options(URL, PREFERABLY_PREPARED_STATEMENTS="0") == NETWORK | {"prepare_threshold": None}


def test_a_limit_for_locks_is_sent_beside_other_options() -> None:
    assert options(URL, PREFERABLY_LOCK_TIMEOUT_S="5") == NETWORK | {
        "options": f"{GENERIC} -c lock_timeout=5s",
        "prepare_threshold": 1,
    }


def test_the_limits_of_the_url_win() -> None:
    shown = options(f"{URL}?connect_timeout=9&tcp_user_timeout=1000")

    assert (shown["connect_timeout"], shown["tcp_user_timeout"]) == (9, 1000)


@pytest.mark.django_db
def test_postgresql_plans_a_prepared_statement_once() -> None:
    statement = "SELECT id FROM labeling_slot WHERE campaign_id = %s AND queue_rank > %s"

    for rank in range(4):
        fetch(statement, [1, rank])

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE 'SELECT id FROM labeling_slot%%'"
        )
        [(n_generic, n_custom)] = cursor.fetchall()
    assert n_generic > 0
    assert n_custom == 0
