"""The admin's quality pages, through HTTP: they open from the stored report alone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import audit_log
from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Judgment, Pool, QualityReport, Rater
from labeling.people.pools import services as pools_services
from labeling.quality import services as quality_services
from labeling.queue.claiming import claim
from labeling.review import set_aside
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.html import page_of
from tests.labeling.quality.test_quality import as_shown, judge_all

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


def words(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(page_of(answer).split())


@pytest.fixture
def measured(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> Campaign:
    """Rosa ranks by what she reads, Raul as shown; the report is up to date."""
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul, by=as_shown)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)
    return comparison_campaign


@pytest.mark.parametrize("tab", ["agreement", "bias"])
def test_before_the_first_report_a_page_says_so_and_offers_to_compute(
    tab: str, comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/{tab}/"))

    assert "Nothing computed yet" in page
    assert "Compute now" in page


@pytest.mark.parametrize("tab", ["agreement", "bias"])
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

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/bias/"))

    assert "needs a check" in page or "need a check" in page
    assert f'<a href="/campaigns/{campaign.pk}/raters/{habitual.pk}/">{habitual.alias}</a>' in page
    assert "Puts the first-shown response on top in 100 % of 30 answers" in page


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
            f"/campaigns/{campaign.pk}/bias/",
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

    assert client.get(f"/campaigns/{demonstration_campaign.pk}/agreement/").status_code == 404
    assert "agreement/" not in words(client.get(f"/campaigns/{demonstration_campaign.pk}/"))


def test_asking_to_compute_again_leads_back_to_the_tab(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(f"/campaigns/{measured.pk}/quality", {"tab": "bias"})

    assert answer.headers["Location"] == f"/campaigns/{measured.pk}/bias/"


@pytest.mark.parametrize("n_raters", [2, 12])
@pytest.mark.parametrize("tab", ["agreement", "bias"])
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

    with django_assert_max_num_queries(9):
        client.get(f"/campaigns/{campaign.pk}/{tab}/")


def test_the_quality_page_lists_campaigns_with_a_report(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/quality/"))

    assert measured.name in page
    assert f"/campaigns/{measured.pk}/agreement/" in page


def test_without_any_report_the_quality_page_says_what_will_stand_there(
    alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/quality/"))

    assert "Nothing computed yet" in page


# --- one rater ------------------------------------------------------------------------------------


def test_a_rater_in_a_campaign_is_shown_with_judgments_and_measures(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/raters/{rosa.pk}/"))

    assert f"5 answers in {measured.name}." in page
    assert "Reliability" in page or "reliability" in page
    assert page.count("Question ") >= 5


def test_a_rater_is_shown_over_all_campaigns(
    measured: Campaign,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    alice: User,
    signed_in: SignedIn,
) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, name="Another")
    judge_all(other, rosa)
    quality_services.compute_quality(campaign_id=other.pk, now=NOON)

    page = words(signed_in(alice).get(f"/raters/{rosa.pk}/"))

    assert "7 answers in all campaigns and imports." in page
    assert "Another" in page


def test_a_writers_page_lists_what_they_wrote(
    demonstration_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease, rater=rosa, answer=DemonstrationAnswer(text="An answer."), now=NOON
    )

    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/raters/{rosa.pk}/"))

    assert ">Demonstration<" in page


# --- how fresh it is, and what is behind it -------------------------------------------------------


def test_a_page_says_how_many_judgments_came_since(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    judge_all(measured, rater_called("Rhea", pool=measured.pool))

    page = words(signed_in(alice).get(f"/campaigns/{measured.pk}/agreement/"))

    assert "from 10 answers. 5 new since then." in page


def test_a_page_says_that_something_was_decided_since(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    set_aside.set_aside(judgment=Judgment.objects.latest("pk"), reason="", by=alice, now=NOON)

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
    assert f'/campaigns/{measured.pk}/agreement/part/?kind=week&amp;value=2026-W11"' in page
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
    assert rosa.alias not in page


def test_a_flag_leads_to_the_judgments_that_show_it(
    crowd: tuple[Campaign, Rater],
    alice: User,
    signed_in: SignedIn,
) -> None:
    campaign, habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    client, link = signed_in(alice), f"/campaigns/{campaign.pk}/raters/{habitual.pk}/flag-first/"

    pages = [words(client.get(address)) for address in (f"/campaigns/{campaign.pk}/bias/", link)]

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
    judgment = Judgment.objects.latest("pk")
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


# --- the audit log --------------------------------------------------------------------------------


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


# --- the right to withdraw ------------------------------------------------------------------------


def test_an_admin_withdraws_a_rater_and_sees_that_no_snapshot_holds_them(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.post(f"/raters/{rosa.pk}/withdraw")

    page = words(client.get(f"/raters/{rosa.pk}/withdrawal/"))

    assert "Later snapshots and exports leave out their answers" in page
    assert "5 answers from this rater are stored, and no snapshot contains any." in page


def test_a_researcher_sees_what_a_withdrawal_touches_but_withdraws_nobody(
    rosa: Rater, noor: User, signed_in: SignedIn
) -> None:
    client = signed_in(noor)

    page = words(client.get(f"/raters/{rosa.pk}/withdrawal/"))

    assert "Withdraw this rater" not in page
    assert client.post(f"/raters/{rosa.pk}/withdraw").status_code == 403
