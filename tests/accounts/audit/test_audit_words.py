"""The audit log in words: every action has a description, and values are shown as on the pages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation

from accounts.audit import words as audit_words
from labeling.models import Campaign

ROOT = Path(__file__).resolve().parents[3]


def recorded_actions() -> Iterator[str]:
    """The action of every `audit_log.record(by, "…", target)` in the code."""
    for app in ("accounts", "labeling", "training"):
        for path in (ROOT / app).rglob("*.py"):
            source = path.read_text()
            if "audit_log.record" not in source:
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit_log.record":
                    by_name = {keyword.arg: keyword.value for keyword in node.keywords}
                    action = by_name.get("action") or node.args[1]
                    constants = (
                        part.value for part in ast.walk(action) if isinstance(part, ast.Constant)
                    )
                    yield from (word for word in constants if isinstance(word, str))


def test_every_act_that_is_written_down_has_words() -> None:
    actions = set(recorded_actions())
    assert len(actions) > 40
    actions = {action for action in actions if action != "state:"} | {
        f"state:{state}" for state in Campaign.State.values
    }
    assert sorted(actions - set(audit_words.ACTION_WORDS)) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("state", "open", "open"),
        ("kind", "comparison", "compare responses"),
        ("closed_at", "2026-03-02T11:00:00+00:00", "2 March 2026, 12:00"),
        ("valid_from", "2026-03-02", "2 March 2026"),
        ("closed_at", "2026-13-99T99:99", "2026-13-99T99:99"),
        ("note", "2026-03-02 was the day", "2026-03-02 was the day"),
        ("bytes", 3 * 1024**3, "3.0\xa0GB"),
        ("overlap", 3, "3"),
        ("is_blind", True, "yes"),
        ("raters", ["rosa", "ravi"], "rosa, ravi"),
        ("raters", [], "–"),
        ("note", "", "–"),
        ("note", None, None),
    ],
)
def test_a_value_is_said_as_the_pages_say_it(name: str, value: Any, words: str | None) -> None:
    with timezone.override("Europe/Berlin"):
        assert audit_words.of_value("labeling.campaign", name, value) == words


def test_a_value_is_said_in_the_readers_language() -> None:
    with translation.override("de"):
        assert audit_words.of_value("labeling.campaign", "state", "closed") == "geschlossen"


def test_what_a_table_that_is_gone_kept_is_shown_as_it_is() -> None:
    assert audit_words.of_type("labeling.widget") == "labeling.widget"
    assert audit_words.of_type("nowhere") == "nowhere"
    assert audit_words.of_name("labeling.widget", "n_items") == "items"
    assert (
        audit_words.of_name("labeling.widget", "plan.configs.sft.n_epochs")
        == "plan · configs · sft · epochs"
    )
    assert audit_words.of_value("labeling.widget", "kind", "comparison") == "comparison"
