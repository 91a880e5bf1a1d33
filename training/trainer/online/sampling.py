"""What our RLOO and GRPO trainers add to TRL's: progress, a server that writes the responses, and
the model that the KL is measured to.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, TrainerControl, TrainerState
from trl.trainer.utils import add_fused_lm_head

from training.configs.metrics import IMPORTANCE
from training.configs.online.groups import Groups
from training.trainer import parallel, progress
from training.trainer.data import Prompt
from training.trainer.modeling import sharding
from training.trainer.online.mix import Mix
from training.trainer.sample import host_reads, step_times
from training.trainer.sample.rollout_server import Drawn, RolloutServer
from training.trainer.sample.spot_checks import SpotChecks
from training.trainer.sample.step_times import StepTimes


class Sampling(progress.Watched):
    """A mixin for TRL's trainers of groups, first among the bases."""

    server: RolloutServer | None = None
    prompts: Sequence[Prompt] = ()
    reference: PreTrainedModel | None = None
    temperature: float
    beta: float
    eos_token_ids: list[int]
    times: StepTimes
    corrects = False
    """whether what a server drew is weighed by its probability under the policy"""
    clip_max = 1.0
    """the largest such weight"""
    _metrics: dict[str, defaultdict[str, list[float]]]

    def draw_from(self, server: RolloutServer | None, config: Groups) -> None:
        self.server, self.times = server, StepTimes()
        self.corrects = server is not None and config.vllm_importance_sampling_correction
        self.clip_max = config.vllm_importance_sampling_clip_max

    def _tokenize_prompts(
        self, prompts: Sequence[str]
    ) -> tuple[list[list[int]], None, dict[str, object]]:
        """TRL's rows are the numbers of our prompts, which are ids already."""
        return [list(self.prompts[int(number)].input_ids) for number in prompts], None, {}

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, object],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        with self.times.part(step_times.UPDATING):
            return super().training_step(model, inputs, num_items_in_batch)

    @contextlib.contextmanager
    def generating(self) -> Iterator[None]:
        """Around TRL's generation: the weights are cast to the lower precision once, instead of
        once a token, and a GPU is read every few tokens instead of twice a token.
        """
        arguments: Any = self.args
        device, n_tokens = self.accelerator.device, arguments.max_completion_length or 1
        few_reads = host_reads.of_generate(device, n_tokens)
        with self.times.part(step_times.WRITING), self.accelerator.autocast(), few_reads:
            yield

    def served(self, prompt_ids: list[list[int]]) -> list[Drawn]:
        """As TRL does with vLLM, except that adapters are merged on the way and not in the model.
        They would be rounded twice at each step.
        """
        assert self.server is not None
        arguments: Any = self.args  # a TRL config, which the stubs of Trainer do not know
        with self.times.part(step_times.WRITING):
            self.server.take(self.accelerator.unwrap_model(self.model))
            return self.server.drawn(
                prompt_ids,
                n_each=arguments.num_generations or 1,
                max_new_tokens=arguments.max_completion_length or 1,
                ends=self.eos_token_ids,
                temperature=self.temperature,
                top_p=1.0,
                has_logprobs=self.corrects,
            )

    def log_importance(self, weights: Tensor, mask: Tensor) -> None:
        """Of the responses or tokens that a server drew: their mean weight, and the share whose
        weight was truncated. They are means over the places of `mask`.
        """
        every = mask.sum().clamp(min=1)
        is_capped = weights >= self.clip_max
        means = torch.stack([(part * mask).sum() / every for part in (weights, is_capped)])
        values = self.accelerator.gather(means[None]).mean(0).tolist()
        for name, value in zip(IMPORTANCE, values, strict=True):
            self._metrics["train"][name].append(value)

    def measure_kl_to(self, reference: PreTrainedModel) -> None:
        """In place of the starting model, the only reference that TRL knows. TRL computes no KL
        where β is 0.
        """
        reference.eval().requires_grad_(False)
        if self.beta:
            add_fused_lm_head(reference, temperature=self.temperature)
        if parallel.is_sharded():
            self.reference = sharding.spread(reference, self.accelerator)
        else:
            self.reference = self.accelerator.prepare_model(reference, evaluation_mode=True)
        if self.beta:
            self.ref_model = self.reference

    @contextlib.contextmanager
    def as_reference(self) -> Iterator[PreTrainedModel]:
        """The model to measure the KL to; without another one, ours with its adapters off."""
        if self.reference is not None:
            yield self.reference
            return
        model: Any = self.accelerator.unwrap_model(self.model)
        with model.disable_adapter():
            yield model


class GroupsFollower(progress.Follower):
    """Gives TRL's logs our names."""

    config: Groups
    names: Mapping[str, str] = MappingProxyType({})
    """TRL's name → ours, of what a kind adds"""
    checks: SpotChecks
    mix: Mix

    def on_step_end(
        self, args: object, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Between two updates on the same responses there is nothing to resume from: TRL would
        write new ones. So a run that is asked to stop does so after the last of them.
        """
        self.checks.after(state.global_step)
        is_between = state.global_step % self.config.n_updates
        if not is_between or state.global_step >= state.max_steps:
            super().on_step_end(args, state, control, **kwargs)

    def add_to_checkpoint(self, folder: Path) -> None:
        self.checks.keep(folder)

    def named(self, logs: dict[str, float]) -> dict[str, float]:
        """TRL logs KL per token; we show it per response, as in PPO."""
        logs = super().named(logs)
        length = logs.get("completions/mean_length", 0.0)
        kept: dict[str, float] = {
            name: logs[name]
            for name in ("loss", "grad_norm", "learning_rate", "reward", "entropy", "num_tokens")
            if name in logs
        }
        kept |= {name: logs[name] for name in IMPORTANCE if name in logs}
        kept |= {ours: logs[theirs] for theirs, ours in self.names.items() if theirs in logs}
        kept["response_tokens"] = length
        if thinking := self.mix.mean_thinking():
            kept |= {"response_tokens": length - thinking, "thinking_tokens": thinking}
        kept["ended"] = 1 - logs.get("completions/clipped_ratio", 0.0)
        return kept | ({"kl": logs["kl"] * length} if "kl" in logs else {})
