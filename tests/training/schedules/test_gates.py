"""The gate of a chain: raters judge the new model on test prompts, and only a model that passes
becomes the schedule's current one.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Notice, User
from labeling.models import (
    Campaign,
    Comparison,
    Guideline,
    Item,
    Judgment,
    Pool,
    RankedResponse,
    Rater,
    Slot,
)
from tests.html import page_of
from tests.labeling.campaigns.judging import add_repeat
from tests.pages.stale.two_tabs import Tab
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.schedules.test_chain_plans import answer
from tests.training.snapshots.test_freezing import compare, on_split
from training.models import Chain, TrainedModel
from training.registry import change_stage
from training.schedules import chains as schedules_chains
from training.schedules.gate import promotion

N_TEST = 20

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def at_gate(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> Callable[..., Chain]:
    """A whole cycle, taken to its campaign on N_TEST test prompts."""

    def make(**changes: Any) -> Chain:
        if not Judgment.of_people.exists():
            compare(on_split("train")[0], rosa, [1, 2])
            on_split("test", N_TEST)
        plan = {"pool": day_shift.pk, "guideline": guideline.pk, "n_responses": 2, "overlap": 1}
        chain = begin("weekly", **plan | {"n_taught": 0} | changes)
        run_ends(chain, "reward")
        run_ends(chain, "ppo")
        prompts = [row["prompt_id"] for row in _rows(chain)]
        for step in ("sample", "sample_before"):
            answer(chain, step, prompts, n=1, text=f"{step} of {chain.number}")
            run_ends(chain, step, responses=1)
        return again(chain)

    return make


def _rows(chain: Chain) -> list[dict[str, int]]:
    snapshot = link(chain, "held_out").snapshot
    assert snapshot is not None
    return [{"prompt_id": one.prompt_id} for one in snapshot.drawn.order_by("prompt_id")]


def judge(chain: Chain, rater: Rater, n_won: int, *, n: int = N_TEST) -> None:
    """The rater prefers the new model on the first `n_won` items of `n`, and the old one then."""
    campaign, new = link(chain, "campaign").campaign, run_of(chain, "sample").base_model
    assert campaign is not None
    for place, item in enumerate(campaign.items.order_by("pk")[:n]):
        judge_item(item, rater, new.source_id, prefers_new=place < n_won)


def judge_item(item: Item, rater: Rater, new: int | None, *, prefers_new: bool) -> None:
    """The rater prefers the response of source `new`, or the other one."""
    judgment = Judgment.of_people.create(
        kind="comparison",
        rater=rater,
        prompt=item.prompt,
        campaign=item.campaign,
        item=item,
        slot=Slot.objects.filter(item=item).first(),
        submitted_at=NOW,
    )
    comparison = Comparison.objects.create(judgment=judgment)
    for position, response in enumerate(item.responses.order_by("pk")):
        is_winner = (response.source_id == new) == prefers_new
        RankedResponse.objects.create(
            comparison=comparison,
            response=response,
            position=position,
            rank=1 if is_winner else 2,
        )
    Slot.objects.filter(item=item).update(state="submitted", rater=rater)


def goes_on(chain: Chain, days: int = 0) -> Chain:
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(days=days))
    return again(chain)


def improved(chain: Chain) -> TrainedModel:
    return TrainedModel.objects.get(run=run_of(chain, "ppo"))


def test_a_chain_practises_on_train_measures_on_validation_and_asks_raters_on_test(
    at_gate: Callable[..., Chain],
) -> None:
    on_split("validation", 3)
    chain = at_gate()

    practised, asked = link(chain, "prompts").snapshot, link(chain, "held_out").snapshot
    assert practised is not None
    assert asked is not None
    assert practised.card["splits"] == {"train": 1, "validation": 3, "test": 0}
    assert asked.card["splits"] == {"train": 0, "validation": 0, "test": N_TEST}
    assert run_of(chain, "ppo").snapshot == practised
    assert run_of(chain, "sample").snapshot == run_of(chain, "sample_before").snapshot == asked


def test_a_gate_waits_while_raters_owe_answers(at_gate: Callable[..., Chain], rosa: Rater) -> None:
    chain = at_gate()
    judge(chain, rosa, 10, n=10)

    assert goes_on(chain).state == "going"
    assert (link(chain, "gate").state, link(chain, "gate").verdict) == ("working", {})


def test_a_model_that_raters_prefer_becomes_the_current_one_and_the_next_chain_starts_from_it(
    at_gate: Callable[..., Chain], begin: Callable[..., Chain], rosa: Rater
) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)

    assert goes_on(chain).state == "finished"
    verdict = link(chain, "gate").verdict
    assert verdict["outcome"] == "passed"
    assert "preferred it to the current model in 90 % of votes" in verdict["sentence"]
    assert (improved(chain).stage, improved(chain).approved_at) == ("approved", NOW)
    assert begin().base_model == improved(chain)


def test_one_raters_taste_promotes_no_model(
    at_gate: Callable[..., Chain], rosa: Rater, raul: Rater, rita: Rater
) -> None:
    """Rosa and Raul always prefer the new model, Rita never: 75 % of 20 votes, and by prompts alone
    the interval starts at 51 %.
    """
    chain = at_gate()
    judge(chain, rosa, 15)
    votes = list(Judgment.of_people.filter(campaign__isnull=False).order_by("item"))
    for rater, some in ((raul, votes[10:15]), (rita, votes[15:])):
        Judgment.of_people.filter(pk__in=[vote.pk for vote in some]).update(rater=rater)

    goes_on(chain)

    verdict = link(chain, "gate").verdict
    assert (verdict["outcome"], verdict["about"]) == ("failed", "raters_like_these")
    assert "75 % of votes (95 % interval" in verdict["sentence"]
    assert "for raters like these" in verdict["sentence"]


def test_with_one_rater_the_verdict_says_that_it_is_about_these_raters(
    at_gate: Callable[..., Chain], rosa: Rater, noor: User, signed_in: Callable[..., Client]
) -> None:
    chain = at_gate(approvals=("gate",))
    judge(chain, rosa, 18)

    goes_on(chain)

    assert link(chain, "gate").verdict["about"] == "these_raters"
    page = page_of(signed_in(noor).get(f"/chains/{chain.pk}/"))
    assert "for these raters only" in page
    assert promotion.decide(chain=chain, promotes=True, by=noor, now=NOW)
    assert link(chain, "gate").verdict["about"] == "these_raters"


def test_a_model_that_cannot_be_told_from_the_current_one_is_kept_and_not_gone_on_from(
    at_gate: Callable[..., Chain],
    begin: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
) -> None:
    chain = at_gate()
    judge(chain, rosa, 12)

    assert goes_on(chain).state == "finished"
    verdict = link(chain, "gate").verdict
    assert verdict["outcome"] == "failed"
    assert "60 % of votes (95 % interval" in verdict["sentence"]
    assert (improved(chain).stage, improved(chain).freed_at) == ("candidate", None)
    assert begin().base_model == base_model


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"reward_before": 1.0, "reward_after": 0.5}, "changed by −0.5 (no interval)"),
        (
            {"reward_gain": -0.5, "reward_gain_low": -0.9, "reward_gain_high": -0.1},
            "changed by −0.5 (95 % interval −0.9 to −0.1)",
        ),
        ({"kl_after": 31.5}, "KL is 31.5 nats per response, above 20."),
    ],
)
def test_a_model_that_raters_prefer_still_fails_on_what_its_run_measured(
    at_gate: Callable[..., Chain], rosa: Rater, metrics: dict[str, float], said: str
) -> None:
    chain = at_gate()
    judge(chain, rosa, 20)
    TrainedModel.objects.filter(run=run_of(chain, "ppo")).update(metrics=metrics)

    goes_on(chain)

    assert link(chain, "gate").verdict["outcome"] == "failed"
    assert said in link(chain, "gate").verdict["sentence"]


def test_a_fall_of_reward_that_chance_explains_stops_no_model(
    at_gate: Callable[..., Chain], rosa: Rater
) -> None:
    chain = at_gate()
    judge(chain, rosa, 20)
    metrics = {"reward_gain": -0.1, "reward_gain_low": -0.4, "reward_gain_high": 0.2}
    TrainedModel.objects.filter(run=run_of(chain, "ppo")).update(metrics=metrics)

    goes_on(chain)

    assert link(chain, "gate").verdict["outcome"] == "passed"


def test_a_model_that_only_writes_longer_fails(at_gate: Callable[..., Chain], rosa: Rater) -> None:
    chain = at_gate()
    judge(chain, rosa, 20)
    run = run_of(chain, "sample")
    for response in run.base_model.source.responses.all():
        response.text *= 3
        response.save()

    goes_on(chain)

    assert "times as long as the current model's" in link(chain, "gate").verdict["sentence"]


def test_training_prompts_in_the_same_campaign_do_not_count(
    at_gate: Callable[..., Chain], rosa: Rater
) -> None:
    chain = at_gate(n_taught=5)
    campaign = link(chain, "campaign").campaign
    assert campaign is not None
    assert set(campaign.items.values_list("prompt__split", flat=True)) == {"train", "test"}
    judge(chain, rosa, 21, n=21)

    goes_on(chain)

    assert link(chain, "gate").verdict["checks"][0]["n"] == N_TEST


def test_a_repeat_is_not_waited_for(at_gate: Callable[..., Chain], rosa: Rater) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)
    campaign = link(chain, "campaign").campaign
    assert campaign is not None
    add_repeat(campaign)

    assert goes_on(chain).state == "finished"


def test_the_page_counts_the_answers_of_every_rater_who_will_be_asked(
    at_gate: Callable[..., Chain], noor: User, signed_in: Callable[..., Client]
) -> None:
    chain = at_gate(n_looks=2, overlap=2)

    page = page_of(signed_in(noor).get(f"/chains/{chain.pk}/"))

    assert f"and are asked for at most {2 * N_TEST} more." in page


def test_after_its_days_a_gate_asks_a_person_who_decides(
    at_gate: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    chain = at_gate()
    judge(chain, rosa, 10, n=10)

    assert goes_on(chain, days=15).state == "approval"
    assert "10 answers on test prompts are still missing" in link(chain, "gate").verdict["sentence"]
    assert "needs your decision" in Notice.objects.get(person=noor, kind="approval").sentence
    assert promotion.decide(chain=chain, promotes=True, by=noor, now=NOW)
    assert not promotion.decide(chain=chain, promotes=False, by=noor, now=NOW)

    assert goes_on(chain).state == "finished"
    assert (improved(chain).stage, link(chain, "gate").approved_by) == ("approved", noor)


def test_a_gate_decided_since_the_page_was_opened_is_not_decided_again(
    at_gate: Callable[..., Chain], rosa: Rater, noor: User, signed_in: Callable[..., Client]
) -> None:
    chain = at_gate()
    judge(chain, rosa, 10, n=10)
    goes_on(chain, days=15)
    stale = Tab.opened(signed_in(noor), f"/chains/{chain.pk}/", "chain_decide")
    promotion.decide(chain=chain, promotes=False, by=noor, now=NOW)

    page = stale.send({"promotes": ""})

    assert "Nothing was done: this was changed after you opened the page." in page.text
    assert improved(chain).stage == "candidate"


def test_a_campaign_that_is_closed_early_is_judged_on_what_there_is(
    at_gate: Callable[..., Chain], rosa: Rater, alice: User
) -> None:
    chain = at_gate()
    judge(chain, rosa, 3, n=3)
    Campaign.objects.update(state="closed")

    assert goes_on(chain).state == "approval"
    assert "fewer than five test prompts" in link(chain, "gate").verdict["sentence"]


def test_promotion_can_need_a_persons_approval(
    at_gate: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    chain = at_gate(approvals=("gate",))
    judge(chain, rosa, 20)

    assert goes_on(chain).state == "approval"
    assert improved(chain).stage == "candidate"
    assert schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    assert (goes_on(chain).state, improved(chain).stage) == ("finished", "approved")


def test_two_failures_in_a_row_are_told_to_every_researcher(
    at_gate: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    other = User.objects.create_user(email="otto@example.com", name="Otto", is_researcher=True)
    for _time in range(2):
        assert not Notice.objects.filter(person=other).exists()
        chain = at_gate()
        judge(chain, rosa, 2)
        goes_on(chain)

    assert "failed in a row" in Notice.objects.get(person=other).sentence


def test_an_approval_by_hand_makes_an_older_model_the_current_one(
    at_gate: Callable[..., Chain], begin: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    first = at_gate()
    judge(first, rosa, 2)
    goes_on(first)
    second = at_gate()
    judge(second, rosa, 20)
    goes_on(second)

    later = NOW + timedelta(hours=1)
    change_stage.change_model(model=improved(first), stage="approved", by=noor, now=later)

    assert begin().base_model == improved(first)


def test_the_page_of_a_chain_shows_the_figures_and_takes_the_decision(
    at_gate: Callable[..., Chain],
    rosa: Rater,
    noor: User,
    signed_in: Callable[..., Client],
) -> None:
    chain, client = at_gate(), signed_in(noor)
    judge(chain, rosa, 3, n=10)
    goes_on(chain, days=15)

    page = page_of(client.get(f"/chains/{chain.pk}/"))
    assert "Needs a decision" in page
    assert "Win rate against the current model, by raters" in page
    client.post(f"/chains/{chain.pk}/decide")
    goes_on(chain)

    assert link(chain, "gate").verdict["outcome"] == "failed"
    shown = page_of(client.get(f"/schedules/{chain.schedule_id}/"))
    assert f"Not promoted, by {noor}." in shown
    assert f"Not promoted, by {noor}." in page_of(client.get(f"/models/{improved(chain).pk}/"))
    assert "Later chains continue from the last promoted model." in shown
    assert "newest model" not in shown
