"""PPO's update on two-layer models: what moves and what must not, and the same result however it is
batched.
"""

import copy
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import torch

from tests.trainer.ppo import models as ppo_models
from tests.trainer.ppo.models import weights
from training.trainer.ppo import episodes, roles
from training.trainer.ppo import trainer as ppo_trainer

Build = Callable[..., roles.Roles]


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
@pytest.mark.parametrize("row_tokens", [40, 60])
def test_a_measuring_pass_that_is_the_updates_first_pass_changes_nothing(
    build: Build, row_tokens: int, n_inner_epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for value_rows, policy_rows in ((2, 1), (0, 0)):
        monkeypatch.setattr(ppo_trainer, "_KEPT_VALUE_ROWS", value_rows)
        monkeypatch.setattr(ppo_trainer, "_KEPT_POLICY_ROWS", policy_rows)
        trainer = ppo_models.trainer(build(), n_inner_epochs=n_inner_epochs, row_tokens=row_tokens)
        torch.manual_seed(0)
        rollouts = ppo_models.stored_experience(trainer).rollouts
        kept = trainer.experience(rollouts, keeps_graphs=True)
        is_one_row = len(trainer.passes.rows(rollouts, range(len(rollouts)))) == 1
        assert is_one_row == (row_tokens == 60)
        assert bool(kept.value_graphs) == bool(value_rows)
        assert bool(kept.policy_graphs) == bool(policy_rows and is_one_row)
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


def test_every_minibatch_and_inner_epoch_mixes_in_rows_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ptx = [([3], [token, 2]) for token in range(4, 16)]  # 12 rows, 8 updates of 2: comes round once
    trainer = ppo_models.trainer(n_minibatches=4, n_inner_epochs=2, ptx=ptx, ptx_coef=1.0)
    mixed: list[list[int]] = []
    really = trainer.updater._ptx

    def seen(sequences: Any) -> float | torch.Tensor:
        mixed.append([response[0] for _prompt, response in sequences])
        return really(sequences)

    monkeypatch.setattr(trainer.updater, "_ptx", seen)
    trainer.updater.update(ppo_models.stored_experience(trainer))
    again = ppo_models.trainer(n_minibatches=4, n_inner_epochs=2, ptx=ptx, ptx_coef=1.0)

    rows = [row for batch in mixed for row in batch]
    assert [len(batch) for batch in mixed] == [2] * 8
    assert len(set(rows[:12])) == 12
    assert rows[:4] == [response[0] for _prompt, response in islice(again.updater._ptx_rows(), 4)]


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
