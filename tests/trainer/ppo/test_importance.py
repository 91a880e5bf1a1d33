"""Truncated importance sampling: what another engine drew, learned from as if the policy had."""

import copy
import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.ppo import models
from training.trainer.ppo.episodes import Experience, Rollout
from training.trainer.ppo.trainer import PpoTrainer

PROMPT = [3, 4, 5]
EVERY_RESPONSE = [list(pair) for pair in itertools.product(range(8), repeat=2)]


def decided(seed: int) -> Any:
    """A policy that prefers some tokens: those of fresh models are nearly as likely as another."""
    policy = models.causal(seed, vocab_size=8)
    policy.lm_head.weight.data.mul_(20)
    return policy


def noisy(policy: nn.Module) -> nn.Module:
    torch.manual_seed(7)
    engine: Any = copy.deepcopy(policy)
    weight = engine.lm_head.weight.data
    weight.add_(0.05 * torch.randn_like(weight))
    return engine


def in_bfloat16(policy: nn.Module) -> nn.Module:
    return copy.deepcopy(policy).to(torch.bfloat16)


@torch.no_grad()
def logprobs_of(engine: nn.Module) -> Tensor:
    """Of both tokens of every response: (responses, 2)."""
    ids = torch.tensor([PROMPT + response for response in EVERY_RESPONSE])
    logits = engine(input_ids=ids).logits[:, len(PROMPT) - 1 : -1].float()
    every: Tensor = logits.log_softmax(-1)
    return every.gather(-1, ids[:, len(PROMPT) :, None])[..., 0]


def expected_gradient(
    trainer: PpoTrainer, drawn_by: Tensor, advantages: Tensor, *, is_corrected: bool
) -> Tensor:
    """Of the policy's loss over responses that an engine draws: all there are, each weighed by its
    probability, so that nothing is left to chance.
    """
    trainer.trained.policy.zero_grad()
    rollouts = [
        Rollout(PROMPT, response, False, sampling_logprobs=drawn.tolist() if is_corrected else None)
        for response, drawn in zip(EVERY_RESPONSE, drawn_by, strict=True)
    ]
    experience = trainer.experience(rollouts)
    trainer.estimate(experience)
    experience.advantages = advantages.flatten()
    experience.weight = drawn_by.sum(1).exp().repeat_interleave(2)
    start = 0
    for row in trainer.passes.rows(rollouts, range(len(rollouts))):
        end = start + len(row.targets)
        logprobs, _ = trainer.passes.logprobs(trainer.trained.policy, row)
        trainer.updater._policy_row(experience, logprobs, torch.arange(start, end), 1.0)
        start = end
    return torch.cat([part.flatten() for part in models.gradients(trainer.trained.policy)])


@pytest.mark.parametrize("engine_of", [noisy, in_bfloat16])
def test_the_corrected_gradient_is_nearer_to_that_of_the_policys_own_responses(
    engine_of: Callable[[nn.Module], nn.Module],
) -> None:
    """Over four policies. What is left comes from the other token of a response: a token's weight
    says how likely the token was, not what stood before it and came after it.
    """
    plain_errors, corrected_errors = [], []
    for seed in range(4):
        policy = decided(seed)
        roles = dataclasses.replace(models.full_models(), policy=policy)
        trainer = models.trainer(roles, batch_size=64, n_episodes=64)
        torch.manual_seed(seed)
        advantages = torch.randn(len(EVERY_RESPONSE), 2)
        own, others = logprobs_of(policy), logprobs_of(engine_of(policy))

        true = expected_gradient(trainer, own, advantages, is_corrected=False)
        plain = expected_gradient(trainer, others, advantages, is_corrected=False)
        corrected = expected_gradient(trainer, others, advantages, is_corrected=True)
        plain_errors.append((plain - true).norm() / true.norm())
        corrected_errors.append((corrected - true).norm() / true.norm())

    assert torch.stack(corrected_errors).norm() < 0.8 * torch.stack(plain_errors).norm()


def drawn_by_the_policy(experience: Experience) -> None:
    experience.sampling_logprobs = experience.logprobs.clone()


def drawn_without_logprobs(experience: Experience) -> None:
    experience.sampling_logprobs = torch.full_like(experience.logprobs, torch.nan)


@pytest.mark.parametrize("drawn", [drawn_by_the_policy, drawn_without_logprobs])
def test_an_equal_engine_or_one_that_says_nothing_changes_no_bit(
    drawn: Callable[[Experience], None],
) -> None:
    plain, served = models.trainer(), models.trainer()
    experience = models.stored_experience(served)
    drawn(experience)

    plain.updater.update(models.stored_experience(plain))
    served.updater.update(experience)

    for ours, theirs in zip(
        models.weights(plain.trained.policy), models.weights(served.trained.policy), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_the_mean_weight_and_the_share_at_the_largest_are_said() -> None:
    """A token twice, and one five times as likely as the engine found it; the cap is 3."""
    trainer = models.trainer()
    experience = models.stored_experience(trainer)
    ratios = torch.ones(len(experience.logprobs))
    ratios[0], ratios[1] = 2.0, 5.0
    experience.sampling_logprobs = experience.logprobs - ratios.log()

    said = trainer.describe(experience)

    n = len(ratios)
    assert said["importance_ratio"] == pytest.approx((n - 2 + 2 + 3) / n)
    assert said["importance_capped"] == pytest.approx(1 / n)
    assert (
        not {"importance_ratio", "importance_capped"}
        & trainer.describe(models.stored_experience(trainer)).keys()
    )
