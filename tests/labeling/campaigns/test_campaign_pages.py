"""The list of campaigns and the page of one, through HTTP: its board, its state and its exports."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import Campaign, Guideline, Pass, Pool, Rater
from labeling.quality import services as quality_services
from labeling.queue.claiming import claim
from labeling.queue.claiming.order import presented
from tests.cast import NOON, open_comparison_campaign, open_demonstration_campaign, rater_called
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import rank_next, skip_next, write_next
from tests.labeling.data.exports.exporting import exported_rows, requested

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


# --- the list -------------------------------------------------------------------------------------


def test_the_list_says_how_far_each_campaign_is(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    write_next(demonstration_campaign, rosa, now=timezone.now())

    page = words(signed_in(alice).get("/campaigns/"))

    assert "1 of 5" in page
    assert "Write" in page


def test_the_list_shows_one_state_when_asked(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/campaigns/?state=closed"))

    assert "No campaigns in this state" in page


def test_an_empty_site_shows_its_first_steps_and_nothing_else(
    alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get("/campaigns/"))

    assert "Write a guideline" in page
    assert "Paused" not in page  # a tab


@pytest.mark.parametrize("n_campaigns", [1, 20])
def test_the_list_asks_as_many_queries_for_one_campaign_as_for_twenty(
    n_campaigns: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    for number in range(n_campaigns):
        open_demonstration_campaign(
            pool=day_shift, guideline=guideline, n_items=1, name=f"Campaign {number}"
        )
    client = signed_in(alice)

    with django_assert_num_queries(11):
        client.get("/campaigns/")


# --- one campaign ---------------------------------------------------------------------------------


def test_the_first_line_says_how_far_it_is_how_fast_and_when_it_is_done(
    alice: User, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    for hours in (3, 2, 1):
        rank_next(comparison_campaign, rosa, now=timezone.now() - timedelta(hours=hours))

    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/"))

    assert "3 of 15 answers</a>, " in page
    assert "1 per hour</a>, estimated end" in page


def test_a_finished_campaign_says_so(
    alice: User, rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=2)
    for _ in range(2):
        write_next(campaign, rosa, now=timezone.now())

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    assert "All 2 answers</a> are in." in page


def test_raters_are_listed_with_median_time_and_agreement(
    alice: User, rosa: Rater, raul: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    for rater, seconds in ((rosa, 30.0), (raul, 90.0)):
        slot = claim.claim(campaign=comparison_campaign, rater=rater, now=timezone.now())
        assert slot is not None
        assert slot.lease is not None
        ids = [response.pk for response in presented(slot)]
        best_first = {position: sorted(ids).index(pk) + 1 for position, pk in enumerate(ids)}
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(
                ranks=best_first, ratings={position: {"overall": 4} for position in range(4)}
            ),
            recorded=Recorded(active_s=seconds),
            now=timezone.now(),
        )

    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=timezone.now())

    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/"))

    assert rosa.alias in page
    assert "1 min 30 s" in page
    assert "100 %" in page


def test_skips_are_counted_by_reason(
    alice: User, rosa: Rater, raul: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    for rater, reason in (
        (rosa, Pass.Reason.OFFENSIVE),
        (raul, Pass.Reason.OFFENSIVE),
        (raul, Pass.Reason.TECHNICAL),
    ):
        skip_next(demonstration_campaign, rater, reason=reason, now=timezone.now())

    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/"))

    assert "3 skips" in page
    assert page.index("Offensive content or personal data") < page.index("Technical problem")


@pytest.mark.parametrize("n_raters", [3, 20])
def test_a_campaign_asks_as_many_queries_for_one_rater_as_for_twenty(
    n_raters: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=20, overlap=3)
    for number in range(n_raters):
        rank_next(campaign, rater_called(f"Rater {number}", pool=day_shift), now=timezone.now())
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    client = signed_in(alice)

    with django_assert_num_queries(32):
        client.get(f"/campaigns/{campaign.pk}/")


def test_a_campaign_that_is_not_there_is_not_found(alice: User, signed_in: SignedIn) -> None:
    assert signed_in(alice).get("/campaigns/1/").status_code == 404


# --- open, pause, close ---------------------------------------------------------------------------


def test_a_campaign_is_paused_and_goes_on(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    client.post(f"/campaigns/{demonstration_campaign.pk}/pause")
    demonstration_campaign.refresh_from_db()
    paused = demonstration_campaign.state
    client.post(f"/campaigns/{demonstration_campaign.pk}/open")
    demonstration_campaign.refresh_from_db()

    assert (paused, demonstration_campaign.state) == ("paused", "open")
    assert AuditEvent.objects.filter(by=alice, target_type="labeling.campaign").count() == 2


def test_closing_asks_first(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    asked = words(client.get(f"/campaigns/{demonstration_campaign.pk}/close"))
    demonstration_campaign.refresh_from_db()
    before = demonstration_campaign.state
    client.post(f"/campaigns/{demonstration_campaign.pk}/close")
    demonstration_campaign.refresh_from_db()

    assert "0 of 5 answers so far." in asked
    assert (before, demonstration_campaign.state) == ("open", "closed")


def test_a_link_cannot_open_a_campaign(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    assert signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/pause").status_code == 405


# --- set-up and export ----------------------------------------------------------------------------


def test_the_set_up_names_the_sources_that_are_compared(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/set-up/"))

    assert "Responses from a model</dt><dd>20</dd>" in page


def test_demonstrations_leave_as_jsonl(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    write_next(demonstration_campaign, rosa, text="Four.", now=NOON)

    (row,) = exported_rows(signed_in(alice), demonstration_campaign, shape="demonstrations")

    assert row["completion"] == [{"role": "assistant", "content": "Four."}]
    assert row["rater"] == rosa.alias


@pytest.mark.parametrize(("shape", "n_rows"), [("preferences", 6), ("rankings", 1)])
def test_comparisons_leave_as_parquet(
    shape: str,
    n_rows: int,
    alice: User,
    rosa: Rater,
    comparison_campaign: Campaign,
    signed_in: SignedIn,
) -> None:
    rank_next(comparison_campaign, rosa, now=NOON)

    rows = exported_rows(signed_in(alice), comparison_campaign, shape=shape, file_format="parquet")

    assert len(rows) == n_rows


def test_an_export_is_written_to_the_audit_log(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    requested(signed_in(alice), comparison_campaign, shape="rankings")

    event = AuditEvent.objects.get(action="export")
    assert (event.by, event.target_id, event.after["shape"]) == (
        alice,
        comparison_campaign.pk,
        "rankings",
    )


def test_a_shape_that_the_campaign_has_not_is_refused(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/export/", {"shape": "demonstrations"}
    )

    assert answer.status_code == 422
