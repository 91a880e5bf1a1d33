"""Golds: how a ranking is scored against one, when one is handed out, and what follows from the scores."""

import io
import itertools
import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent, Notice, User
from labeling import agreement, exports, queue, selectors, services
from labeling.figures import wilson
from labeling.models import (
    Campaign,
    Case,
    Gold,
    GoldAnswer,
    Guideline,
    Item,
    Judgment,
    Pool,
    Prompt,
    QualityReport,
    Rater,
    RaterStanding,
    Response,
    ReviewRequest,
    Slot,
    Source,
)
from labeling.selectors import admission
from labeling.services import Effort
from tests.cast import NOON, open_comparison_campaign, rater_called

Ranks = Mapping[int, int | None]


def slow_match(right: Ranks, given: Ranks) -> tuple[float, int]:
    """agreement.match from its definition: every ordered pair by itself."""
    agreed, n = 0.0, 0
    for better in right:
        for worse in right:
            high, low = right[better], right[worse]
            if high is None or low is None or high >= low:
                continue
            n += 1
            mine, other = given.get(better), given.get(worse)
            if mine is not None and other is not None:
                agreed += 1.0 if mine < other else 0.5 if mine == other else 0.0
    return agreed, n


# --- the formulas ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "given", "agreed", "n"),
    [
        pytest.param((1, 2, 3, 4), (1, 2, 3, 4), 6, 6, id="the same order"),
        pytest.param((1, 2, 3, 4), (1, 2, 4, 3), 5, 6, id="the last two swapped"),
        pytest.param((1, 2, 3, 4), (4, 3, 2, 1), 0, 6, id="turned around"),
        pytest.param((1, 1, 2, 2), (1, 2, 3, 4), 4, 4, id="what gold ties asks nothing"),
        pytest.param((1, 2, 3, 4), (1, 1, 1, 1), 3, 6, id="a tie everywhere is half"),
        pytest.param((1, 2, None, None), (1, 2, None, 3), 1, 1, id="what gold leaves open asks nothing"),
        pytest.param((1, 2, 3, 4), (1, None, None, None), 0, 6, id="what is not ranked is not agreed"),
        pytest.param((1, 1, 1, 1), (1, 2, 3, 4), 0, 0, id="a gold that decides nothing"),
    ],
)
def test_a_ranking_matches_a_gold_by_its_decided_pairs(
    right: tuple[int | None, ...], given: tuple[int | None, ...], agreed: float, n: int
) -> None:
    found = agreement.match(dict(enumerate(right)), dict(enumerate(given)))

    assert (found.agreed, found.n) == (agreed, n)


def test_matching_equals_its_slow_twin_on_every_ranking_of_three() -> None:
    ranks = (None, 1, 2, 3)
    for right in itertools.product(ranks, repeat=3):
        for given in itertools.product(ranks, repeat=3):
            found = agreement.match(dict(enumerate(right)), dict(enumerate(given)))

            assert (found.agreed, found.n) == slow_match(dict(enumerate(right)), dict(enumerate(given)))


def test_the_tolerance_lets_one_swap_of_six_pairs_pass_and_not_two() -> None:
    assert agreement.Match(5, 6).reaches(75)
    assert not agreement.Match(4, 6).reaches(75)


def test_without_a_decided_pair_nothing_passes() -> None:
    assert not agreement.Match(0, 0).reaches(51)


def slow_wilson(passed: int, n: int) -> tuple[float, float]:
    """The two shares p at which the score test (p̂ − p)² = z² p(1 − p)/n turns, by bisection."""
    z2, share = 1.959963984540054**2, passed / n

    def turns(low: float, high: float) -> float:
        for _step in range(200):
            middle = (low + high) / 2
            inside = (share - middle) ** 2 <= z2 * middle * (1 - middle) / n
            if inside == (low < share):
                high = middle
            else:
                low = middle
        return (low + high) / 2

    return turns(0.0, share) if passed else 0.0, turns(share + 1e-15, 1.0) if passed < n else 1.0


