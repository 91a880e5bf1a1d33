"""The PPO loop on two-layer models: masks, invariances, resume, the reference, the watchdogs, and
that it learns.
"""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import pytest
import safetensors.torch
import torch
from accelerate import DistributedType
from accelerate.state import AcceleratorState, PartialState

from tests.trainer.ppo import models as ppo_models
from training.trainer.modeling import packing
from training.trainer.ppo import collapse, episodes, prompt_order, roles
from training.trainer.ppo import trainer as ppo_trainer

Build = Callable[..., roles.Roles]


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters() if p.requires_grad]


# --- packing and masks ----------------------------------------------------------------------------


def test_packed_rows_keep_order_and_stay_within_their_budget() -> None:
    sequences = [([1, 2], [3] * n) for n in (3, 1, 4, 9, 2)]

    rows = packing.pack(sequences, 10)

    assert [row.members for row in rows] == [[0, 1], [2], [3], [4]]
    assert torch.cat([row.targets for row in rows]).tolist() == [
        t for _, response in sequences for t in response
    ]
    assert all(row.input_ids.shape[1] <= 11 for row in rows)


def test_a_batch_of_unequal_lengths_equals_the_same_episodes_one_by_one() -> None:
    trainer = ppo_models.trainer(row_tokens=10_000)
    together = ppo_models.stored_experience(trainer)

    alone = [trainer.experience([rollout]) for rollout in together.rollouts]

    for name in ("logprobs", "reference_logprobs", "values", "scores", "entropy"):
        assert torch.allclose(
            getattr(together, name), torch.cat([getattr(one, name) for one in alone]), atol=1e-5
        ), name


def test_logprobs_equal_a_plain_forward_pass() -> None:
    trainer = ppo_models.trainer()
    experience = ppo_models.stored_experience(trainer)
    rollout, n = experience.rollouts[2], experience.lengths
    start = sum(n[:2])

    with torch.no_grad():
        logits = (
            trainer.trained.policy(
                input_ids=torch.tensor([rollout.prompt_ids + rollout.response_ids])
            )
            .logits[0]
            .float()
        )
    expected = torch.log_softmax(logits, -1)[len(rollout.prompt_ids) - 1 : -1].gather(
        1, torch.tensor(rollout.response_ids)[:, None]
    )[:, 0]

    assert torch.allclose(experience.logprobs[start : start + n[2]], expected, atol=1e-5)


def test_nothing_behind_the_end_of_turn_is_kept_and_a_cut_response_gets_no_end() -> None:
    trainer = ppo_models.trainer()

    ended, cut = (
        trainer.sampler.trimmed([3], [5, 2, 7, 2]),
        trainer.sampler.trimmed([3], [5, 6, 7, 8]),
    )

    assert (ended.response_ids, ended.is_ended) == ([5, 2], True)
    assert (cut.response_ids, cut.is_ended) == ([5, 6, 7, 8], False)


def test_a_response_ends_at_each_end_that_the_models_own_settings_name() -> None:
    models: Any = ppo_models.full_models()
    models.policy.generation_config.eos_token_id = [2, 9]
    trainer = ppo_models.trainer(models)
    with torch.no_grad():
        trainer.trained.policy.lm_head.weight.zero_()
        trainer.trained.policy.lm_head.weight[9] += (
            1  # all logits 0 but one, whose sign is the hidden state's
        )
        trainer.trained.policy.model.norm.weight.zero_()

    other = trainer.sampler.trimmed([3], [5, 9, 7, 2])
    for trainer.sampler.samples_itself in (True, False):
        rollouts = trainer.sample(ppo_models.PROMPTS * 8)
        assert any(rollout.response_ids[-1] == 9 for rollout in rollouts)
        assert all(9 not in rollout.response_ids[:-1] for rollout in rollouts)

    assert (other.response_ids, other.is_ended) == ([5, 9], True)


def test_the_reward_model_is_read_at_the_last_sampled_token() -> None:
    trainer = ppo_models.trainer()
    reward: Any = trainer.passes.reward
    rollouts = [
        episodes.Rollout([3, 4], [5, 6], False),
        episodes.Rollout([3], [7, 2], True),
    ]

    scores = trainer.passes.scores(rollouts)

    for rollout, score in zip(rollouts, scores, strict=True):
        with torch.no_grad():
            hidden = reward.model(
                input_ids=torch.tensor([rollout.prompt_ids + rollout.response_ids])
            ).last_hidden_state
            assert float(score) == pytest.approx(
                float(reward.score(hidden)[0, -1, 0].detach()), abs=1e-5
            )


