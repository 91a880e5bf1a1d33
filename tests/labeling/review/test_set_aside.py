"""A judgment that is set aside asks another rater for one, and taking it back never makes an item's
overlap too large.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.queue.claiming import claim
from labeling.review import set_aside
from tests.cast import NOON, lease_of, open_demonstration_campaign, rater_called
from tests.html import page_of
from tests.labeling.review.set_aside_work import after, counted, written

pytestmark = pytest.mark.django_db


def test_another_rater_is_asked_and_never_the_same_again(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)

    set_aside.set_aside(judgment=judgment, reason="Guessed.", by=None, now=after(1))

    assert claim.claim(campaign=one_item, rater=rosa, now=after(2)) is None
    assert claim.claim(campaign=one_item, rater=raul, now=after(2)) is None
    written(one_item, rita, minutes=2)
    assert list(counted(one_item).values()) == [2]
    assert one_item.slots.count() == 2


def test_it_comes_before_what_nobody_has_had(
    day_shift: Pool, guideline: Guideline, rosa: Rater, rita: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, n_items=3, overlap=1
    )
    judgment = written(campaign, rosa)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    slot = claim.claim(campaign=campaign, rater=rita, now=after(2))
    assert slot is not None
    assert slot.item_id == judgment.item_id


def test_whoever_holds_the_item_keeps_it(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    held = claim.claim(campaign=one_item, rater=raul, now=NOON)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    given = submit.submit(
        lease=lease_of(held), rater=raul, answer=DemonstrationAnswer(text="Four."), now=after(2)
    )
    assert not given.is_extra
    assert not written(one_item, rita, minutes=3).is_extra
    assert list(counted(one_item).values()) == [2]


def test_a_closed_campaign_hands_nothing_out_until_it_is_opened_again(
    one_item: Campaign, rosa: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, rater_called("Rut", pool=one_item.pool))
    campaigns_services.close_campaign(campaign=one_item, by=None, now=after(1))

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(2))
    while_closed = claim.claim(campaign=one_item, rater=rita, now=after(3))
    campaigns_services.reopen_campaign(campaign=one_item, by=None, now=after(4))

    assert while_closed is None
    assert claim.claim(campaign=one_item, rater=rita, now=after(5)) is not None


def test_a_spent_budget_hands_nothing_out_until_it_is_raised(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    campaign = open_demonstration_campaign(
        pool=day_shift,
        guideline=guideline,
        n_items=1,
        overlap=2,
        budget_unit="judgments",
        budget=Decimal(2),
    )
    judgment = written(campaign, rosa)
    written(campaign, raul)

    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    campaign.refresh_from_db()
    while_spent = claim.claim(campaign=campaign, rater=rita, now=after(2))
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget": Decimal(3)}, by=None, now=after(3)
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=after(3))

    assert while_spent is None
    written(campaign, rita, minutes=4)
    assert list(counted(campaign).values()) == [2]


def test_taken_back_before_anybody_took_it_the_open_slot_is_withdrawn(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    back = set_aside.take_back(judgment=judgment, by=None, now=after(2))

    assert back is not None
    assert not Judgment.of_people.get(pk=judgment.pk).is_extra
    assert claim.claim(campaign=one_item, rater=rita, now=after(3)) is None
    assert set(one_item.slots.values_list("state", "rater")) == {
        ("submitted", rosa.pk),
        ("submitted", raul.pk),
    }


def test_taken_back_while_another_holds_the_slot_it_is_an_extra(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    held = claim.claim(campaign=one_item, rater=rita, now=after(2))

    set_aside.take_back(judgment=judgment, by=None, now=after(3))
    instead = submit.submit(
        lease=lease_of(held), rater=rita, answer=DemonstrationAnswer(text="Four."), now=after(4)
    )

    assert Judgment.of_people.get(pk=judgment.pk).is_extra
    assert not instead.is_extra
    assert list(counted(one_item).values()) == [2]


def test_taken_back_after_another_has_judged_it_is_an_extra_and_stays_one(
    one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    written(one_item, rita, minutes=2)

    for minutes in (3, 5):
        set_aside.take_back(judgment=judgment, by=None, now=after(minutes))
        set_aside.set_aside(judgment=judgment, reason="Again.", by=None, now=after(minutes + 1))
    set_aside.take_back(judgment=judgment, by=None, now=after(7))

    assert Judgment.of_people.get(pk=judgment.pk).is_extra
    assert list(counted(one_item).values()) == [2]
    assert one_item.slots.count() == 2


def test_set_aside_and_taken_back_again_and_again_leaves_things_as_they_were(
    one_item: Campaign, rosa: Rater
) -> None:
    judgment = written(one_item, rosa)

    for minutes in (1, 3, 5):
        set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(minutes))
        set_aside.take_back(judgment=judgment, by=None, now=after(minutes + 1))

    stored = Judgment.of_people.select_related("slot").get(pk=judgment.pk)
    assert stored.slot is not None
    assert (stored.slot.state, stored.slot.rater_id, stored.is_extra) == (
        "submitted",
        rosa.pk,
        False,
    )
    assert sorted(one_item.slots.values_list("state", flat=True)) == ["free", "submitted"]


@pytest.mark.parametrize(("is_taken", "is_extra"), [(False, False), (True, True)])
def test_a_correction_of_what_was_set_aside_counts_where_there_is_room(
    is_taken: bool, is_extra: bool, one_item: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judgment = written(one_item, rosa)
    written(one_item, raul)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))
    if is_taken:
        written(one_item, rita, minutes=2)

    corrected = correct.correct(
        lease=lease_of(judgment),
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Five."),
        now=after(3),
    )

    assert corrected.is_extra is is_extra
    assert list(counted(one_item).values()) == [2]
    assert one_item.slots.count() == 2


def test_the_rater_still_finds_and_corrects_the_answer(
    one_item: Campaign, rosa: Rater, signed_in: Callable[..., Client]
) -> None:
    judgment = written(one_item, rosa)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    page = signed_in(rosa).get(f"/desk/item/{lease_of(judgment)}/correct")

    assert page.status_code == 200
    assert "Four." in page_of(page)


def test_the_same_submit_sent_again_is_still_the_same_judgment(
    one_item: Campaign, rosa: Rater
) -> None:
    judgment = written(one_item, rosa)
    set_aside.set_aside(judgment=judgment, reason="", by=None, now=after(1))

    again = submit.submit(
        lease=lease_of(judgment), rater=rosa, answer=DemonstrationAnswer(text="Four."), now=after(2)
    )

    assert again == judgment


def test_the_reviewer_is_told_whether_it_counts_in_full(
    one_item: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    judgment = written(one_item, rosa)
    client = signed_in(alice)
    address = f"/campaigns/{one_item.pk}/review/{judgment.item_id}"

    aside = page_of(client.post(f"{address}/aside/{judgment.pk}", follow=True))
    back = page_of(client.post(f"{address}/back/{judgment.pk}", follow=True))
    client.post(f"{address}/aside/{judgment.pk}")
    written(one_item, raul)
    written(one_item, rater_called("Rut", pool=one_item.pool))
    as_extra = page_of(client.post(f"{address}/back/{judgment.pk}", follow=True))

    assert "If its item needs another answer, another rater gets it." in aside
    assert "Restored. It counts again." in back
    assert (
        "Restored as an extra: another rater has answered the item in its place, or is doing so."
        in as_extra
    )
