"""Undoing an answer, and corrections as versions."""

import json
import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.campaigns import services as campaigns_services
from labeling.desk import work as desk_work
from labeling.models import Campaign, Draft, Judgment, Rater, Response, Slot
from tests.cast import lease_of, login_of
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start, words


def test_a_submit_is_undone_and_the_item_comes_back_with_what_was_given(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    following = client.post(
        address + "submit", comparison(reason="because", edit_of="B", edit="Better.")
    )["Location"]
    assert f'action="{address}undo"' in page_of(client.get(following))

    answer = client.post(address + "undo")

    page = page_of(client.get(address))
    assert answer["Location"] == address
    assert not Judgment.versions_of_people.exists()
    assert not Response.objects.filter(source__kind="person").exists()
    assert slot_of(rosa).lease == uuid.UUID(address.split("/")[3])
    assert 'value="because"' in page
    assert ">\nBetter.</textarea>" in page
    assert re.search(r'name="rate-C-overall" value="5" checked', page)


def test_an_undone_item_is_submitted_again(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    client.post(address + "undo")

    client.post(address + "submit", {"step": "stop", "text": words(40)})

    assert Judgment.of_people.get().demonstration.text == words(40)


def test_undoing_is_over_after_ten_seconds(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    following = client.post(address + "submit", comparison())["Location"]
    Judgment.of_people.update(submitted_at=timezone.now() - timedelta(seconds=25))

    assert f"{address}undo" not in page_of(client.get(following))
    page = page_of(client.post(address + "undo", follow=True))

    assert "It is too late to undo this." in page
    assert Judgment.of_people.count() == 1


def test_an_open_page_hears_that_it_is_too_late_and_leads_nowhere(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())
    Judgment.of_people.update(submitted_at=timezone.now() - timedelta(seconds=25))

    answer = client.post(address + "undo", headers={"X-Desk": "fragment"}).json()

    assert answer["said"].startswith("It is too late to undo this.")
    assert "next" not in answer


def test_undoing_twice_is_undoing_once(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
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
    first = Judgment.of_people.get()
    assert f'href="{address}correct"' in page_of(client.get("/my-work/"))

    page = page_of(client.get(address + "correct"))
    assert '<option value="3" selected>' in page
    client.post(address + "correct", comparison(version=1, **{"rank-D": 2}))

    current = Judgment.of_people.get()
    assert (current.version, current.supersedes, current.submitted_at) == (
        2,
        first,
        first.submitted_at,
    )
    assert [row.rank for row in current.comparison.ranked.order_by("position")] == [2, 1, 2, 2]
    assert [
        row.rank
        for row in Judgment.versions_of_people.get(version=1).comparison.ranked.order_by("position")
    ] == [2, 1, 2, 3]
    assert current.active_s == 180
    assert current.slot == Slot.objects.get(state=Slot.State.SUBMITTED)


def test_a_text_is_corrected(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})

    page = page_of(client.post(address + "correct", {"step": "review", "text": "", "version": "1"}))
    assert "Write something first." in page
    client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})

    assert Judgment.of_people.get().demonstration.text == words(40)


def test_a_correction_sent_twice_makes_one_version(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    for _ in range(2):
        client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})

    assert Judgment.versions_of_people.count() == 2


def test_a_correction_of_what_was_corrected_elsewhere_is_refused_and_kept(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    for number in (1, 2):
        client.post(address + "correct", {"step": "submit", "text": words(40), "version": number})

    page = page_of(
        client.post(address + "correct", {"step": "submit", "text": words(50), "version": "1"})
    )

    assert "changed elsewhere in the meantime" in page
    assert words(50) in page


def test_nothing_is_corrected_once_the_campaign_is_closed(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    campaigns_services.close_campaign(campaign=demonstration_campaign, by=None, now=timezone.now())

    client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})

    assert Judgment.versions_of_people.count() == 1
    assert "/correct" not in page_of(client.get("/my-work/"))


