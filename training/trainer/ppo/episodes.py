"""What PPO learns from: episodes, and what was measured when they were sampled."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from training.trainer.ppo import formulas


@dataclass(frozen=True)
class Rollout:
    """One episode: a prompt and the policy's response, with its end of turn if there was one."""

    prompt_ids: list[int]
    response_ids: list[int]
    is_ended: bool
    prompt: int = 0
    """Which prompt of the dataset."""


RewardFunction = Callable[[list[Rollout]], Tensor]


@dataclass
class Experience:
    """The episodes of one step, and what was measured when they were sampled. N response tokens in
    a row, B episodes.
    """

    rollouts: list[Rollout]
    scores: Tensor  # (B,) as the reward model gives them, its bias taken off
    rewards: Tensor  # (B,) what is learned from: penalised, normalised, clipped
    logprobs: Tensor  # (N,)
    reference_logprobs: Tensor  # (N,)
    values: Tensor  # (N,) on the scale of the scores
    entropy: Tensor  # (N,)
    advantages: Tensor = field(default_factory=lambda: torch.empty(0))  # (N,)
    returns: Tensor = field(default_factory=lambda: torch.empty(0))  # (N,)
    weight: Tensor = field(
        default_factory=lambda: torch.empty(0)
    )  # (N,) 0 for tokens that are not learned from
    watchdog: Tensor | None = None  # (B,)
    graphs: list[Tensor] = field(default_factory=list)
    """The values row by row with their graphs, where the measuring pass is the first pass of the
    update as well.
    """

    @property
    def lengths(self) -> list[int]:
        return [len(rollout.response_ids) for rollout in self.rollouts]

    @property
    def kl(self) -> Tensor:
        """(B,) KL to the reference in nats a response."""
        return torch.stack(
            [
                part.sum()
                for part in formulas.per_token_kl(self.logprobs, self.reference_logprobs).split(
                    self.lengths
                )
            ]
        )
