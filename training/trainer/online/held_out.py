"""Measures the policy on held-out prompts, before, during and after training, and chooses the step
to keep.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import fmean

from transformers import PreTrainedModel

from training.configs.online import rewards
from training.configs.online.groups import Groups
from training.processes.run_dir import RunFolder
from training.trainer import data, parallel
from training.trainer.data import Prompt, PromptSets
from training.trainer.modeling import logprobs, precision
from training.trainer.modeling.best_weights import BestWeights
from training.trainer.online.mix import Answers, Mix
from training.trainer.ppo import best_step
from training.trainer.sample import generation
from training.trainer.sample.rollout_server import RolloutServer

Reference = AbstractContextManager[PreTrainedModel]


@dataclass
class HeldOut:
    """`best`: None where the last weights are kept. `before`: the rewards before training, set by
    the first measurement.
    """

    texts: PromptSets
    mix: Mix
    config: Groups
    folder: RunFolder
    server: RolloutServer | None
    best: BestWeights | None
    before: list[float] = field(default_factory=list)
    latest: list[float] = field(default_factory=list)
    """the rewards of the last measurement"""

    @property
    def halves(self) -> tuple[slice, slice]:
        """(the prompts that choose the step to keep, those that are reported)."""
        return best_step.halves(len(self.texts.held_out), has_choice=self.best is not None)

    @property
    def n_reported(self) -> int:
        return len(self.texts.held_out[self.halves[1]])

    def measured(
        self, model: PreTrainedModel, reference: Reference, step: int, *, is_shown: bool = True
    ) -> tuple[dict[str, float], float]:
        """(the means over the reported prompts, the gain that chooses) of one response to each
        prompt. Some are shown.
        """
        prompts, config = self.texts.held_out, self.config
        if not prompts:
            return {}, 0.0
        written = self.written(model, prompts, config.seed)
        scores = self.mix.judged(prompts, written)
        totals = self.mix.total(scores)
        shown = [row | {"held_out": True} for row in self.mix.shown(scores)]
        n_shown = config.n_shown if is_shown else 0
        generation.show(self.folder, step, prompts, written, shown, n_shown)
        self.before, self.latest = self.before or totals, totals
        reported = self.halves[1]
        apart = {name: values for name, values in scores.items() if self.mix.is_drawn_apart}
        values = {
            "held_out_reward": fmean(totals[reported]),
            **{
                f"held_out_{rewards.metric(name)}": fmean(of_reward[reported])
                for name, of_reward in apart.items()
            },
            "held_out_response_tokens": fmean(answer.n_answer for answer in written[reported]),
            "held_out_ended": fmean(answer.is_ended for answer in written[reported]),
            "held_out_kl": self._kl(model, reference, written),
        }
        return values, self._gain(totals)

    def written(self, model: PreTrainedModel, prompts: Sequence[Prompt], seed: int) -> Answers:
        """One response to each prompt."""
        config = self.config
        settings = generation.config_for(
            model,
            self.mix.tokenizer,
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
            top_p=1.0,
        )
        return generation.responses(
            model,
            self.mix.tokenizer,
            prompts,
            settings,
            batch_size=config.batch_size,
            seed=seed,
            server=self.server,
        )

    def reported_gain(self) -> dict[str, float]:
        """From the first measurement to the last."""
        reported = self.halves[1]
        names = [prompt.prompt_id for prompt in self.texts.held_out[reported]]
        return best_step.reported_gain(self.latest[reported], self.before[reported], names)

    def _gain(self, totals: Sequence[float]) -> float:
        choosing = self.halves[0]
        names = [prompt.prompt_id for prompt in self.texts.held_out[choosing]]
        return best_step.sure_gain(totals[choosing], self.before[choosing], names)

    def _kl(self, model: PreTrainedModel, reference: Reference, written: Answers) -> float:
        """Nats per response: the mean of log π/π₀ over responses drawn from π, at the temperature
        that they were drawn at.
        """
        reported = self.halves[1]
        texts = zip(self.texts.held_out[reported], written[reported], strict=True)
        batches = data.batches(
            [(prompt.input_ids, answer.ids) for prompt, answer in texts], self.config.batch_size
        )
        dtype = precision.dtype(self.config.dtype)

        def summed(judge: PreTrainedModel) -> float:
            return sum(
                sum(logprobs.of_responses(judge, batch, dtype, temperature=self.config.temperature))
                for batch in batches
            )

        was_training = model.training
        model.eval()
        own = summed(model)
        with reference as other:
            difference = own - summed(other)
        model.train(was_training)
        return difference / self.n_reported


def best_of(config: Groups, folder: RunFolder, split: str) -> BestWeights | None:
    """Only validation rows may choose a step: a choice on test rows would flatter what is measured
    there. Sharded weights are not on one machine.
    """
    is_chosen = config.keeps_best and config.evaluate_every and split == "validation"
    return BestWeights(folder) if is_chosen and not parallel.is_sharded() else None