def test_the_prompts_beside_it_change_no_response() -> None:
    trainer = ppo_models.trainer(temperature=0.05)
    with torch.no_grad():
        # so sure of itself that sampling is choosing
        trainer.trained.policy.lm_head.weight.mul_(10_000)

    for trainer.sampler.samples_itself in (True, False):
        together = [rollout.response_ids for rollout in trainer.sample(ppo_models.PROMPTS)]
        alone = [trainer.sample([prompt])[0].response_ids for prompt in ppo_models.PROMPTS]

        assert together == alone


# --- several processes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "n_processes", "sentence"),
    [
        (DistributedType.FSDP, 2, "Choose DDP"),
        (DistributedType.MULTI_GPU, 3, "do not divide among 3"),
        (
            DistributedType.MULTI_GPU,
            4,
            (
                "Each process has 2 episodes of a rollout, which cannot be cut into 4 equal"
                " minibatches"
            ),
        ),
    ],
)
def test_processes_that_cannot_share_a_run_are_told_why(
    kind: DistributedType, n_processes: int, sentence: str
) -> None:
    accelerator: Any = SimpleNamespace(num_processes=n_processes, distributed_type=kind)
    tokenizer: Any = ppo_models.BareTokenizer()
    config = ppo_models.config(n_minibatches=4)

    with pytest.raises(roles.UnableToShare, match=sentence):
        ppo_trainer.PpoTrainer(
            ppo_models.full_models(), tokenizer, config, prompts=[], accelerator=accelerator
        )


# --- reference and adapters -----------------------------------------------------------------------


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_kl_is_exactly_zero_before_the_first_update(build: Build) -> None:
    trainer = ppo_models.trainer(build())

    experience = ppo_models.stored_experience(trainer)

    assert not experience.kl.any()


def test_with_lora_the_reward_model_is_the_value_model_with_its_adapter_off() -> None:
    models = ppo_models.lora_models()
    trainer = ppo_models.trainer(models)
    before = ppo_models.stored_experience(trainer)

    trainer.updater.update(before)
    after = trainer.experience(before.rollouts)

    assert torch.equal(before.scores, after.scores)
    assert not torch.allclose(before.values, after.values)
    assert torch.equal(before.reference_logprobs, after.reference_logprobs)
    assert not torch.allclose(before.logprobs, after.logprobs)


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_values_are_on_the_scale_of_the_scores_whose_bias_is_taken_off(build: Build) -> None:
    plain = ppo_models.stored_experience(ppo_models.trainer(build()))
    models: Any = build()
    models.value.config.reward_bias = 0.75
    if models.reward is not None:
        models.reward.config.reward_bias = 0.75

    biased = ppo_models.stored_experience(ppo_models.trainer(models))

    assert torch.allclose(plain.scores - biased.scores, torch.tensor(0.75), atol=1e-6)
    assert torch.allclose(plain.values - biased.values, torch.tensor(0.75), atol=1e-6)


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_every_trainable_weight_of_policy_and_value_moves(build: Build) -> None:
    trainer = ppo_models.trainer(build(), n_inner_epochs=2)
    named = [
        (name, p, p.detach().clone())
        for model in (trainer.trained.policy, trainer.trained.value)
        for name, p in model.named_parameters()
        if p.requires_grad
    ]

    for report in trainer.steps():
        if report.step == 3:
            break

    assert [name for name, p, old in named if torch.equal(p, old)] == []


def test_reward_and_reference_never_move() -> None:
    models: Any = ppo_models.full_models()
    before = copy.deepcopy([*models.reference.parameters(), *models.reward.parameters()])
    trainer = ppo_models.trainer(models)

    list(trainer.steps())

    assert all(
        torch.equal(a, b)
        for a, b in zip(
            before, [*models.reference.parameters(), *models.reward.parameters()], strict=True
        )
    )


# --- the same whatever the batching ---------------------------------------------------------------


