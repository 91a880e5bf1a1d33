"""The update of one rollout: inner epochs, minibatches, both losses, and the ptx mix."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.configs.ppo import PpoConfig
from training.trainer import parallel
from training.trainer.ppo import formulas, prompt_order, reduce
from training.trainer.ppo.episodes import Experience, Rollout
from training.trainer.ppo.passes import Passes
from training.trainer.ppo.ptx import Tokens
from training.trainer.ppo.trained import POLICY, VALUE, State, Trained


class Updater:
    """Updates both models with one rollout. `ptx`: (prompt, completion) ids of demonstrations."""

    def __init__(
        self,
        trained: Trained,
        passes: Passes,
        config: PpoConfig,
        accelerator: Accelerator,
        state: State,
        ptx: Sequence[Tokens],
    ) -> None:
        self.trained, self.passes, self.config = trained, passes, config
        self.accelerator, self.state, self.ptx = accelerator, state, ptx
        self.device = accelerator.device

    def update(self, experience: Experience) -> dict[str, float]:
        """All inner epochs and minibatches of one rollout. Means are over the tokens of the whole
        minibatch in all processes.
        """
        sums: dict[str, float | Tensor] = {}
        n_updates = 0
        mixed = self._ptx_rows()
        for epoch in range(self.config.n_inner_epochs):
            for minibatch in self._minibatches(len(experience.rollouts), epoch):
                _add(sums, self._optimize(experience, minibatch, mixed))
                n_updates += 1
        means = reduce.means(
            self.accelerator, {name: value / max(n_updates, 1) for name, value in sums.items()}
        )
        return means | {"lr": float(self.trained.scheduler.get_last_lr()[0])}

    def _minibatches(self, n: int, epoch: int) -> Iterator[list[int]]:
        size = n // self.config.n_minibatches
        if self.config.n_minibatches == 1:
            yield list(range(n))
            return
        order = prompt_order.shuffled(n, self.config.seed, self.state.step * 1000 + epoch)
        for start in range(0, size * self.config.n_minibatches, size):
            yield order[start : start + size]

    def _optimize(
        self, experience: Experience, minibatch: list[int], mixed: Iterator[Tokens]
    ) -> dict[str, float | Tensor]:
        n_tokens = self._n_trained_tokens([experience.rollouts[index] for index in minibatch])
        # DDP averages gradients over processes
        scale = self.accelerator.num_processes / max(reduce.total(self.accelerator, n_tokens), 1.0)
        rows = self.passes.rows(experience.rollouts, minibatch)
        flat, no_place = _places_of(experience), torch.empty(0, dtype=torch.long)
        places = [
            torch.cat([no_place, *(flat[minibatch[member]] for member in row.members)]).to(
                self.device
            )
            for row in rows
        ]
        sums: dict[str, float | Tensor] = {}
        # The value model steps before the policy starts, so that only one of them holds
        # gradients at a time.
        value_graphs, experience.value_graphs = experience.value_graphs, []
        policy_graphs, experience.policy_graphs = experience.policy_graphs, []
        for number, (row, where) in enumerate(zip(rows, places, strict=True), start=1):
            with self._syncing(self.trained.value, last=number == len(rows)):
                values = value_graphs[number - 1] if value_graphs else self.passes.values(row)
                _add(sums, self._value_row(experience, values, where, scale))
        del value_graphs, values
        self.trained.step(VALUE)
        for number, (row, where) in enumerate(zip(rows, places, strict=True), start=1):
            is_last = number == len(rows) and not self._has_ptx
            with self._syncing(self.trained.policy, last=is_last):
                logprobs = (
                    policy_graphs[number - 1]
                    if policy_graphs
                    else self.passes.logprobs(self.trained.policy, row)[0]
                )
                _add(sums, self._policy_row(experience, logprobs, where, scale))
        del policy_graphs, logprobs
        if self._has_ptx:
            n = max(1, round(len(minibatch) * self.config.ptx_per_episode))
            sums["ptx_loss"] = self._ptx(list(itertools.islice(mixed, n)))
        sums["grad_norm"] = self.trained.step(POLICY)
        self.trained.scheduler.step()
        return sums

    def _n_trained_tokens(self, rollouts: list[Rollout]) -> float:
        """The sum of their weights, which the host knows without reading them."""
        trained = (
            rollout for rollout in rollouts if rollout.is_trained_on(self.config.missing_end)
        )
        return float(sum(len(rollout.response_ids) for rollout in trained))

    def _syncing(self, model: nn.Module, *, last: bool) -> contextlib.AbstractContextManager[None]:
        """Gradients are averaged over processes once per minibatch, with its last row. Those of
        sharded weights after each row, or every process would hold all of them.
        """
        if last or parallel.is_sharded():
            return contextlib.nullcontext()
        return self.accelerator.no_sync(model)

    def _policy_row(
        self, experience: Experience, logprobs: Tensor, where: Tensor, scale: float
    ) -> dict[str, Tensor]:
        weight, old = experience.weight[where], experience.logprobs[where]
        losses, clipped = formulas.policy_loss(
            logprobs,
            old,
            experience.advantages[where],
            clip=self.config.clip_ratio,
        )
        if experience.sampling_logprobs is not None:
            drawn = experience.sampling_logprobs[where]
            cap = self.config.vllm_importance_sampling_clip_max
            losses = losses * formulas.truncated_ratio(old, drawn, clip_max=cap)[0]
        loss = (losses * weight).sum() * scale
        self.accelerator.backward(loss)
        change = (logprobs.detach() - old) * weight
        return {
            "policy_loss": self._exact(loss),
            "clip_fraction": self._exact((clipped * weight).sum()) * scale,
            "approximate_kl": self._exact((0.5 * change**2).sum()) * scale,
        }

    def _value_row(
        self, experience: Experience, values: Tensor, where: Tensor, scale: float
    ) -> dict[str, Tensor]:
        weight = experience.weight[where]
        losses, clipped = formulas.value_loss(
            values, experience.values[where], experience.returns[where], clip=self.config.clip_value
        )
        loss = (losses * weight).sum() * scale
        self.accelerator.backward(loss)
        return {
            "value_loss": self._exact(loss),
            "value_clip_fraction": self._exact((clipped * weight).sum()) * scale,
        }

    def _exact(self, measure: Tensor) -> Tensor:
        """To be summed over rows and minibatches on the device, and read once a rollout."""
        return measure.detach().to(reduce.exact(self.accelerator))

    @property
    def _has_ptx(self) -> bool:
        return bool(self.config.ptx_coef and self.ptx)

    def _ptx(self, sequences: list[Tokens]) -> float | Tensor:
        """γ × the language-model loss on demonstrations, added to the same gradients (Ouyang 2022,
        eq. 2).
        """
        rows = self.passes.packed(sequences)
        n_tokens = float(sum(len(row.targets) for row in rows))
        scale = self.accelerator.num_processes / max(reduce.total(self.accelerator, n_tokens), 1.0)
        loss_sum: float | Tensor = 0.0
        for number, row in enumerate(rows):
            with self._syncing(self.trained.policy, last=number == len(rows) - 1):
                loss = -self.passes.plain_logprobs(row).sum() * scale
                self.accelerator.backward(self.config.ptx_coef * loss)
            loss_sum += self._exact(loss)
        return loss_sum

    def _ptx_rows(self) -> Iterator[Tokens]:
        """Rows to mix in, for one rollout: its minibatches and inner epochs take them in turn, so
        no row comes again before all others. They depend on the seed, the step and the process
        alone, so a resumed run mixes in the same ones.
        """
        for turn in itertools.count():
            process = self.accelerator.process_index
            of_turn = f"{self.config.seed} ptx {process} {self.state.step}"
            for index in prompt_order.shuffled(len(self.ptx), of_turn, turn):
                yield self.ptx[index]


def _places_of(experience: Experience) -> list[Tensor]:
    """The position of each episode's tokens in the flat (N,) tensors."""
    ends = itertools.accumulate(experience.lengths)
    return [
        torch.arange(end - length, end)
        for length, end in zip(experience.lengths, ends, strict=True)
    ]


def _add(sums: dict[str, float | Tensor], measures: reduce.Measures) -> None:
    for name, value in measures.items():
        sums[name] = sums.get(name, 0.0) + value
