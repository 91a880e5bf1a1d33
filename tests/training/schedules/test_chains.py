"""Chains: link after link, each once, stopped by a failure, gone on with, and asking a person where
wanted.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from accounts.models import Notice, User
from labeling.data.intake import NewResponse
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.training.conftest import NOW
from tests.training.runs.processes import processes, until
from tests.training.snapshots.test_freezing import compare, demonstrate, on_split, rows
from training.models import Chain, Link, Run, Schedule, Snapshot, TrainedModel
from training.models.chain_plans import Plan
from training.registry import services as registry_services
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.schedules import chains as schedules_chains
from training.schedules import services as schedules_services
from training.schedules import tasks as schedules_tasks
from training.schedules.chains import UnableToResume
from training.schedules.services import Terms
from training.snapshots import response_numbers
from training.storage import artifacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def begin(noor: User, base_model: TrainedModel) -> Callable[..., Chain]:
    """A chain of the schedule “Weekly”, taken as far as it goes by itself."""

    def make(template: str = "fine-tune", **plan: Any) -> Chain:
        schedule = Schedule.objects.filter(
            name="Weekly"
        ).first() or schedules_services.create_schedule(
            name="Weekly",
            plan=Plan(template=template, base_model=base_model.pk, **plan),
            terms=Terms(trigger="hand", time_zone="UTC"),
            by=noor,
            now=NOW,
        )
        chain = schedules_services.fire_now(schedule=schedule, by=noor, now=NOW)
        schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
        return again(chain)

    return make


@pytest.fixture
def demonstrated(rosa: Rater) -> None:
    demonstrate(on_split("train")[0], rosa)


def again(chain: Chain) -> Chain:
    chain.refresh_from_db()
    return chain


def link(chain: Chain, step: str) -> Link:
    return chain.links.select_related("run", "snapshot", "campaign").get(step=step)


def run_of(chain: Chain, step: str) -> Run:
    run = link(chain, step).run
    assert run is not None
    return run


def run_ends(
    chain: Chain, step: str, outcome: str = "succeeded", error: str = "", responses: int = 0
) -> None:
    """The run of this step is claimed and ends; the chain hears of it."""
    run = run_of(chain, step)
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    is_model = outcome == "succeeded" and not responses
    runs_services.finish_run(
        run_id=run.pk,
        attempt=claimed.attempt,
        result=AttemptResult(
            Run.Outcome(outcome), error=error, model=f"/models/{run.pk}" if is_model else None
        ),
        now=NOW,
    )
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)


def states(chain: Chain) -> list[str]:
    return list(chain.links.order_by("position").values_list("state", flat=True))


def test_a_chain_cuts_a_snapshot_and_queues_its_run_on_it(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin(n_gpus=1, memory_gb=40)

    run = run_of(chain, "sft")
    assert (run.state, run.snapshot) == ("queued", link(chain, "demonstrations").snapshot)
    assert (run.n_gpus, run.memory_gb) == (1, 40)
    assert states(chain) == ["done", "working"]


def test_advancing_twice_does_each_thing_once(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin()

    schedules_tasks.advance_chain(chain_id=chain.pk)
    schedules_tasks.advance_chain(chain_id=chain.pk)

    assert (Run.objects.count(), chain.links.filter(snapshot__isnull=False).count()) == (1, 1)


def test_a_chain_ends_with_its_last_run_and_says_so(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin()

    run_ends(chain, "sft")

    assert again(chain).state == "finished"
    assert [notice.kind for notice in Notice.objects.filter(person=noor)] == ["finished"]


def test_nothing_to_learn_from_stops_the_chain_with_the_reason(
    begin: Callable[..., Chain], noor: User
) -> None:
    chain = begin()

    assert chain.state == "failed"
    assert "There are no demonstrations to learn from." in chain.error
    assert Notice.objects.get(person=noor).kind == "nothing"


def test_a_failed_run_stops_the_chain_and_resuming_tries_that_run_again(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin()

    run_ends(chain, "sft", "failed", "The loss became NaN.")
    assert (again(chain).state, states(chain)) == ("failed", ["done", "failed"])
    assert "The loss became NaN." in chain.error
    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    assert (again(chain).state, states(chain), Run.objects.get().state) == (
        "going",
        ["done", "working"],
        "queued",
    )
    run_ends(chain, "sft")

    assert again(chain).state == "finished"


def test_a_lost_run_is_told_as_lost(
    begin: Callable[..., Chain], demonstrated: None, noor: User, settings: LazySettings
) -> None:
    chain = begin()
    run = run_of(chain, "sft")

    for attempt in range(1, 4):
        runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
        runs_services.give_up_attempt(
            run_id=run.pk, attempt=attempt, reason="The worker on gpu-1 disappeared.", now=NOW
        )
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert [notice.kind for notice in Notice.objects.filter(person=noor)] == ["lost"]


def test_resuming_after_judgments_came_cuts_the_snapshot_that_could_not_be_cut(
    begin: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    chain = begin()
    demonstrate(on_split("train")[0], rosa)

    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert states(chain) == ["done", "working"]


def test_only_a_failed_chain_can_be_resumed(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    with pytest.raises(UnableToResume):
        schedules_chains.resume_chain(chain=begin(), by=noor, now=NOW)


def test_a_step_that_wants_approval_waits_for_a_person_and_tells_them(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin(approvals=("sft",))

    assert (chain.state, states(chain)) == ("approval", ["done", "approval"])
    assert not Run.objects.exists()
    assert Notice.objects.get(person=noor).kind == "approval"
    assert schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    assert not schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert (link(chain, "sft").approved_by, states(chain)) == (noor, ["done", "working"])


def test_a_chain_that_is_stopped_stops_its_run(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin()

    assert schedules_chains.stop_chain(chain=chain, by=noor, now=NOW)

    assert (again(chain).state, Run.objects.get().outcome) == ("stopped", "stopped")


def test_a_snapshot_whose_worker_went_away_is_cut_by_another_after_a_while(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin()
    Run.objects.all().update(state="finished", outcome="stopped")
    chain.links.filter(step="sft").update(state="waiting", run=None)
    chain.links.filter(step="demonstrations").update(state="working", snapshot=None, claimed_at=NOW)

    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(minutes=5))
    assert states(chain) == ["working", "waiting"]
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(hours=3))

    assert states(chain) == ["done", "working"]


def test_the_next_chain_goes_on_from_the_model_that_the_last_one_left(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    first = begin()
    run_ends(first, "sft")

    second = begin()

    assert second.base_model == TrainedModel.objects.get(run=run_of(first, "sft"))


def test_fine_tuning_ends_in_a_campaign_on_the_new_models_responses(
    begin: Callable[..., Chain], demonstrated: None, day_shift: Pool, guideline: Guideline
) -> None:
    prompts = on_split("train", 3)
    chain = begin(
        "fine-tune-compare", pool=day_shift.pk, guideline=guideline.pk, n_responses=2, n_prompts=3
    )
    run_ends(chain, "sft")
    answer(chain, "sample", [prompt.pk for prompt in prompts], n=2)
    run_ends(chain, "sample", responses=2)

    campaign = Campaign.objects.get()
    assert (again(chain).state, link(chain, "campaign").campaign) == ("finished", campaign)
    assert (campaign.state, campaign.items.count()) == ("open", 3)
    assert run_of(chain, "sample").base_model == TrainedModel.objects.get(run=run_of(chain, "sft"))


def test_the_whole_cycle_ends_with_the_new_model_against_the_old_one(
    begin: Callable[..., Chain],
    noor: User,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
) -> None:
    prompts = on_split("train", 2)
    compare(prompts[0], rosa, [1, 2])
    chain = begin(
        "weekly", pool=day_shift.pk, guideline=guideline.pk, n_responses=4, approvals=("campaign",)
    )
    run_ends(chain, "reward")
    ppo = run_of(chain, "ppo")
    assert ppo.reward_model == TrainedModel.objects.get(run=run_of(chain, "reward"))
    run_ends(chain, "ppo")
    for step in ("sample", "sample_before"):
        answer(chain, step, [prompt.pk for prompt in prompts], n=2)
        run_ends(chain, step, responses=2)
    assert again(chain).state == "approval"
    schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    campaign = Campaign.objects.get()
    new = TrainedModel.objects.get(run=ppo)
    shown = set(campaign.items.values_list("responses__source", flat=True))
    assert again(chain).state == "finished"
    assert shown == {new.source_id, base_model.source_id}


def test_llama_2s_cycle_goes_from_demonstrations_to_a_blind_campaign_with_a_persons_word_between(
    begin: Callable[..., Chain],
    demonstrated: None,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
) -> None:
    prompts = on_split("train", 2)
    chain = begin("llama", pool=day_shift.pk, guideline=guideline.pk, n_responses=2)
    run_ends(chain, "sft")
    answer(chain, "sample_first", [prompt.pk for prompt in prompts], n=2)
    run_ends(chain, "sample_first", responses=2)
    fine_tuned = TrainedModel.objects.get(run=run_of(chain, "sft"))
    assert again(chain).state == "approval"
    assert link(chain, "comparisons").state == "approval"

    compare(prompts[0], rosa, [1, 2])
    schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    run_ends(chain, "reward")
    run_ends(chain, "ppo")
    answer(chain, "sample", [prompt.pk for prompt in prompts], n=2)
    run_ends(chain, "sample", responses=2)

    blind = link(chain, "campaign").campaign
    assert blind is not None
    assert (again(chain).state, chain.error) == ("finished", "")
    assert run_of(chain, "reward").base_model == fine_tuned
    assert run_of(chain, "ppo").base_model == fine_tuned
    improved = TrainedModel.objects.get(run=run_of(chain, "ppo"))
    assert set(blind.items.values_list("responses__source", flat=True)) == {
        improved.source_id,
        fine_tuned.source_id,
    }


def test_rloo_is_measured_against_the_model_before_on_held_out_prompts(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    on_split("test", 2)
    chain = begin("rloo", pool=day_shift.pk, guideline=guideline.pk)
    run_ends(chain, "reward")
    run_ends(chain, "rloo")

    evaluation = run_of(chain, "evaluate")
    improved = TrainedModel.objects.get(run=run_of(chain, "rloo"))
    assert (evaluation.kind, evaluation.base_model, evaluation.other_model) == (
        "evaluate",
        improved,
        base_model,
    )
    assert evaluation.reward_model == TrainedModel.objects.get(run=run_of(chain, "reward"))
    assert (evaluation.snapshot, evaluation.config["split"]) == (
        link(chain, "held_out").snapshot,
        "all",
    )
    assert evaluation.snapshot.n_rows == 2


def test_dpo_takes_comparisons_and_no_reward_model(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    chain = begin("dpo", pool=day_shift.pk, guideline=guideline.pk)

    run = run_of(chain, "dpo")
    assert (run.kind, run.base_model, run.reward_model) == ("dpo", base_model, None)
    run_ends(chain, "dpo")
    assert run_of(chain, "sample").base_model == TrainedModel.objects.get(run=run)


def test_rejection_sampling_learns_from_the_best_and_shows_raters_the_new_model(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
    settings: LazySettings,
) -> None:
    prompts = on_split("train", 2)
    compare(prompts[0], rosa, [1, 2])
    chain = begin(
        "rejection", pool=day_shift.pk, guideline=guideline.pk, n_candidates=3, n_responses=2
    )
    run_ends(chain, "reward")
    candidates = run_of(chain, "candidates")
    judge = TrainedModel.objects.get(run=run_of(chain, "reward"))
    assert (candidates.base_model, candidates.reward_model, candidates.config["n_responses"]) == (
        base_model,
        judge,
        3,
    )
    answer(chain, "candidates", [prompt.pk for prompt in prompts], n=3, scores=[0.1, 0.9, 0.5])
    run_ends(chain, "candidates", responses=3)

    best = link(chain, "best").snapshot
    assert best is not None
    assert [row["completion"][0]["content"] for row in rows(best, settings)] == [
        f"candidates 1 to {one.pk}" for one in prompts
    ]
    assert (run_of(chain, "sft_best").kind, run_of(chain, "sft_best").snapshot) == ("sft", best)
    assert run_of(chain, "sft_best").base_model == base_model
    run_ends(chain, "sft_best")
    answer(chain, "sample", [prompt.pk for prompt in prompts], n=2)
    run_ends(chain, "sample", responses=2)

    campaign, new = (
        link(chain, "campaign").campaign,
        TrainedModel.objects.get(run=run_of(chain, "sft_best")),
    )
    assert (again(chain).state, chain.error) == ("finished", "")
    assert campaign is not None
    assert set(campaign.items.values_list("responses__source", flat=True)) == {
        new.source_id,
        base_model.source_id,
    }


def test_ppo_goes_on_from_what_was_tuned_on_the_best_under_the_same_reward_model(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    prompts = on_split("train", 1)
    compare(prompts[0], rosa, [1, 2])
    chain = begin("rejection-ppo", pool=day_shift.pk, guideline=guideline.pk, n_candidates=2)
    run_ends(chain, "reward")
    answer(chain, "candidates", [prompts[0].pk], n=2, scores=[0.1, 0.9])
    run_ends(chain, "candidates", responses=2)
    run_ends(chain, "sft_best")

    ppo = run_of(chain, "ppo")
    assert ppo.base_model == TrainedModel.objects.get(run=run_of(chain, "sft_best"))
    assert ppo.reward_model == run_of(chain, "candidates").reward_model
    run_ends(chain, "ppo")
    assert run_of(chain, "sample").base_model == TrainedModel.objects.get(run=ppo)


def test_a_reward_model_that_there_is_scores_the_candidates_and_no_comparison_is_cut(
    begin: Callable[..., Chain], noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    judge = registry_services.register_model(
        name="judge",
        kind="reward",
        location="/models/judge",
        licence="",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )
    prompts = on_split("train", 1)
    chain = begin(
        "rejection-ppo",
        pool=day_shift.pk,
        guideline=guideline.pk,
        reward_model=judge.pk,
        n_candidates=2,
    )

    assert list(chain.links.order_by("position").values_list("step", flat=True))[:2] == [
        "prompts",
        "candidates",
    ]
    assert run_of(chain, "candidates").reward_model == judge
    answer(chain, "candidates", [prompts[0].pk], n=2, scores=[0.1, 0.9])
    run_ends(chain, "candidates", responses=2)
    run_ends(chain, "sft_best")
    assert run_of(chain, "ppo").reward_model == judge


@pytest.mark.parametrize(("keeps_earlier", "learned"), [(True, [1, 2]), (False, [2])])
def test_the_best_of_earlier_chains_are_learned_from_where_the_plan_says_so(
    begin: Callable[..., Chain],
    rosa: Rater,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    settings: LazySettings,
    keeps_earlier: bool,
    learned: list[int],
) -> None:
    prompts = on_split("train", 1)
    compare(prompts[0], rosa, [1, 2])
    chains = []
    for n in (1, 2):
        chain = begin(
            "rejection",
            pool=day_shift.pk,
            guideline=guideline.pk,
            n_candidates=2,
            keeps_earlier=keeps_earlier,
        )
        run_ends(chain, "reward")
        answer(chain, "candidates", [prompts[0].pk], n=2, scores=[0.1, 0.9], text=f"chain {n}")
        run_ends(chain, "candidates", responses=2)
        schedules_chains.stop_chain(chain=again(chain), by=noor, now=NOW)
        chains.append(chain)

    best = link(chains[1], "best").snapshot
    assert best is not None
    assert [row["completion"][0]["content"] for row in rows(best, settings)] == [
        f"chain {n} 1 to {prompts[0].pk}" for n in learned
    ]


def test_fine_tuning_goes_on_from_what_pretraining_left(
    begin: Callable[..., Chain], demonstrated: None, make_snapshot: Callable[..., Snapshot]
) -> None:
    text = make_snapshot("text")
    chain = begin("pretrain", text=text.pk)
    assert run_of(chain, "pretrain").snapshot == text

    run_ends(chain, "pretrain")

    assert run_of(chain, "sft").base_model == TrainedModel.objects.get(
        run=run_of(chain, "pretrain")
    )


@pytest.mark.parametrize("template", ["dpo", "rloo"])
def test_a_failed_link_of_a_new_kind_stops_the_chain_says_so_and_is_resumed(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
    template: str,
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    on_split("test", 1)
    chain = begin(template, pool=day_shift.pk, guideline=guideline.pk)
    if template == "rloo":
        run_ends(chain, "reward")

    run_ends(chain, template, "failed", "The loss became NaN.")
    assert (again(chain).state, link(chain, template).state) == ("failed", "failed")
    assert "The loss became NaN." in chain.error
    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    run_ends(chain, template)

    assert link(chain, template).state == "done"


def test_runs_of_a_chain_share_their_work_where_their_kind_can(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin(n_gpus=4, n_processes=4, strategy="ddp")

    assert run_of(chain, "sft").launch["n_processes"] == 4


def test_runs_of_a_chain_ask_for_several_machines_where_their_kind_can(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    settings.ARTIFACT_STORE = f"file://{tmp_path}/shared"
    demonstrate(on_split("train", 4)[0], rosa)
    chain = begin(
        "fine-tune-compare",
        pool=day_shift.pk,
        guideline=guideline.pk,
        n_responses=2,
        n_prompts=3,
        n_machines=2,
    )
    run_ends(chain, "sft")

    assert (
        run_of(chain, "sft").launch["n_machines"],
        run_of(chain, "sample").launch["n_machines"],
    ) == (2, 1)


@pytest.mark.parametrize(("how", "is_same_run"), [({}, True), ({"anew": "1"}, False)])
def test_a_chain_goes_on_with_the_model_that_a_stopped_run_has_saved_or_begins_the_step_anew(
    begin: Callable[..., Chain],
    demonstrated: None,
    signed_in: Callable[..., Client],
    noor: User,
    how: dict[str, str],
    is_same_run: bool,
) -> None:
    chain, client = begin(), signed_in(noor)
    run = run_of(chain, "sft")
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    ending = AttemptResult(Run.Outcome.STOPPED, model="/models/stopped")
    runs_services.finish_run(run_id=run.pk, attempt=claimed.attempt, result=ending, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    saved = TrainedModel.objects.get(run=run)
    page = client.get(f"/chains/{chain.pk}/").content.decode()
    assert f"saved “{saved}”. Continue with that model" in again(chain).error
    assert (f"Continue with {saved}" in page, "Restart this step" in page) == (True, True)

    client.post(f"/chains/{chain.pk}/resume", how)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert (run_of(chain, "sft") == run) == is_same_run
    assert again(chain).state == ("finished" if is_same_run else "going")


def test_a_disk_that_is_full_stops_the_chain_with_a_sentence_and_leaves_no_half_a_folder(
    begin: Callable[..., Chain],
    demonstrated: None,
    noor: User,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(artifacts, "store_snapshot", full)
        chain = begin()

    assert (chain.state, states(chain)) == ("failed", ["failed", "waiting"])
    assert "disk for snapshots is full" in chain.error
    assert (Notice.objects.get(person=noor).kind, list(settings.SNAPSHOTS_DIR.iterdir())) == (
        "failed",
        [],
    )
    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    assert states(chain) == ["done", "working"]


def test_a_chain_goes_on_from_no_model_that_was_retired(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    for _time in range(2):
        chain = begin()
        run_ends(chain, "sft")
    older, newest = TrainedModel.objects.filter(run__isnull=False).order_by("pk")
    TrainedModel.objects.filter(pk=newest.pk).update(stage="retired")

    assert begin().base_model == older


def test_a_chain_whose_model_was_retired_stops_with_a_sentence(
    begin: Callable[..., Chain], demonstrated: None, base_model: TrainedModel
) -> None:
    TrainedModel.objects.filter(pk=base_model.pk).update(stage="retired")

    chain = begin()

    assert (chain.state, Run.objects.count()) == ("failed", 0)
    assert "“base” is retired." in chain.error


def test_a_campaign_that_nobody_could_work_on_stops_the_chain_with_a_sentence(
    begin: Callable[..., Chain], demonstrated: None, day_shift: Pool
) -> None:
    on_split("train", 2)
    chain = begin("fine-tune-compare", pool=day_shift.pk, guideline=None)
    run_ends(chain, "sft")
    run_ends(chain, "sample", responses=1)

    assert (again(chain).state, states(chain)[-1]) == ("failed", "failed")
    assert "no pool or no guideline" in chain.error


def answer(
    chain: Chain,
    step: str,
    prompt_ids: list[int],
    *,
    n: int,
    scores: Sequence[float] = (),
    text: str | None = None,
) -> None:
    """What the supervisor hands on while the run of this step goes on; each prompt's responses have
    the same `scores`.
    """
    run = run_of(chain, step)
    first = response_numbers.response_number(run_id=run.pk, number=0)
    written = [
        NewResponse(
            prompt_id=pk,
            text=f"{text or step} {number} to {pk}",
            number=first + number,
            sampling={},
            is_ended=True,
        )
        for pk in prompt_ids
        for number in range(n)
    ]
    scored = {
        (pk, first + number): score for pk in prompt_ids for number, score in enumerate(scores)
    }
    Run.objects.filter(pk=run.pk).update(state="running", attempt=9)
    registry_services.store_responses(
        run_id=run.pk, attempt=9, rows=written, scores=scored, now=NOW
    )
    Run.objects.filter(pk=run.pk).update(state="queued")


@pytest.mark.django_db(transaction=True)
def test_a_chain_that_is_stopped_while_it_queues_a_run_leaves_none_that_waits(
    begin: Callable[..., Chain], demonstrated: None, noor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = schedules_chains._queue
    stoppers = []

    def late(chain: Chain, link: Link, now: datetime) -> bool:
        def stop() -> None:
            schedules_chains.stop_chain(chain=Chain.objects.get(pk=chain.pk), by=noor, now=NOW)
            connection.close()

        stoppers.append(threading.Thread(target=stop))
        stoppers[0].start()
        stoppers[0].join(timeout=1)
        return really(chain, link, now)

    monkeypatch.setattr(schedules_chains, "_queue", late)

    chain = begin()
    stoppers[0].join()

    assert again(chain).state == "stopped"
    assert [run.outcome for run in Run.objects.all()] == ["stopped"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_real_workers_take_a_chain_from_its_first_link_to_its_notice(
    tmp_path: Path, stand_in: None, noor: User, base_model: TrainedModel, demonstrated: None
) -> None:
    plan, terms = (
        Plan("fine-tune", base_model=base_model.pk),
        Terms(trigger="hand", time_zone="UTC"),
    )
    schedule = schedules_services.create_schedule(
        name="Weekly", plan=plan, terms=terms, by=noor, now=NOW
    )
    chain = schedules_services.fire_now(schedule=schedule, by=noor, now=NOW)

    with processes(tmp_path) as site:
        site.start_broker()
        site.start_short_worker()
        site.start_worker("gpu-1", node="gpu-1")
        site.advance(chain.pk)
        until(lambda: again(chain).state != "going", "the end of the chain")

    assert (chain.state, chain.error) == ("finished", "")
    assert run_of(chain, "sft").node == "gpu-1"
    assert Notice.objects.get(person=noor).kind == "finished"
