"""Comparing responses through HTTP, as a browser without JavaScript does."""

import json
import re
from typing import Any

import pytest

from labeling.models import Campaign, Guideline, Judgment, Pool, Rater, Response, Slot, Source
from labeling.queue.claiming import order
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start, words

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


def test_the_page_shows_every_response_in_the_order_of_the_lease(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    page = page_of(client.get(start(client, comparison_campaign)))

    places = [page.index(response.text) for response in order.presented(slot_of(rosa))]
    assert places == sorted(places)


def test_submitting_stores_the_judgment_and_goes_to_the_next_item(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    first = start(client, comparison_campaign)

    answer = client.post(first + "submit", comparison())

    judgment = Judgment.of_people.get()
    assert [ranked.rank for ranked in judgment.comparison.ranked.order_by("position")] == [
        2,
        1,
        2,
        3,
    ]
    assert judgment.active_s == 90
    assert answer["Location"] == f"/desk/item/{slot_of(rosa).lease}/" != first


def test_ratings_are_stored_by_response_and_what_was_not_ticked_is_absent(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(
        start(client, comparison_campaign) + "submit",
        comparison(**{"rate-D-hallucination": "true"}),
    )

    ratings = [
        ranked.ratings for ranked in Judgment.of_people.get().comparison.ranked.order_by("position")
    ]
    assert ratings == [
        {"overall": 5},
        {"overall": 6},
        {"overall": 5},
        {"overall": 1, "hallucination": True},
    ]


def test_review_reads_the_ranking_back_and_stores_nothing(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    page = page_of(
        client.post(start(client, comparison_campaign) + "submit", comparison(step="review"))
    )

    assert "B › A = C › D" in page
    assert "Ready to submit" in page
    assert not Judgment.of_people.exists()


def test_problems_are_all_said_and_everything_is_kept(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    posted = comparison(
        reason="because I say so",
        **{"rate-A-overall": "", "rank-B": "9", "rate-D-hallucination": "true"},
    )

    answer = client.post(start(client, comparison_campaign) + "submit", posted)

    page = page_of(answer)
    assert answer.status_code == 422
    assert "A: rate Overall (1–7)." in page
    assert "B: the rank must be a number from 1 to 4." in page
    assert 'value="because I say so"' in page
    assert re.search(r'name="rate-D-hallucination"[^>]* checked', page)
    assert re.search(r'name="rate-C-overall" value="5" checked', page)
    assert not Judgment.of_people.exists()


def test_nothing_ranked_is_a_problem(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    unranked = comparison(**{f"rank-{letter}": "" for letter in "ABCD"})

    page = page_of(client.post(start(client, comparison_campaign) + "submit", unranked))

    assert "Nothing is ranked yet." in page


def test_all_bad_needs_a_reason(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    page = page_of(
        client.post(start(client, comparison_campaign) + "submit", comparison(all_bad="true"))
    )

    assert "Explain briefly why all responses are bad." in page


def test_all_bad_is_stored_without_ranks(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(
        start(client, comparison_campaign) + "submit",
        comparison(all_bad="true", reason="none answers"),
    )

    given = Judgment.of_people.get().comparison
    assert given.is_all_bad
    assert given.reason == "none answers"
    assert {ranked.rank for ranked in given.ranked.all()} == {None}


def test_what_is_not_asked_is_null(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, asks_strength=False, asks_reason=False
    )
    client = signed_in(rosa)

    client.post(start(client, campaign) + "submit", comparison(strength="3", reason="not asked"))

    given = Judgment.of_people.get().comparison
    assert (given.strength, given.reason) == (None, None)


def test_the_strength_is_asked_where_something_came_out_ahead(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_strength=True)
    client = signed_in(rosa)
    address = start(client, campaign) + "submit"

    page = page_of(client.post(address, comparison()))
    assert "Choose how much better the best response is." in page

    client.post(address, comparison(strength="3"))
    assert Judgment.of_people.get().comparison.strength == 3


def test_among_equals_no_strength_is_asked(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_strength=True)
    client = signed_in(rosa)
    equal: dict[str, Any] = {f"rank-{letter}": "1" for letter in "ABCD"} | {
        f"rate-{letter}-overall": "4" for letter in "ABCD"
    }

    client.post(start(client, campaign) + "submit", comparison(**equal))

    assert Judgment.of_people.get().comparison.strength is None


def test_all_bad_asks_why_even_in_a_campaign_that_does_not(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, asks_reason=False)
    client = signed_in(rosa)

    page = page_of(client.post(start(client, campaign) + "submit", comparison(all_bad="true")))

    assert "Explain briefly why all responses are bad." in page


def test_the_campaign_says_how_long_an_answer_is(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, min_words=2, max_words=5
    )
    client = signed_in(rosa)
    address = start(client, campaign)

    assert "2–5 expected" in page_of(client.get(address))
    assert "shorter or longer than expected" in page_of(
        client.post(address + "submit", {"step": "submit", "text": words(6)})
    )
    assert client.post(address + "submit", {"step": "stop", "text": words(5)}).status_code == 302


def test_the_best_is_edited_in_the_same_submit(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    best = order.presented(slot_of(rosa))[1]

    client.post(address + "submit", comparison(edit_of="B", edit="Better,\r\nand longer."))

    written = Judgment.of_people.get().demonstration
    assert (written.text, written.edit_of) == ("Better,\nand longer.", best)
    assert written.response.text == "Better,\nand longer."
    assert written.response.source.kind == Source.Kind.PERSON


def test_the_editor_opens_with_the_best_response_without_javascript(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    best = order.presented(slot_of(rosa))[1]

    opened = page_of(client.post(address + "submit", comparison(step="edit")))
    dropped = page_of(
        client.post(address + "submit", comparison(step="unedit", edit_of="B", edit="x"))
    )

    assert f">\n{best.text}</textarea>" in opened
    assert 'name="edit_of" value="B"' in opened
    assert 'name="edit_of" value=""' in dropped
    assert not Judgment.of_people.exists()


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ("", "The edit of B is empty."),
        ("The same", "The edit changes nothing."),
        ("x" * 200_001, "is longer than"),
    ],
)
def test_an_edit_that_is_none_is_a_problem(
    edit: str, sentence: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Response.objects.update(text="The same")
    client = signed_in(rosa)

    answer = client.post(
        start(client, comparison_campaign) + "submit", comparison(edit_of="B", edit=edit)
    )

    assert sentence in page_of(answer)
    assert not Judgment.of_people.exists()


def test_an_edit_of_another_than_the_best_is_warned_about(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = page_of(
        client.post(
            start(client, comparison_campaign) + "submit", comparison(edit_of="D", edit="Better.")
        )
    )

    assert "You edited a response that is not ranked best." in page


def test_a_warning_holds_the_submit_until_it_is_overruled(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"
    contradicting = comparison(**{"rate-B-overall": 1})

    page = page_of(client.post(address, contradicting))
    assert "You rated A above B but ranked B higher." in page
    assert not Judgment.of_people.exists()

    client.post(address, contradicting | {"overruled": ["contradicts_ratings"]})
    assert Judgment.of_people.get().warnings == ["contradicts_ratings"]


def test_the_order_as_shown_and_a_pace_beyond_reading_are_warned_about(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    Response.objects.update(text=words(100))
    ranks: dict[str, Any] = {f"rank-{letter}": number for number, letter in enumerate("ABCD", 1)}
    same: dict[str, Any] = {f"rate-{letter}-overall": 4 for letter in "ABCD"}

    page = page_of(
        client.post(
            start(client, comparison_campaign) + "submit",
            comparison(record=json.dumps({"active_s": 3}), **ranks, **same),
        )
    )

    assert "Your ranking matches the display order. Is that what you want?" in page
    assert "You answered faster than these texts can be read." in page


def test_submitting_twice_stores_once_and_leads_to_the_same_next_item(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"

    first = client.post(address, comparison())
    second = client.post(address, comparison())

    assert Judgment.of_people.count() == 1
    assert first["Location"] == second["Location"]


def test_an_answer_changed_after_it_was_stored_is_told_that_the_first_counts(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "submit"
    client.post(address, comparison())

    page = page_of(client.post(address, comparison(**{"rank-D": "1"}), follow=True))

    assert "The first answer counts" in page
    assert Judgment.of_people.get().comparison.ranked.get(position=3).rank == 3


def test_submit_and_stop_takes_no_next_item(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "submit", comparison(step="stop"))

    assert answer["Location"] == "/desk/"
    assert Judgment.of_people.count() == 1
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_the_record_of_the_page_keeps_known_names_of_the_right_shape(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    record = {
        "active_s": 60,
        "views": {"A": {"raw": 1}},
        "viewport": [1440, 900],
        "seconds": "many",
        "evil": "x",
    }

    client.post(
        start(client, comparison_campaign) + "submit", comparison(record=json.dumps(record))
    )

    assert Judgment.of_people.get().presentation == {
        "views": {"A": {"raw": 1}},
        "viewport": [1440, 900],
    }


@pytest.mark.parametrize("record", BROKEN)
def test_a_broken_record_never_costs_the_judgment(
    record: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    overruled: dict[str, Any] = {"overruled": ["faster_than_reading"]}

    client.post(
        start(client, comparison_campaign) + "submit", comparison(record=record, **overruled)
    )

    assert Judgment.of_people.get().active_s is None
