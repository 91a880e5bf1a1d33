"""What a child process does not get: the site's secrets, and keys of servers it does not need."""

import pytest
from django.conf import LazySettings

from training.processes import environment


def test_a_child_inherits_no_secret_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATABASE_URL",
        "PREFERABLY_SECRET_KEY",
        "PREFERABLY_KEY_LLM",
        "AWS_SECRET_ACCESS_KEY",
        "HARMLESS",
    ):
        monkeypatch.setenv(name, "x")

    assert {name for name, value in environment.without_secrets().items() if value == "x"} == {
        "HARMLESS"
    }


def test_only_a_key_is_read_as_a_key(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENDPOINT_KEYS = {"PREFERABLY_KEY_LLM": "sk"}
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")

    assert [
        environment.key_of(name)
        for name in ("PREFERABLY_KEY_LLM", "PREFERABLY_KEY_NONE", "DATABASE_URL", "")
    ] == [
        "sk",
        "",
        "",
        "",
    ]
