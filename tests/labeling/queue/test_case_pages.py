"""Editing and retiring prompts, and the queues of skipped items."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from arithmetic import chats
from arithmetic.chats import CalledFunction, Message
from labeling.data.prompts import services as prompts_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import (
    Campaign,
    Case,
    Guideline,
    ItemQuestion,
    Judgment,
    Pool,
    Prompt,
    Rater,
    Slot,
)
from labeling.people.accounts import services as accounts_services
from labeling.queue import slots
from labeling.queue.cases import services as cases_services
from labeling.queue.claiming import claim
from labeling.review.questions import services as questions_services
from tests.cast import (
    NOON,
    lease_of,
    open_comparison_campaign,
    open_demonstration_campaign,
    rater_called,
    some_prompts,
)
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def take(campaign: Campaign, rater: Rater) -> Slot:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    return slot


def skip(campaign: Campaign, rater: Rater, reason: str, note: str = "") -> Slot:
    slot = take(campaign, rater)
    assert slot.lease is not None
    slots.skip(lease=lease_of(slot), rater=rater, reason=reason, note=note, now=NOON)
    return slot


def write(campaign: Campaign, rater: Rater) -> Judgment:
    slot = take(campaign, rater)
    assert slot.lease is not None
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text="Four."), now=NOON
    )


def edited_form(prompt: Prompt, **fields: str) -> dict[str, str]:
    return {
        "text": "Which is it?",
        "category": "chat",
        "language": "en",
        "keeps_responses": "on",
    } | fields


# --- prompts --------------------------------------------------------------------------------------


def test_an_edit_is_a_new_version_and_the_old_one_is_retired(
    alice: User, signed_in: SignedIn
) -> None:
    (prompt,) = some_prompts(1)

    signed_in(alice).post(f"/prompts/{prompt.pk}/edit/", edited_form(prompt))

    prompt.refresh_from_db()
    new = Prompt.objects.get(supersedes=prompt)
    assert prompt.retired_at is not None
    assert (new.version, new.split, new.cluster, new.category) == (
        2,
        prompt.split,
        prompt.cluster,
        "chat",
    )
    assert new.messages == [{"role": "user", "content": "Which is it?"}]
    assert AuditEvent.objects.filter(action="new_version", by=alice, target_id=new.pk).exists()


def test_the_form_starts_with_the_whole_conversation(alice: User, signed_in: SignedIn) -> None:
    messages: list[Message] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello.\nAnybody?"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Why?"},
    ]
    prompt = prompts_services.create_prompt(
        messages=messages,
        category="chat",
        language="en",
        split="train",
        licence="",
        by=alice,
        now=NOON,
    )

    form = signed_in(alice).get(f"/prompts/{prompt.pk}/edit/").context["form"]
    shown = {name: form[name].value() for name in ("system", "history", "text")}
    signed_in(alice).post(
        f"/prompts/{prompt.pk}/edit/", shown | {"category": "other", "language": "en"}
    )

    assert Prompt.objects.get(supersedes=prompt).messages == messages


def test_an_edit_keeps_the_tool_calls_of_earlier_turns(alice: User, signed_in: SignedIn) -> None:
    function: CalledFunction = {"name": "get_weather", "arguments": {"city": "Ulm"}}
    messages: list[Message] = [
        {"role": "user", "content": "What is the weather?"},
        chats.answer("", "", [{"id": "1", "type": "function", "function": function}]),
        {"role": "tool", "content": "Rain", "tool_call_id": "1"},
        chats.answer("It rains."),
        {"role": "user", "content": "And tomorow?"},
    ]
    (prompt,) = some_prompts(1)
    Prompt.objects.filter(pk=prompt.pk).update(messages=messages)

    signed_in(alice).post(
        f"/prompts/{prompt.pk}/edit/",
        {"text": "And tomorrow?", "category": "other", "language": "en"},
    )

    edited = Prompt.objects.get(supersedes=prompt)
    assert edited.messages == [*messages[:-1], {"role": "user", "content": "And tomorrow?"}]


def test_an_edit_that_changes_nothing_is_refused(alice: User, signed_in: SignedIn) -> None:
    (prompt,) = some_prompts(1)
    same = edited_form(prompt, text=prompt.messages[0]["content"], category=prompt.category)

    answer = signed_in(alice).post(f"/prompts/{prompt.pk}/edit/", same)

    assert answer.status_code == 422
    assert "Nothing has changed." in words(answer)
    assert Prompt.objects.count() == 1


def test_a_version_that_was_edited_is_not_edited_again(alice: User) -> None:
    (prompt,) = some_prompts(1)
    values: dict[str, Any] = {
        "category": "other",
        "language": "en",
        "keeps_responses": False,
        "by": alice,
        "now": NOON,
    }
    prompts_services.edit_prompt(
        prompt=prompt, messages=[{"role": "user", "content": "One?"}], **values
    )

    with pytest.raises(prompts_services.UnableToEdit, match="newest version"):
        prompts_services.edit_prompt(
            prompt=prompt, messages=[{"role": "user", "content": "Two?"}], **values
        )


def test_an_edited_prompt_goes_back_to_work_and_old_answers_stay(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    signed_in: SignedIn,
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2
    )
    old = write(campaign, rosa)
    skip(campaign, raul, "prompt_unclear")

    answer = signed_in(alice).post(
        f"/prompts/{old.prompt_id}/edit/", edited_form(old.prompt), follow=True
    )

    assert "1 item is back in the queue." in words(answer)
    assert take(campaign, rosa).item.prompt.messages[0]["content"] == "Which is it?"
    assert take(campaign, raul).item.prompt.messages[0]["content"] == "Which is it?", (
        "who skipped the old one too"
    )
    old.refresh_from_db()
    assert old.prompt.messages[0]["content"] == "Question 0: what is 0 plus 0?"
    assert old.is_current
    assert Case.objects.get().outcome == "edited"


def test_a_comparison_goes_back_to_work_only_with_its_responses(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2)
    with_them, without = (
        item.prompt for item in campaign.items.select_related("prompt").order_by("position")
    )
    values: dict[str, Any] = {"category": "other", "language": "en", "by": alice, "now": NOON}

    kept = prompts_services.edit_prompt(
        prompt=with_them,
        messages=[{"role": "user", "content": "One?"}],
        keeps_responses=True,
        **values,
    )
    gone = prompts_services.edit_prompt(
        prompt=without,
        messages=[{"role": "user", "content": "Two?"}],
        keeps_responses=False,
        **values,
    )

    assert (kept.n_items, gone.n_items) == (1, 0)
    slot = take(campaign, rosa)
    assert slot.item.prompt == kept.prompt
    assert slot.item.responses.count() == 4
    assert campaign.slots.count() == 3


def test_what_is_finished_does_not_come_back(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    old = write(campaign, rosa)

    edited = prompts_services.edit_prompt(
        prompt=old.prompt,
        messages=[{"role": "user", "content": "Which?"}],
        category="other",
        language="en",
        keeps_responses=True,
        by=alice,
        now=NOON,
    )

    assert edited.n_items == 0
    assert campaign.items.count() == 1


def test_a_retired_prompt_is_handed_out_no_more(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    held = take(demonstration_campaign, raul)
    client = signed_in(alice)

    assert "Retire prompt" in words(client.get(f"/prompts/{held.item.prompt_id}/retire/"))
    client.post(f"/prompts/{held.item.prompt_id}/retire/")
    slots.release(lease=lease_of(held), rater=raul, now=NOON)

    given = set()
    while slot := claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON):
        given.add(slot.item_id)
        submit.submit(
            lease=lease_of(slot), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=NOON
        )
    assert len(given) == 4
    assert held.item_id not in given
    assert f"/prompts/{held.item.prompt_id}/" not in client.get("/prompts/").text
    assert f"/prompts/{held.item.prompt_id}/" in client.get("/prompts/?retired=on").text


# --- queues ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "queue"),
    [("prompt_unclear", "repair"), ("offensive", "safety"), ("technical", "technical")],
)
def test_a_skip_opens_a_case_in_its_queue(
    alice: User,
    demonstration_campaign: Campaign,
    rosa: Rater,
    signed_in: SignedIn,
    reason: str,
    queue: str,
) -> None:
    skip(demonstration_campaign, rosa, reason, note="What is it about?")

    page = words(signed_in(alice).get(f"/queues/{queue}/"))

    assert "What is it about?" in page
    assert rosa.alias in page
    assert "Not assigned" in page


def test_not_my_field_opens_no_case_and_goes_to_another_rater(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = skip(demonstration_campaign, rosa, "not_my_field")

    assert not Case.objects.exists()
    assert take(demonstration_campaign, raul).item_id == slot.item_id


def test_a_second_skip_joins_the_open_case(
    demonstration_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    skip(demonstration_campaign, rosa, "prompt_unclear")
    skip(demonstration_campaign, raul, "prompt_unclear")

    assert Case.objects.count() == 1


def test_a_safety_case_holds_its_item_until_it_is_settled(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    slot = skip(demonstration_campaign, rosa, "offensive")
    other = take(demonstration_campaign, raul)
    assert other.item_id != slot.item_id
    slots.release(lease=lease_of(other), rater=raul, now=NOON)

    signed_in(alice).post(
        f"/cases/{Case.objects.get().pk}/settle", {"outcome": "kept", "note": "Only rude."}
    )

    case = Case.objects.get()
    assert (case.outcome, case.note, case.settled_by) == ("kept", "Only rude.", alice)
    given = set()
    while found := claim.claim(campaign=demonstration_campaign, rater=raul, now=NOON):
        given.add(found.item_id)
        submit.submit(
            lease=lease_of(found), rater=raul, answer=DemonstrationAnswer(text="Four."), now=NOON
        )
    assert slot.item_id in given
    assert (
        demonstration_campaign.slots.filter(item=slot.item_id).count()
        == demonstration_campaign.overlap
    )


def test_a_case_is_taken_and_given_back(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    skip(demonstration_campaign, rosa, "technical")
    client, case = signed_in(alice), Case.objects.get()

    client.post(f"/cases/{case.pk}/own", {"owner": "me"})
    assert "Assigned to Alice" in words(client.get("/queues/technical/"))
    client.post(f"/cases/{case.pk}/own", {"owner": ""})

    case.refresh_from_db()
    assert case.owner is None
    owners = (
        AuditEvent.objects.filter(action="own", by=alice)
        .order_by("pk")
        .values_list("before__owner", "after__owner")
    )
    assert list(owners) == [(None, "alice@example.org"), ("alice@example.org", None)]


def test_a_case_is_settled_once(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    skip(demonstration_campaign, rosa, "technical")
    client, case = signed_in(alice), Case.objects.get()
    client.post(f"/cases/{case.pk}/settle", {"outcome": "fixed"})

    answer = client.post(f"/cases/{case.pk}/settle", {"outcome": "kept"}, follow=True)

    assert "Someone else has already resolved this" in words(answer)
    assert Case.objects.get().outcome == "fixed"
    assert (
        "fixed and returned to raters"
        in words(client.get("/queues/technical/?state=settled")).lower()
    )


def test_the_rail_leads_to_the_first_queue_in_which_something_waits(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    assert client.get("/queues/").headers["Location"] == "/queues/repair/"
    ItemQuestion.objects.create(
        item=demonstration_campaign.items.earliest("pk"), rater=rosa, text="Why?", asked_at=NOON
    )
    assert client.get("/queues/").headers["Location"] == "/questions/"
    skip(demonstration_campaign, rosa, "technical")

    assert client.get("/queues/").headers["Location"] == "/queues/technical/"


def test_a_question_has_an_owner(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    question = questions_services.ask_about(
        item=demonstration_campaign.items.earliest("pk"), rater=rosa, text="Why?", now=NOON
    )

    page = signed_in(alice).post(f"/questions/{question.pk}/own", {"owner": "me"}, follow=True)

    assert "Assigned to Alice" in words(page)


def test_an_answered_question_says_who_answered_it_and_who_saw_to_it(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    anna = accounts_services.create_person(
        email="anna@example.org", name="Anna", roles=["admin"], by=None, now=NOON
    )
    question = questions_services.ask_about(
        item=demonstration_campaign.items.earliest("pk"), rater=rosa, text="Why?", now=NOON
    )
    cases_services.assign_question(question=question, owner=anna, by=anna, now=NOON)
    questions_services.answer_question(question=question, text="Because.", by=alice, now=NOON)

    page = words(signed_in(anna).get("/questions/?state=answered"))

    assert "Answered by Alice" in page
    assert "Handled by Anna" in page


def test_a_queue_that_is_not_there_is_not_found(alice: User, signed_in: SignedIn) -> None:
    assert signed_in(alice).get("/queues/nothing/").status_code == 404


@pytest.mark.parametrize("n", [1, 8])
def test_a_queue_asks_as_many_queries_for_one_case_as_for_eight(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
    n: int,
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=8)
    for number in range(n):
        skip(campaign, rater_called(f"Rater {number}", pool=day_shift), "technical")
        Slot.objects.filter(queue_rank__lt=0).delete()
    client = signed_in(alice)

    with django_assert_num_queries(11):
        client.get("/queues/technical/")


def test_old_answers_stay_valid_when_the_form_changes_before_a_repair(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=1, overlap=2
    )
    old = write(campaign, rosa)
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Anew.", form=rating_form.default(), by=alice, now=NOON
    )
    prompts_services.edit_prompt(
        prompt=old.prompt,
        messages=[{"role": "user", "content": "Which?"}],
        category="other",
        language="en",
        keeps_responses=True,
        by=alice,
        now=NOON,
    )
    campaign.refresh_from_db()

    new = write(campaign, raul)

    old.refresh_from_db()
    assert old.guideline_version is not None
    assert new.guideline_version is not None
    assert (old.guideline_version.number, new.guideline_version.number) == (1, 2)
    assert (old.prompt.version, new.prompt.version) == (1, 2)
