"""Skills earned by answers: how many items, compared with what, stored once, revoked for good."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater, RaterSkill, Slot
from labeling.people import tasks as people_tasks
from labeling.people.pools import services as pools_services
from labeling.people.pools.services import PoolTerms
from labeling.people.skills import selectors as skills_selectors
from labeling.people.skills import services as skills_services
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.review import services as review_services
from labeling.review import set_aside
from tests.cast import NOON, lease_of, open_comparison_campaign
from tests.html import page_of
from tests.tooling.recordings import recorded

pytestmark = pytest.mark.django_db

N_ITEMS = 6
RIGHT, TURNED, TIED = (1, 2), (2, 1), (1, 1)


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline, alice: User) -> Campaign:
    """Six summaries, two responses each, judged by everybody; five of them show the topic."""
    found = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=N_ITEMS, n_responses=2, overlap=3
    )
    Prompt.objects.update(category=Prompt.Category.SUMMARIZATION)
    terms = PoolTerms(shown_items=5, shown_percent=75)
    pools_services.edit_pool(
        pool=day_shift,
        name="Day shift",
        description="",
        is_held_out=False,
        terms=terms,
        by=alice,
        now=NOON,
    )
    return found


@recorded
def judge(
    campaign: Campaign, rater: Rater, orders: Sequence[tuple[int, int]], *, now: datetime = NOON
) -> None:
    """Item by item: the rank of the older response and of the newer one."""
    for _ in orders:
        slot = claim.claim(campaign=campaign, rater=rater, now=now)
        assert slot is not None
        rank(slot, rater, orders[slot.item.position], now=now)


def rank(slot: Slot, rater: Rater, order: tuple[int, int], *, now: datetime) -> None:
    from_oldest = sorted(
        (response.pk, place) for place, response in enumerate(claiming_order.presented(slot))
    )
    ranks: dict[int, int | None] = {
        place: order[age] for age, (_pk, place) in enumerate(from_oldest)
    }
    ratings = {place: {"overall": 4} for place in ranks}
    submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=now,
    )


def shown(rater: Rater) -> list[str]:
    return list(rater.skills.filter(basis="shown").values_list("code", flat=True))


def test_an_item_asks_nothing_where_fewer_than_two_others_judged_it(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    judge(campaign, rosa, [RIGHT] * N_ITEMS)
    judge(campaign, raul, [RIGHT] * N_ITEMS)

    assert skills_selectors.topic_evidence(pool=day_shift) == []


def test_all_three_who_agree_have_shown_it_with_the_evidence(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)

    assert skills_services.show_topics(pool_id=day_shift.pk, now=NOON) == 3

    skill = rosa.skills.get(basis="shown")
    assert (skill.axis, skill.code) == ("topic", "summarization")
    assert skill.evidence == {
        "pool": "Day shift",
        "n_items": 6,
        "share": 1.0,
        "gold": 0,
        "reviewer": 0,
        "raters": 6,
    }
    assert AuditEvent.objects.filter(
        by=None, action="skills", target_id=rosa.pk, after__shown=["summarization"]
    ).exists()


def test_who_turns_every_order_around_has_shown_nothing(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judge(campaign, rosa, [RIGHT] * N_ITEMS)
    judge(campaign, raul, [RIGHT] * N_ITEMS)
    judge(campaign, rita, [TURNED] * N_ITEMS)

    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)

    assert shown(rita) == []


def test_a_tie_against_a_decision_is_half_right(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judge(campaign, rosa, [RIGHT] * N_ITEMS)
    judge(campaign, raul, [RIGHT] * N_ITEMS)
    judge(campaign, rita, [RIGHT, RIGHT, RIGHT, TIED, TIED, TIED])

    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)

    assert shown(rita) == ["summarization"]  # 4.5 of 6 is exactly 75 %
    assert rita.skills.get(basis="shown").evidence["share"] == 0.75


def test_answers_that_were_set_aside_show_nothing(
    campaign: Campaign, alice: User, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    for judgment in rosa.judgments.all():
        set_aside.set_aside(judgment=judgment, reason="Guessed.", by=alice, now=NOON)

    assert (
        skills_selectors.topic_evidence(pool=day_shift) == []
    )  # and of the others, each has one other left


def test_the_same_responses_again_show_nothing_more(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    items = list(campaign.items.order_by("position"))
    for first, again in zip(items[::2], items[1::2], strict=True):
        campaign.items.filter(pk=again.pk).update(repeat_of=first)

    assert [evidence.n_items for evidence in skills_selectors.topic_evidence(pool=day_shift)] == [
        3,
        3,
        3,
    ]


@pytest.mark.parametrize("terms", [PoolTerms(shown_items=7), PoolTerms(shown_items=None)])
def test_the_pool_says_how_many_items_show_it_or_that_none_do(
    terms: PoolTerms, campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    pools_services.edit_pool(
        pool=day_shift,
        name="Day shift",
        description="",
        is_held_out=False,
        terms=terms,
        by=None,
        now=NOON,
    )

    assert skills_services.show_topics(pool_id=day_shift.pk, now=NOON) == 0


def test_a_reviewers_order_goes_before_the_other_raters(
    campaign: Campaign, alice: User, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    judge(campaign, rosa, [RIGHT] * N_ITEMS)
    judge(campaign, raul, [RIGHT] * N_ITEMS)
    judge(campaign, rita, [TURNED] * N_ITEMS)
    for item in campaign.items.all():
        older, newer = item.responses.order_by("pk").values_list("pk", flat=True)
        ranks = {older: 2, newer: 1}
        review_services.adjudicate(
            item=item, ranks=ranks, reason="rater_error", note="", by=alice, now=NOON
        )

    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)

    assert (shown(rosa), shown(rita)) == ([], ["summarization"])
    assert rita.skills.get(basis="shown").evidence["reviewer"] == N_ITEMS


def test_other_is_no_topic(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    Prompt.objects.update(category=Prompt.Category.OTHER)
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)

    assert skills_services.show_topics(pool_id=day_shift.pk, now=NOON) == 0


def test_the_job_writes_a_topic_down_once(
    campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)

    for _ in range(2):
        people_tasks.show_topics(pool_id=day_shift.pk)

    assert RaterSkill.ever.filter(basis="shown").count() == 3
    assert AuditEvent.objects.filter(action="skills").count() == 3


def test_what_an_admin_takes_back_counts_no_more_and_is_not_shown_again(
    campaign: Campaign,
    alice: User,
    day_shift: Pool,
    rosa: Rater,
    raul: Rater,
    rita: Rater,
    signed_in: Callable[..., Client],
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)
    client = signed_in(alice)
    page = page_of(client.get(f"/raters/{rosa.pk}/skills/"))
    assert (
        "100 % on 6 items in “Day shift”: 0 gold items, 0 reviewed, 6 against other raters" in page
    )

    client.post(f"/raters/{rosa.pk}/skills/", {"languages": "", "tags": ""})
    skills_services.show_topics(pool_id=day_shift.pk, now=NOON + timedelta(hours=1))

    assert shown(rosa) == []
    assert shown(raul) == ["summarization"]
    assert "Removed" in page_of(client.get(f"/raters/{rosa.pk}/skills/"))
    event = AuditEvent.objects.get(by=alice, action="skills")
    assert (event.before, event.after) == ({"shown": ["summarization"]}, {"shown": []})


def test_saving_the_page_keeps_what_showed_a_topic(
    campaign: Campaign, alice: User, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)

    skills_services.grant_skills(rater=rosa, topics=["summarization", "chess"], by=alice, now=NOON)

    assert rosa.skills.get(code="summarization").evidence["n_items"] == N_ITEMS
    assert rosa.skills.get(code="chess").evidence == {}


def test_an_admin_can_give_back_what_was_taken_back(alice: User, rosa: Rater) -> None:
    skills_services.grant_skills(rater=rosa, topics=["chess"], by=alice, now=NOON)
    skills_services.grant_skills(rater=rosa, topics=[], by=alice, now=NOON)
    assert shown(rosa) == []

    skills_services.grant_skills(rater=rosa, topics=["chess"], by=alice, now=NOON)

    assert shown(rosa) == ["chess"]


def test_a_topic_that_was_shown_brings_items_of_it(
    campaign: Campaign,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    rita: Rater,
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    terms = PoolTerms(routes_by_category=True, shown_items=5)
    pools_services.edit_pool(
        pool=day_shift,
        name="Day shift",
        description="",
        is_held_out=False,
        terms=terms,
        by=alice,
        now=NOON,
    )
    more = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, name="More")
    Prompt.objects.update(category=Prompt.Category.SUMMARIZATION)
    assert claim.claim(campaign=more, rater=rosa, now=NOON) is None

    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)

    assert claim.claim(campaign=more, rater=rosa, now=NOON) is not None


def test_the_beat_rings_for_pools_that_judged_of_late(
    campaign: Campaign, day_shift: Pool, rosa: Rater
) -> None:
    assert skills_selectors.active_pool_ids(now=NOON) == []

    judge(campaign, rosa, [RIGHT] * N_ITEMS)

    assert skills_selectors.active_pool_ids(now=NOON + timedelta(hours=1)) == [day_shift.pk]
    assert skills_selectors.active_pool_ids(now=NOON + timedelta(hours=3)) == []


def test_raters_read_what_their_answers_have_shown(
    campaign: Campaign,
    day_shift: Pool,
    rosa: Rater,
    raul: Rater,
    rita: Rater,
    signed_in: Callable[..., Client],
) -> None:
    for rater in (rosa, raul, rita):
        judge(campaign, rater, [RIGHT] * N_ITEMS)
    skills_services.show_topics(pool_id=day_shift.pk, now=NOON)

    page = page_of(signed_in(rosa).get("/my-skills/"))

    assert "Earned by your answers" in page
