"""What the open page says of the rater's progress and earnings, in a request of its own."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling.models import Campaign, Guideline, Pool, Rater, Slot
from tests.cast import open_comparison_campaign
from tests.labeling.desk.posting import SignedIn, comparison, start
from tests.labeling.pay import paid_work
from tests.tooling.recordings import recorded


def progress_at(client: Client, address: str) -> dict[str, Any]:
    return dict(client.get(address + "progress").json())


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    return open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3)


def test_an_answer_moves_an_item_from_left_to_done(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    first = start(client, campaign)
    before = progress_at(client, first)

    client.post(first + "submit", comparison())
    after = progress_at(client, start(client, campaign))

    assert (before["n_done"], before["n_left"]) == (0, 3)
    assert (after["n_done"], after["n_left"]) == (1, 2)


def test_an_item_with_several_free_slots_is_one_item_for_one_rater(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, campaign)

    assert Slot.objects.filter(campaign=campaign, state=Slot.State.FREE).count() == 8
    assert progress_at(client, address)["n_left"] == 3


def test_what_others_have_taken_is_not_left(
    rosa: Rater, raul: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3, overlap=1)
    start(signed_in(raul), campaign)
    client = signed_in(rosa)

    assert progress_at(client, start(client, campaign))["n_left"] == 2


def test_a_queue_too_long_to_count_has_no_figure(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.desk.progress.MOST_COUNTED", 1)
    client = signed_in(rosa)

    assert progress_at(client, start(client, campaign))["n_left"] is None


def test_earnings_are_shown_only_with_a_rate(
    rosa: Rater, campaign: Campaign, day_shift: Pool, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, campaign)
    client.post(address + "submit", comparison())
    address = start(client, campaign)
    before = progress_at(client, address)["earned"]

    paid_work.rate(day_shift, amount="250", basis="item", kind="comparison")

    assert before == ""
    assert "2.50" in progress_at(client, address)["earned"]


def test_another_rater_s_item_tells_nothing(
    rosa: Rater, raul: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    address = start(signed_in(rosa), campaign)

    assert signed_in(raul).get(address + "progress").status_code == 404


@pytest.mark.parametrize("n_items", [3, 30])
def test_the_cost_does_not_grow_with_the_queue(
    n_items: int,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=n_items)
    client = signed_in(rosa)
    address = start(client, campaign)
    client.get(address)

    with django_assert_num_queries(15):
        progress_at(client, address)
