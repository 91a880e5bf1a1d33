"""Creating a campaign through HTTP: which prompts it takes, and how many there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Prompt, Source
from tests.cast import responses_to, some_prompts
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def new_campaign(pool: Pool, guideline: Guideline, **changes: Any) -> dict[str, Any]:
    values = {
        "name": "Fresh",
        "kind": "demonstration",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "overlap": 2,
        "order": "finish_first",
        "lease_minutes": 30,
        "n_responses": "",
        "is_unused": "on",
    }
    return values | changes


def test_a_campaign_is_made_from_the_prompts_that_match(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(4)
    Prompt.objects.filter(pk=prompts[0].pk).update(split="test")

    answer = signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, splits=["train"])
    )

    campaign = Campaign.objects.get()
    assert answer.headers["Location"] == f"/campaigns/{campaign.pk}/"
    assert (campaign.state, campaign.items.count(), campaign.slots.count()) == ("draft", 3, 6)
    assert campaign.created_by == alice


def test_a_campaign_says_what_is_asked(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(1), n=2)
    asked = {"kind": "comparison", "n_responses": 2, "asks_strength": "on"}

    signed_in(alice).post("/campaigns/new/", new_campaign(day_shift, guideline, **asked))

    campaign = Campaign.objects.get()
    assert (campaign.asks_strength, campaign.asks_reason) == (True, False)


def test_a_campaign_says_how_long_an_answer_is(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(1)

    signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, min_words="5", max_words="")
    )

    campaign = Campaign.objects.get()
    assert (campaign.min_words, campaign.max_words) == (5, 600)


def test_fewer_words_at_most_than_at_least_are_refused(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(1)

    page = words(
        signed_in(alice).post(
            "/campaigns/new/", new_campaign(day_shift, guideline, min_words="9", max_words="8")
        )
    )

    assert "Maximum words must not be lower than minimum words." in page


def test_prompts_of_an_earlier_campaign_of_the_kind_are_left_out(
    alice: User,
    demonstration_campaign: Campaign,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    answer = signed_in(alice).post("/campaigns/new/", new_campaign(day_shift, guideline))

    assert "No prompts match." in words(answer)
    assert Campaign.objects.count() == 1


def test_prompts_of_an_earlier_campaign_are_taken_when_that_is_allowed(
    alice: User,
    demonstration_campaign: Campaign,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    signed_in(alice).post("/campaigns/new/", new_campaign(day_shift, guideline, is_unused=""))

    assert Campaign.objects.get(name="Fresh").items.count() == 5


def test_a_comparison_says_how_many_prompts_have_enough_responses(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(5)
    responses_to(prompts[:2], n=4)
    responses_to(prompts[2:], n=3)

    answer = signed_in(alice).post(
        "/campaigns/new/",
        new_campaign(day_shift, guideline, kind="comparison", n_responses=4, n_prompts=3),
    )

    assert "Only 2 prompts have at least 4 responses from these sources." in words(answer)


def test_a_comparison_says_what_the_most_responses_are_when_no_prompt_has_enough(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=3)

    answer = signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, kind="comparison", n_responses=4)
    )

    assert (
        "None of the 5 matching prompts has 4 responses from these sources; the most is 3."
        in words(answer)
    )


def test_a_comparison_takes_responses_of_the_chosen_sources_only(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(2)
    responses_to(prompts, n=2, source_name="one model")
    responses_to(prompts, n=2, source_name="another model")
    chosen = Source.objects.get(name="one model")

    signed_in(alice).post(
        "/campaigns/new/",
        new_campaign(
            day_shift, guideline, kind="comparison", n_responses=2, response_sources=[chosen.pk]
        ),
    )

    used = Campaign.objects.get().items.values_list("responses__source__name", flat=True)
    assert set(used) == {"one model"}


def test_the_count_follows_what_is_ticked(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(4)

    page = words(
        signed_in(alice).post(
            "/campaigns/new/count", new_campaign(day_shift, guideline, n_prompts=3)
        )
    )

    assert "<strong>3 prompts</strong>, 6 answers, about 0.7 h" in page
    assert "even sample of 4 matching prompts" in page


def test_the_count_works_before_the_form_is_filled_in(alice: User, signed_in: SignedIn) -> None:
    some_prompts(4)

    page = words(signed_in(alice).post("/campaigns/new/count", {"kind": "demonstration"}))

    assert "4 prompts" in page


def test_a_name_that_is_taken_gets_a_sentence(
    alice: User,
    demonstration_campaign: Campaign,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    answer = signed_in(alice).post(
        "/campaigns/new/", new_campaign(day_shift, guideline, name="Write", is_unused="")
    )

    assert "Another campaign already has this name." in words(answer)
