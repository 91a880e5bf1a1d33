"""Creating a campaign through HTTP: which prompts it takes, and how many there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from lxml.html import document_fromstring as parsed

from accounts.models import User
from labeling.campaigns.forms import CLOSED_GROUPS, CampaignForm
from labeling.models import Campaign, Guideline, Pool, Prompt, Source
from tests.cast import responses_to, some_prompts
from tests.html import Answer
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


OF_CONVERSATIONS = "ancestor::section[contains(@class, 'conversations-only')]"


def fields_of(answer: Answer, where: str) -> list[str]:
    """Names of the form's visible fields that `where`, an XPath condition, selects."""
    kinds = "self::input[@type != 'hidden'] or self::select"
    form = "//form[contains(@class, 'guided')]"
    names = parsed(answer.content.decode()).xpath(f"{form}//*[{kinds}][{where}]/@name")
    return sorted(set(names))


def test_what_few_people_change_is_closed(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(2), n=2)

    page = signed_in(alice).get("/campaigns/new/")

    assert fields_of(page, f"not(ancestor::details or {OF_CONVERSATIONS})") == [
        *("guideline", "kind", "n_prompts", "n_responses", "name", "overlap", "pool"),
        *("response_sources", "sources"),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("splits", ["train"]),
        ("is_unused", ""),
        ("asks_reason", ""),
        ("max_words", "90"),
        ("max_words", "many"),
        ("order", "spread"),
        ("lease_minutes", "5"),
        ("gold_share", "10"),
        ("budget_unit", "hours"),
    ],
)
def test_a_group_with_another_value_than_usual_is_open(
    field: str,
    value: str | list[str],
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
) -> None:
    usual = {name: CampaignForm()[name].value() for name in sum(CLOSED_GROUPS.values(), ())}
    sent = {
        name: value
        for name, value in usual.items()
        if value not in ("", None) and value is not False
    }
    values = sent | new_campaign(day_shift, guideline, name="") | {field: value}

    page = signed_in(alice).post("/campaigns/new/", values)

    (group,) = [names for names in CLOSED_GROUPS.values() if field in names]
    assert fields_of(page, "ancestor::details[@open]") == sorted({*group} - {"languages"})


def test_a_copy_shows_what_its_campaign_has_set(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    Campaign.objects.update(review_share=20)

    page = signed_in(alice).get(f"/campaigns/new/?from={demonstration_campaign.pk}")

    assert fields_of(page, "ancestor::details[@open]") == sorted(CLOSED_GROUPS["checks"])


@pytest.mark.parametrize(
    ("n_of_each", "kind", "n_responses"),
    [
        ([], "demonstration", 4),
        ([1, 1], "demonstration", 1),
        ([2, 2, 3], "comparison", 2),
        ([2, 3], "comparison", 3),
        ([12], "comparison", 9),
    ],
)
def test_the_form_proposes_what_the_newest_responses_allow(
    n_of_each: list[int], kind: str, n_responses: int
) -> None:
    for prompt, n in zip(some_prompts(len(n_of_each)), n_of_each, strict=True):
        responses_to([prompt], n=n)

    form = CampaignForm()

    assert (form["kind"].initial, form["n_responses"].initial) == (kind, n_responses)


def test_responses_that_a_campaign_compares_already_are_not_proposed(
    comparison_campaign: Campaign,
) -> None:
    assert CampaignForm()["kind"].initial == "demonstration"
