"""When a gold is due, and who gets one."""

from datetime import timedelta

import pytest

from accounts.models import User
from labeling.campaigns import board
from labeling.data.prompts import services as prompts_services
from labeling.models import (
    Campaign,
    Case,
    Gold,
    Guideline,
    Pool,
    Prompt,
    Rater,
    Response,
    Slot,
    Source,
)
from labeling.people.content_settings import services as content_settings_services
from labeling.queue import slots
from labeling.queue.cases import services as cases_services
from labeling.queue.claiming import claim, work_left
from labeling.queue.gold import services as gold_services
from labeling.queue.gold import turns as gold_turns
from tests.cast import NOON, open_comparison_campaign
from tests.labeling.queue.gold.scene import (
    GOOD,
    RIGHT,
    gold_order,
    lines,
    next_gold,
    skip_as_offensive,
    work_through,
)


@pytest.mark.parametrize("share", [1, 5, 7, 10, 15, 33, 50])
def test_golds_come_at_their_share(share: int) -> None:
    n = 100 * 20
    turns = [gold_turns.is_gold_turn(seed=9, n=place, share=share) for place in range(n)]

    assert sum(turns) == n * share // 100


def test_nobody_can_foresee_a_golds_turn() -> None:
    places = {
        seed: [n for n in range(40) if gold_turns.is_gold_turn(seed=seed, n=n, share=10)]
        for seed in range(30)
    }

    assert len({tuple(found) for found in places.values()}) == 30
    assert {found[0] for found in places.values()} == set(
        range(1, 10)
    )  # never the first item of all


def test_golds_are_mixed_in_at_their_share(campaign: Campaign, rosa: Rater) -> None:
    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)

    assert sum(judgment.is_gold for judgment in given) == 4


def test_a_rater_meets_a_gold_once_at_most(campaign: Campaign, rosa: Rater) -> None:
    given = work_through(campaign, rosa, n=20, on_gold=RIGHT)

    golds = [judgment.item_id for judgment in given if judgment.is_gold]
    assert len(golds) == len(set(golds)) == 6


def test_whoever_judged_the_item_is_not_given_the_gold_made_of_it(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=12)
    gold_services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    first = work_through(campaign, rosa, n=1, on_gold=RIGHT)[0]
    assert first.item is not None
    gold_services.make_gold(
        item=first.item, ranks=gold_order(first.item), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )

    given = work_through(campaign, rosa, n=6, on_gold=RIGHT, at=5)

    assert not any(judgment.is_gold for judgment in given)


def test_a_gold_answered_in_one_campaign_is_not_given_in_another(
    campaign: Campaign, rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=8, name="Another")
    gold_services.set_golds(campaign=other, values={"gold_share": 50}, by=None, now=NOON)
    assert gold_services.use_other_golds(campaign=other, by=None, now=NOON) == 6
    work_through(campaign, rosa, n=14, on_gold=RIGHT)

    given = work_through(other, rosa, n=6, on_gold=RIGHT, at=60)

    assert not any(judgment.is_gold for judgment in given)


