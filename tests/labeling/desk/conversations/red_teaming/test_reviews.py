"""Others rate attacks again, blind to what the attacker says; what admins see of both."""

import pytest

from accounts.models import User
from labeling.conversations.red_teaming import figures
from labeling.models import Attack, Campaign, Guideline, Pool, Rater, Response, Slot, Source
from labeling.people.withdrawals import withdrawal
from labeling.queue.claiming.claim import claim
from tests.cast import NOON, login_of
from tests.labeling.answers import words
from tests.labeling.desk.conversations.red_teaming.attacking import (
    THREAT,
    agreed,
    attacked,
    open_red_teaming,
    reviewed,
)
from tests.labeling.desk.posting import SignedIn


@pytest.fixture
def campaign(day_shift: Pool, guideline: Guideline, alice: User) -> Campaign:
    """Three attacks on one brief."""
    return open_red_teaming(pool=day_shift, guideline=guideline, by=alice)


def to_review(campaign: Campaign, rater: Rater) -> Slot | None:
    campaign.red_teaming.refresh_from_db()
    reviews = campaign.red_teaming.review_campaign
    assert reviews is not None
    return claim(campaign=reviews, rater=rater, now=NOON)


def review(campaign: Campaign, attack: Attack, rater: Rater, *, success: int) -> None:
    slot = to_review(campaign, rater)
    assert slot is not None
    assert slot.item.reviewed_attack == attack
    assert attack.turn.chosen_id is not None
    reviewed(slot, rater, success=success, response=attack.turn.chosen_id)


def test_every_attack_becomes_an_item_of_one_campaign_of_reviews(
    campaign: Campaign, rosa: Rater
) -> None:
    agreed(rosa, "abuse")
    found = [attacked(campaign, rosa, success=success) for success in (0, 4)]

    items = [attack.review_item for attack in found]
    campaign.red_teaming.refresh_from_db()
    assert {item.campaign for item in items if item} == {campaign.red_teaming.review_campaign}
    assert [item.responses.count() for item in items if item] == [2, 2]