@pytest.mark.parametrize("row_tokens", [16, 40, 10_000])
def test_an_update_does_not_depend_on_how_many_rows_it_is_cut_into(row_tokens: int) -> None:
    whole, cut = ppo_models.trainer(row_tokens=10_000), ppo_models.trainer(row_tokens=row_tokens)

    for trainer in (whole, cut):
        trainer.updater.update(ppo_models.stored_experience(trainer))

    for a, b in zip(
        weights(whole.trained.policy) + weights(whole.trained.value),
        weights(cut.trained.policy) + weights(cut.trained.value),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_gradient_checkpointing_holds_less_and_changes_nothing(build: Build) -> None:
    held, found = {}, {}
    for saves_memory in (False, True):
        models: Any = build()
        for model in (models.policy, models.value):
            for module in model.modules():
                if hasattr(module, "attention_dropout"):
                    module.attention_dropout = 0.5  # would be heard if the layers trained
        trainer = ppo_models.trainer(
            models, saves_memory=saves_memory, ptx=[([3, 4], [5, 2])], ptx_coef=0.5, row_tokens=256
        )
        experience = ppo_models.stored_experience(trainer)
        tensors: list[int] = []

        def keep(tensor: torch.Tensor, tensors: list[int] = tensors) -> torch.Tensor:
            tensors.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            trainer.updater.update(experience)
        list(trainer.steps())  # sampling over a cache goes on as before
        held[saves_memory], found[saves_memory] = (
            sum(tensors),
            weights(trainer.trained.policy) + weights(trainer.trained.value),
        )

    assert held[True] < 0.7 * held[False]
    assert all(
        torch.allclose(one, two, atol=1e-5)
        for one, two in zip(found[False], found[True], strict=True)
    )


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
@pytest.mark.parametrize("n_inner_epochs", [1, 2])
def test_a_measuring_pass_that_is_the_updates_first_pass_changes_nothing(
    build: Build, n_inner_epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for kept_rows in (2, 0):
        monkeypatch.setattr(ppo_trainer, "_KEPT_ROWS", kept_rows)
        trainer = ppo_models.trainer(build(), n_inner_epochs=n_inner_epochs, row_tokens=60)
        torch.manual_seed(0)
        kept = trainer.experience(ppo_models.stored_experience(trainer).rollouts, keeps_graphs=True)
        assert bool(kept.graphs) == bool(kept_rows)
        reports = list(trainer.steps())
        found.append(
            (
                weights(trainer.trained.policy) + weights(trainer.trained.value),
                [report.metrics["value_loss"] for report in reports],
            )
        )

    assert found[0][1] == pytest.approx(found[1][1], abs=1e-6)
    assert all(
        torch.allclose(one, two, atol=1e-6)
        for one, two in zip(found[0][0], found[1][0], strict=True)
    )


def test_episodes_that_are_left_out_teach_nothing() -> None:
    trainer = ppo_models.trainer(missing_end="drop", whitens_advantages=False)
    experience = ppo_models.stored_experience(trainer)
    changed = copy.deepcopy(experience)
    for index, rollout in enumerate(changed.rollouts):
        if not rollout.is_ended:
            start = sum(changed.lengths[:index])
            changed.advantages[start : start + changed.lengths[index]] = 1e6

    other = ppo_models.trainer(missing_end="drop", whitens_advantages=False)
    trainer.updater.update(experience)
    other.updater.update(changed)

    assert all(
        torch.equal(a, b)
        for a, b in zip(weights(trainer.trained.policy), weights(other.trained.policy), strict=True)
    )


def test_a_missing_end_costs_its_penalty() -> None:
    trainer = ppo_models.trainer(missing_end="penalty", missing_end_penalty=3.0)
    rollouts = [episodes.Rollout([3], [5, 6], False), episodes.Rollout([3], [5, 2], True)]

    experience = trainer.experience(rollouts)

    assert (experience.scores - experience.rewards).tolist() == pytest.approx([3.0, 0.0])


def test_normalised_rewards_use_the_running_moments_and_the_clip() -> None:
    trainer = ppo_models.trainer(normalizes_reward=True, reward_clip=1.0)
    trainer._count_rewards(torch.tensor([1.0, 2.0]))
    trainer._count_rewards(torch.tensor([3.0, 4.0, 10.0]))

    rewards = trainer._learned_rewards(
        torch.tensor([4.0, 100.0]), [episodes.Rollout([3], [2], True)] * 2
    )

    assert trainer.state.reward_mean == pytest.approx(4.0)
    assert trainer.state.reward_m2 == pytest.approx(50.0)
    assert rewards.tolist() == pytest.approx([0.0, 1.0])


# --- resume ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_stop_and_resume_equals_an_unbroken_run(build: Build, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "kl_control": "adaptive",
        "kl_target": 0.01,
        "kl_horizon": 50,
        "n_episodes": 48,
        "ema_decay": 0.9,
        "normalizes_reward": True,
        "n_minibatches": (
            2
        ),  # a resume in the middle of a rollout's optimizer steps would be unequal: there is none
        "n_inner_epochs": 2,
        "warmup_steps": 5,
    }
    torch.manual_seed(11)
    whole = ppo_models.trainer(build(), **changes)
    torch.manual_seed(12)
    for report in whole.steps():
        if report.step == 3:
            whole.trained.save(tmp_path)

    torch.manual_seed(99)
    resumed = ppo_models.trainer(build(seed=5), **changes)
    if resumed.passes.reference is not None and whole.passes.reference is not None:
        resumed.passes.reference.load_state_dict(whole.passes.reference.state_dict())
    for fresh, model in (
        (resumed.trained.policy, whole.trained.policy),
        (resumed.trained.value, whole.trained.value),
    ):  # what is frozen comes with the model
        frozen = {name: p for name, p in model.named_parameters() if not p.requires_grad}
        fresh.load_state_dict(frozen, strict=False)
    resumed.trained.load(tmp_path)
    reports = list(resumed.steps())

    assert [report.step for report in reports] == [4, 5, 6]
    assert resumed.state == whole.state
    for a, b in zip(
        weights(whole.trained.policy) + whole.trained.ema,
        weights(resumed.trained.policy) + resumed.trained.ema,
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_a_checkpoint_holds_each_weight_that_trains_once_and_no_other(
    build: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = ppo_models.trainer(build())

    trainer.trained.save(tmp_path)

    for model, name in ((trainer.trained.policy, "policy"), (trainer.trained.value, "value")):
        saved = safetensors.torch.load_file(tmp_path / f"{name}.safetensors")
        assert saved.keys() == {key for key, p in model.named_parameters() if p.requires_grad}
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


def test_each_prompt_comes_once_before_any_comes_twice() -> None:
    trainer = ppo_models.trainer(batch_size=4)

    seen = [index for step in range(4) for index in trainer._prompts_of(step)]

    assert sorted(seen[:8]) == sorted(seen[8:]) == list(range(8))
    assert seen[:8] != seen[8:]


def test_a_step_shuffles_its_prompts_once_each_time_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """31,000 prompts shuffled anew for each of 512 episodes took five seconds a step."""
    trainer = ppo_models.trainer(batch_size=12)
    order, asked = prompt_order.shuffled, []

    def counted(n: int, seed: int, epoch: int) -> list[int]:
        asked.append(epoch)
        return order(n, seed, epoch)

    monkeypatch.setattr(prompt_order, "shuffled", counted)
    chosen = [index for step in range(4) for index in trainer._prompts_of(step)]

    assert asked == [0, 1, 1, 2, 3, 4, 4, 5]
    assert chosen == [order(8, trainer.config.seed, place // 8)[place % 8] for place in range(48)]


def test_the_learning_rate_rises_from_a_tenth_over_the_warm_up_and_then_stays() -> None:
    trainer = ppo_models.trainer(
        warmup_steps=2,
        n_minibatches=2,
        n_inner_epochs=2,
        learning_rate=1e-3,
        value_learning_rate=2e-3,
    )
    policy, value = [], []

    for _update in range(10):
        policy.append(trainer.trained.optimizer.param_groups[0]["lr"])
        value.append(trainer.trained.optimizer.param_groups[1]["lr"])
        trainer.trained.optimizer.step()
        trainer.trained.scheduler.step()

    assert policy == pytest.approx(
        [(0.1 + 0.9 * min(update, 8) / 8) * 1e-3 for update in range(10)]
    )
    assert value == pytest.approx([2 * rate for rate in policy])


def test_the_warm_up_takes_as_many_steps_with_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = ppo_models.trainer(warmup_steps=4)
    monkeypatch.setitem(AcceleratorState._shared_state, "num_processes", 2)
    monkeypatch.setitem(PartialState._shared_state, "num_processes", 2)

    trainer.trained.optimizer.step()
    trainer.trained.scheduler.step()

    assert trainer.trained.optimizer.param_groups[0]["lr"] == pytest.approx((0.1 + 0.9 / 4) * 1e-3)


def test_one_prompt_with_one_response_is_a_batch() -> None:
    trainer = ppo_models.trainer(prompts=[[3, 4]], batch_size=1, n_episodes=2)

    assert [len(report.experience.rollouts) for report in trainer.steps()] == [1, 1]


# --- stopping in time -----------------------------------------------------------------------------


def test_a_kl_above_its_ceiling_stops_the_run_with_advice() -> None:
    trainer = ppo_models.trainer(kl_ceiling=0.001, learning_rate=0.05, n_episodes=400, kl_coef=0.0)

    with pytest.raises(collapse.Collapse, match=r"above the ceiling of 0\.001\. Raise β"):
        list(trainer.steps())


def test_a_reward_that_is_not_a_number_stops_the_run() -> None:
    trainer = ppo_models.trainer(
        ppo_models.full_models(lambda rollouts: torch.full((len(rollouts),), math.nan))
    )

    with pytest.raises(collapse.Collapse, match="not a number"):
        list(trainer.steps())


def test_responses_that_stop_ending_stop_the_run() -> None:
    with pytest.raises(collapse.Collapse, match="learned to ramble"):
        collapse.refuse_rambling([0.9, 0.4], 0.5, batch_size=64)


def test_a_few_responses_that_do_not_end_stop_nothing() -> None:
    shares = [0.625, 0.25] * 20

    for n in range(len(shares)):
        collapse.refuse_rambling(shares[: n + 1], 0.5, batch_size=8)


def test_a_falling_watchdog_stops_the_run() -> None:
    trainer = ppo_models.trainer(watchdog_drop=1.0)
    trainer._refuse_collapse({"kl": 0.0, "watchdog": 2.0})

    with pytest.raises(collapse.Collapse, match=r"fell from 2\.00 to 0\.90"):
        trainer._refuse_collapse({"kl": 0.0, "watchdog": 0.9})


# --- that it learns -------------------------------------------------------------------------------


def share_of_sevens(rollouts: list[episodes.Rollout]) -> torch.Tensor:
    """At best 1: a response of nothing but token 7."""
    return torch.tensor(
        [
            sum(token == 7 for token in rollout.response_ids) / len(rollout.response_ids)
            for rollout in rollouts
        ]
    )


LEARNING: dict[str, Any] = {
    "batch_size": 32,
    "max_new_tokens": 4,
    "row_tokens": 512,
    "learning_rate": 5e-3,
    "value_learning_rate": 5e-3,
    "ended_floor": 0.0,
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reward_reaches_four_fifths_of_its_optimum_within_sixty_rollouts(seed: int) -> None:
    models = ppo_models.full_models(share_of_sevens, seed)
    trainer = ppo_models.trainer(models, **LEARNING, n_episodes=60 * 32, kl_coef=0.01, seed=seed)
    torch.manual_seed(seed)
    rewards: list[float] = []

    for report in trainer.steps():
        rewards.append(report.metrics["reward"])
        if min(rewards[-5:]) >= 0.8:
            break

    assert rewards[0] < 0.3
    assert min(rewards[-5:]) >= 0.8


@pytest.mark.slow
def test_without_a_penalty_the_policy_drifts_further() -> None:
    drift = {}
    for beta in (0.0, 0.5):
        trainer = ppo_models.trainer(
            ppo_models.full_models(share_of_sevens), **LEARNING, n_episodes=25 * 32, kl_coef=beta
        )
        torch.manual_seed(0)
        drift[beta] = fmean([report.metrics["kl"] for report in trainer.steps()][-5:])

    assert drift[0.0] > 1.5 * abs(drift[0.5])


@pytest.mark.slow
def test_ptx_holds_the_language_model_loss_where_plain_ppo_lets_it_rise() -> None:
    """The policy first learns one answer to each prompt; the reward then pulls away from it, and
    the mix holds on.
    """
    ptx = [(prompt, [9, 10, 11, 2]) for prompt in ppo_models.PROMPTS]
    rise = {}
    for gamma in (0.0, 1.0):
        models = ppo_models.full_models(share_of_sevens)
        settings = LEARNING | {"learning_rate": 1e-3}
        trainer = ppo_models.trainer(
            models,
            **settings,
            ptx=ptx,
            ptx_coef=gamma,
            n_episodes=25 * 32,
            kl_coef=0.0,
            temperature=2.0,
        )
        optimizer = torch.optim.Adam(models.policy.parameters(), lr=3e-3)
        while trainer.passes.language_model_loss(ptx) > 0.5:
            loss = -sum(trainer.passes.plain_logprobs(row).mean() for row in packing.pack(ptx, 512))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        optimizer.zero_grad()
        torch.manual_seed(0)
        before = trainer.passes.language_model_loss(ptx)
        list(trainer.steps())
        rise[gamma] = trainer.passes.language_model_loss(ptx) - before

    assert rise[1.0] < 0.1
    assert rise[0.0] > 0.3
