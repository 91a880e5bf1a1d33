"""PPO's training data: episodes, with the values measured when they were sampled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from training.trainer.data import Prompt
from training.trainer.ppo import formulas
from training.trainer.sample import generation
from training.trainer.sample.generation import GeneratedResponse


@dataclass(frozen=True)
class Rollout:
    """One episode: a prompt and the policy's response, with its end of turn if there was one."""

    prompt_ids: list[int]
    response_ids: list[int]
    is_ended: bool
    prompt: int = 0
    """Index of the prompt in the dataset."""
    sampling_logprobs: list[float] | None = None
    """Of each token of the response, from the server that drew it. None: the policy drew them, or
    the run does not correct for the server.
    """

    def is_trained_on(self, missing_end: str) -> bool:
        return self.is_ended or missing_end != "drop"


@dataclass(frozen=True)
class Reading:
    """Reads rollouts in their parts. `prompts`: by their ids, those that rollouts can answer; to
    any other a response is all answer.
    """

    tokenizer: PreTrainedTokenizerBase
    prompts: Mapping[tuple[int, ...], Prompt] = field(default_factory=dict)

    def response(self, rollout: Rollout) -> GeneratedResponse:
        prompt = self._prompt_of(rollout)
        return generation.read(
            self.tokenizer,
            rollout.response_ids,
            is_ended=rollout.is_ended,
            tools=prompt.tools if prompt else (),
        )

    def n_thinking(self, rollout: Rollout) -> int:
        return 0 if self._prompt_of(rollout) is None else self.response(rollout).n_thinking

    def judged(self, model: Any, rollouts: Sequence[Rollout]) -> list[Rollout]:
        """The rollouts as the reward model reads them."""
        return [self._judged(model, rollout) for rollout in rollouts]

    def _judged(self, model: Any, rollout: Rollout) -> Rollout:
        prompt = self._prompt_of(rollout)
        if prompt is None or not self.n_thinking(rollout):
            return rollout
        ids = generation.judged_ids(model, self.tokenizer, prompt, self.response(rollout))
        return replace(rollout, response_ids=ids[len(rollout.prompt_ids) :])

    def _prompt_of(self, rollout: Rollout) -> Prompt | None:
        return self.prompts.get(tuple(rollout.prompt_ids))


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
    sampling_logprobs: Tensor | None = None  # (N,) where a server drew the tokens
    policy_graphs: list[Tensor] = field(default_factory=list)
    """The log-probabilities per row with their graphs, if the measuring pass is also the first pass
    of the update.
    """
    value_graphs: list[Tensor] = field(default_factory=list)
    """The values per row likewise."""

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


def sampling_logprobs(rollouts: list[Rollout], device: torch.device) -> Tensor | None:
    """(N,), or None if the policy itself drew the tokens."""
    drawn: list[float] = []
    for rollout in rollouts:
        if rollout.sampling_logprobs is None:
            return None
        drawn += rollout.sampling_logprobs
    return torch.tensor(drawn, device=device)


def matrix(tokens: Tensor, lengths: list[int]) -> Tensor:
    """(N,) tokens of B sequences to (B, T), zeros after each end."""
    return torch.nn.utils.rnn.pad_sequence(list(tokens.split(lengths)), batch_first=True)


def flat(matrix: Tensor, lengths: list[int]) -> Tensor:
    """(B, T) to the (N,) tokens of B sequences."""
    return torch.cat([row[:length] for row, length in zip(matrix, lengths, strict=True)])
