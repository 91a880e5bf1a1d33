"""Guidelines at the desk: the current version, its changes, and the confirmation that they were
read.
"""

from django.utils import timezone

from accounts.models import User
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, Rater, Slot
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, slot_of, start, words


def change_guideline(guideline: Guideline) -> None:
    guidelines_services.new_guideline_version(
        guideline=guideline,
        text="# Be helpful\n\nThen be brief.",
        form=rating_form.default(),
        by=None,
        now=timezone.now(),
    )


def test_a_changed_guideline_is_read_before_the_next_item(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    change_guideline(guideline)

    answer = client.post(address + "submit", {"step": "submit", "text": words(30)})
    page = page_of(client.get(answer["Location"]))

    assert answer["Location"] == f"/guidelines/{guideline.pk}/?for={demonstration_campaign.pk}"
    assert "Then be honest.</del>" in page
    assert "Then be brief.</ins>" in page
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_having_read_leads_to_the_item_and_is_not_asked_again(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(
        start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)}
    )
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
    client.post(
        start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)}
    )
    change_guideline(guideline)
    change_guideline(guideline)

    answer = client.post(
        f"/guidelines/{guideline.pk}/read", {"version": "2", "campaign": demonstration_campaign.pk}
    )

    assert answer["Location"].startswith("/guidelines/")


def test_an_item_in_progress_is_finished_under_its_own_version(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(
        start(client, demonstration_campaign) + "submit", {"step": "stop", "text": words(30)}
    )
    address = start(client, demonstration_campaign)
    change_guideline(guideline)

    assert client.post(f"/desk/{demonstration_campaign.pk}/next")["Location"] == address


def test_raters_read_their_own_guidelines_and_no_others(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    other = guidelines_services.create_guideline(
        name="Not yours", text="Secret.", by=None, now=timezone.now()
    )
    client = signed_in(rosa)

    listed = page_of(client.get("/my-guidelines/"))

    assert f'href="/guidelines/{guideline.pk}/"' in listed
    assert "Not yours" not in listed
    assert "Then be honest." in page_of(client.get(f"/guidelines/{guideline.pk}/"))
    assert client.get(f"/guidelines/{other.pk}/").status_code == 404


def test_an_admin_reads_any_guideline_as_raters_do(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    assert "Then be honest." in page_of(signed_in(alice).get(f"/guidelines/{guideline.pk}/"))
