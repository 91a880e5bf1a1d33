"""An admin reads conversations: who answered, what failed, what went on."""

import pytest

from accounts.models import User
from labeling.models import Campaign, Conversation, Guideline, Pool, Rater, TurnRequest
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import conversation_with_a_failure
from tests.labeling.desk.posting import SignedIn


@pytest.fixture
def talked(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Conversation:
    return conversation_with_a_failure(pool=day_shift, guideline=guideline, rater=rosa)


def test_the_list_counts_turns_other_answers_and_failures(
    talked: Conversation, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    page = words(client.get(f"/campaigns/{talked.item.campaign_id}/conversations/"))

    assert "Question" in page
    assert "Failed models" in page
    list_of = f"/campaigns/{talked.item.campaign_id}/conversations/"
    assert "Question" in words(client.get(f"{list_of}?state=failed"))
    assert "No matching conversations" in words(client.get(f"{list_of}?state=finished"))


def test_a_conversation_shows_its_models_what_failed_and_what_went_on(
    talked: Conversation, alice: User, signed_in: SignedIn
) -> None:
    failed = TurnRequest.objects.get(state=TurnRequest.State.FAILED)
    instead = TurnRequest.objects.get(
        turn=failed.turn, place=failed.place, state=TurnRequest.State.ANSWERED
    )

    page = words(
        signed_in(alice).get(f"/campaigns/{talked.item.campaign_id}/conversations/{talked.pk}/")
    )

    assert f"{failed.source.name} was asked twice and gave no answer: It was away." in page
    assert f"{instead.source.name} answered in its place." in page
    assert "In words?" in page
    assert "The rater's edit" in page
    assert "It is zero." in page


def test_a_campaign_of_another_kind_has_no_such_pages(
    talked: Conversation, alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    pk = comparison_campaign.pk

    assert client.get(f"/campaigns/{pk}/conversations/").status_code == 404
    assert client.get(f"/campaigns/{pk}/conversations/{talked.pk}/").status_code == 404
