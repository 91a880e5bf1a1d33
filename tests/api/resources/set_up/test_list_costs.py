"""The lists of the set-up calls cost as many queries for many rows as for one."""

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, OnboardingStep, Pool
from labeling.pay import services as pay_services
from labeling.people.crowd import services as crowd_services
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.onboarding import services as onboarding_services
from labeling.people.pools import services as pools_services
from labeling.queue.gold import services as gold_services
from tests.api.resources.set_up.conftest import Api
from tests.cast import rater_called

Add = Callable[[Campaign, int], object]


def who_and_when() -> dict[str, Any]:
    return {"by": None, "now": timezone.now()}


def a_pool(campaign: Campaign, number: int) -> Pool:
    return pools_services.create_pool(name=f"Pool {number}", **who_and_when())


def a_rater(campaign: Campaign, number: int) -> object:
    return rater_called(f"Rater {number}", pool=campaign.pool)


def a_step(campaign: Campaign, number: int) -> OnboardingStep:
    topics = [{"topic": "chess"}]
    return onboarding_services.add_step(
        pool=campaign.pool, kind="topics", title="x", text="", questions=topics, **who_and_when()
    )


def an_attempt(campaign: Campaign, number: int) -> object:
    rater = rater_called(f"Rater {number}", pool=campaign.pool)
    step = OnboardingStep.objects.first() or a_step(campaign, 0)
    return onboarding_services.submit_step(
        step=step, rater=rater, version=1, answers=["chess"], now=timezone.now()
    )


def an_invitation(campaign: Campaign, number: int) -> object:
    people = [Invitee(f"person{number}@example.org")]
    return invitations_services.invite_to_pool(
        pool=campaign.pool, invitees=people, **who_and_when()
    )


def a_crowd_link(campaign: Campaign, number: int) -> object:
    return crowd_services.create_crowd_link(
        campaign=campaign, name="x", id_parameter="id", completion_code="x", **who_and_when()
    )


def a_rate(campaign: Campaign, number: int) -> object:
    return pay_services.set_rate(
        pool=campaign.pool,
        kind="comparison",
        basis="hour",
        amount=Decimal(1_000),
        currency="EUR",
        **who_and_when(),
    )


def a_version(campaign: Campaign, number: int) -> object:
    form = rating_form.default()
    return guidelines_services.new_guideline_version(
        guideline=campaign.guideline, text="x", form=form, **who_and_when()
    )


def a_gold(campaign: Campaign, number: int) -> object:
    line = b'{"prompt": "1 + 1?", "responses": ["2", "3", "4", "5"], "ranks": [1, 2, 2, 2]}'
    return gold_services.import_golds(
        campaign=campaign, file=BytesIO(line), file_name="x", **who_and_when()
    )


LISTS: dict[str, Add] = {
    "golds": a_gold,
    "pools": a_pool,
    "pools/{pool}/members": a_rater,
    "pools/{pool}/rates": a_rate,
    "raters": a_rater,
    "people": a_rater,
    "steps": a_step,
    "attempts": an_attempt,
    "invitations": an_invitation,
    "crowd-links": a_crowd_link,
    "guidelines/{guideline}/versions": a_version,
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_however_long(
    path: str, api: Api, comparison_campaign: Campaign
) -> None:
    path = path.format(pool=comparison_campaign.pool_id, guideline=comparison_campaign.guideline_id)
    add = LISTS[next(key for key in LISTS if key.split("/")[-1] == path.split("/")[-1])]
    add(comparison_campaign, 0)
    api.get(path)
    short, n_short = cost(api, path)
    for number in range(1, 5):
        add(comparison_campaign, number)

    long, n_long = cost(api, path)

    assert n_long == n_short + 4
    assert long == short
    assert long <= 6


def cost(api: Api, path: str) -> tuple[int, int]:
    """(queries, rows)."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        n = len(api.rows(path))
    return len(captured), n
