"""Forward passes over packed rows, or rows of one sequence: log-probabilities, values and scores.
No training here.
"""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.configs.ppo import PpoConfig
from training.trainer import parallel
from training.trainer.modeling import gradient_checkpointing, reward_head
from training.trainer.modeling.packing import PackedRow, pack, without_response
from training.trainer.modeling.reward_head import scores_of_every_token
from training.trainer.ppo import formulas
from training.trainer.ppo.episodes import Reading, Rollout
from training.trainer.ppo.roles import Roles
from training.trainer.ppo.trained import Trained
from training.trainer.sample import host_reads


class Passes:
    """Runs the models in their roles on rows. Policy and reference run the same code in the same
    precision on the same rows, so their KL is exactly 0 before the first update.
    """

    def __init__(
        self,
        roles: Roles,
        trained: Trained,
        config: PpoConfig,
        accelerator: Accelerator,
        *,
        packs: bool,
        reading: Reading,
    ) -> None:
        self.reading = reading
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.policy, self.value = trained.policy, trained.value
        self.reference, self.reward = roles.reference, roles.reward
        self._row_tokens = config.row_tokens if packs else 0  # a row has one sequence at least
        self._value_bias = reward_head.bias_of(roles.value)

    def rows(self, rollouts: Sequence[Rollout], which: Sequence[int]) -> list[PackedRow]:
        return self.packed(
            [(rollouts[index].prompt_ids, rollouts[index].response_ids) for index in which]
        )

    def packed(self, sequences: Sequence[tuple[list[int], list[int]]]) -> list[PackedRow]:
        """(prompt ids, response ids) in packed rows on this process's device.

        Where weights are sharded, each pass takes all processes: those with fewer rows get rows
        without a response in addition, from which nothing is read or learned.
        """
        rows = pack(sequences, self._row_tokens)
        if parallel.is_sharded():
            rows += [without_response()] * (parallel.most(len(rows)) - len(rows))
        return [row.to(self.device) for row in rows]

    def logprobs(
        self, model: nn.Module, row: PackedRow, *, with_entropy: bool = False
    ) -> tuple[Tensor, Tensor]:
        """(N,), (N,) of the row's response tokens; the entropy is empty unless requested."""
        # The reference is not `prepare`d: without this it would compute in float32 beside a policy
        # in bfloat16.
        with self.accelerator.autocast(), self._passing(model):
            logits = model(logits_to_keep=row.predict, **row.inputs(model)).logits[0]
        logits = logits.float()
        if self.config.temperature != 1:
            logits = logits / self.config.temperature
        return formulas.token_logprobs(logits, row.targets), (
            formulas.token_entropy(logits.detach()) if with_entropy else logits.new_empty(0)
        )

    def plain_logprobs(self, row: PackedRow) -> Tensor:
        """At temperature 1, independent of the rollouts: this is the language-model loss."""
        with self._passing(self.policy):
            out = self.policy(logits_to_keep=row.predict, **row.inputs(self.policy))
        return formulas.token_logprobs(out.logits[0].float(), row.targets)

    @torch.no_grad()
    def language_model_loss(self, sequences: Sequence[tuple[list[int], list[int]]]) -> float:
        """Mean negative log-likelihood per completion token under the current policy."""
        rows = self.packed(sequences)
        return -sum(float(self.plain_logprobs(row).sum()) for row in rows) / max(
            1, sum(len(row.targets) for row in rows)
        )

    def values(self, row: PackedRow) -> Tensor:
        """(N,) on the scale of the scores."""
        with scores_of_every_token(self.value) as seen, self._passing(self.value):
            self.value(**row.inputs(self.value))
        return seen[0][0, row.predict, 0].float() - self._value_bias

    @contextlib.contextmanager
    def as_reference(self) -> Iterator[nn.Module]:
        if self.reference is not None:
            yield self.reference
            return
        policy = self.accelerator.unwrap_model(self.policy)
        with policy.disable_adapter():
            yield policy

    @torch.no_grad()
    def scores(self, rollouts: list[Rollout]) -> Tensor:
        """(B,) the reward model's score of each answer at its last token, ended or not."""
        if isinstance(self.reward, nn.Module):
            return self.scores_by(self.reward, rollouts)
        if self.reward is not None:
            return self.reward(rollouts).float().to(self.device)
        value = self.accelerator.unwrap_model(self.value)
        with value.disable_adapter():
            return self.scores_by(value, rollouts)

    @torch.no_grad()
    def scores_by(self, model: nn.Module, rollouts: list[Rollout]) -> Tensor:
        bias = reward_head.bias_of(model)
        scores = []
        read = self.reading.judged(model, rollouts)
        for row in self.rows(read, range(len(read))):
            with scores_of_every_token(model) as seen, host_reads.of_one_sequence():
                model(**row.inputs(model))
            scores.append(seen[0][0, row.ends, 0].float() - bias)
        return torch.cat(scores)

    @contextlib.contextmanager
    def _passing(self, model: nn.Module) -> Iterator[None]:
        """Around each pass of a model that may be trained."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(host_reads.of_one_sequence())
            if self.config.saves_memory:
                stack.enter_context(gradient_checkpointing.recomputing(model))
            yield
