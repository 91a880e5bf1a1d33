"""Samples the rollouts: with our packed sampling, with transformers' `generate`, or on a vLLM
server.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig, PreTrainedTokenizerBase

from training.configs.ppo import PpoConfig
from training.trainer.modeling import loading, sharding
from training.trainer.ppo.episodes import Rollout
from training.trainer.sample import fixed_cache, generation, host_reads
from training.trainer.sample.rollout_server import RolloutServer


@dataclass
class Sampler:
    """Writes one response to each prompt. A truncated response gets no end of turn.

    Sampling may use a lower precision than the policy (`autocast`). The ratio's old
    log-probabilities are not those of the sampling pass: `PpoTrainer.experience` measures them
    afterwards in the policy's own precision. So the ratio before the first update is exactly 1, and
    the KL to an equal reference exactly 0. The tokens then come from a policy that differs by
    rounding, as they do from a vLLM server. That bias is as small as the rounding; using the
    sampling pass's own probabilities instead would turn it into noise in every ratio and into
    clipping.
    """

    tokenizer: PreTrainedTokenizerBase
    config: PpoConfig
    ends: frozenset[int]
    device: torch.device
    autocast: torch.dtype | None = None
    server: RolloutServer | None = None
    samples_itself: bool | None = field(default=None, init=False)
    """whether `sampling` supports the policy; known after the first attempt"""

    @torch.no_grad()
    def rollouts(self, policy: nn.Module, prompts: Sequence[list[int]]) -> list[Rollout]:
        if self.server is not None:
            return self._asked(self.server, policy, prompts)
        return [
            self.trimmed(prompt, response)
            for prompt, response in zip(prompts, self._drawn(policy, prompts), strict=True)
        ]

    def trimmed(
        self, prompt: list[int], written: list[int], logprobs: list[float] | None = None
    ) -> Rollout:
        """Drops what follows the end of turn."""
        end = next((index for index, token in enumerate(written) if token in self.ends), None)
        kept = slice(None if end is None else end + 1)
        drawn = None if logprobs is None else logprobs[kept]
        return Rollout(list(prompt), written[kept], end is not None, sampling_logprobs=drawn)

    def _drawn(self, policy: nn.Module, prompts: Sequence[list[int]]) -> list[list[int]]:
        cast = (
            torch.autocast(self.device.type, self.autocast)
            if self.autocast
            else contextlib.nullcontext()
        )
        with sharding.whole(policy):
            if self.samples_itself is None:
                self.samples_itself = fixed_cache.can_sample(policy)
            with cast:
                return (
                    self._written(policy, prompts)
                    if self.samples_itself
                    else self._generated(policy, prompts)
                )

    def _asked(
        self, server: RolloutServer, policy: nn.Module, prompts: Sequence[list[int]]
    ) -> list[Rollout]:
        """Without a seed: the server would use the same one for each prompt of a batch."""
        server.take(policy)
        written = server.drawn(
            prompts,
            max_new_tokens=self.config.max_new_tokens,
            ends=self.ends,
            temperature=self.config.temperature,
            top_p=self.config.top_p,
            has_logprobs=self.config.vllm_importance_sampling_correction,
        )
        return [
            self.trimmed(prompt, response, logprobs)
            for prompt, (response, logprobs) in zip(prompts, written, strict=True)
        ]

    def _written(self, policy: nn.Module, prompts: Sequence[list[int]]) -> list[list[int]]:
        return fixed_cache.responses(
            policy,
            prompts,
            max_new_tokens=self.config.max_new_tokens,
            ends=self.ends,
            temperature=self.config.temperature,
            top_p=self.config.top_p,
            row_tokens=self.config.row_tokens,
        )

    def _generated(self, policy: nn.Module, prompts: Sequence[list[int]]) -> list[list[int]]:
        """With transformers' generate, for models that `sampling` does not support."""
        width = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=self.device)
        mask = torch.tensor(
            [[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=self.device
        )
        settings = GenerationConfig(
            max_new_tokens=self.config.max_new_tokens,
            do_sample=True,
            temperature=self.config.temperature,
            top_p=self.config.top_p,
            top_k=0,
            eos_token_id=sorted(self.ends),
            pad_token_id=pad,
        )
        model: Any = loading.bare(policy)
        # A repetition penalty in the model's folder would write what the policy does not.
        few_reads = host_reads.of_generate(self.device, self.config.max_new_tokens)
        with generation.unadvised(model), few_reads:
            written = model.generate(
                input_ids=ids, attention_mask=mask, use_cache=True, generation_config=settings
            )
        tokens: list[list[int]] = written[:, width:].tolist()
        return tokens
