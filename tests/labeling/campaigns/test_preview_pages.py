"""Looking at a campaign as a rater would, through HTTP. A preview stores nothing."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Demonstration, Draft, Guideline, Judgment, Pool, Slot
from tests.cast import open_demonstration_campaign
from tests.html import page_of
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


@pytest.fixture
def sample(alice: User, comparison_campaign: Campaign, signed_in: SignedIn) -> tuple[Client, str]:
    """An admin's browser, and the address of the preview."""
    return signed_in(alice), f"/campaigns/{comparison_campaign.pk}/preview/"


def test_a_preview_shows_the_desk_and_stores_nothing(
    sample: tuple[Client, str], comparison_campaign: Campaign
) -> None:
    client, address = sample

    page = words(client.get(address))
    answered = {f"rank-{letter}": rank for rank, letter in enumerate("ABCD", 1)} | {
        f"rate-{letter}-overall": 4 for letter in "ABCD"
    }
    client.post(
        address,
        answered
        | {
            "step": "submit",
            "overruled": ["faster_than_reading", "order_as_shown", "contradicts_ratings"],
        },
    )

    assert "nothing is saved" in page
    assert "what is 0 plus 0?" in page
    assert not Judgment.of_people.exists()
    assert not Slot.objects.exclude(state="free").exists()
    assert comparison_campaign.places.count() == 0


def test_a_preview_reviews_an_answer_as_the_desk_does(sample: tuple[Client, str]) -> None:
    client, address = sample

    answer = client.post(address, {"step": "review"}, headers={"X-Desk": "fragment"})

    assert answer.json()["is_ready"] is False
    assert "No response is ranked" in answer.json()["review"] or "rank" in answer.json()["review"]


def test_what_lies_beside_the_work_is_there_in_a_preview(sample: tuple[Client, str]) -> None:
    client, address = sample

    assert "Be helpful" in words(client.get(f"{address}guideline", headers={"X-Desk": "fragment"}))
    assert client.get(f"{address}diff", {"of": "A", "to": "B"}).status_code == 200
    assert (
        client.post(f"{address}text", {"text": "**bold**"}).content
        == b'<p dir="auto"><strong>bold</strong></p>\n'
    )


def test_a_preview_of_writing_shows_the_editor(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/preview/"))

    assert "Your answer" in page
    assert "data-draft-url" not in page


@pytest.fixture
def sample_dialogue(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> tuple[Client, str]:
    """An admin's browser, and the address of the preview of a campaign that asks for dialogues."""
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, asks_dialogue=True)
    return signed_in(alice), f"/campaigns/{campaign.pk}/preview/"


def test_a_preview_adds_and_removes_turns_of_a_dialogue_as_the_desk_does(
    sample_dialogue: tuple[Client, str],
) -> None:
    client, address = sample_dialogue

    longer = client.post(address, {"step": "extend", "text": "Four."})
    turns = {"turn-1": "And 3 + 3?", "turn-2": "Six."}
    shorter = client.post(address, {"step": "shorten", "text": "Four."} | turns)

    assert [longer.status_code, shorter.status_code] == [200, 200]
    assert 'name="turn-2"' in page_of(longer)
    assert "Four." in page_of(longer)
    assert 'name="turn-1"' not in page_of(shorter)
    assert "Four." in page_of(shorter)


def test_a_draft_saved_in_a_preview_stays_on_the_page_and_is_not_stored(
    sample_dialogue: tuple[Client, str],
) -> None:
    client, address = sample_dialogue

    page = client.post(address, {"step": "draft", "text": "Only half of an answer"})

    assert page.status_code == 200
    assert "Only half of an answer" in page_of(page)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("step", ["edit", "unedit", "draft", "drop", "review", "submit", "stop"])
def test_no_button_of_a_preview_stores_anything(
    step: str, sample: tuple[Client, str], comparison_campaign: Campaign
) -> None:
    client, address = sample
    answered = {f"rank-{letter}": rank for rank, letter in enumerate("ABCD", 1)} | {
        f"rate-{letter}-overall": 4 for letter in "ABCD"
    }
    edited = {"edit_of": "A", "edit": "Better."}
    overruled = {"overruled": ["faster_than_reading", "order_as_shown"]}

    client.post(address, answered | edited | overruled | {"step": step})

    assert not Judgment.of_people.exists()
    assert not Draft.objects.exists()
    assert not Demonstration.objects.exists()
    assert not Slot.objects.exclude(state="free").exists()
