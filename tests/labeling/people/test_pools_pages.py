"""The admin's pool pages, through HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import Campaign, Pool, PoolMembership, Rater
from labeling.people.pools import services as pools_services
from tests.cast import NOON, rater_called
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


def members(pool: Pool) -> set[str]:
    return set(
        PoolMembership.objects.filter(pool=pool, is_active=True).values_list(
            "rater__user__name", flat=True
        )
    )


def test_a_pool_is_made_held_out(alice: User, signed_in: SignedIn) -> None:
    answer = signed_in(alice).post(
        "/pools/new/", {"name": "Experts", "description": "", "is_held_out": "on"}
    )

    pool = Pool.objects.get()
    assert answer.headers["Location"] == f"/pools/{pool.pk}/"
    assert pool.is_held_out
    assert AuditEvent.objects.filter(by=alice, action="create", target_id=pool.pk).exists()


def test_a_pool_is_renamed(alice: User, day_shift: Pool, signed_in: SignedIn) -> None:
    signed_in(alice).post(
        f"/pools/{day_shift.pk}/edit/", {"name": "Night shift", "description": "After nine."}
    )

    day_shift.refresh_from_db()
    assert (day_shift.name, day_shift.description) == ("Night shift", "After nine.")


def test_a_pool_cannot_take_the_name_of_another(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post("/pools/new/", {"name": "Day shift"})

    assert "Another pool already has this name." in words(answer)


def test_several_raters_join_at_once(
    alice: User, day_shift: Pool, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    experts = pools_services.create_pool(name="Experts", by=None, now=NOON)

    signed_in(alice).post(f"/pools/{experts.pk}/add", {"raters": [rosa.pk, raul.pk]})

    assert members(experts) == {"Rosa", "Raul"}


def test_several_raters_leave_at_once(
    alice: User, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater, signed_in: SignedIn
) -> None:
    signed_in(alice).post(f"/pools/{day_shift.pk}/remove", {"raters": [rosa.pk, raul.pk]})

    assert members(day_shift) == {"Rita"}


def test_a_rater_who_left_may_come_back(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.post(f"/pools/{day_shift.pk}/remove", {"raters": [rosa.pk]})

    client.post(f"/pools/{day_shift.pk}/add", {"raters": [rosa.pk]})

    assert members(day_shift) == {"Rosa"}


def test_adding_nobody_gets_a_sentence(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    experts = pools_services.create_pool(name="Experts", by=None, now=NOON)

    answer = signed_in(alice).post(f"/pools/{experts.pk}/add", {})

    assert (answer.status_code, "Select at least one rater." in words(answer)) == (422, True)


def test_a_pool_lists_its_raters_and_campaigns(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, day_shift: Pool, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/pools/{day_shift.pk}/"))

    assert rosa.alias in page
    assert f'<a href="/campaigns/{demonstration_campaign.pk}/">Write</a>' in page


@pytest.mark.parametrize("n_raters", [1, 20])
def test_a_pool_asks_as_many_queries_for_one_rater_as_for_twenty(
    n_raters: int, alice: User, day_shift: Pool, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    for number in range(n_raters):
        rater_called(f"Rater {number}", pool=day_shift)
    client = signed_in(alice)

    with django_assert_num_queries(16):
        client.get(f"/pools/{day_shift.pk}/")


@pytest.mark.parametrize("n_pools", [1, 20])
def test_the_list_asks_as_many_queries_for_one_pool_as_for_twenty(
    n_pools: int, alice: User, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    for number in range(n_pools):
        pools_services.create_pool(name=f"Pool {number}", by=None, now=NOON)
    client = signed_in(alice)

    with django_assert_num_queries(15):
        client.get("/pools/")
