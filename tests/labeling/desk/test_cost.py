"""The queries of the desk's pages do not grow with the data."""

import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling.models import Guideline, Pool, Rater
from tests.cast import open_comparison_campaign
from tests.labeling.desk.posting import SignedIn, comparison, start


def request_of(name: str, client: Client, address: str) -> None:
    if name == "next":
        client.post(address)
    elif name == "item":
        client.get(address)
    elif name == "draft":
        client.post(
            address + "draft",
            json.dumps({"revision": 1, "fields": {}}),
            content_type="application/json",
        )
    elif name == "heartbeat":
        client.post(address + "heartbeat")
    else:
        client.post(address + "submit", comparison(), headers={"X-Desk": "fragment"})


COSTS = {"next": 7, "item": 7, "draft": 8, "heartbeat": 5, "submit": 16}
"""Queries of each request, the two for session and user included. A claim asks how the rater stands
to the campaign, and takes the slot. Submit reads the lease and what it shows; stores in a
savepoint; claims; and reads the next item, which its answer brings.
"""


@pytest.mark.parametrize("n_items", [3, 30])
def test_the_desk_asks_the_same_however_many_items_there_are(
    n_items: int,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=n_items)
    client = signed_in(rosa)

    # Two of them count what is left: the free slots of the campaign, and its items for this rater.
    with django_assert_num_queries(16):
        client.get("/desk/")


@pytest.mark.parametrize("name", list(COSTS))
@pytest.mark.parametrize("n_items", [3, 30])
def test_a_request_costs_the_same_however_many_items_and_raters_there_are(
    name: str,
    n_items: int,
    rosa: Rater,
    raul: Rater,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=n_items)
    if n_items > 3:
        colleague = signed_in(raul)
        colleague.post(start(colleague, campaign) + "submit", comparison())
    client = signed_in(rosa)
    address = start(client, campaign)
    client.get(address)  # the process knows the guideline's version now
    if name == "next":
        client.post(address + "release")
        address = f"/desk/{campaign.pk}/next"

    with django_assert_num_queries(COSTS[name]):
        request_of(name, client, address)
