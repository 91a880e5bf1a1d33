"""A prompt belongs to train, validation or test for ever, by whichever door it came."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.data.prompts import services as prompts_services
from labeling.data.prompts.services import UnableToEdit
from labeling.models import Prompt
from labeling.splits import near_duplicates
from labeling.splits.places import UnableToPlace
from tests.api.conftest import client_with, secret_of
from tests.cast import NOON
from tests.html import page_of

SignedIn = Callable[..., Client]
LONG = "Explain to a child of ten how a sewing machine makes its stitches, step by step, number {}."

pytestmark = pytest.mark.django_db


def create(by: User, text: str, **changes: Any) -> Prompt:
    return prompts_services.create_prompt(
        messages=[{"role": "user", "content": text}],
        **{"category": "other", "language": "en", "licence": ""} | changes,
        by=by,
        now=NOON,
    )


def test_a_prompt_created_by_the_api_is_split_by_its_text(alice: User) -> None:
    client = client_with(secret_of(alice))
    for n in range(40):
        messages = [{"role": "user", "content": f"{n * 7919} {'abcdefgh'[n % 8] * 30}?"}]
        body = {"messages": messages}
        made = client.post("/api/v1/prompts", body, content_type="application/json")
        assert made.status_code == 201

    prompts = list(Prompt.objects.all())
    assert [one.split for one in prompts] == [
        near_duplicates.split_of(one.cluster) for one in prompts
    ]
    assert len({one.split for one in prompts}) > 1


def test_a_near_duplicate_joins_the_split_of_the_prompt_that_was_there(alice: User) -> None:
    first = create(alice, LONG.format(1), split="test")

    second = create(alice, LONG.format(2))

    assert (second.split, second.cluster) == ("test", first.cluster)


def test_a_near_duplicate_of_a_test_prompt_is_refused_on_the_other_side(alice: User) -> None:
    create(alice, LONG.format(1), split="test")

    with pytest.raises(UnableToPlace, match="is in the split test"):
        create(alice, LONG.format(2), split="train")
    assert Prompt.objects.count() == 1


def test_the_form_says_why_a_split_is_refused(alice: User, signed_in: SignedIn) -> None:
    create(alice, LONG.format(1), split="test")
    given = {"text": LONG.format(2), "category": "chat", "language": "en", "split": "train"}

    response = signed_in(alice).post("/prompts/new/", given)

    assert response.status_code == 422
    assert "nearly identical prompt is in the split test" in page_of(response)


def test_an_equal_prompt_from_before_keys_were_stored_counts_too(alice: User) -> None:
    old = create(alice, "Hi there", split="validation")
    old.keys.all().delete()

    assert create(alice, "Hi there").split == "validation"


def test_a_new_version_cannot_become_a_near_duplicate_of_another_split(alice: User) -> None:
    create(alice, LONG.format(1), split="test")
    trains = create(
        alice, "How many legs has a spider, and what does it use them for?", split="train"
    )

    with pytest.raises(UnableToEdit, match="but it is for train"):
        prompts_services.edit_prompt(
            prompt=trains,
            messages=[{"role": "user", "content": LONG.format(3)}],
            category="other",
            language="en",
            keeps_responses=False,
            by=alice,
            now=NOON,
        )