def test_an_upsetting_gold_is_given_only_to_who_agreed_to_its_kind(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    Prompt.objects.filter(items__gold_use__isnull=False).update(sensitive=["hate"])
    content_settings_services.accept_upsetting(rater=raul, kinds=["hate"], now=NOON)

    assert not any(
        judgment.is_gold for judgment in work_through(campaign, rosa, n=8, on_gold=RIGHT)
    )
    assert (
        sum(judgment.is_gold for judgment in work_through(campaign, raul, n=8, on_gold=RIGHT)) == 4
    )


def test_a_gold_that_was_called_offensive_is_given_to_nobody_until_an_admin_has_looked(
    campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater, alice: User
) -> None:
    Gold.objects.exclude(pk=Gold.objects.latest("pk").pk).update(retired_at=NOON)  # one is left
    case = skip_as_offensive(next_gold(campaign, rosa), rosa)

    assert not any(
        judgment.is_gold for judgment in work_through(campaign, raul, n=8, on_gold=RIGHT)
    )
    cases_services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert (
        sum(judgment.is_gold for judgment in work_through(campaign, rita, n=8, on_gold=RIGHT)) == 1
    )


def test_a_settled_case_leaves_a_gold_without_slots_of_the_overlap(
    campaign: Campaign, rosa: Rater, alice: User
) -> None:
    slot = next_gold(campaign, rosa)
    case = skip_as_offensive(slot, rosa)
    before = board.campaign_board(campaign=campaign, now=NOON).progress.n_slots

    cases_services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert not Slot.objects.filter(item=slot.item_id).exists()
    assert board.campaign_board(campaign=campaign, now=NOON).progress.n_slots == before


def test_an_imported_gold_is_given_again_when_nothing_was_wrong(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    gold_services.set_golds(
        campaign=comparison_campaign, values={"gold_share": 50}, by=None, now=NOON
    )
    gold_services.import_golds(
        campaign=comparison_campaign, file=lines(GOOD), file_name="gold.jsonl", by=None, now=NOON
    )
    case = skip_as_offensive(next_gold(comparison_campaign, rosa), rosa)

    cases_services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert (
        sum(
            judgment.is_gold
            for judgment in work_through(comparison_campaign, raul, n=4, on_gold=RIGHT)
        )
        == 1
    )


def test_a_gold_is_given_to_nobody_while_the_item_it_was_made_of_is_in_question(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=12)
    gold_services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    assert slot is not None
    gold_services.make_gold(
        item=slot.item,
        ranks=gold_order(slot.item),
        origin=Gold.Origin.ADJUDICATION,
        by=None,
        now=NOON,
    )

    skip_as_offensive(slot, rosa)

    assert not any(
        judgment.is_gold for judgment in work_through(campaign, raul, n=6, on_gold=RIGHT)
    )


def test_a_gold_whose_prompt_was_retired_is_given_to_nobody_in_whatever_campaign(
    campaign: Campaign, rosa: Rater, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    for prompt in Prompt.objects.filter(items__gold_use__isnull=False):
        prompts_services.retire_prompt(prompt=prompt, by=alice, now=NOON)
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=8, name="Another")
    gold_services.set_golds(campaign=other, values={"gold_share": 50}, by=None, now=NOON)
    gold_services.use_other_golds(campaign=other, by=None, now=NOON)

    given = work_through(campaign, rosa, n=6, on_gold=RIGHT) + work_through(
        other, rosa, n=6, on_gold=RIGHT, at=60
    )

    assert not any(judgment.is_gold for judgment in given)


def test_an_imported_gold_is_given_although_its_prompt_is_used_for_nothing_else(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    gold_services.set_golds(
        campaign=comparison_campaign, values={"gold_share": 50}, by=None, now=NOON
    )
    gold_services.import_golds(
        campaign=comparison_campaign, file=lines(GOOD), file_name="gold.jsonl", by=None, now=NOON
    )

    assert (
        sum(
            judgment.is_gold
            for judgment in work_through(comparison_campaign, rosa, n=4, on_gold=RIGHT)
        )
        == 1
    )


def test_a_gold_goes_only_to_who_could_be_given_the_item(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    """A gold in another language, or with a rater's own text, is not for them."""
    golds = Prompt.objects.filter(items__gold_use__isnull=False)
    golds.filter(pk__in=list(golds.order_by("pk").values_list("pk", flat=True)[:3])).update(
        language="de"
    )
    Pool.objects.filter(pk=day_shift.pk).update(routes_by_language=True, languages=["en"])
    written = Source.objects.create(name="Raul", kind=Source.Kind.PERSON, person=raul.user)
    Response.objects.filter(prompt__in=golds.filter(language="en"), number=0).update(source=written)

    of_rosa = work_through(campaign, rosa, n=8, on_gold=RIGHT)
    of_raul = work_through(campaign, raul, n=8, on_gold=RIGHT)

    assert {judgment.prompt.language for judgment in of_rosa if judgment.is_gold} == {"en"}
    assert not any(judgment.is_gold for judgment in of_raul)


def test_a_retired_gold_is_given_to_nobody(campaign: Campaign, rosa: Rater) -> None:
    for gold in Gold.objects.all():
        gold_services.retire_gold(gold=gold, by=None, now=NOON)

    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)

    assert not any(judgment.is_gold for judgment in given)


def test_a_gold_that_is_given_back_leaves_no_slot_behind(campaign: Campaign, rosa: Rater) -> None:
    slot = next_gold(campaign, rosa)

    assert slot.lease is not None
    slots.release(lease=slot.lease, rater=rosa, now=NOON)

    assert not Slot.objects.filter(pk=slot.pk).exists()


def test_a_golds_lapsed_lease_stays_with_its_rater(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = next_gold(campaign, rosa)
    Slot.objects.filter(campaign=campaign, state=Slot.State.FREE).delete()

    later = NOON + timedelta(hours=9)

    assert claim.claim(campaign=campaign, rater=raul, now=later) is None
    assert not work_left.has_work(campaign=campaign, rater=raul, now=later)
    held = claim.claim(campaign=campaign, rater=rosa, now=later)
    assert held is not None
    assert held.pk == slot.pk


def test_who_has_no_ordinary_work_left_is_given_no_gold(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=3, on_gold=RIGHT)
    Slot.objects.filter(campaign=campaign, state=Slot.State.FREE).delete()

    assert claim.claim(campaign=campaign, rater=rosa, now=NOON + timedelta(minutes=9)) is None
