"""A gate that looks several times: raters get its test prompts part by part, and it stops when the
votes decide.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.data.prompts import services as prompts_services
from labeling.models import Campaign, Item, Judgment, Rater, Slot
from labeling.people.withdrawals import withdrawal
from tests.html import page_of
from tests.training import cast
from tests.training.conftest import NOW
from tests.training.schedules import test_gates
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.schedules.test_gates import goes_on, improved
from training.models import Chain, TrainedModel
from training.registry import change_stage
from training.schedules.gate import promotion, selectors

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

at_gate = test_gates.at_gate
SETTINGS = {"n_looks": 2, "confidence": 95.0, "keeps_undecided": True}


@pytest.fixture
def looking(at_gate: Callable[..., Chain]) -> Callable[..., Chain]:
    """At a gate that looks after 10 of 20 test prompts, and after all."""

    def make(**changes: Any) -> Chain:
        return at_gate(**SETTINGS | changes)

    return make


def campaign_of(chain: Chain) -> Campaign:
    campaign = link(chain, "campaign").campaign
    assert campaign is not None
    return campaign


def offered(chain: Chain) -> list[Item]:
    """Test items that raters can get now."""
    free = Slot.objects.filter(campaign=campaign_of(chain), state=Slot.State.FREE)
    return list(Item.objects.filter(slots__in=free).distinct().order_by("pk"))


def judge_offered(chain: Chain, rater: Rater, share: float) -> None:
    """The rater prefers the new model on this share of what is offered."""
    new = run_of(chain, "sample").base_model.source_id
    items = offered(chain)
    for place, item in enumerate(items):
        test_gates.judge_item(item, rater, new, prefers_new=place < share * len(items))


def looks(chain: Chain) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = link(chain, "gate").looks
    return found


def outcome(chain: Chain) -> str:
    return str(link(chain, "gate").verdict.get("outcome", ""))


def test_raters_get_half_of_the_test_prompts_and_the_rest_when_the_first_look_is_undecided(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking()
    first = offered(chain)
    judge_offered(chain, rosa, 0.6)

    assert goes_on(chain).state == "going"

    second = offered(chain)
    assert (len(first), len(second)) == (10, 10)
    assert not {item.pk for item in first} & {item.pk for item in second}
    assert [(look["decision"], look["n_opened"], look["n"]) for look in looks(chain)] == [
        ("more", 10, 10)
    ]


def test_all_other_prompts_are_offered_from_the_start(
    looking: Callable[..., Chain],
) -> None:
    chain = looking(n_taught=5)

    splits = [item.prompt.split for item in offered(chain)]

    assert (splits.count("test"), splits.count("train")) == (10, 1)


def test_a_clear_winner_is_promoted_at_the_first_look_and_the_rest_is_never_asked(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking(confidence=90.0)
    judge_offered(chain, rosa, 1.0)

    assert goes_on(chain).state == "finished"

    assert (outcome(chain), improved(chain).stage) == ("passed", "approved")
    assert offered(chain) == []


def test_a_model_that_is_behind_is_dropped_at_the_first_look(
    looking: Callable[..., Chain],
    begin: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.3)

    assert goes_on(chain).state == "finished"

    assert (outcome(chain), offered(chain)) == ("failed", [])
    assert begin().base_model == base_model


def test_the_next_chain_goes_on_from_a_model_that_stayed_undecided_and_beats_the_same_one(
    looking: Callable[..., Chain], rosa: Rater, base_model: TrainedModel
) -> None:
    chain = looking()
    for _look in range(2):
        judge_offered(chain, rosa, 0.6)
        goes_on(chain)
    undecided = improved(chain)

    following = looking()

    assert outcome(chain) == "undecided"
    assert "The next chain goes on from it." in link(chain, "gate").verdict["sentence"]
    assert undecided.stage == "candidate"
    assert following.base_model == undecided
    assert run_of(following, "sample_before").base_model == base_model


def test_without_the_setting_the_next_chain_starts_from_the_current_model(
    looking: Callable[..., Chain],
    begin: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
) -> None:
    chain = looking(keeps_undecided=False)
    for _look in range(2):
        judge_offered(chain, rosa, 0.6)
        goes_on(chain)

    assert outcome(chain) == "failed"
    assert begin().base_model == base_model


@pytest.mark.parametrize("change", [{"stage": "retired"}, {"freed_at": NOW}])
def test_an_undecided_model_that_was_retired_or_deleted_is_not_gone_on_from(
    looking: Callable[..., Chain],
    begin: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
    change: dict[str, Any],
) -> None:
    chain = looking()
    for _look in range(2):
        judge_offered(chain, rosa, 0.6)
        goes_on(chain)
    TrainedModel.objects.filter(pk=improved(chain).pk).update(**change)

    assert begin().base_model == base_model


def test_a_model_that_beat_only_its_own_fine_tuned_model_is_not_gone_on_from(
    looking: Callable[..., Chain],
    begin: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
    noor: User,
) -> None:
    """A chain that fine-tunes first has that model as its rival until one is promoted."""
    chain = looking()
    for _look in range(2):
        judge_offered(chain, rosa, 0.6)
        goes_on(chain)
    chain.links.create(position=99, step="sft", state="done", run=cast.a_run(noor))

    assert begin().base_model == base_model


def test_a_model_approved_by_hand_since_is_gone_on_from_instead(
    looking: Callable[..., Chain], begin: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    first = looking()
    judge_offered(first, rosa, 0.3)
    goes_on(first)
    second = looking()
    for _look in range(2):
        judge_offered(second, rosa, 0.6)
        goes_on(second)

    later = NOW + timedelta(hours=1)
    change_stage.change_model(model=improved(first), stage="approved", by=noor, now=later)

    assert begin().base_model == improved(first)


def test_two_beats_at_once_take_one_look(looking: Callable[..., Chain], rosa: Rater) -> None:
    """The second one has read the link before the first one stored its look."""
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    goes_on(chain)
    judge_offered(chain, rosa, 0.6)
    stale = link(chain, "gate")
    stale.looks = []

    promotion.advance(chain, stale, NOW)

    assert len(looks(chain)) == 1
    assert outcome(chain) == ""


def test_a_person_who_decides_while_a_look_is_taken_has_the_last_word(
    looking: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    read_before = link(chain, "gate")
    assert promotion.decide(chain=chain, promotes=False, by=noor, now=NOW)

    promotion.advance(chain, read_before, NOW)

    assert (looks(chain), outcome(chain), offered(chain)) == ([], "failed", [])


def test_raters_who_never_answer_leave_the_decision_to_a_person(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    goes_on(chain)

    assert goes_on(chain, days=15).state == "approval"

    assert "10 answers on test prompts are still missing" in link(chain, "gate").verdict["sentence"]
    gate = selectors.gate_of(chain=again(chain))
    assert gate is not None
    assert gate.votes == "Not decided after 2 of 2 looks and 10 answers on test prompts."


def test_after_its_days_a_gate_asks_for_no_more(looking: Callable[..., Chain], rosa: Rater) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)

    assert goes_on(chain, days=15).state == "finished"

    assert (outcome(chain), offered(chain)) == ("undecided", [])


def test_a_closed_campaign_is_judged_on_what_there_is_and_opened_no_further(
    looking: Callable[..., Chain], rosa: Rater, alice: User
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    campaigns_services.close_campaign(campaign=campaign_of(chain), by=alice, now=NOW)

    assert goes_on(chain).state == "finished"

    assert (outcome(chain), looks(chain)[0]["n_opened"]) == ("undecided", 0)


def test_a_paused_campaign_gets_its_next_part_when_it_is_looked_at(
    looking: Callable[..., Chain], rosa: Rater, alice: User
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    campaigns_services.pause_campaign(campaign=campaign_of(chain), by=alice, now=NOW)

    goes_on(chain)

    assert (len(offered(chain)), campaign_of(chain).state) == (10, "paused")


def test_a_rater_who_withdraws_between_looks_is_asked_for_again_by_others(
    looking: Callable[..., Chain], rosa: Rater, rita: Rater, alice: User
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    goes_on(chain)
    judge_offered(chain, rita, 0.6)

    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOW)

    assert goes_on(chain).state == "going"
    assert (len(looks(chain)), len(offered(chain))) == (1, 10)


def test_a_prompt_that_was_retired_before_its_part_is_not_given_out(
    looking: Callable[..., Chain], rosa: Rater, alice: User
) -> None:
    chain = looking()
    held = Item.objects.filter(campaign=campaign_of(chain), held_at__isnull=False).first()
    assert held is not None
    prompts_services.retire_prompt(prompt=held.prompt, by=alice, now=NOW)
    judge_offered(chain, rosa, 0.6)

    goes_on(chain)

    assert held not in offered(chain)
    assert looks(chain)[0]["n_opened"] == 9


def test_votes_that_all_tie_stay_undecided(looking: Callable[..., Chain], rosa: Rater) -> None:
    chain = looking()
    for _look in range(2):
        judge_offered(chain, rosa, 1.0)
        for judgment in Judgment.of_people.filter(campaign=campaign_of(chain)):
            judgment.comparison.ranked.update(rank=1)
        goes_on(chain)

    assert outcome(chain) == "undecided"
    assert [look["value"] for look in looks(chain)] == [0.5, 0.5]


def test_fewer_test_prompts_than_looks_are_enough(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking(n_looks=10, n_judged=4)
    for _beat in range(10):
        judge_offered(chain, rosa, 1.0)
        chain = goes_on(chain)

    assert chain.state == "approval"
    assert "fewer than five test prompts" in link(chain, "gate").verdict["sentence"]


def test_a_model_that_drifted_too_far_is_not_asked_about_again(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking()
    judge_offered(chain, rosa, 0.6)
    TrainedModel.objects.filter(run=run_of(chain, "ppo")).update(metrics={"kl_after": 31.5})

    goes_on(chain)

    assert (outcome(chain), offered(chain)) == ("failed", [])
    assert "measure KL to the current model" in link(chain, "gate").verdict["sentence"]


def test_kl_is_measured_to_the_model_that_the_schedule_names(
    looking: Callable[..., Chain], begin: Callable[..., Chain], rosa: Rater
) -> None:
    first = looking(confidence=90.0)
    judge_offered(first, rosa, 1.0)
    goes_on(first)
    anchor = improved(first)
    schedule = first.schedule
    schedule.plan = schedule.plan | {"reference_model": anchor.pk}
    schedule.save(update_fields=["plan"])

    second = begin()
    run_ends(second, "reward")

    assert run_of(second, "ppo").reference_model == anchor


def test_the_page_says_which_look_is_next_and_how_many_answers_are_left(
    looking: Callable[..., Chain], rosa: Rater, noor: User, signed_in: Callable[..., Client]
) -> None:
    chain, client = looking(confidence=90.0), signed_in(noor)

    page = page_of(client.get(f"/chains/{chain.pk}/"))
    assert (
        "Look 1 of 2 is next. Raters have given 0 answers on test prompts, and are asked for at"
        " most 20 more." in page
    )
    judge_offered(chain, rosa, 1.0)
    goes_on(chain)

    page = page_of(client.get(f"/chains/{chain.pk}/"))
    assert (
        "Decided after 1 of 2 looks and 10 answers on test prompts; 10 more were not asked for."
        in page
    )
    assert "Look 1: preferred in 100 % of 10 votes (96 % interval" in page


def test_a_gate_that_asked_for_everything_does_not_say_that_0_more_were_not_asked_for(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking()
    for _look in range(2):
        judge_offered(chain, rosa, 0.6)
        goes_on(chain)

    gate = selectors.gate_of(chain=again(chain))

    assert gate is not None
    assert gate.votes == "Decided after 2 of 2 looks and 20 answers on test prompts."
    assert "(98.9 % interval" in gate.looks[0]


def test_the_interval_of_a_gate_has_the_level_of_its_confidence(
    looking: Callable[..., Chain], rosa: Rater
) -> None:
    chain = looking(n_looks=1, confidence=90.0)
    judge_offered(chain, rosa, 0.7)

    goes_on(chain)

    assert "70 % of votes (80 % interval" in link(chain, "gate").verdict["sentence"]
