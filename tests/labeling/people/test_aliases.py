"""Aliases: readable, and never given twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, CrowdLink, Pool, Rater
from labeling.people.crowd import services as crowd_services
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import claim
from tests import html
from tests.cast import NOON, rater_called
from tests.labeling.queue.gold.scene import RIGHT, rank_by

SignedIn = Callable[..., Client]
N_AT_ONCE = 12


@pytest.mark.django_db
def test_a_new_rater_gets_a_number_and_keeps_it(rosa: Rater, raul: Rater) -> None:
    assert rosa.alias == f"Rater {rosa.pk}"
    assert raul.alias != rosa.alias

    assert rosa.user is not None
    again = pools_services.ensure_rater(user=rosa.user, now=NOON)

    assert again == rosa
    assert again.alias == rosa.alias


@pytest.mark.django_db
def test_an_alias_from_before_stays(rosa: Rater) -> None:
    Rater.everyone.filter(pk=rosa.pk).update(alias="rater-3500412d")
    assert rosa.user is not None

    assert pools_services.ensure_rater(user=rosa.user, now=NOON).alias == "rater-3500412d"


@pytest.mark.django_db
def test_imported_raters_use_up_numbers_but_take_no_alias(day_shift: Pool) -> None:
    Rater.everyone.bulk_create(Rater(alias=f"import-1-w{number}") for number in range(3))

    after = rater_called("Rosa", pool=day_shift)

    assert after.alias == f"Rater {after.pk}"
    assert Rater.everyone.filter(alias__startswith="Rater ").count() == 1


@pytest.mark.django_db(transaction=True)
def test_raters_who_come_at_once_get_different_aliases() -> None:
    start = threading.Barrier(N_AT_ONCE)
    users = [
        User.objects.create(email=f"{number}@example.org", name=str(number))
        for number in range(N_AT_ONCE // 2)
    ]

    def come(user: User) -> str:
        start.wait()
        try:
            return pools_services.ensure_rater(user=user, now=NOON).alias
        finally:
            connection.close()

    with ThreadPoolExecutor(N_AT_ONCE) as threads:  # each of them twice
        futures = [threads.submit(come, user) for user in users * 2]
        aliases = [future.result() for future in futures]

    assert len(set(aliases)) == len(users)
    assert set(aliases) == {f"Rater {rater.pk}" for rater in Rater.everyone.all()}


@pytest.mark.django_db
def test_a_crowd_visitors_alias_says_nothing_of_the_platforms_id(
    comparison_campaign: Campaign,
) -> None:
    link = crowd_services.create_crowd_link(
        campaign=comparison_campaign,
        name="Study",
        id_parameter="PROLIFIC_PID",
        completion_code="C0DE",
        by=None,
        now=NOON,
    )

    visits = [
        crowd_services.begin_visit(link=link, external_id=worker, now=NOON)
        for worker in ("worker-77", "worker-78")
    ]

    assert CrowdLink.objects.count() == 1
    assert [visit.rater.alias for visit in visits] == [
        f"Rater {visit.rater.pk}" for visit in visits
    ]


@pytest.mark.django_db
def test_an_admin_sees_names_beside_aliases_but_not_in_a_blind_review(
    comparison_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    given = rank_by(slot, RIGHT, rater=rosa)
    client = signed_in(alice)

    board = client.get(f"/campaigns/{comparison_campaign.pk}/").text
    review = client.get(f"/campaigns/{comparison_campaign.pk}/review/{given.item_id}/").text

    assert rosa.alias in board
    assert '<span class="quiet">Rosa</span>' in board
    assert "Rosa" not in review
    assert not html.names(review, rosa.alias)
