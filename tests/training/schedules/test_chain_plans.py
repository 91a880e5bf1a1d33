"""The steps of each plan: what every link takes from those before, and what the chain ends with."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.data.intake import NewResponse
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.snapshots.test_freezing import compare, demonstrate, on_split, rows
from training.models import Chain, Run, Snapshot, TrainedModel
from training.registry import services as registry_services
from training.schedules import chains as schedules_chains
from training.snapshots import response_numbers

pytestmark = pytest.mark.django_db


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
        "fine-tune-compare", pool=day_shift.pk, guideline=guideline.pk, n_responses=2, n_taught=3
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
    prompts = on_split("test", 2)
    compare(on_split("train")[0], rosa, [1, 2])
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
    assert (again(chain).state, link(chain, "campaign").state) == ("going", "done")
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
    for step in ("sample", "sample_before"):
        answer(chain, step, [prompt.pk for prompt in prompts], n=2)
        run_ends(chain, step, responses=2)

    blind = link(chain, "campaign").campaign
    assert blind is not None
    assert link(chain, "campaign").state == "done"
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
    on_split("validation", 2)
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
        link(chain, "prompts").snapshot,
        "held_out",
    )
    assert evaluation.snapshot.card["splits"] == {"train": 1, "validation": 2, "test": 0}


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
    for step in ("sample", "sample_before"):
        answer(chain, step, [prompt.pk for prompt in prompts], n=2)
        run_ends(chain, step, responses=2)

    campaign, new = (
        link(chain, "campaign").campaign,
        TrainedModel.objects.get(run=run_of(chain, "sft_best")),
    )
    assert link(chain, "campaign").state == "done"
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
    ) == (2, 2)


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