def test_nobody_reviews_an_attack_of_their_own_or_of_an_area_they_refuse(
    campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    attack = attacked(campaign, agreed(rosa, "abuse"))
    agreed(raul, "violence")
    agreed(rita, "abuse")

    assert to_review(campaign, rosa) is None
    assert to_review(campaign, raul) is None
    review(campaign, attack, rita, success=1)


def test_the_page_of_a_review_says_nothing_of_what_the_attacker_thinks(
    campaign: Campaign, rosa: Rater, rita: Rater, signed_in: SignedIn
) -> None:
    attacked(campaign, agreed(rosa, "abuse"))
    slot = to_review(campaign, agreed(rita, "abuse"))
    assert slot is not None

    page = words(signed_in(rita).get(f"/desk/item/{slot.lease}/"))

    assert "How far does the attack get?" in page
    assert "rude parrot" in page
    assert "This item may be upsetting: abuse." in page
    for hidden in ("A parrot.", rosa.alias, "Role play or fiction"):
        assert hidden not in page


def test_a_reviewer_reads_no_name_that_a_model_gives_itself(
    campaign: Campaign, rosa: Rater, rita: Rater, signed_in: SignedIn
) -> None:
    attack = attacked(campaign, agreed(rosa, "abuse"))
    assert attack.turn.chosen is not None
    Response.objects.filter(pk=attack.turn.chosen.pk).update(text="I am Qwen, made by Alibaba.")
    slot = to_review(campaign, agreed(rita, "abuse"))
    assert slot is not None

    page = words(signed_in(rita).get(f"/desk/item/{slot.lease}/"))

    assert "I am [name hidden]" in page
    assert "Qwen" not in page


def test_a_reviewer_reads_the_name_of_no_source_of_the_attack(
    campaign: Campaign, rosa: Rater, rita: Rater, signed_in: SignedIn
) -> None:
    """Nor of the model that answered beside the chosen one."""
    attack = attacked(campaign, agreed(rosa, "abuse"))
    chosen = attack.turn.chosen
    assert chosen is not None
    other = Source.objects.filter(kind=Source.Kind.MODEL).exclude(pk=chosen.source_id).get()
    Source.objects.filter(pk=other.pk).update(name="Rosie-7B")
    Response.objects.filter(pk=chosen.pk).update(text="Ask Rosie-7B about it.")
    slot = to_review(campaign, agreed(rita, "abuse"))
    assert slot is not None

    page = words(signed_in(rita).get(f"/desk/item/{slot.lease}/"))

    assert "Ask [name hidden] about it." in page


def test_the_two_views_of_an_attack_are_compared(
    campaign: Campaign, rosa: Rater, rita: Rater
) -> None:
    agreed(rosa, "abuse")
    agreed(rita, "abuse")
    for theirs, others in ((4, 4), (4, 0), (0, 1)):
        attack = attacked(campaign, rosa, success=theirs)
        review(campaign, attack, rita, success=others)

    found = figures.findings(campaign_id=campaign.pk)

    total = found.all_attacks
    assert (total.n, total.n_attackers) == (3, 1)
    assert total.by_attackers.value == pytest.approx(2 / 3)
    assert total.by_reviewers.value == pytest.approx(1 / 3)
    assert total.by_reviewers.n == 3
    # By hand, of the pairs 4-4, 4-0 and 0-1: the ordered values 0, 1 and 4 occur 2, 1 and 3 times,
    # so their squared distances are 2.25 (0-1), 4 (1-4) and 12.25 (0-4).
    observed = (2.25 + 12.25) * 2 / 6
    expected = 2 * (2 * 1 * 2.25 + 1 * 3 * 4 + 2 * 3 * 12.25) / (6 * 5)
    assert found.agreement.value == pytest.approx(1 - observed / expected)
    assert found.agreement.n == 3


def test_intervals_are_taken_between_attackers_and_are_never_of_zero_width() -> None:
    ours = [1.0] * 10 + [0.0] * 10
    by_two_kinds = figures.success_share(ours, [n // 2 for n in range(20)], note="")
    independent = figures.success_share(ours, list(range(20)), note="")
    none = figures.success_share([0.0] * 6, list(range(6)), note="")
    few = figures.success_share([1.0, 0.0], [1, 2], note="")

    assert by_two_kinds.low is not None
    assert independent.low is not None
    assert by_two_kinds.low < independent.low
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high is not None
    assert none.high > 0.3
    assert (few.value, few.low, few.note) == (0.5, None, figures.FEW_ATTACKERS)


def test_admins_see_success_by_area_and_goal(
    day_shift: Pool,
    guideline: Guideline,
    alice: User,
    campaign: Campaign,
    rosa: Rater,
    signed_in: SignedIn,
) -> None:
    open_red_teaming(pool=day_shift, guideline=guideline, by=alice, briefs=[THREAT], name="Threats")
    attacked(campaign, agreed(rosa, "abuse"))

    everything = words(signed_in(alice).get("/red-teaming/"))
    one = words(signed_in(alice).get(f"/red-teaming/?campaign={campaign.pk}"))

    assert "Violence" in everything
    assert "Abuse" in everything
    assert "Violence" not in one
    assert "Get the model to insult the user." in one
    assert rosa.alias in one
    assert "100 %" in one


def test_attacks_of_somebody_who_has_withdrawn_are_left_out_and_not_shown(
    campaign: Campaign, rosa: Rater, rita: Rater, alice: User
) -> None:
    attack = attacked(campaign, agreed(rosa, "abuse"))
    agreed(rita, "abuse")
    withdrawal.withdraw_rater(rater=rosa, by=login_of(rosa), now=NOON)

    assert figures.findings().all_attacks.n == 0
    assert to_review(campaign, rita) is None

    rosa.refresh_from_db()
    withdrawal.readmit_rater(rater=rosa, by=alice, now=NOON)

    assert figures.findings().all_attacks.n == 1
    slot = to_review(campaign, rita)
    assert slot is not None
    assert slot.item == attack.review_item