@pytest.mark.parametrize(("passed", "n"), [(8, 10), (0, 5), (5, 5), (1, 8), (37, 40)])
def test_the_interval_of_a_score_is_where_the_score_test_turns(passed: int, n: int) -> None:
    found = wilson(passed, n)

    low, high = slow_wilson(passed, n)
    assert math.isclose(found.low or 0.0, low, abs_tol=1e-9)
    assert math.isclose(found.high or 0.0, high, abs_tol=1e-9)


def test_eight_of_ten_is_the_worked_example() -> None:
    """Centre (0.8 + 1.9208/10) / 1.38415 = 0.71674, reach 1.41600 · √(0.016 + 0.0096036) = 0.22658."""
    found = wilson(8, 10)

    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.4902, 0.9433)


# --- when it is a gold's turn ------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1, 5, 7, 10, 15, 33, 50])
def test_golds_come_at_their_share(share: int) -> None:
    n = 100 * 20
    turns = [queue.is_gold_turn(seed=9, n=place, share=share) for place in range(n)]

    assert sum(turns) == n * share // 100


def test_nobody_can_foresee_a_golds_turn() -> None:
    places = {seed: [n for n in range(40) if queue.is_gold_turn(seed=seed, n=n, share=10)] for seed in range(30)}

    assert len({tuple(found) for found in places.values()}) == 30
    assert {found[0] for found in places.values()} == set(range(1, 10))  # never the first item of all


# --- the scene ---------------------------------------------------------------------------------------------------


def rank_by(slot: Slot, order: list[int], *, rater: Rater, at: int = 0, active_s: float = 40) -> Judgment:
    """Rank the responses of a slot by their numbers in `order`, best first."""
    shown = queue.presented(slot)
    ranks: dict[int, int | None] = {place: order.index(response.number) + 1 for place, response in enumerate(shown)}
    assert slot.lease is not None
    return services.submit_comparison(
        lease=slot.lease,
        rater=rater,
        ranks=ranks,
        ratings={place: {"overall": 4} for place in ranks},
        active_s=active_s,
        now=NOON + timedelta(minutes=at),
    )


RIGHT, WRONG = [0, 1, 2, 3], [3, 2, 1, 0]


def gold_order(item: Item) -> dict[int, int | None]:
    return {response.pk: response.number + 1 for response in item.responses.all()}


