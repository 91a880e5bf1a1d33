"""PPO for language models, on Accelerate: InstructGPT's algorithm (Ouyang 2022, App. C) over rows
without padding.

One step is one rollout: sample responses, score them, estimate advantages, move the weights.
Sequences lie end to end in packed rows with a block mask, so nothing is computed on padding, the
language-model head sees response positions only, and every per-token quantity is a flat (N,) tensor
in which "after the end of turn" does not exist. Where a model would compute something else than for
each sequence alone (roles.py measures it), each has a row of its own.

    roles = Roles(policy, reference, reward, value)  # with LoRA: two models in place of four
    trainer = PpoTrainer(roles, tokenizer, config, prompts=…)
    for report in trainer.steps():  # after each rollout: log, save, stop, as the caller likes
        …

Beside this file: the forward passes (passes.py), the losses and optimizer steps of a rollout
(update.py), and what a checkpoint holds (trained.py).
"""

import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from trl.models.utils import unwrap_model_for_generation

from training.configs.ppo import PpoConfig
from training.trainer.modeling import loading
from training.trainer.ppo import collapse, formulas, prompt_order, reduce
from training.trainer.ppo.episodes import Experience, Rollout
from training.trainer.ppo.passes import Passes
from training.trainer.ppo.roles import (
    Roles,
    keeps_apart,
    require_equal_shares,
    require_gradient_checkpointing,
)
from training.trainer.ppo.sampler import Sampler
from training.trainer.ppo.trained import State, Trained
from training.trainer.ppo.update import Updater
from training.trainer.sample.rollout_server import RolloutServer

# Up to this many rows, a rollout keeps the value model's graphs. Without a vocabulary head, two
# rows need about as much memory as one of the policy's with its logits.
_KEPT_ROWS = 2


@dataclass(frozen=True)
class StepReport:
    """What one step did. `step` counts rollouts from 1."""

    step: int
    n_steps: int
    metrics: dict[str, float]
    experience: Experience
    warnings: Sequence[str] = ()


