"""The admin's campaign pages, through HTTP."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import ComparisonAnswer, DemonstrationAnswer, Recorded
from labeling.models import Campaign, Guideline, Judgment, Pass, Pool, Prompt, Rater, Source
from labeling.quality import services as quality_services
from labeling.queue import claim, slots
from labeling.queue.order import presented
from tests.cast import (
    NOON,
    open_comparison_campaign,
    open_demonstration_campaign,
    rater_called,
    responses_to,
    some_prompts,
)
from tests.html import page_of
from tests.labeling.answers import downloaded, words

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


def rank_next(
    campaign: Campaign,
    rater: Rater,
    *,
    ranks: dict[int, int | None] | None = None,
    now: datetime,
    **given: Any,
) -> Judgment:
    """The rater claims what comes next and ranks it: first to fourth as shown, unless `ranks` says
    otherwise.
    """
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(
            ranks=ranks or {0: 1, 1: 2, 2: 3, 3: 4},
            ratings={position: {"overall": 4} for position in range(4)},
            **given,
        ),
        now=now,
    )


def write_next(
    campaign: Campaign, rater: Rater, *, text: str = "An answer.", now: datetime
) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    return submit.submit(
        lease=slot.lease, rater=rater, answer=DemonstrationAnswer(text=text), now=now
    )


def skip_next(campaign: Campaign, rater: Rater, *, reason: str, now: datetime) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    slots.skip(lease=slot.lease, rater=rater, reason=reason, now=now)


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


def test_an_empty_site_offers_to_make_a_campaign(alice: User, signed_in: SignedIn) -> None:
    page = words(signed_in(alice).get("/campaigns/"))

    assert "No campaigns yet" in page


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

    with django_assert_num_queries(8):
        client.get("/campaigns/")


# --- making one -----------------------------------------------------------------------------------


def new_campaign(pool: Pool, guideline: Guideline, **changes: Any) -> dict[str, Any]:
    values = {
        "name": "Fresh",
        "kind": "demonstration",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "overlap": 2,
        "order": "finish_first",
        "lease_minutes": 30,
        "n_responses": "",
        "is_unused": "on",
    }
    return values | changes


def test_a_campaign_is_made_from_the_prompts_that_match(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(4)
    Prompt.objects.filter(pk=prompts[0].pk).update(split="test")

    answer = signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, splits=["train"])
    )

    campaign = Campaign.objects.get()
    assert answer.headers["Location"] == f"/campaigns/{campaign.pk}/"
    assert (campaign.state, campaign.items.count(), campaign.slots.count()) == ("draft", 3, 6)
    assert campaign.created_by == alice


def test_a_campaign_says_what_is_asked_and_how_long_an_answer_is(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(1)
    asked: dict[str, Any] = {"asks_strength": "on", "min_words": "5", "max_words": ""}

    signed_in(alice).post("/campaigns/new/", new_campaign(day_shift, guideline, **asked))

    campaign = Campaign.objects.get()
    assert (campaign.asks_strength, campaign.asks_reason) == (True, False)
    assert (campaign.min_words, campaign.max_words) == (5, 600)


def test_fewer_words_at_most_than_at_least_are_refused(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(1)

    page = words(
        signed_in(alice).post(
            "/campaigns/new/", new_campaign(day_shift, guideline, min_words="9", max_words="8")
        )
    )

    assert "Maximum words must not be lower than minimum words." in page


def test_prompts_of_an_earlier_campaign_of_the_kind_are_left_out(
    alice: User,
    demonstration_campaign: Campaign,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    answer = signed_in(alice).post("/campaigns/new/", new_campaign(day_shift, guideline))

    assert "No prompts match." in words(answer)
    assert Campaign.objects.count() == 1


def test_prompts_of_an_earlier_campaign_are_taken_when_that_is_allowed(
    alice: User,
    demonstration_campaign: Campaign,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    signed_in(alice).post("/campaigns/new/", new_campaign(day_shift, guideline, is_unused=""))

    assert Campaign.objects.get(name="Fresh").items.count() == 5


def test_a_comparison_says_how_many_prompts_have_enough_responses(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(5)
    responses_to(prompts[:2], n=4)
    responses_to(prompts[2:], n=3)

    answer = signed_in(alice).post(
        "/campaigns/new/",
        new_campaign(day_shift, guideline, kind="comparison", n_responses=4, n_prompts=3),
    )

    assert "Only 2 prompts have at least 4 responses from these sources." in words(answer)


def test_a_comparison_says_what_the_most_responses_are_when_no_prompt_has_enough(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=3)

    answer = signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, kind="comparison", n_responses=4)
    )

    assert (
        "None of the 5 matching prompts has 4 responses from these sources; the most is 3."
        in words(answer)
    )


def test_a_comparison_takes_responses_of_the_chosen_sources_only(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(2)
    responses_to(prompts, n=2, source_name="one model")
    responses_to(prompts, n=2, source_name="another model")
    chosen = Source.objects.get(name="one model")

    signed_in(alice).post(
        "/campaigns/new/",
        new_campaign(
            day_shift, guideline, kind="comparison", n_responses=2, response_sources=[chosen.pk]
        ),
    )

    used = Campaign.objects.get().items.values_list("responses__source__name", flat=True)
    assert set(used) == {"one model"}


def test_the_count_follows_what_is_ticked(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(4)

    page = words(
        signed_in(alice).post(
            "/campaigns/new/count", new_campaign(day_shift, guideline, n_prompts=3)
        )
    )

    assert "<strong>3 prompts</strong>, 6 answers, about 0.7 h" in page
    assert "even sample of 4 matching prompts" in page


def test_the_count_works_before_the_form_is_filled_in(alice: User, signed_in: SignedIn) -> None:
    some_prompts(4)

    page = words(signed_in(alice).post("/campaigns/new/count", {"kind": "demonstration"}))

    assert "4 prompts" in page


def test_a_name_that_is_taken_gets_a_sentence(
    alice: User,
    demonstration_campaign: Campaign,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    answer = signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, name="Write", is_unused="")
    )

    assert "Another campaign already has this name." in words(answer)


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


@pytest.mark.parametrize("n_raters", [1, 20])
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

    with django_assert_num_queries(28):
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

    assert "0 of 5 answers are in." in asked
    assert (before, demonstration_campaign.state) == ("open", "closed")


def test_a_link_cannot_open_a_campaign(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    assert signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/pause").status_code == 405


# --- items ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "n_shown"),
    [("", 5), ("untouched", 4), ("started", 0), ("finished", 1), ("skipped", 1)],
)
def test_items_are_filtered_by_where_they_stand(
    status: str,
    n_shown: int,
    alice: User,
    rosa: Rater,
    raul: Rater,
    demonstration_campaign: Campaign,
    signed_in: SignedIn,
) -> None:
    write_next(demonstration_campaign, rosa, now=timezone.now())
    skip_next(demonstration_campaign, raul, reason=Pass.Reason.NOT_MY_FIELD, now=timezone.now())

    page = page_of(
        signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/items/?status={status}")
    )

    assert page.count('aria-label="item ') == n_shown


@pytest.mark.parametrize("n_items", [1, 20])
def test_items_ask_as_many_queries_for_one_as_for_twenty(
    n_items: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=n_items)
    client = signed_in(alice)

    with django_assert_num_queries(8):
        client.get(f"/campaigns/{campaign.pk}/items/")


def test_an_item_shows_every_answer_in_letters(
    alice: User, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    judgment = rank_next(
        comparison_campaign,
        rosa,
        ranks={0: 1, 1: 1, 2: None, 3: 2},
        reason="Both are right.",
        now=timezone.now(),
    )
    first = {entry.position: entry.response_id for entry in judgment.comparison.ranked.all()}
    letters = {pk: "ABCD"[index] for index, pk in enumerate(sorted(first.values()))}
    tied = " = ".join(sorted([letters[first[0]], letters[first[1]]]))

    page = words(
        signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/items/{judgment.item_id}/")
    )

    assert f"{tied} › {letters[first[3]]}" in page
    assert f"Unranked: {letters[first[2]]}" in page
    assert "Both are right." in page
    assert "Overall <strong>4</strong>" in page
    assert rosa.alias in page


def test_an_item_shows_a_demonstration_as_it_reads(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    judgment = write_next(demonstration_campaign, rosa, text="It is **four**.", now=timezone.now())

    page = words(
        signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/items/{judgment.item_id}/")
    )

    assert "It is <strong>four</strong>." in page


@pytest.mark.parametrize("n_answers", [1, 20])
def test_an_item_asks_as_many_queries_for_one_answer_as_for_twenty(
    n_answers: int,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=20)
    for number in range(n_answers):
        rank_next(campaign, rater_called(f"Rater {number}", pool=day_shift), now=timezone.now())
    client, item = signed_in(alice), campaign.items.get()

    with django_assert_num_queries(9):
        client.get(f"/campaigns/{campaign.pk}/items/{item.pk}/")


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

    answer = signed_in(alice).post(
        f"/campaigns/{demonstration_campaign.pk}/export/",
        {"shape": "demonstrations", "format": "jsonl"},
    )

    (line,) = downloaded(answer).splitlines()
    row = json.loads(line)
    assert row["completion"] == [{"role": "assistant", "content": "Four."}]
    assert row["rater"] == rosa.alias
    assert answer["Content-Disposition"] == 'attachment; filename="write-demonstrations.jsonl"'


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

    answer = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/export/", {"shape": shape, "format": "parquet"}
    )

    table = pq.read_table(io.BytesIO(downloaded(answer)))
    assert table.num_rows == n_rows


def test_a_download_is_written_to_the_audit_log(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/export/", {"shape": "rankings", "format": "jsonl"}
    )
    downloaded(answer)

    event = AuditEvent.objects.get(action="export")
    assert (event.by, event.target_id, event.after["shape"]) == (
        alice,
        comparison_campaign.pk,
        "rankings",
    )


def test_a_file_that_the_campaign_has_not_is_refused(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/export/",
        {"shape": "demonstrations", "format": "jsonl"},
    )

    assert answer.status_code == 400