@pytest.fixture
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, 20 items of 4 responses, overlap 3, half of what raters get may be golds; the first six items are golds."""
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=20)
    services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    for item in campaign.items.order_by("position")[:6]:
        services.make_gold(item=item, ranks=gold_order(item), origin=Gold.Origin.ADJUDICATION, by=None, now=NOON)
    return campaign


def work_through(campaign: Campaign, rater: Rater, *, n: int, on_gold: list[int], at: int = 0) -> list[Judgment]:
    given = []
    for number in range(n):
        now = NOON + timedelta(minutes=at + number)
        slot = services.claim(campaign=campaign, rater=rater, now=now)
        assert slot is not None
        given.append(rank_by(slot, on_gold if slot.is_gold else RIGHT, rater=rater, at=at + number))
    return given


# --- handing out -------------------------------------------------------------------------------------------------


def test_golds_are_mixed_in_at_their_share(campaign: Campaign, rosa: Rater) -> None:
    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)

    assert sum(judgment.is_gold for judgment in given) == 4


def test_a_rater_meets_a_gold_once_at_most(campaign: Campaign, rosa: Rater) -> None:
    given = work_through(campaign, rosa, n=20, on_gold=RIGHT)

    golds = [judgment.item_id for judgment in given if judgment.is_gold]
    assert len(golds) == len(set(golds)) == 6


def test_whoever_judged_the_item_is_not_given_the_gold_made_of_it(day_shift: Pool, guideline: Guideline, rosa: Rater) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=12)
    services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    first = work_through(campaign, rosa, n=1, on_gold=RIGHT)[0]
    assert first.item is not None
    services.make_gold(item=first.item, ranks=gold_order(first.item), origin=Gold.Origin.EXPERT, by=None, now=NOON)

    given = work_through(campaign, rosa, n=6, on_gold=RIGHT, at=5)

    assert not any(judgment.is_gold for judgment in given)


def test_a_gold_answered_in_one_campaign_is_not_given_in_another(
    campaign: Campaign, rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=8, name="Another")
    services.set_golds(campaign=other, values={"gold_share": 50}, by=None, now=NOON)
    assert services.use_other_golds(campaign=other, by=None, now=NOON) == 6
    work_through(campaign, rosa, n=14, on_gold=RIGHT)

    given = work_through(other, rosa, n=6, on_gold=RIGHT, at=60)

    assert not any(judgment.is_gold for judgment in given)


def test_an_upsetting_gold_is_given_only_to_who_agreed_to_its_kind(campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    Prompt.objects.filter(items__gold_use__isnull=False).update(sensitive=["hate"])
    services.accept_upsetting(rater=raul, kinds=["hate"], now=NOON)

    assert not any(judgment.is_gold for judgment in work_through(campaign, rosa, n=8, on_gold=RIGHT))
    assert sum(judgment.is_gold for judgment in work_through(campaign, raul, n=8, on_gold=RIGHT)) == 4


def skip_as_offensive(slot: Slot | None, rater: Rater) -> Case:
    assert slot is not None
    assert slot.lease is not None
    services.skip(lease=slot.lease, rater=rater, reason="offensive", now=NOON)
    return Case.objects.get(item=slot.item_id)


def test_a_gold_that_was_called_offensive_is_given_to_nobody_until_an_admin_has_looked(
    campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater, alice: User
) -> None:
    Gold.objects.exclude(pk=Gold.objects.latest("pk").pk).update(retired_at=NOON)  # one is left
    case = skip_as_offensive(next_gold(campaign, rosa), rosa)

    assert not any(judgment.is_gold for judgment in work_through(campaign, raul, n=8, on_gold=RIGHT))
    services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert sum(judgment.is_gold for judgment in work_through(campaign, rita, n=8, on_gold=RIGHT)) == 1


def test_a_settled_case_leaves_a_gold_without_slots_of_the_overlap(campaign: Campaign, rosa: Rater, alice: User) -> None:
    slot = next_gold(campaign, rosa)
    case = skip_as_offensive(slot, rosa)
    before = selectors.campaign_board(campaign=campaign, now=NOON).progress.n_slots

    services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert not Slot.objects.filter(item=slot.item_id).exists()
    assert selectors.campaign_board(campaign=campaign, now=NOON).progress.n_slots == before


def test_an_imported_gold_is_given_again_when_nothing_was_wrong(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    services.set_golds(campaign=comparison_campaign, values={"gold_share": 50}, by=None, now=NOON)
    services.import_golds(campaign=comparison_campaign, file=lines(GOOD), file_name="gold.jsonl", by=None, now=NOON)
    case = skip_as_offensive(next_gold(comparison_campaign, rosa), rosa)

    services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert sum(judgment.is_gold for judgment in work_through(comparison_campaign, raul, n=4, on_gold=RIGHT)) == 1


def test_a_gold_is_given_to_nobody_while_the_item_it_was_made_of_is_in_question(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=12)
    services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    slot = services.claim(campaign=campaign, rater=rosa, now=NOON)
    assert slot is not None
    services.make_gold(item=slot.item, ranks=gold_order(slot.item), origin=Gold.Origin.ADJUDICATION, by=None, now=NOON)

    skip_as_offensive(slot, rosa)

    assert not any(judgment.is_gold for judgment in work_through(campaign, raul, n=6, on_gold=RIGHT))


def test_a_gold_whose_prompt_was_retired_is_given_to_nobody_in_whatever_campaign(
    campaign: Campaign, rosa: Rater, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    for prompt in Prompt.objects.filter(items__gold_use__isnull=False):
        services.retire_prompt(prompt=prompt, by=alice, now=NOON)
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=8, name="Another")
    services.set_golds(campaign=other, values={"gold_share": 50}, by=None, now=NOON)
    services.use_other_golds(campaign=other, by=None, now=NOON)

    given = work_through(campaign, rosa, n=6, on_gold=RIGHT) + work_through(other, rosa, n=6, on_gold=RIGHT, at=60)

    assert not any(judgment.is_gold for judgment in given)


def test_an_imported_gold_is_given_although_its_prompt_is_used_for_nothing_else(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    services.set_golds(campaign=comparison_campaign, values={"gold_share": 50}, by=None, now=NOON)
    services.import_golds(campaign=comparison_campaign, file=lines(GOOD), file_name="gold.jsonl", by=None, now=NOON)

    assert sum(judgment.is_gold for judgment in work_through(comparison_campaign, rosa, n=4, on_gold=RIGHT)) == 1


def test_a_gold_goes_only_to_who_could_be_given_the_item(campaign: Campaign, day_shift: Pool, rosa: Rater, raul: Rater) -> None:
    """Of its language where the pool routes; and nobody is asked about what they wrote."""
    golds = Prompt.objects.filter(items__gold_use__isnull=False)
    golds.filter(pk__in=list(golds.order_by("pk").values_list("pk", flat=True)[:3])).update(language="de")
    Pool.objects.filter(pk=day_shift.pk).update(routes_by_language=True, languages=["en"])
    written = Source.objects.create(name="Raul", kind=Source.Kind.PERSON, person=raul.user)
    Response.objects.filter(prompt__in=golds.filter(language="en"), number=0).update(source=written)

    of_rosa = work_through(campaign, rosa, n=8, on_gold=RIGHT)
    of_raul = work_through(campaign, raul, n=8, on_gold=RIGHT)

    assert {judgment.prompt.language for judgment in of_rosa if judgment.is_gold} == {"en"}
    assert not any(judgment.is_gold for judgment in of_raul)


def test_a_retired_gold_is_given_to_nobody(campaign: Campaign, rosa: Rater) -> None:
    for gold in Gold.objects.all():
        services.retire_gold(gold=gold, by=None, now=NOON)

    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)

    assert not any(judgment.is_gold for judgment in given)


def test_a_gold_that_is_given_back_leaves_no_slot_behind(campaign: Campaign, rosa: Rater) -> None:
    slot = next_gold(campaign, rosa)

    assert slot.lease is not None
    services.release(lease=slot.lease, rater=rosa, now=NOON)

    assert not Slot.objects.filter(pk=slot.pk).exists()


def test_a_golds_lapsed_lease_stays_with_its_rater(campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    slot = next_gold(campaign, rosa)
    Slot.objects.filter(campaign=campaign, state=Slot.State.FREE).delete()

    later = NOON + timedelta(hours=9)

    assert services.claim(campaign=campaign, rater=raul, now=later) is None
    assert not queue.has_work(campaign=campaign, rater=raul, now=later)
    held = services.claim(campaign=campaign, rater=rosa, now=later)
    assert held is not None
    assert held.pk == slot.pk


def test_who_has_no_ordinary_work_left_is_given_no_gold(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=3, on_gold=RIGHT)
    Slot.objects.filter(campaign=campaign, state=Slot.State.FREE).delete()

    assert services.claim(campaign=campaign, rater=rosa, now=NOON + timedelta(minutes=9)) is None


def next_gold(campaign: Campaign, rater: Rater) -> Slot:
    """The first gold this rater is given, ordinary items judged on the way."""
    for number in range(20):
        slot = services.claim(campaign=campaign, rater=rater, now=NOON + timedelta(minutes=number))
        assert slot is not None
        if slot.is_gold:
            return slot
        rank_by(slot, RIGHT, rater=rater, at=number)
    raise AssertionError("no gold came")


# --- scoring -----------------------------------------------------------------------------------------------------


def test_the_first_version_counts_and_a_correction_does_not(campaign: Campaign, rosa: Rater) -> None:
    judgment = rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)
    assert judgment.lease is not None
    shown = [row.response for row in judgment.comparison.ranked.select_related("response").order_by("position")]

    corrected = services.correct_comparison(
        lease=judgment.lease,
        rater=rosa,
        version=1,
        ranks={place: response.number + 1 for place, response in enumerate(shown)},
        ratings={place: {"overall": 4} for place in range(4)},
        now=NOON,
    )

    answer = GoldAnswer.objects.get(rater=rosa)
    assert not answer.has_passed
    assert answer.judgment_id == judgment.pk
    assert corrected.is_gold


def test_a_score_that_is_undone_is_gone(campaign: Campaign, rosa: Rater) -> None:
    slot = next_gold(campaign, rosa)
    judgment = rank_by(slot, WRONG, rater=rosa)
    assert judgment.lease is not None

    services.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    assert not GoldAnswer.objects.exists()
    assert Slot.objects.get(pk=slot.pk).state == Slot.State.LEASED


def test_a_ranking_may_match_in_part(campaign: Campaign, rosa: Rater) -> None:
    rank_by(next_gold(campaign, rosa), [0, 1, 3, 2], rater=rosa)

    answer = GoldAnswer.objects.get(rater=rosa)
    assert (answer.agreed, answer.n_pairs, answer.has_passed) == (5, 6, True)


def test_scores_come_with_an_interval(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=8, on_gold=RIGHT)

    (score,) = selectors.gold_scores(campaign=campaign)

    assert (score.rater, score.passed.value, score.passed.n) == (rosa, 1.0, 4)
    assert score.passed.low == pytest.approx(0.5101, abs=1e-4)
    assert (score.pairs.value, score.pairs.n) == (1.0, 24)


def test_an_answer_to_a_retired_gold_counts_no_more(campaign: Campaign, rosa: Rater) -> None:
    judgment = rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)

    services.retire_gold(gold=Gold.objects.get(uses__item=judgment.item), by=None, now=NOON)

    assert selectors.gold_scores(campaign=campaign) == []


def test_the_quality_report_is_computed_anew_when_a_gold_counts_no_more_and_when_it_counts_again(campaign: Campaign) -> None:
    report = QualityReport.objects.create(campaign=campaign)
    gold = Gold.objects.filter(uses__campaign=campaign).latest("pk")

    for act in (services.retire_gold, services.bring_back_gold):
        QualityReport.objects.update(is_outdated=False)
        assert act(gold=gold, by=None, now=NOON)
        report.refresh_from_db()
        assert report.is_outdated

    QualityReport.objects.update(is_outdated=False)
    assert not services.bring_back_gold(gold=gold, by=None, now=NOON)
    report.refresh_from_db()
    assert not report.is_outdated


# --- golds are no data -------------------------------------------------------------------------------------------


def test_answers_to_golds_leave_only_for_who_asks(campaign: Campaign, rosa: Rater) -> None:
    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)
    ordinary = {judgment.pk for judgment in given if not judgment.is_gold}

    plain = {row.judgment_id for row in exports.comparisons(campaigns=[campaign.pk])}
    asked = {row.judgment_id for row in exports.comparisons(campaigns=[campaign.pk], include_gold=True)}

    assert plain == ordinary
    assert asked == {judgment.pk for judgment in given}


def test_answers_to_golds_enter_no_report(campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    ordinary = [
        judgment
        for rater in (rosa, raul)
        for judgment in work_through(campaign, rater, n=8, on_gold=RIGHT)
        if not judgment.is_gold
    ]

    report = services.compute_quality(campaign_id=campaign.pk, now=NOON)

    assert report is not None
    assert report.n_judgments == len(ordinary) == 8


def test_golds_are_no_part_of_a_campaigns_progress(campaign: Campaign, rosa: Rater) -> None:
    before = selectors.campaign_board(campaign=campaign, now=NOON).progress.n_slots

    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)

    board = selectors.campaign_board(campaign=campaign, now=NOON + timedelta(hours=1))
    assert board.progress.n_slots == before
    assert board.progress.n_submitted == sum(not judgment.is_gold for judgment in given) == 4
    assert selectors.campaign_items(campaign=campaign).count() == 20


# --- consequences ------------------------------------------------------------------------------------------------


def until_paused(campaign: Campaign, rater: Rater) -> list[Judgment]:
    given = []
    for number in range(12):
        given += work_through(campaign, rater, n=1, on_gold=WRONG, at=number)
        standing = standing_of(campaign, rater)
        if standing is not None and standing.paused_at is not None:
            break
    return given


def standing_of(campaign: Campaign, rater: Rater) -> RaterStanding | None:
    return RaterStanding.objects.filter(campaign=campaign, rater=rater).first()


def test_a_rater_below_the_first_threshold_is_warned_once(campaign: Campaign, rosa: Rater) -> None:
    services.set_golds(campaign=campaign, values={"gold_pause_below": 0}, by=None, now=NOON)

    work_through(campaign, rosa, n=12, on_gold=WRONG)

    standing = standing_of(campaign, rosa)
    assert standing is not None
    assert standing.warned_at is not None
    assert standing.paused_at is None
    assert Notice.objects.filter(person=rosa.user, kind=Notice.Kind.WARNING).count() == 1
    assert AuditEvent.objects.filter(action="warn").count() == 1


def test_nothing_happens_before_enough_golds_were_answered(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=8, on_gold=WRONG)  # four golds, five are needed

    assert standing_of(campaign, rosa) is None


def test_a_rater_whose_whole_interval_lies_below_is_paused(campaign: Campaign, rosa: Rater, alice: User) -> None:
    given = until_paused(campaign, rosa)

    standing = standing_of(campaign, rosa)
    assert standing is not None
    assert standing.paused_at is not None
    with pytest.raises(services.UnableToClaim) as refusal:
        services.claim(campaign=campaign, rater=rosa, now=NOON + timedelta(hours=1))
    assert refusal.value.hindrance.reason == admission.Reason.RATER_PAUSED
    ordinary = {judgment.pk for judgment in given if not judgment.is_gold}
    assert set(ReviewRequest.objects.values_list("judgment_id", flat=True)) == ordinary
    assert set(Notice.objects.filter(kind=Notice.Kind.PAUSED).values_list("person", flat=True)) == {rosa.user_id, alice.pk}
    assert AuditEvent.objects.filter(action="pause", target_type="labeling.rater", target_id=rosa.pk).exists()


def test_one_bad_gold_among_many_pauses_nobody(campaign: Campaign, rosa: Rater) -> None:
    rank_by(next_gold(campaign, rosa), WRONG, rater=rosa, at=30)
    work_through(campaign, rosa, n=10, on_gold=RIGHT, at=40)

    assert standing_of(campaign, rosa) is None


def test_whoever_is_let_back_in_is_judged_by_new_golds_only(campaign: Campaign, rosa: Rater, alice: User) -> None:
    until_paused(campaign, rosa)

    assert services.resume_rater(campaign=campaign, rater=rosa, by=alice, now=NOON + timedelta(hours=1))

    work_through(campaign, rosa, n=3, on_gold=WRONG, at=120)
    standing = standing_of(campaign, rosa)
    assert standing is not None
    assert standing.paused_at is None


def test_a_pause_is_of_one_campaign(campaign: Campaign, rosa: Rater, day_shift: Pool, guideline: Guideline) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, name="Another")
    services.pause_rater(campaign=campaign, rater=rosa, by=None, now=NOON)

    assert services.claim(campaign=other, rater=rosa, now=NOON) is not None


# --- suspects, and what raters are told --------------------------------------------------------------------------


def test_a_gold_that_everybody_fails_is_suspect(campaign: Campaign, day_shift: Pool) -> None:
    wrong = Gold.objects.order_by("pk")[0]
    for name in ("Rosa", "Raul", "Rita"):
        rater = rater_called(name, pool=day_shift)
        for number in range(13):
            slot = services.claim(campaign=campaign, rater=rater, now=NOON + timedelta(minutes=number))
            if slot is None:
                break
            is_wrong = wrong.uses.filter(item=slot.item_id).exists()
            rank_by(slot, WRONG if is_wrong else RIGHT, rater=rater, at=number)

    rows = selectors.gold_rows(uses=selectors.gold_uses(campaign=campaign))

    assert [row.gold for row in rows if row.is_suspect] == [wrong]
    assert rows[0].gold == wrong


def test_raters_are_told_of_golds_only_where_the_campaign_tells(campaign: Campaign, rosa: Rater) -> None:
    rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)
    assert selectors.told_of_golds(rater=rosa) == []

    services.set_golds(campaign=campaign, values={"gold_feedback": True}, by=None, now=NOON)

    (told,) = selectors.told_of_golds(rater=rosa)
    assert told.passed.value == 0
    letters = {told.golds[0].given, told.golds[0].right}
    assert told.golds[0].given.split(" › ") == told.golds[0].right.split(" › ")[::-1]
    assert len(letters) == 2


# --- making them -------------------------------------------------------------------------------------------------


def test_an_order_that_decides_nothing_makes_no_gold(comparison_campaign: Campaign) -> None:
    item = comparison_campaign.items.all()[0]

    with pytest.raises(services.UnableToMakeGold):
        services.make_gold(item=item, ranks=dict.fromkeys(gold_order(item), 1), origin=Gold.Origin.EXPERT, by=None, now=NOON)


def test_another_order_of_the_same_item_takes_the_first_ones_place(comparison_campaign: Campaign) -> None:
    item = comparison_campaign.items.all()[0]
    first = services.make_gold(item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON)
    turned = {response: 5 - (rank or 0) for response, rank in gold_order(item).items()}

    second = services.make_gold(item=item, ranks=turned, origin=Gold.Origin.ADJUDICATION, by=None, now=NOON)

    first.refresh_from_db()
    assert first.retired_at is not None
    assert second.retired_at is None
    assert not services.bring_back_gold(gold=first, by=None, now=NOON)


def test_an_item_that_became_a_gold_takes_no_more_judgments(comparison_campaign: Campaign) -> None:
    item = comparison_campaign.items.all()[0]

    services.make_gold(item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON)

    assert not item.slots.filter(state=Slot.State.FREE).exists()


# --- items that became golds stay decided ------------------------------------------------------------------------


def made_gold(item: Item | None) -> Gold:
    assert item is not None
    return services.make_gold(item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON)


def states_of(item: Item | None) -> list[str]:
    return sorted(Slot.objects.filter(item=item).values_list("state", flat=True))


def is_done(campaign: Campaign) -> bool:
    return selectors.campaign_board(campaign=campaign, now=NOON).progress.is_done


def test_a_higher_overlap_asks_nothing_more_of_an_item_that_became_a_gold(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    made_gold(judgment.item)

    services.change_campaign(campaign=campaign, values={"overlap": 3}, by=None, now=NOON)

    assert states_of(judgment.item) == ["submitted"]
    assert is_done(campaign)


def test_who_joins_is_not_asked_about_a_calibration_item_that_became_a_gold(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    effort = Effort(calibration_percent=50)
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1, effort=effort)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    made_gold(judgment.item)

    newcomer = rater_called("Nina", pool=day_shift)

    assert states_of(judgment.item) == ["submitted"]
    assert services.claim(campaign=campaign, rater=newcomer, now=NOON) is None
    assert is_done(campaign)


def test_doubt_asks_nothing_more_of_an_item_that_became_a_gold(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=2, effort=Effort(max_overlap=5))
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    held = services.claim(campaign=campaign, rater=raul, now=NOON)
    assert held is not None
    made_gold(judgment.item)

    rank_by(held, WRONG, rater=raul)
    services.change_campaign(campaign=campaign, values={"confidence": 0.99}, by=None, now=NOON)

    assert states_of(judgment.item) == ["submitted", "submitted"]
    assert is_done(campaign)


def test_an_item_that_became_a_gold_while_it_was_held_is_let_go_as_decided(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    slot = services.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    case = skip_as_offensive(slot, rosa)
    made_gold(case.item)

    services.settle_case(case=case, outcome=Case.Outcome.KEPT, by=alice, now=NOON)

    assert states_of(case.item) == []


def test_what_was_in_hand_when_the_item_became_a_gold_goes_to_nobody_else(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=3)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    held = services.claim(campaign=campaign, rater=raul, now=NOON)
    forgotten = services.claim(campaign=campaign, rater=rita, now=NOON)
    made_gold(judgment.item)
    nina, later = rater_called("Nina", pool=day_shift), NOON + timedelta(hours=2)
    assert held is not None
    assert held.lease is not None
    assert forgotten is not None

    services.release(lease=held.lease, rater=raul, now=NOON)
    given_back = states_of(judgment.item)
    services.claim(campaign=campaign, rater=nina, now=later)

    assert given_back == ["leased", "submitted"]
    assert states_of(judgment.item) == ["submitted"]
    assert is_done(campaign)
    assert rank_by(forgotten, RIGHT, rater=rita, at=180).is_extra


def test_a_gold_that_is_brought_back_decides_its_item_again(day_shift: Pool, guideline: Guideline, rosa: Rater) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=1)
    (judgment,) = work_through(campaign, rosa, n=1, on_gold=RIGHT)
    gold = made_gold(judgment.item)

    services.retire_gold(gold=gold, by=None, now=NOON)
    services.change_campaign(campaign=campaign, values={"overlap": 2}, by=None, now=NOON)
    undecided = states_of(judgment.item)
    services.bring_back_gold(gold=gold, by=None, now=NOON)

    assert undecided == ["free", "submitted"]
    assert states_of(judgment.item) == ["submitted"]


# --- golds from a file -------------------------------------------------------------------------------------------


def lines(*rows: Any) -> io.BytesIO:
    return io.BytesIO(b"\n".join(json.dumps(row).encode() for row in rows))


GOOD = {"prompt": "What is 2 + 2?", "responses": ["4", "5", "six", "I do not know"], "ranks": [1, 2, 3, 3], "note": "Sums."}


def test_golds_come_from_a_file(comparison_campaign: Campaign, alice: User) -> None:
    chat = GOOD | {"prompt": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "And 3 + 3?"}]}

    found = services.import_golds(
        campaign=comparison_campaign, file=lines(GOOD, chat), file_name="gold.jsonl", by=alice, now=NOON
    )

    assert (found.n, found.problems) == (2, [])
    gold = Gold.objects.order_by("pk")[0]
    assert (gold.origin, gold.note, gold.prompt.retired_at) == (Gold.Origin.IMPORT, "Sums.", NOON)
    assert list(gold.ranks.order_by("response_id").values_list("rank", flat=True)) == [1, 2, 3, 3]


def test_a_file_with_a_bad_line_brings_nothing_in_and_names_every_line(comparison_campaign: Campaign) -> None:
    file = lines(
        GOOD,
        GOOD | {"responses": ["4", "5"]},
        GOOD | {"ranks": [1, 1, 1, 1]},
        GOOD | {"ranks": [0, 1, 2, 3]},
        GOOD | {"responses": ["4", "4 ", "5", "6"]},
        GOOD | {"prompt": ""},
        ["no object"],
    )

    found = services.import_golds(campaign=comparison_campaign, file=file, file_name="gold.jsonl", by=None, now=NOON)

    assert found.n == 0
    assert [problem.line for problem in found.problems] == [2, 3, 4, 5, 6, 7]
    assert not Gold.objects.exists()


def test_a_gold_is_work_and_costs_the_budget_until_it_is_undone(campaign: Campaign, rosa: Rater) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(budget_unit="judgments", budget=100)
    judgment = rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)
    campaign.refresh_from_db()
    spent = campaign.spent_judgments
    assert spent == Judgment.objects.filter(campaign=campaign).count()
    assert judgment.lease is not None

    services.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    campaign.refresh_from_db()
    assert campaign.spent_judgments == spent - 1
