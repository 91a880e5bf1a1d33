"""Rules and their limits as pages show them: words and units, never keys."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tests.html import text_of
from training.snapshots.curation import recipes, rule_words
from training.snapshots.curation.rule_words import measured_in_words
from training.snapshots.curation.rules import phrases, quality
from training.snapshots.curation.rules.duplicates import KEEPS
from training.snapshots.curation.rules.personal_data import KINDS
from training.snapshots.curation.rules.recipe import RULES

PART = re.compile(r'NAME\}\.([a-z_]+)"|name\}\.([a-z_]+)"')


def test_every_limit_of_every_rule_has_words() -> None:
    limits = {f"{name}.{f.name}" for name, rule in RULES.items() for f in dataclasses.fields(rule)}

    assert limits == rule_words.THRESHOLDS.keys()
    assert set(KEEPS) == rule_words.KEEPS.keys()
    assert set(KINDS) == rule_words.PERSONAL.keys()
    assert set(phrases.names()) == rule_words.LISTS.keys()


def test_every_part_that_a_rule_reports_has_words() -> None:
    folder = Path(quality.__file__).parent
    reported = {
        one or other
        for path in folder.glob("*.py")
        if path.name != "phrases.py"
        for one, other in PART.findall(path.read_text(encoding="utf-8"))
    }

    assert reported - {rule.partition(".")[2] for rule in rule_words.PARTS} == set()


@pytest.mark.parametrize(
    ("rule", "value", "threshold", "words"),
    [
        ("c4_quality.sentences", 2, 5, "2 (at least 5)"),
        ("repetition.top_2_gram", 0.314, 0.2, "31.4 % (at most 20 %)"),
        ("fineweb_quality.repeated", 0.014, 0.01, "1.4 % (at most 1 %)"),
        ("near_duplicate", 0.91, 0.8, "91 % (from 80 % on)"),
        ("exact_duplicate", 1.0, 1.0, "identical"),
        ("personal_data", 3, 0, "3 (at most 0)"),
        ("language", "de", "en", "German (only English)"),
        ("licence", "none", "CC0-1.0", "none (only CC0-1.0)"),
    ],
)
def test_a_value_comes_with_its_limit(
    rule: str, value: float | str, threshold: float | str, words: str
) -> None:
    assert measured_in_words(rule, value, threshold).replace("\xa0", " ") == words


@pytest.mark.django_db
@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_reads_as_words(noor: User, signed_in: Callable[..., Client], name: str) -> None:
    page = text_of(signed_in(noor), f"/recipes/{name}/")

    for key in ("True", "spam-1", "national_id", "top grams", "min ", "max ", "best_licence"):
        assert key not in page, key
    assert "bank accounts" in page


@pytest.mark.django_db
def test_the_recipe_of_web_pages_has_units(noor: User, signed_in: Callable[..., Client]) -> None:
    page = text_of(signed_in(noor), "/recipes/text/").replace("\xa0", " ")

    assert "at least 5 sentences; lines under 3 words are not counted" in page
    assert "words with a letter: at least 80 %" in page
    assert "the most frequent run of 2 words is at most 20 % of the text" in page
