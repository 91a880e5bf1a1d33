"""Panels next to the item: the guideline, differences, the conversation, My work."""

from labeling.models import Campaign, Rater, Response
from labeling.queue.claiming import order
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start


def test_the_guideline_is_a_page_and_a_panel(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign) + "guideline"

    page = page_of(client.get(address))
    panel = page_of(client.get(address, headers={"X-Desk": "fragment"}))

    assert "Then be honest." in page
    assert "<html" in page
    assert "Then be honest." in panel
    assert "<html" not in panel


def test_a_difference_shows_words_of_one_side_only(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    first, second = order.presented(slot_of(rosa))[:2]
    Response.objects.filter(pk=first.pk).update(text="Salt melts <ice>.")
    Response.objects.filter(pk=second.pk).update(text="Sand melts <ice>.")

    page = page_of(client.get(address + "diff?of=A&to=B"))

    assert "<ins>Salt</ins>" in page
    assert "<del>Sand</del>" in page
    assert "&lt;" in page


def test_my_work_lists_what_was_given(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "submit", comparison())

    page = page_of(client.get("/my-work/"))

    assert "1 answer, 1 min active" in page
    assert "Compare" in page


def test_a_conversation_is_shown_whole(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    prompt = slot_of(rosa).item.prompt
    prompt.messages = [
        {"role": "user", "content": "Why salt?"},
        {"role": "assistant", "content": "It melts ice."},
        {"role": "user", "content": "And when it is very cold?"},
    ]
    prompt.save(update_fields=["messages"])

    page = page_of(client.get(address))

    assert (
        page.index("Why salt?")
        < page.index("It melts ice.")
        < page.index("And when it is very cold?")
    )
