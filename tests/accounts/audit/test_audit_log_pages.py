"""The audit log, through HTTP: who did what, and finding it."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import audit_log
from accounts.models import User
from labeling.models import Pool
from labeling.people.pools import services as pools_services
from tests.cast import NOON
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def test_the_audit_log_shows_who_did_what_with_before_and_after(
    day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    pools_services.edit_pool(
        pool=day_shift, name="Late shift", description="", is_held_out=False, by=alice, now=NOON
    )

    page = words(signed_in(alice).get("/audit/?target_type=labeling.pool&action=change"))

    assert "<del>Day shift</del> → <ins>Late shift</ins>" in page
    assert f'<a href="/pools/{day_shift.pk}/">' in page


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("by=alice", True),
        ("by=nobody", False),
        ("since=2026-03-02&until=2026-03-02", True),
        ("until=2026-03-01", False),
        ("target_id=999999", False),
        ("words=LATE", True),
        ("words=day+late", True),
        ("words=early", False),
    ],
)
def test_the_audit_log_is_searched_by_who_what_target_and_period(
    query: str, is_found: bool, day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    pools_services.edit_pool(
        pool=day_shift, name="Late shift", description="", is_held_out=False, by=alice, now=NOON
    )

    page = words(signed_in(alice).get(f"/audit/?action=change&{query}"))

    assert ("Late shift" in page) is is_found


WORDS_OF_THE_POOL = {"FRÜH": 3, "morgen&action=pause": 1, "früh+ärger": 1, "steps": 1, "spät": 0}


def test_an_act_is_found_by_the_name_of_its_object_and_by_words_deep_in_a_value(
    alice: User, signed_in: SignedIn
) -> None:
    pool = pools_services.create_pool(name="Früh am Morgen", by=alice, now=NOON)
    pools_services.pause_pool(pool=pool, by=alice, now=NOON)
    audit_log.record(
        by=alice,
        action="change",
        target=pool,
        after={"plan": {"steps": ["sft", "Ärger"]}},
        now=NOON,
    )
    client = signed_in(alice)

    n_found = {
        query: client.get(f"/audit/?words={query}").context["page"].paginator.count
        for query in WORDS_OF_THE_POOL
    }

    assert n_found == WORDS_OF_THE_POOL


def test_the_audit_log_says_lists_and_claims_in_words(alice: User, signed_in: SignedIn) -> None:
    page = words(signed_in(alice).get("/audit/?action=create&target_type=accounts.user"))

    assert "<ins>admin</ins>" in page
    assert "<dt>Active</dt><dd><ins>yes</ins>" in page


def test_an_audit_filter_that_makes_no_sense_shows_everything(
    day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/audit/?since=yesterday"))

    assert "create" in page
