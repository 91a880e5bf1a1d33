"""My work: earlier answers, with filters."""

import pytest
from pytest_django import DjangoAssertNumQueries

from labeling.models import Campaign, Rater
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, start


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ("", 1),
        ("kind=comparison", 1),
        ("kind=demonstration", 0),
        ("state=first", 1),
        ("state=corrected", 0),
        ("state=extra", 0),
        ("since=2020-01-01", 1),
        ("until=2020-01-01", 0),
        ("since=nonsense&campaign=99999&state=nonsense", 1),
    ],
)
def test_my_answers_are_filtered(
    query: str, n: int, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison())

    page = page_of(client.get(f"/my-work/?{query}"))

    assert page.count("/correct") == n
    assert ("None of your answers match the filter." in page) == (n == 0)


def test_the_filter_offers_only_campaigns_that_one_has_worked_in(
    rosa: Rater,
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
    signed_in: SignedIn,
) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison())

    page = page_of(client.get(f"/my-work/?campaign={comparison_campaign.pk}"))

    assert f'<option value="{comparison_campaign.pk}" selected' in page
    assert f'<option value="{demonstration_campaign.pk}"' not in page
    assert page.count("/correct") == 1


def test_my_work_lists_drafts_and_leads_back_to_what_is_still_held(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "draft", "text": "Half a thought"})

    held = page_of(client.get("/my-work/"))
    client.post(address + "release")
    given_back = page_of(client.get("/my-work/"))

    assert held.count(f'href="{address}"') == 1, "with its campaign only"
    assert "This item is not assigned to you now." in given_back
    assert f'href="{address}"' not in given_back


@pytest.mark.parametrize("n_given", [1, 3])
def test_my_work_asks_the_same_however_much_one_has_given(
    n_given: int,
    rosa: Rater,
    comparison_campaign: Campaign,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(rosa)
    for _turn in range(n_given):
        client.post(start(client, comparison_campaign) + "submit", comparison())

    with django_assert_num_queries(17):
        client.get("/my-work/?kind=comparison")
