"""The command that stores the suites of the product."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.training.benchmarks.tiny_suites import tiny_suite
from training.benchmarks.suites import shipped_suites
from training.models import Suite

pytestmark = pytest.mark.django_db


def load() -> str:
    out = StringIO()
    call_command("load_suites", stdout=out)
    return out.getvalue()


def test_the_suites_of_the_product_are_stored_once() -> None:
    assert "Basic knowledge 1: 40 items stored." in load()
    stored = set(Suite.objects.values_list("slug", "n_items"))
    assert load() == "All suites are already stored.\n"
    assert set(Suite.objects.filter(is_shipped=True).values_list("slug", "n_items")) == stored


def test_a_suite_that_a_team_named_likewise_stays_theirs() -> None:
    own = tiny_suite("flip", slug="are-you-sure")
    assert "Stands by right answers" not in load()
    name = own.name
    own.refresh_from_db()
    assert (own.is_shipped, own.name) == (False, name)


def test_stored_suites_take_the_names_of_this_release() -> None:
    load()
    Suite.objects.filter(slug="clearly-harmful").update(name="Clearly harmful")

    assert load() == "All suites are already stored.\n"

    assert Suite.objects.get(slug="clearly-harmful").name == "Refuses clearly harmful requests"


def test_every_suite_is_named_after_what_a_high_score_means() -> None:
    """100 % of “Clearly harmful” would be read as the worst of all scores."""
    verbs = {"Answers", "Finds", "Follows", "Prefers", "Refuses", "Stands"}
    named = {draft.name for draft in shipped_suites.drafts()} - {"Basic knowledge"}

    assert {name.split()[0] for name in named} <= verbs
