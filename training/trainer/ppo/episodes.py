"""PPO's training data: episodes, with the values measured when they were sampled."""

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
    """Index of the prompt in the dataset."""


RewardFunction = Callable[[list[Rollout]], Tensor]


@dataclass
class Experience:
    """The episodes of one step, with the values measured when they were sampled: N concatenated
    response tokens, B episodes.
    """

    rollouts: list[Rollout]
    scores: Tensor  # (B,) from the reward model, minus its bias
    rewards: Tensor  # (B,) trained on: penalised, normalised, clipped
    logprobs: Tensor  # (N,)
    reference_logprobs: Tensor  # (N,)
    values: Tensor  # (N,) on the scale of the scores
    entropy: Tensor  # (N,)
    advantages: Tensor = field(default_factory=lambda: torch.empty(0))  # (N,)
    returns: Tensor = field(default_factory=lambda: torch.empty(0))  # (N,)
    weight: Tensor = field(
        default_factory=lambda: torch.empty(0)
    )  # (N,) 0 for tokens that are not trained on
    watchdog: Tensor | None = None  # (B,)
    graphs: list[Tensor] = field(default_factory=list)
    """The values per row with their graphs, if the measuring pass is also the first pass of the
    update.
    """

    @property
    def lengths(self) -> list[int]:
        return [len(rollout.response_ids) for rollout in self.rollouts]

    @property
    def kl(self) -> Tensor:
        """(B,) KL to the reference in nats per response."""
        return torch.stack(
            [
                part.sum()
                for part in formulas.per_token_kl(self.logprobs, self.reference_logprobs).split(
                    self.lengths
                )
            ]
        )
