"""PPO for language models, on Accelerate: InstructGPT's algorithm (Ouyang 2022, App. C) over rows
without padding.

One step is one rollout: sample responses, score them, estimate advantages, move the weights.
Sequences lie end to end in packed rows with a block mask, so nothing is computed on padding, the
language-model head sees response positions only, and every per-token quantity is a flat (N,) tensor
in which "after the end of turn" does not exist.

    models = Roles(policy, reference, reward, value)         # or lora_models(...): two backbones
    in place of four trainer = PpoTrainer(models, tokenizer, config, prompts=…)
    for report in trainer.steps():                             # after each rollout: log,
    save_state, stop — as the caller likes
        …
"""

import contextlib
import dataclasses
import itertools
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from accelerate import Accelerator, DistributedType
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from trl.models.utils import unwrap_model_for_generation

from training.configs import PpoConfig
from training.run_dir import AnticipatedFailure, counted
from training.trainer.modeling import gradient_checkpointing, loading, packed_attention
from training.trainer.modeling.packing import PackedRow, pack
from training.trainer.modeling.reward_head import scores_of_every_token
from training.trainer.ppo import collapse, formulas
from training.trainer.ppo.episodes import Experience, RewardFunction, Rollout
from training.trainer.ppo.sampler import Sampler
from training.trainer.sample.rollout_server import RolloutServer

IGNORED = -100
# The optimizer's groups, and the order in which a checkpoint keeps the models.
_POLICY, _VALUE = 0, 1
_TRAINED = ("policy.safetensors", "value.safetensors")
# Of a rollout of so few rows the value model's graphs are kept: without a head over words, two rows
# take about what one of the policy's takes with its logits.
_KEPT_ROWS = 2


class UnableToShare(AnticipatedFailure):
    """The processes of this run cannot work together."""


class UnableToSaveMemory(AnticipatedFailure):
    """This model has no gradient checkpointing."""


# --- what is passed around ------------------------------------------------------------------------


@dataclass(frozen=True)
class Roles:
    """The four roles. A role may be the same module as another with its adapter off: see
    `lora_models`.
    """

    policy: nn.Module
    reference: nn.Module | None
    """None: the policy with its adapter switched off."""
    reward: "nn.Module | RewardFunction | None"
    """None: the value model with its adapter (and trained head) switched off. A plain function is a
    reward too.
    """
    value: nn.Module
    watchdog: nn.Module | None = None


@dataclass(frozen=True)
class StepReport:
    """What one step did. `step` counts rollouts from 1."""

    step: int
    n_steps: int
    metrics: dict[str, float]
    experience: Experience


@dataclass
class State:
    """What a resume needs beside weights, optimizer, scheduler and random numbers."""

    step: int = 0
    beta: float = 0.0
    reward_count: float = 0.0
    reward_mean: float = 0.0
    reward_m2: float = 0.0
    ended: list[float] = field(default_factory=list)
    """The share of each rollout's responses that ended."""
    first_watchdog: float | None = None
    before: dict[str, float] = field(default_factory=dict)
    """What was measured before the first step."""
    best_reward: float = -math.inf
    best_step: int = 0

    def state_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        for name, value in saved.items():
            setattr(self, name, value)


# --- the trainer ----------------------------------------------------------------------------------


