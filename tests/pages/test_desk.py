"""The rater's pages through HTTP, as a browser without JavaScript uses them and as scripts do."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling import queue, rating_form, services
from labeling.models import (
    Campaign,
    Draft,
    Guideline,
    ItemQuestion,
    Judgment,
    Pass,
    PastLease,
    Pool,
    Prompt,
    QueuePlace,
    Rater,
    Response,
    Slot,
    Source,
)
from tests.cast import open_comparison_campaign, open_demonstration_campaign

SignedIn = Callable[..., Client]


def slot_of(rater: Rater) -> Slot:
    return Slot.objects.get(rater=rater, state=Slot.State.LEASED)


def start(client: Client, campaign: Campaign) -> str:
    """The address of the item that `campaign` hands out."""
    return str(client.post(f"/desk/{campaign.pk}/next")["Location"])


def comparison(**changes: Any) -> dict[str, Any]:
    """A posted page that ranks B › A = C › D, contradicts no rating, and was read long enough."""
    fields: dict[str, Any] = {"step": "submit", "record": json.dumps({"active_s": 90})}
    for letter, rank, overall in (("A", 2, 5), ("B", 1, 6), ("C", 2, 5), ("D", 4, 1)):
        fields |= {f"rank-{letter}": rank, f"rate-{letter}-overall": overall}
    return fields | changes


def words(n: int) -> str:
    return "word " * n


# --- choosing work -----------------------------------------------------------------------------------------------
def test_the_desk_lists_campaigns_open_to_the_rater_with_progress_in_words(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = signed_in(rosa).get("/desk/").content.decode()

    assert "Compare" in page
    assert "15 judgments wait" in page


def test_an_empty_desk_says_how_work_gets_there(rosa: Rater, signed_in: SignedIn) -> None:
    assert "No campaign is open to you" in signed_in(rosa).get("/desk/").content.decode()


def test_a_campaign_of_another_pool_does_not_exist_for_the_rater(
    comparison_campaign: Campaign, signed_in: SignedIn, db: None
) -> None:
    stranger = services.create_person(
        email="sam@example.org", name="Sam", roles=["rater"], password="correct horse battery", by=None, now=timezone.now()
    )

    assert signed_in(stranger).post(f"/desk/{comparison_campaign.pk}/next").status_code == 404


def test_starting_takes_an_item_and_goes_to_it(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    address = start(signed_in(rosa), comparison_campaign)

    assert address == f"/desk/item/{slot_of(rosa).lease}/"


def test_opening_the_next_page_takes_nothing(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    page = signed_in(rosa).get(f"/desk/{comparison_campaign.pk}/next")

    assert "Take the next item" in page.content.decode()
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_the_next_page_goes_to_the_item_already_held(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    assert client.get(f"/desk/{comparison_campaign.pk}/next")["Location"] == address


def test_nothing_left_is_said_on_the_desk(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    for _ in range(5):
        client.post(start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)})

    page = client.post(f"/desk/{demonstration_campaign.pk}/next", follow=True).content.decode()

    assert "Nothing is left for you in “Write” right now." in page
    assert "Nothing left for you here" in page


def test_a_rater_who_has_done_all_there_is_sees_that_others_still_have_work(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1)
    client = signed_in(rosa)
    client.post(start(client, campaign) + "submit", comparison(step="stop"))

    page = client.get("/desk/").content.decode()

    assert "2 judgments wait · 1 by you today" in page
    assert "Nothing left for you here" in page


def test_an_item_whose_lease_lapsed_is_work(
    rosa: Rater, raul: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    start(signed_in(raul), campaign)
    client = signed_in(rosa)
    assert "Nothing left for you here" in client.get("/desk/").content.decode()

    Slot.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    assert "Start" in client.get("/desk/").content.decode()


def test_looking_again_finds_what_a_place_in_the_queue_hid(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    place: dict[str, Any] = {"seed": 1, "fresh_rank": 10**9, "returned_rank": 0}
    QueuePlace.objects.create(campaign=demonstration_campaign, rater=rosa, **place)

    assert "Look again" in client.get("/desk/").content.decode()
    assert start(client, demonstration_campaign).startswith("/desk/item/")


# --- comparing ---------------------------------------------------------------------------------------------------
def test_the_page_shows_every_response_in_the_order_of_the_lease(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    page = client.get(start(client, comparison_campaign)).content.decode()

    places = [page.index(response.text) for response in queue.presented(slot_of(rosa))]
    assert places == sorted(places)


def test_submitting_stores_the_judgment_and_goes_to_the_next_item(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    first = start(client, comparison_campaign)

    answer = client.post(first + "submit", comparison())

    judgment = Judgment.objects.get()
    assert [ranked.rank for ranked in judgment.comparison.ranked.order_by("position")] == [2, 1, 2, 3]
    assert judgment.active_s == 90
    assert answer["Location"] == f"/desk/item/{slot_of(rosa).lease}/" != first


def test_ratings_are_stored_by_response_and_what_was_not_ticked_is_absent(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison(**{"rate-D-hallucination": "true"}))

    ratings = [ranked.ratings for ranked in Judgment.objects.get().comparison.ranked.order_by("position")]
    assert ratings == [{"overall": 5}, {"overall": 6}, {"overall": 5}, {"overall": 1, "hallucination": True}]


def test_review_reads_the_ranking_back_and_stores_nothing(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    page = client.post(start(client, comparison_campaign) + "submit", comparison(step="review")).content.decode()

    assert "B › A = C › D" in page
    assert "Ready to submit" in page
    assert not Judgment.objects.exists()


def test_problems_are_all_said_and_everything_is_kept(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    posted = comparison(reason="because I say so", **{"rate-A-overall": "", "rank-B": "9", "rate-D-hallucination": "true"})

    answer = client.post(start(client, comparison_campaign) + "submit", posted)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "A: Overall is not answered. Choose from 1 to 7." in page
    assert "B: a rank is a number from 1 to 4." in page
    assert 'value="because I say so"' in page
    assert re.search(r'name="rate-D-hallucination"[^>]* checked', page)
    assert re.search(r'name="rate-C-overall" value="5" checked', page)
    assert not Judgment.objects.exists()


def test_nothing_ranked_is_a_problem(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    unranked = comparison(**{f"rank-{letter}": "" for letter in "ABCD"})

    page = client.post(start(client, comparison_campaign) + "submit", unranked).content.decode()

    assert "Nothing is ranked yet." in page


def test_all_bad_needs_a_reason(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    page = client.post(start(client, comparison_campaign) + "submit", comparison(all_bad="true")).content.decode()

    assert "Say in a few words why all of them are bad." in page


def test_all_bad_is_stored_without_ranks(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison(all_bad="true", reason="none answers"))

    given = Judgment.objects.get().comparison
    assert given.is_all_bad
    assert given.reason == "none answers"
    assert {ranked.rank for ranked in given.ranked.all()} == {None}


def test_what_is_not_asked_is_null(rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_strength=False, asks_reason=False)
    client = signed_in(rosa)

    client.post(start(client, campaign) + "submit", comparison(strength="3", reason="not asked"))

    given = Judgment.objects.get().comparison
    assert (given.strength, given.reason) == (None, None)


def test_the_strength_is_asked_where_something_came_out_ahead(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_strength=True)
    client = signed_in(rosa)
    address = start(client, campaign) + "submit"

    page = client.post(address, comparison()).content.decode()
    assert "Say how much better the best response is." in page

    client.post(address, comparison(strength="3"))
    assert Judgment.objects.get().comparison.strength == 3


def test_among_equals_no_strength_is_asked(rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_strength=True)
    client = signed_in(rosa)
    equal: dict[str, Any] = {f"rank-{letter}": "1" for letter in "ABCD"} | {f"rate-{letter}-overall": "4" for letter in "ABCD"}

    client.post(start(client, campaign) + "submit", comparison(**equal))

    assert Judgment.objects.get().comparison.strength is None


def test_all_bad_asks_why_even_in_a_campaign_that_does_not(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_reason=False)
    client = signed_in(rosa)

    page = client.post(start(client, campaign) + "submit", comparison(all_bad="true")).content.decode()

    assert "Say in a few words why all of them are bad." in page


def test_the_campaign_says_how_long_an_answer_is(rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, min_words=2, max_words=5)
    client = signed_in(rosa)
    address = start(client, campaign)

    assert "2 to 5 is usual" in client.get(address).content.decode()
    assert (
        "shorter or longer than usual" in client.post(address + "submit", {"step": "submit", "text": words(6)}).content.decode()
    )
    assert client.post(address + "submit", {"step": "stop", "text": words(5)}).status_code == 302


def test_the_best_is_edited_in_the_same_submit(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    best = queue.presented(slot_of(rosa))[1]

    client.post(address + "submit", comparison(edit_of="B", edit="Better,\r\nand longer."))

    written = Judgment.objects.get().demonstration
    assert (written.text, written.edit_of) == ("Better,\nand longer.", best)
    assert written.response.text == "Better,\nand longer."
    assert written.response.source.kind == Source.Kind.PERSON


def test_the_editor_opens_with_the_best_response_without_javascript(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    best = queue.presented(slot_of(rosa))[1]

    opened = client.post(address + "submit", comparison(step="edit")).content.decode()
    dropped = client.post(address + "submit", comparison(step="unedit", edit_of="B", edit="x")).content.decode()

    assert f">\n{best.text}</textarea>" in opened
    assert 'name="edit_of" value="B"' in opened
    assert 'name="edit_of" value=""' in dropped
    assert not Judgment.objects.exists()


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [("", "The edit of B is empty."), ("the same", "The edit changes nothing."), ("x" * 200_001, "is longer than")],
)
def test_an_edit_that_is_none_is_a_problem(
    edit: str, sentence: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Response.objects.update(text="the same")
    client = signed_in(rosa)

    answer = client.post(start(client, comparison_campaign) + "submit", comparison(edit_of="B", edit=edit))

    assert sentence in answer.content.decode()
    assert not Judgment.objects.exists()


def test_an_edit_of_another_than_the_best_is_warned_about(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = client.post(start(client, comparison_campaign) + "submit", comparison(edit_of="D", edit="Better.")).content.decode()

    assert "You edited a response that is not ranked best." in page


def test_a_warning_holds_the_submit_until_it_is_overruled(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"
    contradicting = comparison(**{"rate-B-overall": 1})

    page = client.post(address, contradicting).content.decode()
    assert "A response you rated higher is ranked lower." in page
    assert not Judgment.objects.exists()

    client.post(address, contradicting | {"overruled": ["contradicts_ratings"]})
    assert Judgment.objects.get().warnings == ["contradicts_ratings"]


def test_the_order_as_shown_and_a_pace_beyond_reading_are_warned_about(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    Response.objects.update(text=words(100))
    ranks: dict[str, Any] = {f"rank-{letter}": number for number, letter in enumerate("ABCD", 1)}
    same: dict[str, Any] = {f"rate-{letter}-overall": 4 for letter in "ABCD"}

    page = client.post(
        start(client, comparison_campaign) + "submit", comparison(record=json.dumps({"active_s": 3}), **ranks, **same)
    ).content.decode()

    assert "The ranking is the order in which the responses happened to be shown." in page
    assert "This was faster than the texts can be read." in page


def test_submitting_twice_stores_once_and_leads_to_the_same_next_item(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"

    first = client.post(address, comparison())
    second = client.post(address, comparison())

    assert Judgment.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_an_answer_changed_after_it_was_stored_is_told_that_the_first_counts(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"
    client.post(address, comparison())

    page = client.post(address, comparison(**{"rank-D": "1"}), follow=True).content.decode()

    assert "the first answer counts" in page
    assert Judgment.objects.get().comparison.ranked.get(position=3).rank == 3


def test_submit_and_stop_takes_no_next_item(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "submit", comparison(step="stop"))

    assert answer["Location"] == "/desk/"
    assert Judgment.objects.count() == 1
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_the_record_of_the_page_keeps_known_names_of_the_right_shape(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    record = {"active_s": 60, "views": {"A": {"raw": 1}}, "viewport": [1440, 900], "seconds": "many", "evil": "x"}

    client.post(start(client, comparison_campaign) + "submit", comparison(record=json.dumps(record)))

    assert Judgment.objects.get().presentation == {"views": {"A": {"raw": 1}}, "viewport": [1440, 900]}


BROKEN = [
    "",
    "{",
    "[]",
    "null",
    "[" * 9000,
    '{"active_s": "long"}',
    '{"active_s": -1}',
    '{"seconds": {"A": NaN}}',
    '{"views": {"A": "\\u0000"}}',
    '{"theme": "\\ud800"}',
]


@pytest.mark.parametrize("record", BROKEN)
def test_a_broken_record_never_costs_the_judgment(
    record: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    overruled: dict[str, Any] = {"overruled": ["faster_than_reading"]}

    client.post(start(client, comparison_campaign) + "submit", comparison(record=record, **overruled))

    assert Judgment.objects.get().active_s is None


def work_on(html: str) -> str:
    """The work on a page or in an answer, without what is new in every answer: tokens, and seconds that are left."""
    start = html.index('<div class="desk"')
    work = html[start : html.index("</aside>", start)]
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|data-expires-in="\d+"', "", work)


@pytest.mark.parametrize("kind", ["comparison", "demonstration"])
def test_a_script_gets_the_next_item_with_the_answer(
    kind: str, rosa: Rater, request: pytest.FixtureRequest, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    campaign = request.getfixturevalue(f"{kind}_campaign")
    given = comparison() if kind == "comparison" else {"step": "submit", "text": words(200)}
    address = start(client, campaign) + "submit"

    answer = client.post(address, given, headers={"X-Desk": "fragment"}).json()

    assert answer["next"] == f"/desk/item/{slot_of(rosa).lease}/"
    page = client.get(answer["next"]).text
    assert work_on(answer["html"]) == work_on(page)
    assert "<html" not in answer["html"]
    assert "/undo" in answer["html"]


def test_an_item_that_comes_with_the_answer_brings_its_draft(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "submit"
    following = demonstration_campaign.items.get(position=1)
    services.save_draft(item=following, rater=rosa, content={"revision": 3, "fields": {"text": ["Begun."]}}, now=timezone.now())

    answer = client.post(address, {"step": "submit", "text": words(200)}, headers={"X-Desk": "fragment"}).json()

    assert "Begun." in answer["html"]


def test_an_answer_sent_twice_brings_the_same_next_item_twice(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "submit"
    given = {"step": "submit", "text": words(200)}

    first, second = (client.post(address, given, headers={"X-Desk": "fragment"}).json() for _ in range(2))

    assert first["next"] == second["next"]
    assert work_on(first["html"]) == work_on(second["html"])
    assert "This item was stored already" in second["html"]
    assert Judgment.objects.count() == 1


def test_a_script_is_led_to_the_desk_when_nothing_is_left(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1)
    address = start(client, campaign) + "submit"

    answer = client.post(address, comparison(), headers={"X-Desk": "fragment"})

    assert answer.json() == {"next": "/desk/"}


def test_a_script_gets_the_review_alone(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"

    answer = client.post(address, comparison(step="review"), headers={"X-Desk": "fragment"}).json()

    assert answer["is_ready"]
    assert "B › A = C › D" in answer["review"]
    assert "<html" not in answer["review"]


# --- blind -------------------------------------------------------------------------------------------------------
def test_no_page_of_the_desk_tells_who_wrote_a_response(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    """Ids start at a number that appears nowhere else, and every answer the browser gets is searched for it."""
    with connection.cursor() as cursor:
        for table in ("response", "item", "itemresponse", "slot", "prompt", "source"):
            cursor.execute(f"ALTER SEQUENCE labeling_{table}_id_seq RESTART WITH 7654321")
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline)
    Source.objects.filter(kind="model").update(name="Zebra-9B")
    Response.objects.update(text="An answer like any other.")
    client = signed_in(rosa)
    address = start(client, campaign)
    seed = str(slot_of(rosa).seed)
    draft = json.dumps({"revision": 1, "fields": {"rank-A": ["1"]}})

    answers = [
        client.post(address + "draft", draft, content_type="application/json"),
        client.post(address + "heartbeat"),
        client.get(address),
        client.get(address + "guideline"),
        client.get(address + "diff?of=A&to=B"),
        client.post(address + "submit", comparison(step="review")),
        client.post(address + "submit", comparison(), headers={"X-Desk": "fragment"}),
        client.get("/my-work/"),
    ]

    for answer in answers:
        assert answer.status_code == 200
        sent = answer.content.decode() + str(answer.headers)
        assert "Zebra" not in sent
        assert "the cast" not in sent
        assert "76543" not in sent
        assert seed not in sent


# --- second thoughts ---------------------------------------------------------------------------------------------
def test_a_submit_is_undone_and_the_item_comes_back_with_what_was_given(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    following = client.post(address + "submit", comparison(reason="because", edit_of="B", edit="Better."))["Location"]
    assert f'action="{address}undo"' in client.get(following).content.decode()

    answer = client.post(address + "undo")

    page = client.get(address).content.decode()
    assert answer["Location"] == address
    assert not Judgment.versions.exists()
    assert not Response.objects.filter(source__kind="person").exists()
    assert slot_of(rosa).lease == uuid.UUID(address.split("/")[3])
    assert 'value="because"' in page
    assert ">\nBetter.</textarea>" in page
    assert re.search(r'name="rate-C-overall" value="5" checked', page)


def test_an_undone_item_is_submitted_again(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    client.post(address + "undo")

    client.post(address + "submit", {"step": "stop", "text": words(40)})

    assert Judgment.objects.get().demonstration.text == words(40)


def test_undoing_is_over_after_ten_seconds(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    following = client.post(address + "submit", comparison())["Location"]
    Judgment.objects.update(submitted_at=timezone.now() - timedelta(seconds=25))

    assert "/undo" not in client.get(following).content.decode()
    page = client.post(address + "undo", follow=True).content.decode()

    assert "It is too late to undo this." in page
    assert Judgment.objects.count() == 1


def test_undoing_twice_is_undoing_once(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())
    client.post(address + "undo")

    assert client.post(address + "undo")["Location"] == address


def test_a_correction_is_a_new_version_and_the_first_stays_readable(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())
    first = Judgment.objects.get()
    assert f'href="{address}correct"' in client.get("/my-work/").content.decode()

    page = client.get(address + "correct").content.decode()
    assert '<option value="3" selected>' in page
    client.post(address + "correct", comparison(version=1, **{"rank-D": 2}))

    current = Judgment.objects.get()
    assert (current.version, current.supersedes, current.submitted_at) == (2, first, first.submitted_at)
    assert [row.rank for row in current.comparison.ranked.order_by("position")] == [2, 1, 2, 2]
    assert [row.rank for row in Judgment.versions.get(version=1).comparison.ranked.order_by("position")] == [2, 1, 2, 3]
    assert current.active_s == 180
    assert current.slot == Slot.objects.get(state=Slot.State.SUBMITTED)


def test_a_text_is_corrected(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})

    page = client.post(address + "correct", {"step": "review", "text": "", "version": "1"}).content.decode()
    assert "Nothing is written yet." in page
    client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})

    assert Judgment.objects.get().demonstration.text == words(40)


def test_a_correction_sent_twice_makes_one_version(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    for _ in range(2):
        client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})

    assert Judgment.versions.count() == 2


def test_a_correction_of_what_was_corrected_elsewhere_is_refused_and_kept(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    for number in (1, 2):
        client.post(address + "correct", {"step": "submit", "text": words(40), "version": number})

    page = client.post(address + "correct", {"step": "submit", "text": words(50), "version": "1"}).content.decode()

    assert "corrected elsewhere in the meantime" in page
    assert words(50) in page


def test_nothing_is_corrected_once_the_campaign_is_closed(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    services.close_campaign(campaign=demonstration_campaign, by=None, now=timezone.now())

    client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})

    assert Judgment.versions.count() == 1
    assert "/correct" not in client.get("/my-work/").content.decode()


def test_nobody_corrects_or_undoes_the_answer_of_another(
    rosa: Rater, raul: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    stranger = signed_in(raul)

    assert stranger.post(address + "undo").status_code == 404
    assert stranger.get(address + "correct").status_code == 404


# --- writing -----------------------------------------------------------------------------------------------------
def test_a_written_answer_is_stored_as_typed(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    text = "\n  First line.\r\n\r\n" + words(30)

    client.post(start(client, demonstration_campaign) + "submit", {"step": "submit", "text": text, "sources": " a book "})

    given = Judgment.objects.get().demonstration
    assert given.text == text.replace("\r\n", "\n")
    assert given.sources == "a book"


def test_what_a_database_cannot_hold_is_left_out_and_the_rest_is_stored(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    broken = json.dumps({"revision": 1, "fields": {"text": ["half\x00 \ud800"]}})

    assert client.post(address + "draft", broken, content_type="application/json").status_code == 200
    client.post(address + "submit", {"step": "submit", "text": "a\x00b " + words(30)})

    assert Judgment.objects.get().demonstration.text == "ab " + words(30)


def test_an_empty_answer_is_a_problem(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, demonstration_campaign) + "submit", {"step": "submit", "text": "  \n"})

    assert answer.status_code == 422
    assert "Nothing is written yet." in answer.content.decode()


def test_an_unusual_length_is_warned_about_and_can_be_overruled(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "submit"

    assert "shorter or longer than usual" in client.post(address, {"step": "submit", "text": "Four."}).content.decode()
    client.post(address, {"step": "submit", "text": "Four.", "overruled": "unusual_length"})

    assert Judgment.objects.get().warnings == ["unusual_length"]


def test_a_leading_line_break_survives_the_text_area(rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "draft", "text": "\n\nindented"})

    assert ">\n\n\nindented</textarea>" in client.get(address).content.decode()


def test_the_preview_renders_what_is_typed_and_nothing_hostile(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    text = "**bold** <script>alert(1)</script>"

    page = client.post(start(client, demonstration_campaign) + "preview", {"text": text}).content.decode()

    assert "<strong>bold</strong>" in page
    assert "<script" not in page


# --- drafts and leases -------------------------------------------------------------------------------------------
def test_a_draft_comes_back_with_the_page(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    fields = {"rank-C": ["1"], "rate-A-overall": ["3"], "reason": ["so far"]}

    saved = client.post(address + "draft", json.dumps({"revision": 7, "fields": fields}), content_type="application/json")
    page = client.get(address).content.decode()

    assert re.fullmatch(r"\d\d:\d\d:\d\d", saved.json()["saved"])
    assert f"saved {saved.json()['saved']}" in page
    assert 'data-revision="7"' in page
    assert 'value="so far"' in page
    assert re.search(r'name="rate-A-overall" value="3" checked', page)


def test_a_draft_is_kept_without_javascript(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(address + "submit", comparison(step="draft", reason="half way"))

    assert answer["Location"] == address
    assert 'value="half way"' in client.get(address).content.decode()


def test_a_draft_is_gone_once_the_answer_is_stored(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "draft", json.dumps({"revision": 1, "fields": {}}), content_type="application/json")

    client.post(address + "submit", comparison())

    assert not Draft.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{", '{"fields": []}', '{"fields": {}, "revision": "1"}', "[" * 100_000])
def test_a_draft_of_another_shape_is_refused(body: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "draft", body, content_type="application/json")

    assert answer.status_code == 400
    assert not Draft.objects.exists()


def test_a_heartbeat_extends_the_lease(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    Slot.objects.filter(rater=rosa).update(expires_at=timezone.now() + timedelta(minutes=1))

    answer = client.post(address + "heartbeat").json()

    assert 29 * 60 < answer["expires_in_s"] <= 30 * 60


def test_a_skip_gives_a_reason_and_goes_on(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(address + "skip", {"reason": "prompt_unclear", "note": "which town?"})

    assert Pass.objects.get().note == "which town?"
    assert answer["Location"] == f"/desk/item/{slot_of(rosa).lease}/" != address


def test_a_skip_without_a_reason_is_asked_again(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "skip", {})

    assert answer.status_code == 422
    assert "Choose why you skip it." in answer.content.decode()
    assert not Pass.objects.exists()


def test_giving_back_frees_the_item(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "release")

    assert answer["Location"] == "/desk/"
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_a_stored_item_says_when_it_was_stored(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    assert "You submitted this answer on" in client.get(address).content.decode()


def test_an_item_that_was_skipped_says_so(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "skip", {"reason": "technical"})

    answer = client.get(address)

    assert answer.status_code == 410
    assert "You skipped this item or gave it back." in answer.content.decode()


def test_a_lease_taken_by_somebody_else_still_takes_the_answer_as_an_extra(
    rosa: Rater, raul: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    Slot.objects.exclude(rater=rosa).delete()
    Slot.objects.filter(rater=rosa).update(expires_at=timezone.now() - timedelta(minutes=1))
    start(signed_in(raul), demonstration_campaign)
    assert PastLease.objects.get().rater == rosa

    assert "somebody else has this item now" in client.get(address).content.decode()
    client.post(address + "submit", {"step": "stop", "text": words(30)})

    assert Judgment.objects.get().is_extra


def test_nobody_opens_the_lease_of_another(rosa: Rater, raul: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    address = start(signed_in(rosa), comparison_campaign)

    stranger = signed_in(raul)

    assert stranger.get(address).status_code == 404
    assert stranger.post(address + "submit", comparison()).status_code == 404


def test_an_admin_who_does_not_rate_has_no_desk(alice: User, signed_in: SignedIn) -> None:
    assert signed_in(alice).get("/desk/").status_code == 403


# --- beside the work ---------------------------------------------------------------------------------------------
def test_the_guideline_is_a_page_and_a_panel(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "guideline"

    page = client.get(address).content.decode()
    panel = client.get(address, headers={"X-Desk": "fragment"}).content.decode()

    assert "Then be honest." in page
    assert "<html" in page
    assert "Then be honest." in panel
    assert "<html" not in panel


def test_a_difference_shows_words_of_one_side_only(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    first, second = queue.presented(slot_of(rosa))[:2]
    Response.objects.filter(pk=first.pk).update(text="Salt melts <ice>.")
    Response.objects.filter(pk=second.pk).update(text="Sand melts <ice>.")

    page = client.get(address + "diff?of=A&to=B").content.decode()

    assert "<ins>Salt</ins>" in page
    assert "<del>Sand</del>" in page
    assert "&lt;" in page


def test_my_work_lists_what_was_given(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison())

    page = client.get("/my-work/").content.decode()

    assert "1 judgment, 1 min active" in page
    assert "Compare" in page


def test_a_conversation_is_shown_whole(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    prompt = slot_of(rosa).item.prompt
    prompt.messages = [
        {"role": "user", "content": "Why salt?"},
        {"role": "assistant", "content": "It melts ice."},
        {"role": "user", "content": "And when it is very cold?"},
    ]
    prompt.save(update_fields=["messages"])

    page = client.get(address).content.decode()

    assert page.index("Why salt?") < page.index("It melts ice.") < page.index("And when it is very cold?")


# --- guidelines --------------------------------------------------------------------------------------------------
def change_guideline(guideline: Guideline) -> None:
    services.new_guideline_version(
        guideline=guideline, text="# Be helpful\n\nThen be brief.", form=rating_form.default(), by=None, now=timezone.now()
    )


def test_a_changed_guideline_is_read_before_the_next_item(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    change_guideline(guideline)

    answer = client.post(address + "submit", {"step": "submit", "text": words(30)})
    page = client.get(answer["Location"]).content.decode()

    assert answer["Location"] == f"/guidelines/{guideline.pk}/?for={demonstration_campaign.pk}"
    assert "Then be honest.</del>" in page
    assert "Then be brief.</ins>" in page
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_having_read_leads_to_the_item_and_is_not_asked_again(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)})
    change_guideline(guideline)
    asked = client.post(f"/desk/{demonstration_campaign.pk}/next")["Location"]
    said = {"version": "2", "campaign": demonstration_campaign.pk}

    first = client.post(f"/guidelines/{guideline.pk}/read", said)["Location"]
    client.post(first + "skip", {"reason": "technical"})

    assert asked.startswith("/guidelines/")
    assert first.startswith("/desk/item/")
    assert slot_of(rosa).guideline_version.number == 2


def test_reading_a_version_that_changed_meanwhile_is_asked_again(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)})
    change_guideline(guideline)
    change_guideline(guideline)

    answer = client.post(f"/guidelines/{guideline.pk}/read", {"version": "2", "campaign": demonstration_campaign.pk})

    assert answer["Location"].startswith("/guidelines/")


def test_an_item_in_hand_is_finished_under_its_own_version(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)})
    address = start(client, demonstration_campaign)
    change_guideline(guideline)

    assert client.post(f"/desk/{demonstration_campaign.pk}/next")["Location"] == address


def test_raters_read_their_own_guidelines_and_no_others(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    other = services.create_guideline(name="Not yours", text="Secret.", by=None, now=timezone.now())
    client = signed_in(rosa)

    listed = client.get("/my-guidelines/").content.decode()

    assert f'href="/guidelines/{guideline.pk}/"' in listed
    assert "Not yours" not in listed
    assert "Then be honest." in client.get(f"/guidelines/{guideline.pk}/").content.decode()
    assert client.get(f"/guidelines/{other.pk}/").status_code == 404


def test_an_admin_reads_any_guideline_as_raters_do(alice: User, guideline: Guideline, signed_in: SignedIn) -> None:
    assert "Then be honest." in signed_in(alice).get(f"/guidelines/{guideline.pk}/").content.decode()


# --- questions ---------------------------------------------------------------------------------------------------
def test_a_question_goes_to_the_admins_and_its_answer_to_my_work(
    rosa: Rater, alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client, admin = signed_in(rosa), signed_in(alice)
    address = start(client, comparison_campaign)

    page = client.post(address + "ask", {"question": "Is <b>this</b> in scope?"}, follow=True).content.decode()
    assert "Your question went to the admins." in page
    assert "Is &lt;b&gt;this&lt;/b&gt; in scope?" in admin.get("/questions/").content.decode()
    assert "not answered yet" in client.get("/my-work/").content.decode()

    admin.post(f"/questions/{ItemQuestion.objects.get().pk}/answer", {"answer": "It is."})
    assert "It is." in client.get("/my-work/").content.decode()
    assert "No question waits" in admin.get("/questions/").content.decode()
    assert "It is." in admin.get("/questions/?state=answered").content.decode()


def test_an_empty_question_is_not_sent(rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)

    page = client.post(start(client, comparison_campaign) + "ask", {"question": "  "}, follow=True).content.decode()

    assert "The question is empty." in page
    assert not ItemQuestion.objects.exists()


def test_an_empty_answer_is_not_given(rosa: Rater, alice: User, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "ask", {"question": "Is this in scope?"})

    signed_in(alice).post(f"/questions/{ItemQuestion.objects.get().pk}/answer", {"answer": ""})

    assert ItemQuestion.objects.get().answered_at is None


def test_questions_cost_the_same_however_many_there_are(
    rosa: Rater,
    alice: User,
    comparison_campaign: Campaign,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for item in comparison_campaign.items.all():
        services.ask_about(item=item, rater=rosa, text="Why?", now=timezone.now())

    admin = signed_in(alice)
    with django_assert_num_queries(7):
        admin.get("/questions/")


# --- cost --------------------------------------------------------------------------------------------------------
COSTS = {"next": 7, "item": 7, "draft": 8, "heartbeat": 5, "submit": 14}
"""Queries of each request, the two for session and user included. A claim asks how the rater stands to the campaign, and takes
the slot. Submit reads the lease and what it shows; stores in a savepoint; claims; and reads the next item, which its answer
brings."""


def request_of(name: str, client: Client, address: str) -> None:
    if name == "next":
        client.post(address)
    elif name == "item":
        client.get(address)
    elif name == "draft":
        client.post(address + "draft", json.dumps({"revision": 1, "fields": {}}), content_type="application/json")
    elif name == "heartbeat":
        client.post(address + "heartbeat")
    else:
        client.post(address + "submit", comparison(), headers={"X-Desk": "fragment"})


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

    with django_assert_num_queries(15):
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


# --- upsetting content -------------------------------------------------------------------------------------------
def test_upsetting_content_stands_behind_a_word_of_what_it_is(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Prompt.objects.update(sensitive=["violence"])
    services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    client = signed_in(rosa)

    page = client.get(start(client, comparison_campaign)).content.decode()

    assert "This item may upset: violence." in page
    assert "desk-pause" not in page


def test_the_desk_says_how_much_waits_behind_an_agreement_that_was_not_given(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    Prompt.objects.update(sensitive=["violence", "hate"])
    services.accept_upsetting(rater=rosa, kinds=["hate"], now=timezone.now())

    page = client.get("/desk/").content.decode()

    assert "5 items wait whose content may upset: violence." in page
    assert 'href="/my-care/"' in page
    services.accept_upsetting(rater=rosa, kinds=["hate", "violence"], now=timezone.now())
    assert "whose content may upset" not in client.get("/desk/").content.decode()


def test_the_desk_says_how_much_waits_for_who_knows_another_language(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Prompt.objects.update(language="fr")
    Pool.objects.update(routes_by_language=True)

    page = signed_in(rosa).get("/desk/").content.decode()

    assert "5 items wait for somebody who knows other languages or fields." in page
    assert 'href="/my-skills/"' in page


def test_a_pause_is_suggested_after_as_many_upsetting_items_as_the_site_says(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn, settings: LazySettings
) -> None:
    settings.UPSETTING_BEFORE_PAUSE = 2
    Prompt.objects.update(sensitive=["violence"])
    services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    client = signed_in(rosa)
    pages = []

    for _turn in range(3):
        address = start(client, comparison_campaign)
        pages.append(client.get(address).content.decode())
        client.post(address + "skip", {"reason": "technical"})

    assert ["desk-pause" in page for page in pages] == [False, False, True]
    assert "You have met 2 upsetting items today." in pages[2]


def test_raters_choose_what_they_agree_to_see_and_read_how_much_they_met(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Prompt.objects.update(sensitive=["hate"])
    client = signed_in(rosa)

    client.post("/my-care/", {"kinds": ["hate", "abuse"]})
    rosa.refresh_from_db()
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    assert rosa.accepts == ["hate", "abuse"]
    assert "1 item<" in client.get("/my-care/").content.decode()


def test_nothing_ticked_takes_every_agreement_back(rosa: Rater, signed_in: SignedIn) -> None:
    services.accept_upsetting(rater=rosa, kinds=["hate"], now=timezone.now())

    signed_in(rosa).post("/my-care/", {})

    rosa.refresh_from_db()
    assert rosa.accepts == []


# --- constraints -------------------------------------------------------------------------------------------------
@pytest.fixture
def constrained(demonstration_campaign: Campaign) -> Campaign:
    Prompt.objects.update(constraints=["Rhymes.", "Names no <b>colour</b>."])
    return demonstration_campaign


def test_the_constraints_of_a_prompt_are_a_checklist(rosa: Rater, constrained: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)

    page = client.get(start(client, constrained)).content.decode()

    assert 'name="keeps-0"' in page
    assert "Names no &lt;b&gt;colour&lt;/b&gt;." in page


def test_an_unticked_constraint_is_a_warning_that_can_be_overruled_and_is_recorded(
    rosa: Rater, constrained: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, constrained)
    answer = {"text": words(60), "keeps-1": "true"}

    warned = client.post(address + "submit", {"step": "submit", **answer}).content.decode()
    client.post(address + "submit", {"step": "submit", "overruled": ["constraint_unticked", "unusual_length"], **answer})

    judgment = Judgment.objects.get()
    assert "A constraint of the prompt is not ticked." in warned
    assert "constraint_unticked" in judgment.warnings
    assert judgment.presentation["constraints"] == {"n": 2, "kept": [1]}


def test_ticked_constraints_say_nothing_and_come_back_in_a_correction(
    rosa: Rater, constrained: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, constrained)
    ticked = {"keeps-0": "true", "keeps-1": "true"}

    client.post(address + "submit", {"step": "submit", "text": words(60), "overruled": "unusual_length", **ticked})

    assert "constraint_unticked" not in Judgment.objects.get().warnings
    page = client.get(address + "correct").content.decode()
    assert 'name="keeps-0" value="true" checked' in page


def test_a_draft_keeps_what_was_ticked(rosa: Rater, constrained: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    address = start(client, constrained)

    client.post(address + "submit", {"step": "draft", "text": "So far", "keeps-1": "true"})

    assert 'name="keeps-1" value="true" checked' in client.get(address).content.decode()


# --- my history --------------------------------------------------------------------------------------------------
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
def test_my_answers_are_filtered(query: str, n: int, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison())

    page = client.get(f"/my-work/?{query}").content.decode()

    assert page.count("/correct") == n
    assert ("No answer of yours matches the filter." in page) == (n == 0)


def test_the_filter_offers_only_campaigns_that_one_has_worked_in(
    rosa: Rater, comparison_campaign: Campaign, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison())

    page = client.get(f"/my-work/?campaign={comparison_campaign.pk}").content.decode()

    assert f'<option value="{comparison_campaign.pk}" selected' in page
    assert f'<option value="{demonstration_campaign.pk}"' not in page
    assert page.count("/correct") == 1


def test_my_work_lists_drafts_and_leads_back_to_what_is_still_held(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "draft", "text": "Half a thought"})

    held = client.get("/my-work/").content.decode()
    client.post(address + "release")
    given_back = client.get("/my-work/").content.decode()

    assert f'href="{address}"' in held
    assert "The item is not with you now." in given_back
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

    with django_assert_num_queries(14):
        client.get("/my-work/?kind=comparison")
