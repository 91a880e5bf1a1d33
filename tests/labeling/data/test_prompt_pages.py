"""The admin's prompt pages, through HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.data.prompts import services as prompts_services
from labeling.data.prompts import upsetting
from labeling.models import Campaign, Prompt
from tests.cast import NOON, responses_to, some_prompts
from tests.html import page_of
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


def typed(alice: User, text: str, **changes: Any) -> Prompt:
    values: dict[str, Any] = {
        "category": "other",
        "language": "en",
        "split": "train",
        "licence": "",
    }
    return prompts_services.create_prompt(
        messages=[{"role": "user", "content": text}], **values | changes, by=alice, now=NOON
    )


NEW = {
    "text": "And now?",
    "category": "chat",
    "language": "en",
    "split": "train",
    "licence": "",
    "system": "",
    "history": "",
}


def test_a_site_without_prompts_leads_to_the_form_of_an_import(
    alice: User, signed_in: SignedIn
) -> None:
    page = page_of(signed_in(alice).get("/prompts/"))

    assert 'href="/prompts/imports/new/"' in page[page.index("No prompts yet") :]


@pytest.mark.parametrize("query", ["naïve", "NAÏVE", 'say "naïve"', "two\nlines"])
def test_prompts_are_found_by_their_words(query: str, alice: User, signed_in: SignedIn) -> None:
    typed(alice, 'Why say "naïve" on\ntwo\nlines?')
    typed(alice, "Something else.")

    page = words(signed_in(alice).get("/prompts/", {"q": query}))

    assert "1 prompt" in page
    assert "Something else." not in page


@pytest.mark.parametrize(
    ("name", "value"),
    [("category", "chat"), ("split", "test"), ("language", "de"), ("unused", "on")],
)
def test_prompts_are_filtered_by_the_address(
    name: str, value: str, alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    typed(alice, "Wie geht es dir heute morgen?", category="chat", split="test", language="de")

    page = words(signed_in(alice).get("/prompts/", {name: value}))

    assert "Wie geht es dir" in page
    assert "Question 0" not in page


def test_a_filter_that_makes_no_sense_asks_for_nothing(alice: User, signed_in: SignedIn) -> None:
    typed(alice, "Here I am.")

    page = words(
        signed_in(alice).get("/prompts/", {"source": "999", "category": "poems", "page": "x"})
    )

    assert "Here I am." in page


def test_a_prompt_shows_its_responses_under_their_source(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    item = comparison_campaign.items.select_related("prompt").first()
    assert item is not None

    page = words(signed_in(alice).get(f"/prompts/{item.prompt.pk}/"))

    assert "Answer 3 of a model" in page
    assert "4 responses" in page
    assert f'<a href="/campaigns/{comparison_campaign.pk}/">Compare</a>' in page


def test_a_prompt_is_typed_in_with_the_turns_before_it(alice: User, signed_in: SignedIn) -> None:
    history = "User: Hello.\nHow are you?\nAssistant: Fine."

    answer = signed_in(alice).post(
        "/prompts/new/", NEW | {"system": "Be brief.", "history": history}
    )

    prompt = Prompt.objects.get()
    assert answer.headers["Location"] == f"/prompts/{prompt.pk}/"
    assert prompt.messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello.\nHow are you?"},
        {"role": "assistant", "content": "Fine."},
        {"role": "user", "content": "And now?"},
    ]


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ("Hello.", "Line 1: start with “User:” or “Assistant:”."),
        ("Assistant: Hi.", "Turn 1 must be from the user"),
        ("User: Hi.\nAssistant:", "Turn 2 is empty."),
        ("User: Hi.", "The last earlier turn must be from the assistant"),
    ],
)
def test_earlier_turns_that_do_not_fit_get_a_sentence(
    history: str, sentence: str, alice: User, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post("/prompts/new/", NEW | {"history": history})

    assert sentence in words(answer)
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("n_prompts", [1, 20])
def test_the_list_asks_as_many_queries_for_one_prompt_as_for_twenty(
    n_prompts: int, alice: User, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    responses_to(some_prompts(n_prompts), n=2)
    client = signed_in(alice)

    with django_assert_num_queries(22):
        client.get("/prompts/")


@pytest.mark.parametrize("n_responses", [1, 20])
def test_a_prompt_asks_as_many_queries_for_one_response_as_for_twenty(
    n_responses: int, alice: User, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    (prompt,) = some_prompts(1)
    responses_to([prompt], n=n_responses)
    client = signed_in(alice)

    with django_assert_num_queries(10):
        client.get(f"/prompts/{prompt.pk}/")


def test_what_may_upset_is_set_on_the_prompts_page_without_a_new_version(
    alice: User, signed_in: SignedIn
) -> None:
    prompt = typed(alice, "A hard question.")
    client = signed_in(alice)

    page = words(
        client.post(f"/prompts/{prompt.pk}/upsetting", {"kinds": ["hate", "violence"]}, follow=True)
    )

    prompt.refresh_from_db()
    assert prompt.sensitive == ["violence", "hate"]
    assert prompt.version == 1
    assert "Saved." in page
    assert (
        AuditEvent.objects.filter(action="mark_upsetting", target_id=prompt.pk, by=alice).count()
        == 1
    )


def test_a_kind_that_there_is_not_changes_nothing(alice: User, signed_in: SignedIn) -> None:
    prompt = typed(alice, "A hard question.")

    page = words(
        signed_in(alice).post(f"/prompts/{prompt.pk}/upsetting", {"kinds": ["gore"]}, follow=True)
    )

    prompt.refresh_from_db()
    assert prompt.sensitive == []
    assert "Choose from the types shown." in page


def test_constraints_are_typed_one_a_line_and_go_along_with_what_may_upset_into_the_next_version(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.post("/prompts/new/", NEW | {"constraints": "Rhymes.\n\n Is short. "})
    first = Prompt.objects.get()
    assert '<li dir="auto">Is short.</li>' in page_of(client.get(f"/prompts/{first.pk}/"))
    upsetting.mark_upsetting(prompt=first, kinds=["hate"], by=alice, now=NOON)

    client.post(
        f"/prompts/{first.pk}/edit/", NEW | {"constraints": "Rhymes.", "keeps_responses": "on"}
    )

    second = Prompt.objects.get(supersedes=first)
    assert first.constraints == ["Rhymes.", "Is short."]
    assert second.constraints == ["Rhymes."]
    assert second.sensitive == ["hate"]
