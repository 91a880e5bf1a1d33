"""RLOO: trains a policy on a reward model, comparing each response with the others to its prompt,
with TRL's RLOOTrainer.
"""

from typing import Any

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


class WatchedRloo(Sampling, RLOOTrainer):
    """TRL's trainer with our progress, checkpoints and stop."""

    def _generate_single_turn(
        self, prompt_ids: list[list[int]], images: object, multimodal_fields: object
    ) -> list[list[int]]:
        if self.server is None:
            return super()._generate_single_turn(prompt_ids, images, multimodal_fields)
        return self.served(prompt_ids)


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
