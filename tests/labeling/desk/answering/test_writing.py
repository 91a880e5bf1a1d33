"""Writing demonstrations through HTTP."""

import json

from labeling.models import Campaign, Judgment, Rater
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, start, words


def test_a_written_answer_is_stored_as_typed(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    text = "\n  First line.\r\n\r\n" + words(30)

    client.post(
        start(client, demonstration_campaign) + "submit",
        {"step": "submit", "text": text, "sources": " a book "},
    )

    given = Judgment.of_people.get().demonstration
    assert given.text == text.replace("\r\n", "\n")
    assert given.sources == "a book"


def test_what_a_database_cannot_hold_is_replaced_and_the_rest_is_stored(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    broken = json.dumps({"revision": 1, "fields": {"text": ["half\x00 \ud800"]}})

    assert (
        client.post(address + "draft", broken, content_type="application/json").status_code == 200
    )
    client.post(address + "submit", {"step": "submit", "text": "a\x00b " + words(30)})

    assert Judgment.of_people.get().demonstration.text == "a\ufffdb " + words(30)


def test_an_empty_answer_is_a_problem(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    answer = client.post(
        start(client, demonstration_campaign) + "submit", {"step": "submit", "text": "  \n"}
    )

    assert answer.status_code == 422
    assert "Write something first." in page_of(answer)


def test_an_unusual_length_is_warned_about_and_can_be_overruled(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "submit"

    assert "shorter or longer than expected" in page_of(
        client.post(address, {"step": "submit", "text": "Four."})
    )
    client.post(address, {"step": "submit", "text": "Four.", "overruled": "unusual_length"})

    assert Judgment.of_people.get().warnings == ["unusual_length"]


def test_a_leading_line_break_survives_the_text_area(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "draft", "text": "\n\nindented"})

    assert ">\n\n\nindented</textarea>" in page_of(client.get(address))


def test_the_preview_renders_what_is_typed_and_nothing_hostile(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    text = "**bold** <script>alert(1)</script>"

    page = page_of(client.post(start(client, demonstration_campaign) + "preview", {"text": text}))

    assert "<strong>bold</strong>" in page
    assert "<script" not in page
