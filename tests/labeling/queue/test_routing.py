"""Which items reach whom: by language and category in pools that route, and never a rater's own
texts.
"""

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.data.prompts import services as prompts_services
from labeling.data.prompts import upsetting as prompts_upsetting
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Edit
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater, Response, Source
from labeling.people.accounts import services as accounts_services
from labeling.people.content_settings import services as content_settings_services
from labeling.people.pools import services as pools_services
from labeling.people.skills import services as skills_services
from labeling.queue import slots
from labeling.queue.claiming import claim, claim_sql, free_slots, routing, work_left
from tests.cast import NOON, open_comparison_campaign, open_demonstration_campaign
from tests.tooling.recordings import recorded

pytestmark = pytest.mark.django_db


def routed(
    pool: Pool,
    *,
    by_language: bool = False,
    by_category: bool = False,
    languages: tuple[str, ...] = (),
) -> None:
    terms = pools_services.PoolTerms(
        languages=languages, routes_by_language=by_language, routes_by_category=by_category
    )
    pools_services.edit_pool(
        pool=pool, name=pool.name, description="", is_held_out=False, terms=terms, by=None, now=NOON
    )


def tagged(campaign: Campaign, *tags: tuple[str, str]) -> None:
    """The campaign's items, in order, in these (language, category)."""
    for item, (language, category) in zip(campaign.items.order_by("position"), tags, strict=True):
        Prompt.objects.filter(pk=item.prompt_id).update(language=language, category=category)


def given(campaign: Campaign, rater: Rater, *, now: datetime = NOON) -> list[int]:
    """Positions of the items that the rater is given, in the campaign's order."""
    positions = []
    while (slot := claim.claim(campaign=campaign, rater=rater, now=now)) is not None:
        positions.append(slot.item.position)
        assert slot.lease is not None
        slots.skip(lease=slot.lease, rater=rater, reason="technical", now=now)
    return sorted(positions)


@pytest.fixture
@recorded
def mixed(day_shift: Pool, guideline: Guideline) -> Campaign:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=5)
    tagged(
        campaign,
        ("de", "chat"),
        ("fr", "chat"),
        ("", "closed_qa"),
        ("pt-BR", "other"),
        ("de", "closed_qa"),
    )
    return campaign


def test_without_routing_everybody_gets_everything(mixed: Campaign, rosa: Rater) -> None:
    assert given(mixed, rosa) == [0, 1, 2, 3, 4]