class PpoTrainer:
    """The loop. `prompts` are token ids ready to be answered; `ptx` are (prompt ids, completion
    ids) of demonstrations.
    """

    def __init__(
        self,
        roles: Roles,
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
        require_equal_shares(config, self.accelerator)
        self.prompts = prompts
        self.device = self.accelerator.device
        self.packs = keeps_apart(roles, config)
        ends = loading.ends_of_turn(roles.policy, tokenizer)
        self.sampler = Sampler(
            tokenizer, config, ends, self.device, autocast=rollout_autocast, server=server
        )
        if not self.packs:
            self.sampler.samples_itself = False  # it reads prompts in packed rows
        if config.saves_memory:
            require_gradient_checkpointing(roles)
        self.watchdog = roles.watchdog
        self.state = State(beta=config.kl_coef)
        roles.settle(self.accelerator)
        self.trained = Trained(roles, config, self.accelerator, self.state)
        self.passes = Passes(roles, self.trained, config, self.accelerator, packs=self.packs)
        self.updater = Updater(self.trained, self.passes, config, self.accelerator, self.state, ptx)

    @property
    def n_steps(self) -> int:
        return math.ceil(self.config.n_episodes / self.config.batch_size)

    # -- one step after the other --

    def steps(self) -> Iterator[StepReport]:
        """Continues from `state.step`. Save the state only between two reports."""
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
                self._refuse_drift(metrics)
                warnings = self._warnings(metrics)
            with collapse.last_good(self.state.step):
                metrics |= self.updater.update(experience)
                self._refuse_collapse(metrics)
            self._steer_beta(metrics["kl"])
            self.state.step += 1
            metrics["rollout_s"], metrics["update_s"] = (
                sampled - started,
                time.monotonic() - sampled,
            )
            n_tokens = metrics["response_tokens"] * self.config.batch_size  # of all processes
            metrics["tokens_per_s"] = n_tokens / (time.monotonic() - started)
            yield StepReport(self.state.step, self.n_steps, metrics, experience, warnings)

    def _prompts_of(self, step: int) -> list[int]:
        """The prompts of this process in a step."""
        chosen = prompt_order.of_step(
            step,
            batch_size=self.config.batch_size,
            n_prompts=len(self.prompts),
            seed=self.config.seed,
        )
        share = self.config.batch_size // self.accelerator.num_processes
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
        """One response to each prompt from the current policy."""
        with unwrap_model_for_generation(self.trained.policy, self.accelerator) as policy:
            return self.sampler.rollouts(policy, prompts)

    @torch.no_grad()
    def sampled(
        self,
        prompts: Sequence[list[int]],
        *,
        seed: int,
        batch_size: int = 32,
        merged: nn.Module | None = None,
    ) -> list[Rollout]:
        """One response to each prompt, with a seed that leaves training's random state alone."""
        if self.sampler.server is not None:  # which takes the weights for each batch
            batch_size = len(prompts)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            return [
                rollout
                for start in range(0, len(prompts), batch_size)
                for rollout in self._sample_for(merged, prompts[start : start + batch_size])
            ]

    def _sample_for(self, merged: nn.Module | None, prompts: Sequence[list[int]]) -> list[Rollout]:
        if merged is None:
            return self.sample(prompts)
        return self.sampler.rollouts(merged, prompts)

    @torch.no_grad()
    def experience(
        self,
        rollouts: list[Rollout],
        *,
        is_training: bool = True,
        keeps_graphs: bool = False,
        merged: nn.Module | None = None,
    ) -> Experience:
        """Measures episodes: log-probabilities under policy and reference in the same arithmetic,
        values, and scores. `merged`: a policy to measure in place of the one in training.
        """
        policy = merged or self.trained.policy
        rows = self.passes.rows(rollouts, range(len(rollouts)))
        keeps_graphs = keeps_graphs and self._may_keep_graphs(len(rows))
        logprobs, entropy, reference, values = [], [], [], []
        for row in rows:
            ours, spread = self.passes.logprobs(policy, row, with_entropy=True)
            logprobs.append(ours)
            entropy.append(spread)
            with self.passes.as_reference() as model:
                reference.append(self.passes.logprobs(model, row)[0])
            with torch.set_grad_enabled(keeps_graphs):
                values.append(self.passes.values(row))
        scores = self.passes.scores(rollouts)
        watchdog = None if self.watchdog is None else self.passes.scores_by(self.watchdog, rollouts)
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
        """Until the first optimizer step, the value model returns what was measured, so one pass is
        enough.
        """
        return (
            n_rows <= _KEPT_ROWS
            and self.config.n_minibatches == 1
            and self.accelerator.num_processes == 1
        )

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
            moments = formulas.moments(experience.advantages, experience.weight)
            sums = reduce.sums(self.accelerator, moments)
            experience.advantages = formulas.whiten(experience.advantages, sums)

    # -- watching --

    def describe(self, experience: Experience) -> dict[str, float]:
        """A rollout's metrics over the episodes of all processes. Call after `estimate`."""
        n = len(experience.rollouts)
        measures = {
            "reward": float(experience.scores.mean()),
            "learned_reward": float(experience.rewards.mean()),
            "kl": float(experience.kl.mean()),
            "response_tokens": sum(experience.lengths) / n,
            "ended": sum(rollout.is_ended for rollout in experience.rollouts) / n,
            "beta": self.state.beta,
            "repetition": fmean(_repeated(rollout) for rollout in experience.rollouts),
        }
        if experience.watchdog is not None:
            measures["watchdog"] = float(experience.watchdog.mean())
        measures = reduce.means(self.accelerator, measures)
        measures["sqrt_kl"] = math.sqrt(max(measures["kl"], 0.0))
        return measures | self._describe_tokens(experience)

    def _describe_tokens(self, experience: Experience) -> dict[str, float]:
        """Over the tokens of all processes, which may have different numbers of them."""
        every = torch.ones_like(experience.values)
        measured = (
            experience.entropy,
            experience.values,
            experience.returns,
            experience.returns - experience.values,
            -experience.reference_logprobs,
        )
        sums = torch.stack([formulas.moments(x, every) for x in measured])
        entropy, values, returns, errors, log_loss = reduce.sums(self.accelerator, sums)
        return {
            "entropy": formulas.mean_of(entropy),
            "value": formulas.mean_of(values),
            "log_loss": formulas.mean_of(log_loss),
            "explained_variance": formulas.explained_variance(errors, returns),
        }

    def _refuse_collapse(self, metrics: dict[str, float]) -> None:
        collapse.refuse_broken(metrics)
        collapse.refuse_far(metrics["kl"], self.config.kl_ceiling)

    def _refuse_drift(self, metrics: dict[str, float]) -> None:
        """What shows over several rollouts. Call once for each."""
        if "watchdog" in metrics:
            self.state.watchdog.append(metrics["watchdog"])
            size = self.config.batch_size
            collapse.refuse_fallen(self.state.watchdog, self.config.watchdog_drop, batch_size=size)

    def _warnings(self, metrics: dict[str, float]) -> list[str]:
        """What honest runs show too, in sentences; each check warns once. Call once for each
        rollout.
        """
        state, floor, size = self.state, self.config.ended_floor, self.config.batch_size
        state.ended.append(metrics["ended"])
        for name in ("response_tokens", "log_loss", "repetition"):
            state.signs.setdefault(name, []).append(metrics[name])
        signs = state.signs
        checks = {
            "ended": partial(collapse.refuse_rambling, state.ended, floor),
            "length": partial(collapse.refuse_longer, signs["response_tokens"]),
            "log_loss": partial(collapse.refuse_unlikely, signs["log_loss"]),
            "repetition": partial(collapse.refuse_repeating, signs["repetition"]),
        }
        warnings = []
        for name, check in checks.items():
            try:
                check(batch_size=size)
            except collapse.Collapse as sign:
                if self.config.stops_at_warnings:
                    raise
                if name not in state.warned:
                    state.warned.append(name)
                    warnings.append(f"{sign}{collapse.in_honest_runs(name)}")
        return warnings

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
        self,
        prompts: Sequence[list[int]],
        *,
        batch_size: int = 32,
        merged: nn.Module | None = None,
    ) -> tuple[dict[str, float], list[Rollout], Tensor]:
        """Mean reward, KL and length on held-out prompts, sampled with their own seed so that
        training's random state does not change. `merged`: the policy that is saved, in place of
        the one in training.
        """
        rollouts = self.sampled(
            prompts, seed=self.config.seed, batch_size=batch_size, merged=merged
        )
        experience = self.experience(rollouts, is_training=False, merged=merged)
        measures = {
            "reward": float(experience.scores.mean()),
            "kl": float(experience.kl.mean()),
            "response_tokens": sum(experience.lengths) / len(rollouts),
            "ended": sum(rollout.is_ended for rollout in rollouts) / len(rollouts),
            "n": float(len(rollouts)),
        }
        if experience.watchdog is not None:
            measures["watchdog"] = float(experience.watchdog.mean())
        return measures, rollouts, experience.scores


def _repeated(rollout: Rollout) -> float:
    """The share of a response's tokens that it has written before."""
    return 1 - len(set(rollout.response_ids)) / max(len(rollout.response_ids), 1)


def _matrix(flat: Tensor, lengths: list[int]) -> Tensor:
    """(N,) tokens of B sequences to (B, T), zeros after each end."""
    return torch.nn.utils.rnn.pad_sequence(list(flat.split(lengths)), batch_first=True)