class PpoTrainer:
    """The loop. `prompts` are token ids ready to be answered; `ptx` are (prompt ids, completion
    ids) of demonstrations.
    """

    def __init__(
        self,
        models: Roles,
        tokenizer: PreTrainedTokenizerBase,
        config: PpoConfig,
        *,
        prompts: Sequence[list[int]],
        ptx: Sequence[tuple[list[int], list[int]]] = (),
        accelerator: Accelerator | None = None,
        rollout_autocast: torch.dtype | None = None,
        server: RolloutServer | None = None,
    ) -> None:
        self.config = config
        self.accelerator = accelerator or Accelerator()
        if self.accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED):
            raise UnableToShare(
                "PPO trains two models, and Accelerate shares out only one by FSDP or DeepSpeed."
                " Choose DDP, with LoRA where memory is short."
            )
        if config.batch_size % self.accelerator.num_processes:
            raise UnableToShare(
                f"{config.batch_size} episodes do not divide among {self.accelerator.num_processes}"
                " processes. Change one."
            )
        share = config.batch_size // self.accelerator.num_processes
        if share % config.n_minibatches:
            raise UnableToShare(
                f"Each process has {counted(share, 'episode')} of a rollout, which cannot be cut"
                f" into {config.n_minibatches} equal minibatches. Change the rollout, the"
                " minibatches or the processes."
            )
        self.prompts, self.ptx = prompts, ptx
        self.device = self.accelerator.device
        ends = loading.ends_of_turn(models.policy, tokenizer)
        self.sampler = Sampler(
            tokenizer, config, ends, self.device, autocast=rollout_autocast, server=server
        )
        for role in (models.policy, models.reference, models.reward, models.value, models.watchdog):
            if isinstance(role, nn.Module):
                packed_attention.use(role)
        if config.saves_memory:
            for trained in (models.policy, models.value):
                if not gradient_checkpointing.layers_of(trained):
                    raise UnableToSaveMemory(
                        f"{type(trained).__name__} cannot compute its activations twice. Switch"
                        " gradient checkpointing off, and lower the tokens a row where memory runs"
                        " out."
                    )
        groups: list[dict[str, Any]] = [
            {
                "params": [p for p in models.policy.parameters() if p.requires_grad],
                "lr": config.learning_rate,
            },
            {
                "params": [p for p in models.value.parameters() if p.requires_grad],
                "lr": config.value_learning_rate,
            },
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.0, fused=True)
        # Not prepared: Accelerate's scheduler takes as many steps at once as there are processes.
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._warmup)
        self._value_bias = _reward_bias(models.value)
        self.policy, self.value, self.optimizer = self.accelerator.prepare(
            models.policy, models.value, optimizer
        )
        self.reference, self.reward, self.watchdog = (
            models.reference,
            models.reward,
            models.watchdog,
        )
        for model in (self.reference, self.reward, self.watchdog):
            if isinstance(model, nn.Module):
                model.to(self.device).eval().requires_grad_(False)
        for model in (self.policy, self.value):
            model.eval()  # dropout would make the ratio noisy: InstructGPT's RL has none
        self.state = State(beta=config.kl_coef)
        self.accelerator.register_for_checkpointing(self.state, self.scheduler)
        self.accelerator.register_save_state_pre_hook(self._save_trained)
        self.accelerator.register_load_state_pre_hook(self._load_trained)
        self.ema = [p.detach().clone() for p in groups[0]["params"]] if config.ema_decay else []

    @property
    def n_steps(self) -> int:
        return math.ceil(self.config.n_episodes / self.config.batch_size)

    def _warmup(self, step: int) -> float:
        """From a tenth of the peak over `warmup_steps` rollouts, then constant (Ouyang 2022, App.
        C.4).
        """
        updates = self.config.warmup_steps * self.config.n_minibatches * self.config.n_inner_epochs
        return 1.0 if step >= updates else 0.1 + 0.9 * step / updates

    # -- one step after the other --

    def steps(self) -> Iterator[StepReport]:
        """Goes on from `state.step`. Between two reports the state may be saved: it is a rollout's
        boundary.
        """
        while self.state.step < self.n_steps:
            started = time.monotonic()
            experience = self.experience(
                self.rollouts(self._prompts_of(self.state.step)), keeps_graphs=True
            )
            sampled = time.monotonic()
            self.estimate(experience)
            metrics = self.describe(experience)
            with collapse.last_good(self.state.step - 1):
                self._refuse_collapse(metrics)
                self.state.ended.append(metrics["ended"])
                collapse.refuse_rambling(
                    self.state.ended, self.config.ended_floor, batch_size=self.config.batch_size
                )
            with collapse.last_good(self.state.step):
                metrics |= self.update(experience)
                self._refuse_collapse(metrics)
            self._steer_beta(metrics["kl"])
            self.state.step += 1
            metrics["rollout_s"], metrics["update_s"] = (
                sampled - started,
                time.monotonic() - sampled,
            )
            n_tokens = metrics["response_tokens"] * self.config.batch_size  # of all processes
            metrics["tokens_per_s"] = n_tokens / (time.monotonic() - started)
            yield StepReport(self.state.step, self.n_steps, metrics, experience)

    def _prompts_of(self, step: int) -> list[int]:
        """Which prompts this process answers in a step: a fresh order each time round, a function
        of seed and step alone.
        """
        size, n = self.config.batch_size, len(self.prompts)
        chosen: list[int] = []
        place, end = step * size, (step + 1) * size
        while place < end:  # one order for all that this time round gives
            epoch, offset = divmod(place, n)
            chosen += _order(n, self.config.seed, epoch)[offset : offset + end - place]
            place = step * size + len(chosen)
        share = size // self.accelerator.num_processes
        return chosen[self.accelerator.process_index * share :][:share]

    # -- sampling and scoring --

    @torch.no_grad()
    def rollouts(self, prompts: Sequence[int]) -> list[Rollout]:
        return [
            dataclasses.replace(rollout, prompt=index)
            for index, rollout in zip(
                prompts, self.sample([self.prompts[index] for index in prompts]), strict=True
            )
        ]

    def sample(self, prompts: Sequence[list[int]]) -> list[Rollout]:
        """One response to each prompt from the policy as it is now."""
        with unwrap_model_for_generation(self.policy, self.accelerator) as policy:
            return self.sampler.rollouts(policy, prompts)

    @torch.no_grad()
    def experience(
        self, rollouts: list[Rollout], *, is_training: bool = True, keeps_graphs: bool = False
    ) -> Experience:
        """Measures episodes: log-probabilities under policy and reference in the same arithmetic,
        values, and scores.
        """
        rows = self._rows(rollouts, range(len(rollouts)))
        keeps_graphs = keeps_graphs and self._may_keep_graphs(len(rows))
        logprobs, entropy, reference, values = [], [], [], []
        for row in rows:
            ours, spread = self._logprobs(self.policy, row, with_entropy=True)
            logprobs.append(ours)
            entropy.append(spread)
            with self._as_reference() as model:
                reference.append(self._logprobs(model, row)[0])
            with torch.set_grad_enabled(keeps_graphs):
                values.append(self._values(row))
        scores = self.scores(rollouts)
        watchdog = None if self.watchdog is None else self._read_scores(self.watchdog, rollouts)
        if is_training and self.config.normalizes_reward:
            self._count_rewards(scores)
        rewards = self._learned_rewards(scores, rollouts)
        return Experience(
            rollouts=rollouts,
            scores=scores,
            rewards=rewards,
            logprobs=torch.cat(logprobs),
            reference_logprobs=torch.cat(reference),
            values=torch.cat(values).detach(),
            entropy=torch.cat(entropy),
            watchdog=watchdog,
            graphs=values if keeps_graphs else [],
        )

    def _may_keep_graphs(self, n_rows: int) -> bool:
        """Until the first optimizer step the value model says what it said when it was measured, so
        one pass is enough.
        """
        return (
            n_rows <= _KEPT_ROWS
            and self.config.n_minibatches == 1
            and self.accelerator.num_processes == 1
        )

    def _rows(self, rollouts: Sequence[Rollout], which: Sequence[int]) -> list[PackedRow]:
        sequences = [(rollouts[index].prompt_ids, rollouts[index].response_ids) for index in which]
        return [row.to(self.device) for row in pack(sequences, self.config.row_tokens)]

    def _logprobs(
        self, model: nn.Module, row: PackedRow, *, with_entropy: bool = False
    ) -> tuple[Tensor, Tensor]:
        # The reference is not `prepare`d: without this it would compute in float32 beside a policy
        # in bfloat16.
        with self.accelerator.autocast(), self._recomputing(model):
            logits = model(logits_to_keep=row.predict, **row.inputs(model)).logits[0]
        logits = logits.float()
        if self.config.temperature != 1:
            logits = logits / self.config.temperature
        return formulas.token_logprobs(logits, row.targets), (
            formulas.token_entropy(logits) if with_entropy else logits.new_empty(0)
        )

    def _values(self, row: PackedRow) -> Tensor:
        with scores_of_every_token(self.value) as seen, self._recomputing(self.value):
            self.value(**row.inputs(self.value))
        return seen[0][0, row.predict, 0].float() - self._value_bias

    def _recomputing(self, model: nn.Module) -> contextlib.AbstractContextManager[None]:
        return (
            gradient_checkpointing.recomputing(model)
            if self.config.saves_memory
            else contextlib.nullcontext()
        )

    @contextlib.contextmanager
    def _as_reference(self) -> Iterator[nn.Module]:
        if self.reference is not None:
            yield self.reference
            return
        policy = self.accelerator.unwrap_model(self.policy)
        with policy.disable_adapter():
            yield policy

    @torch.no_grad()
    def scores(self, rollouts: list[Rollout]) -> Tensor:
        """(B,) what the reward model gives each response at its last token, ended or not."""
        if isinstance(self.reward, nn.Module):
            return self._read_scores(self.reward, rollouts)
        if self.reward is not None:
            return self.reward(rollouts).float().to(self.device)
        value = self.accelerator.unwrap_model(self.value)
        with value.disable_adapter():
            return self._read_scores(value, rollouts)

    @torch.no_grad()
    def _read_scores(self, model: nn.Module, rollouts: list[Rollout]) -> Tensor:
        bias = _reward_bias(model)
        found = []
        for row in self._rows(rollouts, range(len(rollouts))):
            with scores_of_every_token(model) as seen:
                model(**row.inputs(model))
            found.append(seen[0][0, row.ends, 0].float() - bias)
        return torch.cat(found)

    def _learned_rewards(self, scores: Tensor, rollouts: list[Rollout]) -> Tensor:
        rewards = scores.clone()
        if self.config.normalizes_reward:
            deviation = math.sqrt(self.state.reward_m2 / max(self.state.reward_count - 1, 1)) or 1.0
            rewards = (rewards - self.state.reward_mean) / deviation
        if self.config.reward_clip:
            rewards = rewards.clamp(-self.config.reward_clip, self.config.reward_clip)
        if self.config.missing_end == "penalty":
            unended = torch.tensor(
                [not rollout.is_ended for rollout in rollouts], device=rewards.device
            )
            rewards = rewards - self.config.missing_end_penalty * unended
        return rewards

    def _count_rewards(self, scores: Tensor) -> None:
        """Running mean and variance over all processes (Chan's parallel form of Welford's)."""
        seen = self.accelerator.gather(scores).double()
        n, mean = float(seen.numel()), float(seen.mean())
        total = self.state.reward_count + n
        shift = mean - self.state.reward_mean
        self.state.reward_m2 += (
            float(((seen - mean) ** 2).sum()) + shift * shift * self.state.reward_count * n / total
        )
        self.state.reward_mean += shift * n / total
        self.state.reward_count = total

    # -- learning --

    @torch.no_grad()
    def estimate(self, experience: Experience) -> None:
        """Fills in advantages and returns. Whitening uses the moments of the whole rollout, all
        processes together.
        """
        lengths = experience.lengths
        mask = _matrix(torch.ones_like(experience.values), lengths).bool()
        kl = _matrix(
            formulas.per_token_kl(experience.logprobs, experience.reference_logprobs), lengths
        )
        ends = torch.tensor(lengths, device=kl.device) - 1
        rewards = formulas.shaped_rewards(kl, experience.rewards, ends, beta=self.state.beta)
        values = _matrix(experience.values, lengths)
        advantages, returns = formulas.gae(
            rewards, values, mask, gamma=self.config.gamma, lam=self.config.lam
        )
        experience.returns = returns[mask]
        experience.weight = torch.cat(
            [
                torch.full(
                    (len(rollout.response_ids),),
                    float(rollout.is_ended or self.config.missing_end != "drop"),
                )
                for rollout in experience.rollouts
            ]
        ).to(kl.device)
        experience.advantages = advantages[mask]
        if self.config.whitens_advantages:
            sums = self.accelerator.reduce(
                formulas.moments(experience.advantages, experience.weight).to(self._exact), "sum"
            )
            experience.advantages = formulas.whiten(experience.advantages, sums)

    @property
    def _exact(self) -> torch.dtype:
        return torch.float32 if self.device.type == "mps" else torch.float64

    def update(self, experience: Experience) -> dict[str, float]:
        """All inner epochs and minibatches over one rollout. Means are over the tokens of the whole
        minibatch, all processes.
        """
        sums: dict[str, float] = {}
        n_updates = 0
        for epoch in range(self.config.n_inner_epochs):
            for minibatch in self._minibatches(len(experience.rollouts), epoch):
                found = self._optimize(experience, minibatch)
                sums = {name: sums.get(name, 0.0) + value for name, value in found.items()}
                n_updates += 1
        found = self._mean_of_processes(
            {name: value / max(n_updates, 1) for name, value in sums.items()}
        )
        return found | {"lr": float(self.scheduler.get_last_lr()[0])}

    def _minibatches(self, n: int, epoch: int) -> Iterator[list[int]]:
        size = n // self.config.n_minibatches
        if self.config.n_minibatches == 1:
            yield list(range(n))
            return
        order = _order(n, self.config.seed, self.state.step * 1000 + epoch)
        for start in range(0, size * self.config.n_minibatches, size):
            yield order[start : start + size]

    def _optimize(self, experience: Experience, minibatch: list[int]) -> dict[str, float]:
        flat = [torch.arange(0)] * len(experience.rollouts)
        for index, (length, end) in enumerate(
            zip(experience.lengths, itertools.accumulate(experience.lengths), strict=True)
        ):
            flat[index] = torch.arange(end - length, end)
        total = sum(
            float(experience.weight[flat[index].to(self.device)].sum()) for index in minibatch
        )
        total = self._sum_of_processes(total)
        scale = self.accelerator.num_processes / max(
            total, 1.0
        )  # DDP averages gradients over processes
        rows = self._rows(experience.rollouts, minibatch)
        places = [
            torch.cat([flat[minibatch[member]] for member in row.members]).to(self.device)
            for row in rows
        ]
        sums: dict[str, float] = {}
        # The value model has stepped before the policy begins, so that only one of them holds
        # gradients at a time.
        graphs, experience.graphs = experience.graphs, []
        for number, (row, where) in enumerate(zip(rows, places, strict=True), start=1):
            with self._syncing(self.value, last=number == len(rows)):
                values = graphs[number - 1] if graphs else self._values(row)
                _add(sums, self._value_row(experience, values, where, scale))
        del graphs, values
        self._step(_VALUE)
        for number, (row, where) in enumerate(zip(rows, places, strict=True), start=1):
            with self._syncing(self.policy, last=number == len(rows) and not self._has_ptx):
                _add(sums, self._policy_row(experience, row, where, scale))
        if self._has_ptx:
            sums["ptx_loss"] = self._ptx(len(minibatch))
        sums["grad_norm"] = self._step(_POLICY)
        self.scheduler.step()
        return sums

    def _syncing(self, model: nn.Module, *, last: bool) -> contextlib.AbstractContextManager[None]:
        """Gradients are averaged over processes once a minibatch, with its last row."""
        return contextlib.nullcontext() if last else self.accelerator.no_sync(model)

    def _policy_row(
        self, experience: Experience, row: PackedRow, where: Tensor, scale: float
    ) -> dict[str, float]:
        weight = experience.weight[where]
        logprobs, _ = self._logprobs(self.policy, row)
        losses, clipped = formulas.policy_loss(
            logprobs,
            experience.logprobs[where],
            experience.advantages[where],
            clip=self.config.clip_ratio,
        )
        loss = (losses * weight).sum() * scale
        self.accelerator.backward(loss)
        change = (logprobs.detach() - experience.logprobs[where]) * weight
        return {
            "policy_loss": float(loss.detach()),
            "clip_fraction": float((clipped * weight).sum()) * scale,
            "approximate_kl": float((0.5 * change**2).sum()) * scale,
        }

    def _value_row(
        self, experience: Experience, values: Tensor, where: Tensor, scale: float
    ) -> dict[str, float]:
        weight = experience.weight[where]
        losses, clipped = formulas.value_loss(
            values, experience.values[where], experience.returns[where], clip=self.config.clip_value
        )
        loss = (losses * weight).sum() * scale
        self.accelerator.backward(loss)
        return {
            "value_loss": float(loss.detach()),
            "value_clip_fraction": float((clipped * weight).sum()) * scale,
        }

    @property
    def _has_ptx(self) -> bool:
        return bool(self.config.ptx_coef and self.ptx)

    def _ptx(self, n_episodes: int) -> float:
        """γ × the language-model loss on demonstrations, gradients in the same buffer (Ouyang 2022,
        eq. 2).
        """
        rows = [
            row.to(self.device) for row in pack(self._ptx_batch(n_episodes), self.config.row_tokens)
        ]
        total = self._sum_of_processes(float(sum(len(row.targets) for row in rows)))
        scale = self.accelerator.num_processes / max(total, 1.0)
        loss_sum = 0.0
        for number, row in enumerate(rows):
            with self._syncing(self.policy, last=number == len(rows) - 1):
                loss = -self._plain_logprobs(row).sum() * scale
                self.accelerator.backward(self.config.ptx_coef * loss)
            loss_sum += float(loss.detach())
        return loss_sum

    def _plain_logprobs(self, row: PackedRow) -> Tensor:
        """At temperature 1, whatever the rollouts' is: this is the language-model loss."""
        with self._recomputing(self.policy):
            out = self.policy(logits_to_keep=row.predict, **row.inputs(self.policy))
        return formulas.token_logprobs(out.logits[0].float(), row.targets)

    def _ptx_batch(self, n_episodes: int) -> list[tuple[list[int], list[int]]]:
        n = max(1, round(n_episodes * self.config.ptx_per_episode))
        draw = random.Random(  # noqa: S311
            f"{self.config.seed} ptx {self.state.step} {self.accelerator.process_index}"
        )
        return [self.ptx[draw.randrange(len(self.ptx))] for _ in range(n)]

    @torch.no_grad()
    def language_model_loss(self, rows: Sequence[tuple[list[int], list[int]]]) -> float:
        """Mean negative log-likelihood a completion token, of the policy as it is."""
        packed = [row.to(self.device) for row in pack(rows, self.config.row_tokens)]
        return -sum(float(self._plain_logprobs(row).sum()) for row in packed) / max(
            1, sum(len(row.targets) for row in packed)
        )

    def _step(self, which: int) -> float:
        """Moves the policy or the value model, whichever holds gradients, and says how long its
        gradient was.
        """
        params = self.optimizer.param_groups[which]["params"]
        norm = float(
            self.accelerator.clip_grad_norm_(params, self.config.max_grad_norm or math.inf)
        )
        if not math.isfinite(norm):
            raise collapse.Collapse(
                "The gradient became infinite or not a number. Lower the learning rate, or raise β."
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if which == _POLICY:
            with torch.no_grad():
                for kept, current in zip(self.ema, params, strict=False):
                    kept.lerp_(current, 1 - self.config.ema_decay)
        return norm

    def _sum_of_processes(self, value: float) -> float:
        if self.accelerator.num_processes == 1:
            return value
        return float(
            self.accelerator.reduce(
                torch.tensor(value, device=self.device, dtype=self._exact), "sum"
            )
        )

    def _mean_of_processes(self, found: dict[str, float]) -> dict[str, float]:
        """Each process has as many episodes as another, so the mean over all is the mean of
        theirs.
        """
        return {
            name: self._sum_of_processes(value) / self.accelerator.num_processes
            for name, value in found.items()
        }

    # -- watching --

    def describe(self, experience: Experience) -> dict[str, float]:
        """What is told of a rollout, over the episodes of all processes. Call after `estimate`."""
        n = len(experience.rollouts)
        found = {
            "reward": float(experience.scores.mean()),
            "learned_reward": float(experience.rewards.mean()),
            "kl": float(experience.kl.mean()),
            "response_tokens": sum(experience.lengths) / n,
            "ended": sum(rollout.is_ended for rollout in experience.rollouts) / n,
            "beta": self.state.beta,
        }
        if experience.watchdog is not None:
            found["watchdog"] = float(experience.watchdog.mean())
        found = self._mean_of_processes(found)
        found["sqrt_kl"] = math.sqrt(max(found["kl"], 0.0))
        return found | self._describe_tokens(experience)

    def _describe_tokens(self, experience: Experience) -> dict[str, float]:
        """Over the tokens of all processes, of which one may have more than another."""
        every = torch.ones_like(experience.values)
        told = (
            experience.entropy,
            experience.values,
            experience.returns,
            experience.returns - experience.values,
        )
        sums = torch.stack([formulas.moments(x, every) for x in told])
        entropy, values, returns, errors = self.accelerator.reduce(sums.to(self._exact), "sum")
        return {
            "entropy": formulas.mean_of(entropy),
            "value": formulas.mean_of(values),
            "explained_variance": formulas.explained_variance(errors, returns),
        }

    def _refuse_collapse(self, metrics: dict[str, float]) -> None:
        collapse.refuse_broken(metrics)
        collapse.refuse_far(metrics["kl"], self.config.kl_ceiling)
        if "watchdog" in metrics:
            if self.state.first_watchdog is None:
                self.state.first_watchdog = metrics["watchdog"]
            collapse.refuse_fallen(
                metrics["watchdog"], self.state.first_watchdog, self.config.watchdog_drop
            )

    def _steer_beta(self, kl: float) -> None:
        if self.config.kl_control == "adaptive":
            self.state.beta = formulas.adaptive_kl(
                self.state.beta,
                kl,
                target=self.config.kl_target,
                n_episodes=self.config.batch_size,
                horizon=self.config.kl_horizon,
            )

    @torch.no_grad()
    def evaluate(
        self, prompts: Sequence[list[int]], *, batch_size: int = 32
    ) -> tuple[dict[str, float], list[Rollout], Tensor]:
        """Mean reward, KL and length on held-out prompts, from a seed of their own: training's
        randomness is untouched.
        """
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.config.seed)
            rollouts = [
                rollout
                for start in range(0, len(prompts), batch_size)
                for rollout in self.sample(prompts[start : start + batch_size])
            ]
        experience = self.experience(rollouts, is_training=False)
        found = {
            "reward": float(experience.scores.mean()),
            "kl": float(experience.kl.mean()),
            "response_tokens": sum(experience.lengths) / len(rollouts),
            "ended": sum(rollout.is_ended for rollout in rollouts) / len(rollouts),
            "n": float(len(rollouts)),
        }
        if experience.watchdog is not None:
            found["watchdog"] = float(experience.watchdog.mean())
        return found, rollouts, experience.scores

    # -- keeping --

    def save_state(self, folder: Path) -> None:
        """Weights, optimizer, scheduler, random numbers, β and the rest: all that a resume needs to
        go on as if unbroken.
        """
        self.accelerator.save_state(str(folder))
        if self.ema and self.accelerator.is_main_process:
            torch.save(self.ema, folder / "ema.pt")

    def _save_trained(
        self, models: list[nn.Module], weights: list[dict[str, Tensor]], folder: str
    ) -> None:
        """In place of whole state dicts: what trains, each weight once. Tied weights and frozen
        ones come with the model.
        """
        if self.accelerator.is_main_process:
            for model, name in zip(models, _TRAINED, strict=True):
                kept = {key: p.detach().contiguous() for key, p in self._trained(model).items()}
                safetensors.torch.save_file(kept, Path(folder) / name)
        weights.clear()

    def _load_trained(self, models: list[nn.Module], folder: str) -> None:
        if not (Path(folder) / _TRAINED[_POLICY]).exists():
            return
        for model, name in zip(models, _TRAINED, strict=True):
            saved = safetensors.torch.load_file(Path(folder) / name)
            params = self._trained(model)
            if params.keys() != saved.keys():
                raise ValueError(
                    f"{name} holds other weights than those that train: the checkpoint is of"
                    " another run."
                )
            with torch.no_grad():
                for key, p in params.items():
                    p.copy_(saved[key])
        models.clear()

    def _trained(self, model: nn.Module) -> dict[str, nn.Parameter]:
        return {
            key: p
            for key, p in self.accelerator.unwrap_model(model).named_parameters()
            if p.requires_grad
        }

    def load_state(self, folder: Path) -> None:
        self.accelerator.load_state(str(folder))
        if self.ema:
            for kept, saved in zip(
                self.ema, torch.load(folder / "ema.pt", map_location=self.device), strict=True
            ):
                kept.copy_(saved)

    def kept_weights(self) -> Iterator[Tensor]:
        """All that load_state changes and a forward pass reads."""
        for model in (self.policy, self.value):
            yield from (parameter.data for parameter in self._trained(model).values())
        yield from self.ema

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Inside, the policy has its moving average's weights, if one is kept."""
        params = self.optimizer.param_groups[0]["params"]
        current = [p.detach().clone() for p in params] if self.ema else []
        with torch.no_grad():
            for p, kept in zip(params, self.ema, strict=False):
                p.copy_(kept)
        try:
            yield
        finally:
            with torch.no_grad():
                for p, saved in zip(params, current, strict=False):
                    p.copy_(saved)


def _reward_bias(model: nn.Module) -> float:
    """What the model gives to demonstrations on average. A value model that began as a reward model
    has it in its numbers.
    """
    return float(getattr(model.config, "reward_bias", 0.0))


def _add(sums: dict[str, float], found: dict[str, float]) -> None:
    for name, value in found.items():
        sums[name] = sums.get(name, 0.0) + value


def _order(n: int, seed: int, epoch: int) -> list[int]:
    order = list(range(n))
    random.Random(f"{seed} {epoch}").shuffle(order)  # noqa: S311
    return order


def _matrix(flat: Tensor, lengths: list[int]) -> Tensor:
    """(N,) tokens of B sequences to (B, T), zeros behind each end."""
    return torch.nn.utils.rnn.pad_sequence(list(flat.split(lengths)), batch_first=True)
