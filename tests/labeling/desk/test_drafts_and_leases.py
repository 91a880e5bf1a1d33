"""Drafts survive everything, and leases are renewed while a rater works."""

import json
import re
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Draft, Judgment, Pass, PastLease, Rater, Slot
from labeling.queue import slots
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start, words


def test_a_draft_comes_back_with_the_page(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    fields = {"rank-C": ["1"], "rate-A-overall": ["3"], "reason": ["so far"]}

    saved = client.post(
        address + "draft",
        json.dumps({"revision": 7, "fields": fields}),
        content_type="application/json",
    )
    page = page_of(client.get(address))

    assert re.fullmatch(r"\d\d:\d\d:\d\d", saved.json()["saved"])
    assert f"Saved {saved.json()['saved']}" in page
    assert 'data-revision="7"' in page
    assert 'value="so far"' in page
    assert re.search(r'name="rate-A-overall" value="3" checked', page)


def test_a_draft_is_kept_without_javascript(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(address + "submit", comparison(step="draft", reason="half way"))

    assert answer["Location"] == address
    assert 'value="half way"' in page_of(client.get(address))


def test_a_draft_is_gone_once_the_answer_is_stored(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(
        address + "draft",
        json.dumps({"revision": 1, "fields": {}}),
        content_type="application/json",
    )

    client.post(address + "submit", comparison())

    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"fields": []}', '{"fields": {}, "revision": "1"}', "[" * 100_000]
)
def test_a_draft_of_another_shape_is_refused(
    body: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    answer = client.post(
        start(client, comparison_campaign) + "draft", body, content_type="application/json"
    )

    assert answer.status_code == 400
    assert not Draft.objects.exists()


def test_a_heartbeat_extends_the_lease(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    Slot.objects.filter(rater=rosa).update(expires_at=timezone.now() + timedelta(minutes=1))

    answer = client.post(address + "heartbeat").json()

    assert 29 * 60 < answer["expires_in_s"] <= 30 * 60


def test_a_skip_gives_a_reason_and_goes_on(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(address + "skip", {"reason": "prompt_unclear", "note": "which town?"})

    assert Pass.objects.get().note == "which town?"
    assert answer["Location"] == f"/desk/item/{slot_of(rosa).lease}/" != address


def test_a_skip_that_is_sent_twice_skips_one_item_and_leads_on_alike(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    first, second = (
        client.post(address + "skip", {"reason": "technical"})["Location"] for _ in range(2)
    )

    assert first == second != address
    assert Pass.objects.count() == 1
    assert PastLease.objects.count() == 1


def test_giving_back_twice_is_giving_back_once(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    for _ in range(2):
        assert client.post(address + "release", {"reason": "half way"})["Location"] == "/desk/"

    assert PastLease.objects.count() == 1
    assert Draft.objects.get().content["fields"]["reason"] == ["half way"]


def test_a_skip_without_a_reason_is_asked_again(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "skip", {})

    assert answer.status_code == 422
    assert "Choose a reason for skipping." in page_of(answer)
    assert not Pass.objects.exists()


def test_giving_back_frees_the_item(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    answer = client.post(start(client, comparison_campaign) + "release")

    assert answer["Location"] == "/desk/"
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()


def test_a_stored_item_says_when_it_was_stored(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    assert "You submitted this answer on" in page_of(client.get(address))


def test_an_item_that_was_skipped_says_so(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "skip", {"reason": "technical"})

    answer = client.get(address)

    assert answer.status_code == 410
    assert "You skipped or released this item." in page_of(answer)


def test_a_lease_taken_by_somebody_else_still_takes_the_answer_as_an_extra(
    rosa: Rater, raul: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, demonstration_campaign)
    Slot.objects.exclude(rater=rosa).delete()
    Slot.objects.filter(rater=rosa).update(expires_at=timezone.now() - timedelta(minutes=1))
    start(signed_in(raul), demonstration_campaign)
    assert PastLease.objects.get().rater == rosa

    assert "someone else has this item now" in page_of(client.get(address))
    client.post(address + "submit", {"step": "stop", "text": words(30)})

    assert Judgment.of_people.get().is_extra


def test_nobody_opens_the_lease_of_another(
    rosa: Rater, raul: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = start(signed_in(rosa), comparison_campaign)

    stranger = signed_in(raul)

    assert stranger.get(address).status_code == 404
    assert stranger.post(address + "submit", comparison()).status_code == 404


def test_an_admin_who_does_not_rate_has_no_desk(alice: User, signed_in: SignedIn) -> None:
    assert signed_in(alice).get("/desk/").status_code == 403


@pytest.mark.parametrize("act", ["ask", "release"])
def test_what_is_typed_is_kept_when_somebody_asks_or_gives_back_without_javascript(
    act: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    client.post(address + act, comparison(reason="half way", question="In scope?"))

    assert Draft.objects.get().content["fields"]["reason"] == ["half way"]


def test_an_untouched_item_that_goes_back_leaves_no_draft(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    client.post(address + "release", {"rank-A": "", "reason": ""})

    assert not Draft.objects.exists()


@pytest.mark.parametrize("act", ["ask", "skip", "release", "undo"])
def test_an_address_that_a_login_leads_back_to_shows_the_item(
    act: str, rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    assert client.get(address + act)["Location"] == address


def test_a_beat_for_an_item_that_was_stored_elsewhere_says_so(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    assert client.post(address + "heartbeat").json() == {"is_gone": True, "is_stored": True}
    late = client.post(
        address + "draft",
        json.dumps({"revision": 1, "fields": {}}),
        content_type="application/json",
    )
    assert late.json() == {"is_stored": True}


def test_a_draft_brings_back_the_time_spent_with_the_words(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    record = json.dumps({"active_s": 70, "opened": ["guideline"], "made_up": 1})
    body = json.dumps({"revision": 3, "fields": {"reason": ["so far"]}, "record": record})

    client.post(address + "draft", body, content_type="application/json")

    page = page_of(client.get(address))
    assert (
        'name="record" value="{&quot;opened&quot;: [&quot;guideline&quot;], &quot;active_s&quot;:'
        ' 70.0}"' in page
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_draft_that_arrives_while_the_answer_is_being_stored_does_not_outlive_it(
    rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    start(signed_in(rosa), demonstration_campaign)
    slot = slot_of(rosa)
    assert slot.lease is not None

    def save() -> None:
        try:
            slots.save_draft(
                item=slot.item,
                rater=rosa,
                content={"revision": 1, "fields": {}},
                now=timezone.now(),
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            submit.submit(
                lease=slot.lease,
                rater=rosa,
                answer=DemonstrationAnswer(text=words(30)),
                now=timezone.now(),
            )
            late = threads.submit(save)
            wait([late], timeout=1)  # until the answer is committed
        late.result()

    assert not Draft.objects.exists()
