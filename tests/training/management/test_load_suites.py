"""The command that stores the suites of the product."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.training.benchmarks.tiny_suites import tiny_suite
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
    assert "Are you sure?" not in load()
    own.refresh_from_db()
    assert not own.is_shipped
