"""RLOO: trains a policy on a reward model, comparing each response with the others to its prompt,
with TRL's RLOOTrainer.
"""

from typing import Any

import torch
from transformers import PreTrainedTokenizerBase
from trl.trainer.rloo_config import RLOOConfig
from trl.trainer.rloo_trainer import RLOOTrainer

from training.configs.online import rewards
from training.configs.online.rloo import RlooConfig
from training.processes.run_dir import Job, Result, RunFolder
from training.trainer.data import PromptSets
from training.trainer.modeling import loading
from training.trainer.online import mix, run
from training.trainer.online.mix import Mix
from training.trainer.online.run import Method
from training.trainer.online.sampling import Sampling
from training.trainer.ppo import formulas
from training.trainer.sample import step_times


class WatchedRloo(Sampling, RLOOTrainer):
    """TRL's trainer with our progress, checkpoints and stop."""

    drawn: list[list[float]]
    """the log-probabilities that a server wrote the last responses with"""

    def _generate_single_turn(
        self, prompt_ids: list[list[int]], images: object, multimodal_fields: object
    ) -> list[list[int]]:
        if self.server is None:
            with self.generating():
                return super()._generate_single_turn(prompt_ids, images, multimodal_fields)
        written = self.served(prompt_ids)
        self.drawn = [logprobs or [] for _ids, logprobs in written]
        return [ids for ids, _logprobs in written]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """TRL corrects in GRPO only. The ratio of RLOO's loss is that of whole responses, and so is
        the weight here.
        """
        with self.times.part(step_times.MEASURING):
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.corrects:
            old = output["old_logps"]  # (B,)
            sampling = torch.tensor([sum(logprobs) for logprobs in self.drawn]).to(old.device)
            weights, _ = formulas.truncated_ratio(old, sampling, clip_max=self.clip_max)
            output["advantages"] = output["advantages"] * weights
            self.log_importance(weights, torch.ones_like(weights))
        return output


def carry_out(job: Job, config: RlooConfig, folder: RunFolder) -> Result:
    if job.reward_model is None:
        raise loading.UnableToLoad("RLOO needs a reward model. Choose one and start again.")

    def rewarded(tokenizer: PreTrainedTokenizerBase, _texts: PromptSets) -> Mix:
        judge = run.reward_model(job, config, tokenizer)
        assert judge is not None
        score = mix.by_model(judge, tokenizer, batch_size=config.batch_size)
        return Mix(
            tokenizer, {rewards.MODEL: score}, {rewards.MODEL: 1.0}, config.missing_end_penalty
        )

    def made(shared: dict[str, Any], parts: dict[str, Any]) -> WatchedRloo:
        arguments = RLOOConfig(normalize_advantages=config.normalizes_advantages, **shared)
        return WatchedRloo(args=arguments, **parts)

    return run.carry_out(job, config, folder, Method(rewarded, made, {}))
