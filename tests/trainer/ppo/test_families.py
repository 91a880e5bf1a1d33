"""PPO measures what its models say of each sequence alone, whatever their layers: every family of
transformers whose layers may see a window or keep a state, and two that see everything.
"""

import random
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaConfig, PreTrainedTokenizerBase, Qwen2Config

from tests.trainer.modeling import families
from tests.trainer.ppo import models
from training.trainer.modeling.reward_head import scores_of_every_token
from training.trainer.ppo.episodes import Rollout
from training.trainer.ppo.roles import Roles
from training.trainer.ppo.trainer import PpoTrainer

FAMILIES = [name for name in families.families() if name not in families.NOT_BUILT]
LONGER_THAN_A_WINDOW = [(7, 12), (2, 5), (10, 9)]
"""Tokens of prompts and responses."""


def rollouts() -> list[Rollout]:
    draw = random.Random(0)

    def tokens(n: int) -> list[int]:
        return [draw.randrange(3, 60) for _ in range(n)]

    return [Rollout(tokens(prompt), tokens(more), True) for prompt, more in LONGER_THAN_A_WINDOW]


def trainer(policy: nn.Module, value: nn.Module) -> PpoTrainer:
    return PpoTrainer(
        Roles(policy, policy, value, value),
        cast("PreTrainedTokenizerBase", models.BareTokenizer()),
        models.config(max_prompt_tokens=10, max_new_tokens=12),
        prompts=models.PROMPTS,
    )


@torch.no_grad()
def plainly(policy: nn.Module, value: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Log-probabilities, values and scores of a forward pass of each sequence, without a mask."""
    logprobs, values, scores = [], [], []
    for rollout in rollouts():
        ids, n = [*rollout.prompt_ids, *rollout.response_ids], len(rollout.prompt_ids)
        given = torch.tensor([ids])
        predicted = policy(input_ids=given, use_cache=False).logits[0].log_softmax(-1)
        logprobs += [predicted[place - 1, ids[place]] for place in range(n, len(ids))]
        with scores_of_every_token(value) as seen:
            value(input_ids=given, use_cache=False)
        values += [*seen[0][0, n - 1 : -1, 0]]
        scores.append(seen[0][0, -1, 0])
    return torch.stack(logprobs), torch.stack(values), torch.stack(scores)


def assert_exact(policy: nn.Module, value: nn.Module) -> PpoTrainer:
    expected = plainly(policy, value)

    trained = trainer(policy, value)
    experience = trained.experience(rollouts())

    measured = (experience.logprobs, experience.values, experience.scores)
    for ours, alone in zip(measured, expected, strict=True):
        assert float((ours - alone).abs().max()) < 1e-5
    assert experience.kl.abs().max() == 0
    return trained


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_with_windows_or_states_is_measured_as_each_sequence_alone(family: str) -> None:
    config = families.config_of(family)

    assert not assert_exact(
        families.causal(config), families.classifier(config) or models.classifier(vocab_size=64)
    ).packs


@pytest.mark.parametrize("config", [LlamaConfig, Qwen2Config])
def test_a_family_that_sees_everything_is_packed_and_measured_alike(config: type) -> None:
    tiny = config(**families.SIZES)

    assert assert_exact(families.causal(tiny), cast("nn.Module", families.classifier(tiny))).packs


def test_a_window_that_holds_the_longest_sequence_packs_its_rows() -> None:
    config = families.config_of("mistral", sliding_window=22)

    assert assert_exact(
        families.causal(config), cast("nn.Module", families.classifier(config))
    ).packs


def test_every_family_that_is_not_measured_says_why() -> None:
    assert sorted({*families.NOT_BUILT} - {*families.families()}) == []
