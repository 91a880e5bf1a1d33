"""What our RLOO and GRPO trainers add to TRL's: progress, a server that writes the responses, and
the model that the KL is measured to.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from transformers import PreTrainedModel, TrainerControl, TrainerState
from trl.trainer.utils import add_fused_lm_head

from training.configs.online.groups import Groups
from training.trainer import progress
from training.trainer.sample.rollout_server import RolloutServer
from training.trainer.sample.spot_checks import SpotChecks


class Sampling(progress.Watched):
    """A mixin for TRL's trainers of groups, first among the bases."""

    server: RolloutServer | None = None
    reference: PreTrainedModel | None = None
    temperature: float
    beta: float
    eos_token_ids: list[int]

    def served(self, prompt_ids: list[list[int]]) -> list[list[int]]:
        """As TRL does with vLLM, except that adapters are merged on the way and not in the model.
        They would be rounded twice at each step.
        """
        assert self.server is not None
        arguments: Any = self.args  # a TRL config, which the stubs of Trainer do not know
        self.server.take(self.accelerator.unwrap_model(self.model))
        return self.server.responses(
            prompt_ids,
            n_each=arguments.num_generations or 1,
            max_new_tokens=arguments.max_completion_length or 1,
            ends=self.eos_token_ids,
            temperature=self.temperature,
            top_p=1.0,
        )

    def measure_kl_to(self, reference: PreTrainedModel) -> None:
        """In place of the starting model, the only reference that TRL knows. TRL computes no KL
        where β is 0.
        """
        if self.beta:
            add_fused_lm_head(reference, temperature=self.temperature)
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
        kept |= {ours: logs[theirs] for theirs, ours in self.names.items() if theirs in logs}
        kept["response_tokens"] = length
        kept["ended"] = 1 - logs.get("completions/clipped_ratio", 0.0)
        return kept | ({"kl": logs["kl"] * length} if "kl" in logs else {})
