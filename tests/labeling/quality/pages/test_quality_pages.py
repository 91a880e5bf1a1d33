"""The admin's quality pages, through HTTP: they open from the stored report alone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Guideline, Judgment, Pool, QualityReport, Rater, RaterQuality
from labeling.quality import services as quality_services
from labeling.review import set_aside
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.answers import words
from tests.labeling.quality.judging import judge_all

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


@pytest.mark.parametrize("tab", ["quality", "agreement", "bias"])
def test_before_the_first_report_a_page_says_so_and_offers_to_compute(
    tab: str, comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/{tab}/"))

    assert "Nothing computed yet" in page
    assert "Compute now" in page


@pytest.mark.parametrize("tab", ["quality", "agreement", "bias"])
def test_a_page_says_what_it_was_computed_from(
    tab: str, measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/{tab}/"))

    assert "</time> from 10 answers." in page


def test_agreement_is_shown_with_what_it_means(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/agreement/"))

    assert "Above 72–77 %, the usual range for preferences" in page


def test_what_cannot_be_told_has_a_sentence_in_place_of_a_number(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    assert "Nothing has been rated twice yet." in page


def test_two_raters_meet_in_the_heat_map(
    measured: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    assert f"/campaigns/{measured.pk}/raters/{rosa.pk}/" in page
    assert "% of 30 pairs" in page


def test_two_raters_are_told_of_in_a_table_that_needs_no_pointer(
    measured: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    page = words(client.get(f"/campaigns/{measured.pk}/agreement/"))

    assert (
        '<details class="disclosure two-raters" id="pairs"><summary>1 pair of raters in'
        " numbers</summary>" in page
    )
    row = re.search(
        r'<tr><th scope="row"><a class="nowrap" href="[^"]*/raters/\d+/">.*?</tr>', page
    )
    assert row is not None
    assert rosa.alias in row.group()
    assert raul.alias in row.group()
    assert re.search(r'data-label="Votes">30<.*data-label="Cohen κ">−?0\.\d\d<', row.group())


def test_pairs_of_raters_are_sorted_by_agreement_and_come_in_pages(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    report = QualityReport.objects.get()
    one, other = report.results["matrix"]["raters"]
    report.results["matrix"] |= {
        "pairs": [
            {"one": one, "other": other, "score": score, "n": 100, "kappa": None}
            for score in range(20, 80)
        ],
        "n_pairs_few": 2,
        "n_pairs_more": 40,
    }
    report.save()
    client, address = signed_in(alice), f"/campaigns/{measured.pk}/agreement/"

    lowest, highest = (words(client.get(f"{address}?sort={key}")) for key in ("agree", "-agree"))

    shares = [
        re.findall(r'data-label="Agreement \(ties count ½\)">(\d+) %', page)
        for page in (lowest, highest)
    ]
    assert [(len(found), found[0], found[1]) for found in shares] == [
        (25, "20", "21"),
        (25, "79", "78"),
    ]
    assert 'id="pairs" open>' in lowest
    assert "Page 1 of 3" in lowest
    assert "2 pairs of raters share fewer than 10 votes and are not shown." in lowest
    assert "Showing the 300 pairs with the most votes; 40 more are not shown." in lowest


def test_questions_have_an_interval_for_each_number(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    table = page[page.index("By question") :]
    row = table[
        table.index('<th scope="row">') : table.index("</tr>", table.index('<th scope="row">'))
    ]
    assert row.count("fact-note") == 2


def test_no_page_shows_nan(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    addresses = ["agreement/", "bias/", "", f"raters/{rosa.pk}/"]

    pages = [words(client.get(f"/campaigns/{measured.pk}/{address}")) for address in addresses]

    assert [page for page in pages if re.search(r"\bnan\b", page, re.IGNORECASE)] == []


def test_the_bias_page_tells_first_and_longer(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/bias/"))

    assert "Position bias" in page
    assert "Odds per doubling of length" in page


def test_a_flagged_rater_is_named_with_the_reason_and_a_link_to_their_judgments(
    crowd: tuple[Campaign, Rater],
    alice: User,
    signed_in: SignedIn,
) -> None:
    campaign, habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/quality/"))

    assert "needs a check" in page or "need a check" in page
    assert f'<a href="/campaigns/{campaign.pk}/raters/{habitual.pk}/">{habitual.alias}</a>' in page
    assert "Puts the first-shown response on top in 100 % of 30 answers" in page
    assert "Fewer than 1 in 10,000 honest raters would look like this by luck." in page


def test_raters_with_a_taste_of_their_own_are_a_group_and_not_flagged(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    shares = {"within": {"value": 0.7, "n": 9}, "outside": {"value": 0.5, "n": 9}}
    taste = shares | {"number": 1, "n_raters": 3, "repeats": {"value": None, "n": 0}}
    row = RaterQuality.objects.get(rater=rosa)
    row.results = row.results | {"taste": taste}
    row.save(update_fields=["results"])

    client = signed_in(alice)
    pages = [
        words(client.get(f"/campaigns/{measured.pk}/{address}/"))
        for address in ("quality", f"raters/{rosa.pk}")
    ]

    for page in pages:
        assert "3 raters agree with each other in 70 % of pairs" in page
        assert "so they keep their vote" in page
        assert "No better than chance" not in page


def test_a_rater_who_may_share_a_rare_taste_is_not_accused(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    numbers = {"kind": "chance", "value": 0.12, "usual": 1.0, "n": 70, "by_luck": 0.001}
    row = RaterQuality.objects.get(rater=rosa)
    row.results = row.results | {"unsure": numbers | {"other": None, "colleague": ""}}
    row.save(update_fields=["results"])

    client = signed_in(alice)
    pages = [
        words(client.get(f"/campaigns/{measured.pk}/{address}/"))
        for address in ("quality", f"raters/{rosa.pk}")
    ]

    for page in pages:
        assert "Agrees with colleagues 12 % as much as a typical rater does" in page
        assert "This is no accusation" in page
        assert "No better than chance" not in page
        assert "need a check" not in page
        assert "Reasons to check" not in page


def test_a_flag_is_shown_in_the_readers_language(
    crowd: tuple[Campaign, Rater],
    alice: User,
    signed_in: SignedIn,
) -> None:
    campaign, habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    client = signed_in(alice)
    client.post("/language/", {"language": "de", "next": "/"})

    pages = [
        words(client.get(address))
        for address in (
            f"/campaigns/{campaign.pk}/quality/",
            f"/campaigns/{campaign.pk}/raters/{habitual.pk}/",
        )
    ]

    german = "Setzt in 100 % von 30 Antworten die zuerst gezeigte Antwort an die Spitze"
    assert [german in page for page in pages] == [True, True]


def test_the_campaigns_first_line_says_who_needs_a_look(
    crowd: tuple[Campaign, Rater],
    alice: User,
    signed_in: SignedIn,
) -> None:
    campaign, _habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    assert "needs a check." in page or "need a check." in page
    assert "Quality" in page


def test_a_demonstration_campaign_has_no_quality_tabs(
    demonstration_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    for page in ("quality", "agreement"):
        assert client.get(f"/campaigns/{demonstration_campaign.pk}/{page}/").status_code == 404
    assert f"/{demonstration_campaign.pk}/quality/" not in words(
        client.get(f"/campaigns/{demonstration_campaign.pk}/")
    )


@pytest.mark.parametrize(
    ("part", "page"), [("summary", "quality"), ("agreement", "agreement"), ("bias", "bias")]
)
def test_asking_to_compute_again_leads_back_to_the_tab(
    measured: Campaign, alice: User, signed_in: SignedIn, part: str, page: str
) -> None:
    answer = signed_in(alice).post(f"/campaigns/{measured.pk}/quality", {"part": part})

    assert answer.headers["Location"] == f"/campaigns/{measured.pk}/{page}/"


@pytest.mark.parametrize("n_raters", [2, 12])
@pytest.mark.parametrize("tab", ["quality", "agreement", "bias"])
def test_a_tab_asks_as_many_queries_for_two_raters_as_for_twelve(
    tab: str,
    n_raters: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_max_num_queries: Any,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3, overlap=12)
    for number in range(n_raters):
        judge_all(campaign, rater_called(f"Rater {number}", pool=day_shift))
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    client = signed_in(alice)

    with django_assert_max_num_queries(10):
        client.get(f"/campaigns/{campaign.pk}/{tab}/")


def test_the_quality_page_lists_campaigns_with_a_report(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/quality/"))

    assert measured.name in page
    assert f"/campaigns/{measured.pk}/quality/" in page


def test_without_any_report_the_quality_page_says_what_will_stand_there(
    alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/quality/"))

    assert "Nothing computed yet" in page


def test_a_page_says_how_many_judgments_came_since(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    judge_all(measured, rater_called("Rhea", pool=measured.pool))

    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    assert "from 10 answers. 5 new since then." in page


def test_a_page_says_that_something_was_decided_since(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    set_aside.set_aside(judgment=Judgment.of_people.latest("pk"), reason="", by=alice, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/bias/"))

    assert "A decision since then changes these numbers." in page


def test_while_a_worker_is_at_it_nobody_is_offered_to_start_another(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    QualityReport.objects.update(started_at=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    assert "Computing since" in page
    assert "Compute again" not in page


def test_agreement_pages_tell_of_orders_scales_periods_and_others(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    assert "No gold items have been answered yet." in page
    for part in (
        "With gold items",
        "Kendall τ-b, two raters",
        "Kendall W, all raters of an item",
        "ICC, single rater",
        "With the adjudicated ranking",
    ):
        assert part in page
    assert "No reward model has scored these responses yet." in page
    assert "No other pool has rated the same responses." in page


def test_the_agreement_page_says_how_many_earlier_weeks_are_not_shown(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    report = QualityReport.objects.get()
    counted = {
        name: figure
        for name, figure in report.results["agreement"].items()
        if isinstance(figure, dict) and "value" in figure
    }
    weeks = [{"kind": "week", "value": f"2026-W{week}"} | counted for week in (10, 11)]
    report.results["agreement"] |= {"groups": weeks, "groups_left_out": {"week": 3}}
    report.save()

    client = signed_in(alice)
    page = words(client.get(f"/campaigns/{measured.pk}/agreement/"))
    part = words(client.get(f"/campaigns/{measured.pk}/agreement/part/?kind=week&value=2026-W11"))
    missing = client.get(f"/campaigns/{measured.pk}/agreement/part/?kind=week&value=2025-W11")

    assert "3 earlier weeks are not shown." in page
    assert f'/campaigns/{measured.pk}/agreement/part/?kind=week&value=2026-W11"' in page
    assert "Week: 2026-W11" in part
    for measure in (
        "Agreement (without ties)",
        "Krippendorff α, nominal",
        "Fleiss κ",
        "Gwet AC1",
        "Kendall W",
    ):
        assert measure in part
    assert "Self-agreement" not in part
    assert missing.status_code == 404