def test_nobody_corrects_or_undoes_the_answer_of_another(
    rosa: Rater, raul: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    stranger = signed_in(raul)

    assert stranger.post(address + "undo").status_code == 404
    assert stranger.get(address + "correct").status_code == 404


def test_the_time_spent_and_what_was_pasted_outlive_an_undo(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    record = json.dumps(
        {"active_s": 70, "typing": {"n_pastes": 1, "pasted": 12}, "seconds": {"prompt": 30}}
    )
    client.post(address + "submit", {"step": "stop", "text": words(30), "record": record})
    client.post(address + "undo")

    page = page_of(client.get(address))

    [kept] = re.findall(r'name="record" value="([^"]*)"', page)
    assert json.loads(unescape(kept)) == {
        "active_s": 70,
        "typing": {"n_pastes": 1, "pasted": 12},
        "seconds": {"prompt": 30},
    }


def test_a_correction_begins_its_own_count_of_seconds(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(
        address + "submit",
        {"step": "stop", "text": words(30), "record": json.dumps({"active_s": 70})},
    )

    assert 'name="record" value="{}"' in page_of(client.get(address + "correct"))


def keep(client: Client, address: str, text: str, *, version: int) -> dict[str, Any]:
    """The draft of a correction, as an open page sends it."""
    sent = {
        "revision": 7,
        "version": version,
        "fields": {"text": [text]},
        "record": json.dumps({"active_s": 40}),
    }
    answer: dict[str, Any] = client.post(
        address + "draft", json.dumps(sent), content_type="application/json"
    ).json()
    return answer


@pytest.fixture
def answered(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> tuple[Client, str]:
    """Rosa's browser, and the URL of her answer."""
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    client.post(address + "submit", {"step": "stop", "text": words(30)})
    return client, address


def test_the_draft_of_a_correction_is_opened_in_any_browser_and_leaves_the_answer_alone(
    answered: tuple[Client, str], rosa: Rater, signed_in: SignedIn
) -> None:
    client, address = answered

    assert "saved" in keep(client, address, "Half a thought", version=1)

    page = page_of(signed_in(rosa).get(address + "correct"))
    assert ">\nHalf a thought</textarea>" in page
    assert 'data-revision="7"' in page
    assert "&quot;active_s&quot;: 40" in page
    assert Judgment.of_people.get().demonstration.text == words(30)
    work = desk_work.work(user_id=login_of(rosa).pk, lease=lease_of(Judgment.of_people.get()))
    assert work is not None
    assert work.draft is None  # it is none of an open item


def test_a_begun_correction_is_among_the_drafts_of_my_work(answered: tuple[Client, str]) -> None:
    client, address = answered
    keep(client, address, "Half a thought", version=1)

    page = page_of(client.get("/my-work/"))

    assert f'<a href="{address}correct">Continue editing</a>' in page
    assert "This item is not assigned to you now." not in page


def test_a_stored_correction_takes_its_draft_along_and_a_late_save_brings_none_back(
    answered: tuple[Client, str],
) -> None:
    client, address = answered
    keep(client, address, "Half a thought", version=1)

    client.post(address + "correct", {"step": "submit", "text": words(40), "version": "1"})
    late = keep(client, address, "Half a thought", version=1)

    assert late == {"is_stored": True}
    assert not Draft.objects.exists()


def test_a_dropped_correction_is_gone_and_the_answer_stays(answered: tuple[Client, str]) -> None:
    client, address = answered
    keep(client, address, "Half a thought", version=1)

    answer = client.post(
        address + "correct", {"step": "drop", "text": "Half a thought", "version": "1"}
    )

    assert answer["Location"] == "/my-work/"
    assert not Draft.objects.exists()
    assert words(30) in page_of(client.get(address + "correct"))


def test_without_javascript_a_correction_is_kept_by_its_button_and_when_a_question_is_asked(
    answered: tuple[Client, str],
) -> None:
    client, address = answered

    client.post(address + "correct", {"step": "draft", "text": "Half a thought", "version": "1"})
    assert "Half a thought</textarea>" in page_of(client.get(address + "correct"))
    client.post(address + "ask", {"question": "May I?", "text": "A whole thought", "version": "1"})

    assert "A whole thought</textarea>" in page_of(client.get(address + "correct"))


def test_an_undone_answer_has_no_correction_left(answered: tuple[Client, str]) -> None:
    client, address = answered
    keep(client, address, "Half a thought", version=1)

    client.post(address + "undo")

    assert [draft.version for draft in Draft.objects.all()] == [0]
