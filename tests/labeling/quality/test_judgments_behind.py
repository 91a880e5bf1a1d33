"""The judgments behind a row of the bias page, through HTTP."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Judgment, QualityReport, Rater
from labeling.quality import services as quality_services
from tests import html
from tests.cast import NOON
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


@pytest.mark.parametrize("row", ["first", "longer", "ties", "list", "position", "second_twice"])
def test_a_row_of_the_bias_panel_leads_to_the_judgments_behind_it(
    row: str, measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    page = words(client.get(f"/campaigns/{measured.pk}/bias/{row}/"))

    assert "Answers where, on at least one pair, " in page
    assert "Question 1" in page or "None yet." in page


def test_a_rater_s_choices_are_shown_beside_those_of_all_raters(
    measured: Campaign, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/raters/{raul.pk}/"))

    rows = re.findall(r'<th scope="row" class="nowrap">.*?</tr>', page)
    first = next(row for row in rows if "Position bias" in row)
    assert f'<a href="/campaigns/{measured.pk}/raters/{raul.pk}/first/">' in first
    assert "100 %" in first
    assert "All raters: " in first
    assert "Odds per doubling of length" in page
    assert "No pair has been shown again with its sides swapped yet." in page
    assert "Emoji wins" not in page  # no two responses differ in it


def test_the_judgments_behind_a_rater_s_row_are_theirs_alone(
    measured: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/raters/{raul.pk}/first/"))

    assert "Answers where, on at least one pair, the response shown first won" in page
    assert "5 answers, newest first" in page
    assert f'<a href="/campaigns/{measured.pk}/raters/{raul.pk}/">← {raul.alias}</a>' in page
    assert not html.names(page, rosa.alias)


def test_a_flag_leads_to_the_judgments_that_show_it(
    crowd: tuple[Campaign, Rater],
    alice: User,
    signed_in: SignedIn,
) -> None:
    campaign, habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    client, link = signed_in(alice), f"/campaigns/{campaign.pk}/raters/{habitual.pk}/flag-first/"

    pages = [words(client.get(address)) for address in (f"/campaigns/{campaign.pk}/quality/", link)]

    assert f'<a href="{link}">View answers</a>' in pages[0]
    assert "The response shown first ranked top, alone" in pages[1]
    assert "30 answers, newest first" in pages[1]


def test_rows_that_a_rater_has_not_have_no_page(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    assert client.get(f"/campaigns/{measured.pk}/raters/{rosa.pk}/mood/").status_code == 404
    assert "None yet." in words(client.get(f"/campaigns/{measured.pk}/raters/{rosa.pk}/flag-copy/"))


def test_the_judgments_behind_a_row_come_in_pages(
    crowd: tuple[Campaign, Rater],
    alice: User,
    signed_in: SignedIn,
    django_assert_max_num_queries: Any,
) -> None:
    campaign, _habitual = crowd
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    listed = report.results["behind"]["first"]["judgments"]
    client = signed_in(alice)

    with django_assert_max_num_queries(11):
        first = words(client.get(f"/campaigns/{campaign.pk}/bias/first/"))
    last = words(client.get(f"/campaigns/{campaign.pk}/bias/first/?page=3"))

    assert 100 < len(listed) <= 150
    assert (first.count('scope="row"'), last.count('scope="row"')) == (50, len(listed) - 100)
    assert "Page 1 of 3" in first


def test_a_page_says_when_only_the_latest_judgments_are_listed(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    report = QualityReport.objects.get()
    report.results["behind"]["first"]["n"] = 23_456
    report.save()

    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/bias/first/"))

    assert re.search(r"23.456 answers; showing the latest \d+", page)


def test_a_row_that_there_is_not_has_no_page(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    assert signed_in(alice).get(f"/campaigns/{measured.pk}/bias/mood/").status_code == 404


def test_an_admin_sets_an_answer_aside_with_a_reason_and_takes_it_back(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    judgment = Judgment.of_people.latest("pk")
    review = f"/campaigns/{measured.pk}/review/{judgment.item_id}/"

    aside = words(
        client.post(
            f"{review}aside/{judgment.pk}", {f"aside-{judgment.pk}": "Guessed."}, follow=True
        )
    )
    back = words(client.post(f"{review}back/{judgment.pk}", follow=True))

    assert "Set aside by" in aside
    assert ": Guessed." in aside
    assert "Restored. It counts again." in back
    assert "Set aside by" not in back
