"""Items of a campaign that are given out part by part."""

import pytest

from accounts.models import User
from labeling.data import intake
from labeling.data.prompts import services as prompts_services
from labeling.models import Case, Guideline, Item, Pool, Prompt, Rater, Source
from labeling.people.withdrawals import withdrawal
from labeling.queue.cases import services as cases_services
from tests.cast import NOON, login_of, open_comparison_campaign

pytestmark = pytest.mark.django_db


def test_of_held_items_only_those_that_raters_may_see_are_given_out(
    day_shift: Pool, guideline: Guideline, alice: User, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=5)
    kept, offensive, retired, withdrawn, never_held = campaign.items.order_by("pk")
    held = [item.pk for item in (kept, offensive, retired, withdrawn)]
    intake.hold_items(item_ids=held, now=NOON)
    cases_services.open_case(item=offensive, reason="offensive", now=NOON)
    prompts_services.retire_prompt(prompt=retired.prompt, by=alice, now=NOON)
    hers = Source.objects.create(name="Raul", kind=Source.Kind.PERSON, person=login_of(raul))
    Prompt.objects.filter(pk=withdrawn.prompt_id).update(source=hers)
    withdrawal.withdraw_rater(rater=raul, by=alice, now=NOON)

    assert intake.held_items(item_ids=held) == [kept.pk]
    assert intake.release_items(item_ids=held, now=NOON) == 1

    offered = Item.objects.filter(campaign=campaign, slots__state="free").distinct()
    assert set(offered) == {kept, never_held}


def test_items_kept_for_later_stay_when_another_hold_ends(
    day_shift: Pool, guideline: Guideline, alice: User, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3)
    offensive, withdrawn, never_held = campaign.items.order_by("pk")
    later = [offensive.pk, withdrawn.pk]
    hers = Source.objects.create(name="Raul", kind=Source.Kind.PERSON, person=login_of(raul))
    Prompt.objects.filter(pk=withdrawn.prompt_id).update(source=hers)
    intake.hold_items(item_ids=later, now=NOON)

    withdrawal.withdraw_rater(rater=raul, by=alice, now=NOON)
    withdrawal.readmit_rater(rater=raul, by=alice, now=NOON)
    cases_services.open_case(item=offensive, reason="offensive", now=NOON)
    case = Case.objects.get(item=offensive)
    cases_services.settle_case(case=case, outcome="kept", by=alice, now=NOON)

    offered = Item.objects.filter(campaign=campaign, slots__state="free").distinct()
    assert set(offered) == {never_held}
    assert intake.release_items(item_ids=later, now=NOON) == 2
    assert set(offered.all()) == {offensive, withdrawn, never_held}


def test_an_item_in_question_when_its_part_opens_is_given_out_once_that_is_settled(
    day_shift: Pool, guideline: Guideline, alice: User
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1)
    item = campaign.items.get()
    intake.hold_items(item_ids=[item.pk], now=NOON)
    cases_services.open_case(item=item, reason="offensive", now=NOON)

    assert intake.release_items(item_ids=[item.pk], now=NOON) == 0
    cases_services.settle_case(case=Case.objects.get(item=item), outcome="kept", by=alice, now=NOON)

    assert campaign.items.get().slots.filter(state="free").exists()
