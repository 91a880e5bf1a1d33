"""Reading earlier answers, also in closed campaigns."""

from django.utils import timezone

from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, Judgment, Rater
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, start, words


def test_an_answer_in_a_closed_campaign_can_be_read(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison(step="stop", edit_of="B", edit="Better by far."))
    campaigns_services.close_campaign(campaign=comparison_campaign, by=None, now=timezone.now())
    assert f'href="{address}"' in page_of(client.get("/my-work/"))

    page = page_of(client.get(address))

    assert "B › A = C › D" in page
    assert "Better by far." in page
    assert "Edit of B" in page
    assert "/correct" not in page


def test_a_written_answer_can_be_read(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(
        address + "submit",
        {"step": "stop", "text": "It **rises**, " + words(30), "sources": "A book."},
    )

    page = page_of(client.get(address))

    assert "It <strong>rises</strong>" in page
    assert "A book." in page


def test_a_prompt_that_may_upset_is_behind_what_it_is(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison(step="stop"))
    prompt = Judgment.of_people.get().prompt
    prompt.sensitive = ["violence"]
    prompt.save(update_fields=["sensitive"])

    for page in (page_of(client.get("/my-work/")), page_of(client.get(address))):
        before, _summary, behind = page.partition("violence")
        assert str(prompt) not in before
        assert str(prompt) in behind