def test_items_go_to_raters_who_know_the_language(
    mixed: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    routed(day_shift, by_language=True)
    skills_services.declare_skills(rater=rosa, languages=["de"], topics=[], now=NOON)
    skills_services.declare_skills(rater=raul, languages=["fr", "pt"], topics=[], now=NOON)

    assert given(mixed, rosa) == [0, 2, 4]
    assert given(mixed, raul) == [1, 2, 3]


def test_items_go_to_raters_who_know_the_category(
    mixed: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    routed(day_shift, by_category=True)
    skills_services.grant_skills(rater=rosa, topics=["closed_qa"], by=None, now=NOON)

    assert given(mixed, rosa) == [2, 3, 4]


def test_what_the_pool_names_everybody_in_it_knows(
    mixed: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    routed(day_shift, by_language=True, languages=("fr",))

    assert given(mixed, rosa) == [1, 2]


def test_what_one_learns_brings_the_items_that_were_passed_over(
    mixed: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    routed(day_shift, by_language=True)
    assert given(mixed, rosa) == [2]

    skills_services.declare_skills(rater=rosa, languages=["de"], topics=[], now=NOON)

    assert given(mixed, rosa) == [0, 4]


def test_the_desk_knows_that_nothing_suits(mixed: Campaign, day_shift: Pool, rosa: Rater) -> None:
    tagged(mixed, *[("de", "chat")] * 5)
    routed(day_shift, by_language=True)

    assert not work_left.has_work(campaign=mixed, rater=rosa, now=NOON)


def test_a_lapsed_item_goes_to_nobody_whom_it_does_not_suit(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    tagged(campaign, ("de", "chat"))
    routed(day_shift, by_language=True)
    skills_services.declare_skills(rater=rosa, languages=["de"], topics=[], now=NOON)
    assert claim.claim(campaign=campaign, rater=rosa, now=NOON) is not None
    later = NOON + timedelta(days=1)

    assert claim.claim(campaign=campaign, rater=raul, now=later) is None
    skills_services.declare_skills(rater=raul, languages=["de"], topics=[], now=later)
    assert claim.claim(campaign=campaign, rater=raul, now=later) is not None


def test_nobody_judges_a_response_of_their_own(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3)
    own = Source.objects.create(name="rater rosa", kind=Source.Kind.PERSON, person=rosa.user)
    first = campaign.items.get(position=0)
    response = first.responses.first()
    assert response is not None
    Response.objects.filter(pk=response.pk).update(source=own)

    assert given(campaign, rosa) == [1, 2]
    assert given(campaign, raul) == [0, 1, 2]


def test_an_edit_is_its_raters_own(day_shift: Pool, guideline: Guideline, rosa: Rater) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1)
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=ComparisonAnswer(
            ranks={0: 1, 1: 2, 2: 3, 3: 4},
            ratings={position: {"overall": 4} for position in range(4)},
            edit=Edit(0, "Better."),
        ),
        now=NOON,
    )

    assert Response.objects.get(text="Better.").source.person == rosa.user


def test_nobody_answers_a_prompt_of_their_own(
    day_shift: Pool, guideline: Guideline, alice: User
) -> None:
    both = accounts_services.change_person(
        user=alice,
        email=alice.email,
        name="Alice",
        roles=["admin", "rater"],
        time_zone="UTC",
        is_active=True,
        by=None,
        now=NOON,
    )
    pools_services.add_raters(pool=day_shift, raters=[both.rater], by=None, now=NOON)
    prompt = prompts_services.create_prompt(
        messages=[{"role": "user", "content": "Mine"}],
        category="chat",
        language="en",
        split="train",
        licence="",
        by=alice,
        now=NOON,
    )
    campaign = campaigns_services.create_campaign(
        name="Write",
        settings=DemonstrationSettings(),
        pool=day_shift,
        guideline=guideline,
        prompts=[prompt],
        by=None,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)

    assert given(campaign, both.rater) == []


def upsetting(campaign: Campaign, *kinds: list[str]) -> None:
    """The campaign's items, in order, with these kinds of upsetting content."""
    for item, sensitive in zip(campaign.items.order_by("position"), kinds, strict=True):
        Prompt.objects.filter(pk=item.prompt_id).update(sensitive=sensitive)


def test_upsetting_items_go_only_to_raters_who_have_agreed_to_all_their_kinds(
    mixed: Campaign, rosa: Rater, raul: Rater
) -> None:
    upsetting(mixed, ["hate"], [], ["violence"], ["hate", "violence"], [])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=NOON)

    assert given(mixed, rosa) == [1, 2, 4]
    assert given(mixed, raul) == [1, 4]


def test_who_agrees_later_is_given_what_was_passed_over(mixed: Campaign, rosa: Rater) -> None:
    upsetting(mixed, ["hate"], [], [], ["hate"], [])
    assert given(mixed, rosa) == [1, 2, 4]

    content_settings_services.accept_upsetting(rater=rosa, kinds=["hate"], now=NOON)

    assert given(mixed, rosa) == [0, 3]


def test_who_takes_the_agreement_back_is_given_no_more_of_it(mixed: Campaign, rosa: Rater) -> None:
    upsetting(mixed, *[["hate"]] * 5)
    content_settings_services.accept_upsetting(rater=rosa, kinds=["hate"], now=NOON)
    content_settings_services.accept_upsetting(rater=rosa, kinds=[], now=NOON)

    assert given(mixed, rosa) == []
    assert not work_left.has_work(campaign=mixed, rater=rosa, now=NOON)


def test_a_lapsed_upsetting_item_goes_to_nobody_who_has_not_agreed(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    upsetting(campaign, ["abuse"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["abuse"], now=NOON)
    assert claim.claim(campaign=campaign, rater=rosa, now=NOON) is not None
    later = NOON + timedelta(days=1)

    assert claim.claim(campaign=campaign, rater=raul, now=later) is None
    content_settings_services.accept_upsetting(rater=raul, kinds=["abuse"], now=later)
    assert claim.claim(campaign=campaign, rater=raul, now=later) is not None


def test_a_prompt_that_is_called_upsetting_reaches_no_one_from_then_on_and_everyone_when_it_is_not(
    mixed: Campaign, rosa: Rater, alice: User
) -> None:
    prompt = mixed.items.get(position=2).prompt
    prompts_upsetting.mark_upsetting(prompt=prompt, kinds=["self_harm"], by=alice, now=NOON)
    assert given(mixed, rosa) == [0, 1, 3, 4]

    prompts_upsetting.mark_upsetting(prompt=prompt, kinds=[], by=alice, now=NOON)

    assert given(mixed, rosa) == [2]


def test_a_claim_is_one_statement_whatever_the_rater_agreed_to(
    mixed: Campaign, rosa: Rater, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    upsetting(mixed, ["hate"], ["violence"], [], [], [])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=NOON)
    fit = routing.fit(campaign=mixed, rater=rosa)

    with django_assert_num_queries(1):
        slot = free_slots.claim_free(campaign=mixed, rater=rosa, fit=fit, now=NOON)

    assert slot is not None
    assert slot.item.position == 1


def test_a_new_raters_claim_is_short_enough_for_psycopg_to_cache() -> None:
    fit = routing.Fit(rater=1, is_author=True, accepts=frozenset())

    statement = claim_sql.claim(
        fits=fit.claim_test.on("free.item_id"), repeat_fits=None, is_postgresql=True
    )

    assert len(statement) <= 4_096
