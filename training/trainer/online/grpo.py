"""GRPO: trains a policy on a mix of rewards, comparing each response with the others to its prompt,
with TRL's GRPOTrainer.
"""

from typing import Any

import torch
from transformers import PreTrainedTokenizerBase
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from training.configs.online import rewards
from training.configs.online.groups import Groups
from training.configs.online.grpo import GrpoConfig
from training.processes.run_dir import Job, Result, RunFolder
from training.trainer import data
from training.trainer.data import PromptSets
from training.trainer.online import mix, rules, run
from training.trainer.online.mix import Mix
from training.trainer.online.run import Method
from training.trainer.online.sampling import Sampling
from training.trainer.sample import step_times
from training.trainer.sample.rollout_server import RolloutServer

NAMES = {
    "frac_reward_zero_std": "same_reward",
    "clip_ratio/region_mean": "clip_fraction",
    "cispo_clip_ratio": "clip_fraction",
    **{f"rewards/{rewards.metric(name)}/mean": rewards.metric(name) for name in rewards.ABOUT},
}


class WatchedGrpo(Sampling, GRPOTrainer):
    """TRL's trainer with our progress, checkpoints and stop."""

    def draw_from(self, server: RolloutServer | None, config: Groups) -> None:
        """TRL itself corrects where vLLM is used."""
        super().draw_from(server, config)
        self.use_vllm = self.corrects

    def _generate_single_turn(
        self, prompt_ids: list[list[int]], *args: object, **kwargs: object
    ) -> tuple[list[list[int]], object]:
        if self.server is None:
            with self.generating():
                return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        written = self.served(prompt_ids)
        logprobs = [logprobs for _ids, logprobs in written] if self.corrects else None
        return [ids for ids, _logprobs in written], logprobs

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        with self.times.part(step_times.MEASURING):
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.corrects:
            weights = output["importance_sampling_ratio"]  # (B, T), or (B, 1) per response
            of_tokens = output["completion_mask"]
            is_each = weights.shape == of_tokens.shape
            self.log_importance(weights, of_tokens if is_each else torch.ones_like(weights))
        return output


def carry_out(job: Job, config: GrpoConfig, folder: RunFolder) -> Result:
    for sentence in config.mix_misfits(has_model=job.reward_model is not None):
        raise data.UnableToRead(sentence)
    rules.require_pattern(config)

    def rewarded(tokenizer: PreTrainedTokenizerBase, texts: PromptSets) -> Mix:
        rules.require_references(config, [*texts.train, *texts.held_out])
        judge = run.reward_model(job, config, tokenizer)
        scores = {name: mix.by_rule(rule) for name, rule in rules.of_config(config).items()}
        if judge is not None:
            scores[rewards.MODEL] = mix.by_model(judge, tokenizer, batch_size=config.batch_size)
        weights = {name: weight for name, weight in config.weights.items() if name in scores}
        return Mix(tokenizer, scores, weights, config.missing_end_penalty, is_drawn_apart=True)

    return run.carry_out(
        job,
        config,
        folder,
        Method(rewarded, lambda shared, parts: trainer_of(config, shared, parts), NAMES),
    )


def trainer_of(config: GrpoConfig, shared: dict[str, Any], parts: dict[str, Any]) -> WatchedGrpo:
    arguments = GRPOConfig(
        loss_type=config.loss,
        importance_sampling_level=config.importance,
        num_iterations=config.n_passes,
        epsilon=config.epsilon,
        epsilon_high=config.epsilon_high,
        scale_rewards=config.scale,
        multi_objective_aggregation=config.mixing,
        mask_truncated_completions=config.masks_unfinished,
        vllm_importance_sampling_correction=config.vllm_importance_sampling_correction,
        vllm_importance_sampling_mode=f"{config.importance}_truncate",
        vllm_importance_sampling_clip_max=config.vllm_importance_sampling_clip_max,
        **shared,
    )
    return WatchedGrpo(args=arguments, **parts)
