"""What is left of a rater's words where somebody has copied them, and the badge of pages that still
show admins what was done.
"""

from collections.abc import Iterator
from itertools import chain

import pytest
from django.test import Client
from django.utils import timezone

from labeling.data import intake
from labeling.models import Item, Prompt
from tests.html import page_of
from tests.labeling.people.withdrawals import story
from tests.labeling.people.withdrawals.story import Cast
from tests.labeling.people.withdrawals.test_written_words import (
    DATA,
    SignedIn,
    cast,
    files,
    new_campaigns,
    shown,
    staff,
    withdraw,
)

__all__ = ["cast", "staff"]
pytestmark = pytest.mark.django_db
BADGE = ">withdrawn<"


def pages_of_admins(client: Client) -> Iterator[tuple[str, str]]:
    for item in Item.objects.order_by("pk"):
        for place in ("items", "review"):
            path = f"/campaigns/{item.campaign_id}/{place}/{item.pk}/"
            answer = client.get(path)
            if answer.status_code == 200:
                yield path, page_of(answer)


def keep(cast: Cast, prompt: Prompt) -> Prompt:
    """A researcher saves the same text under Try models."""
    return intake.save_prompt(
        messages=prompt.messages,
        category="chat",
        language="en",
        split="train",
        licence="CC0-1.0",
        by=cast.admin,
        now=timezone.now(),
    )


def test_pages_that_still_show_admins_the_words_say_that_the_rater_has_withdrawn(
    cast: Cast, signed_in: SignedIn
) -> None:
    client = signed_in(cast.admin)
    before = dict(pages_of_admins(client))
    assert not [path for path, page in before.items() if BADGE in page.lower()]

    withdraw(cast, signed_in)

    after = dict(pages_of_admins(client))
    with_words = [path for path, page in after.items() if any(word in page for word in DATA)]
    assert with_words
    assert [path for path in with_words if BADGE not in after[path].lower()] == []


def test_what_the_playground_saved_of_the_same_text_leaves_with_the_prompt(
    cast: Cast, signed_in: SignedIn
) -> None:
    original = story.message_prompt()
    assert keep(cast, original) == original

    withdraw(cast, signed_in)

    assert "wmessage7q" not in shown(DATA, chain(files(), new_campaigns()))


def test_what_staff_save_again_after_the_withdrawal_is_a_prompt_of_theirs(
    cast: Cast, signed_in: SignedIn
) -> None:
    original = story.message_prompt()
    withdraw(cast, signed_in)

    copy = keep(cast, original)

    assert copy != original
    assert copy.source is not None
    assert copy.source.person == cast.admin
