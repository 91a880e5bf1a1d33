"""Items that nobody in the pool can get, by the rule in Python and by the rule in the database."""

from itertools import combinations, product

import pytest
from django.utils import timezone

from accounts.models import User
from labeling.models import (
    Campaign,
    Guideline,
    Pool,
    Prompt,
    Rater,
    RaterSkill,
    Response,
    Slot,
    Source,
)
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from labeling.people.skills import services as skills_services
from labeling.people.withdrawals import withdrawal
from labeling.queue import slots as queue_slots
from labeling.queue.claiming import claim, routing
from labeling.queue.claiming.routing import Fit, ItemFacts
from labeling.queue.gold import scores
from labeling.queue.stuck import stuck
from tests.cast import NOON, open_comparison_campaign, open_demonstration_campaign
from tests.tooling.recordings import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Four items that want one answer each."""
    return open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=4)


def prompts_of(campaign: Campaign, n: int) -> list[int]:
    return list(campaign.items.order_by("position").values_list("prompt", flat=True)[:n])


def test_upsetting_items_that_nobody_agreed_to_are_stuck(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    Prompt.objects.filter(pk__in=prompts_of(campaign, 3)).update(sensitive=["violence"])
    assert (stuck(campaign=campaign, now=NOON).n_unfit, stuck(campaign=campaign, now=NOON).n) == (
        3,
        3,
    )

    Rater.everyone.filter(pk=raul.pk).update(accepts=["violence", "self_harm"])
    assert stuck(campaign=campaign, now=NOON).n == 0


def test_items_in_a_language_that_nobody_knows_are_stuck_where_the_pool_routes(
    campaign: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    Prompt.objects.filter(pk__in=prompts_of(campaign, 2)).update(language="pt-BR")
    assert stuck(campaign=campaign, now=NOON).n == 0

    Pool.objects.filter(pk=day_shift.pk).update(routes_by_language=True, languages=["en"])
    campaign.refresh_from_db()
    assert stuck(campaign=campaign, now=NOON).n_unfit == 2
    RaterSkill.objects.create(
        rater=rosa,
        axis=RaterSkill.Axis.LANGUAGE,
        code="pt",
        basis=RaterSkill.Basis.DECLARED,
        at=NOON,
    )
    assert stuck(campaign=campaign, now=NOON).n == 0


@pytest.mark.parametrize(
    "how", ["paused in the pool", "paused in the campaign", "login closed", "withdrawn", "left"]
)
def test_who_cannot_come_is_nobody_to_wait_for(
    how: str, campaign: Campaign, day_shift: Pool, alice: User, rosa: Rater, raul: Rater
) -> None:
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    queue_slots.skip(lease=slot.lease, rater=rosa, reason="not_my_field", now=NOON)
    assert stuck(campaign=campaign, now=NOON).n_nobody == 0, "Raul is left for it"

    if how == "paused in the pool":
        accounts_services.pause_raters(pool=day_shift, raters=[raul], by=alice, now=NOON)
    elif how == "paused in the campaign":
        scores.pause_rater(campaign=campaign, rater=raul, by=alice, now=NOON)
    elif how == "login closed":
        User.objects.filter(rater=raul).update(is_active=False)
    elif how == "withdrawn":
        withdrawal.withdraw_rater(rater=raul, by=alice, now=NOON)
    else:
        pools_services.remove_raters(pool=day_shift, raters=[raul], by=alice, now=NOON)

    found = stuck(campaign=campaign, now=NOON)
    assert (found.n_nobody, found.n_unfit) == (1, 0)


def test_in_a_pool_without_raters_no_item_is_stuck(campaign: Campaign) -> None:
    assert stuck(campaign=campaign, now=NOON).n == 0


def test_a_comparison_whose_only_rater_wrote_one_of_its_responses_is_stuck(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, overlap=1)
    first = campaign.items.get(position=0).responses.first()
    assert first is not None

    Response.objects.filter(pk=first.pk).update(author=rosa)

    assert stuck(campaign=campaign, now=NOON).n_unfit == 1


# --- the rule in SQL and in Python ----------------------------------------------------------------


def facts_of(prompt: Prompt) -> ItemFacts:
    shown = Response.objects.filter(item_responses__item__prompt=prompt)
    return ItemFacts(
        language=prompt.language,
        category=prompt.category,
        sensitive=prompt.sensitive,
        sources={prompt.source_id, *shown.values_list("source_id", flat=True)},
        authors=set(shown.exclude(author=None).values_list("author_id", flat=True)),
    )


def assert_both_say(fits: list[Fit], prompt: Prompt) -> None:
    slots = Slot.objects.filter(item__prompt=prompt)
    facts = facts_of(prompt)
    for fit in fits:
        assert fit.takes(facts) == slots.filter(fit.test.of("item")).exists(), (fit, facts)


@pytest.mark.slow
def test_the_rule_in_python_is_the_rule_in_the_database(campaign: Campaign) -> None:
    codes = [frozenset[str](), frozenset({"en"}), frozenset({"pt", "en"})]
    upsets = list(Prompt.Upset.values)[:2]
    agreed = [frozenset(some) for n in range(3) for some in combinations(upsets, n)]
    fits = [
        Fit(rater=0, languages=languages, categories=categories, accepts=accepts)
        for languages, categories, accepts in product(
            [None, *codes], [None, frozenset({"chat"})], agreed
        )
    ]
    kinds = list(
        product(["", "en", "en-GB", "pt-BR", "ptx"], ["chat", "open_qa"], [[], upsets[:1], upsets])
    )
    prompt = Prompt.objects.get(pk=prompts_of(campaign, 1)[0])
    for language, category, sensitive in kinds:
        prompt.language, prompt.category, prompt.sensitive = language, category, sensitive
        prompt.save(update_fields=["language", "category", "sensitive"])
        assert_both_say(fits, prompt)


def test_the_rule_about_own_texts_in_python_is_the_rule_in_the_database(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, overlap=1)
    prompt, other = (item.prompt for item in campaign.items.order_by("position"))
    theirs = Source.objects.create(name="Rosa", kind=Source.Kind.PERSON, person=rosa.user)
    fits = [
        Fit(rater=rater.pk, own_sources=sources, is_author=is_author)
        for rater, sources, is_author in product(
            [rosa, raul], [(), (theirs.pk,), (theirs.pk, 0)], [False, True]
        )
    ]

    assert_both_say(fits, other)
    assert_both_say(fits, prompt)
    Prompt.objects.filter(pk=prompt.pk).update(source=theirs)
    assert_both_say(fits, Prompt.objects.get(pk=prompt.pk))
    Response.objects.filter(prompt=other, number=0).update(source=theirs)
    assert_both_say(fits, other)
    Response.objects.filter(prompt=other, number=0).update(author=raul)
    assert_both_say(fits, other)


def test_many_raters_fits_are_the_fits_of_each(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    Pool.objects.filter(pk=day_shift.pk).update(
        routes_by_language=True, routes_by_category=True, languages=["en"]
    )
    skills_services.declare_skills(
        rater=rosa, languages=["de"], topics=["chat"], now=timezone.now()
    )
    Rater.everyone.filter(pk=rita.pk).update(accepts=["violence"])
    pool = Pool.objects.get(pk=day_shift.pk)
    raters = list(Rater.everyone.order_by("pk"))

    assert routing.fits(pool=pool, raters=raters) == {
        rater.pk: routing.fit(campaign=campaign, rater=rater, pool=pool) for rater in raters
    }
