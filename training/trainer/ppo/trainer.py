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

from training.configs.metrics import IMPORTANCE
from training.configs.ppo import PpoConfig
from training.trainer.modeling import loading
from training.trainer.ppo import collapse, episodes, formulas, prompt_order, reduce
from training.trainer.ppo.episodes import Experience, Reading, Rollout
from training.trainer.ppo.passes import Passes
from training.trainer.ppo.roles import (
    Roles,
    require_equal_shares,
    require_gradient_checkpointing,
)
from training.trainer.ppo.sampler import Sampler
from training.trainer.ppo.trained import State, Trained
from training.trainer.ppo.update import Updater
from training.trainer.sample import step_times
from training.trainer.sample.rollout_server import RolloutServer
from training.trainer.sample.step_times import StepTimes

# Up to this many rows, a rollout keeps the graphs of the value model and of the policy. Without a
# vocabulary head, two rows need about as much memory as one of the policy's with its logits.
_KEPT_VALUE_ROWS, _KEPT_POLICY_ROWS = 2, 1


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
        reading: Reading | None = None,
    ) -> None:
        self.config = config
        self.accelerator = accelerator or Accelerator()
        require_equal_shares(config, self.accelerator)
        self.prompts = prompts
        self.device = self.accelerator.device
        self.packs = roles.settle(config, self.accelerator)
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
        self.times = StepTimes()
        self.trained = Trained(roles, config, self.accelerator, self.state)
        self.reading = reading or Reading(tokenizer)
        self.passes = Passes(
            roles,
            self.trained,
            config,
            self.accelerator,
            packs=self.packs,
            reading=self.reading,
        )
        self.updater = Updater(self.trained, self.passes, config, self.accelerator, self.state, ptx)

    @property
    def n_steps(self) -> int:
        return math.ceil(self.config.n_episodes / self.config.batch_size)

    # -- one step after the other --

    def steps(self) -> Iterator[StepReport]:
        """Continues from `state.step`. Save the state only between two reports."""
        while self.state.step < self.n_steps:
            started = time.monotonic()
            with self.times.part(step_times.WRITING):
                rollouts = self.rollouts(self._prompts_of(self.state.step))
            with self.times.part(step_times.MEASURING):
                experience = self.experience(rollouts, keeps_graphs=True)
                sampled = time.monotonic()
                self.estimate(experience)
                metrics = self.describe(experience)
            with collapse.last_good(self.state.step - 1):
                self._refuse_collapse(metrics)
                self._refuse_drift(metrics)
                warnings = self._warnings(metrics)
            with collapse.last_good(self.state.step):
                with self.times.part(step_times.UPDATING):
                    metrics |= self.updater.update(experience)
                self._refuse_collapse(metrics)
            self._steer_beta(metrics["kl"])
            self.state.step += 1
            metrics["rollout_s"], metrics["update_s"] = (
                sampled - started,
                time.monotonic() - sampled,
            )
            n_tokens = (
                metrics["response_tokens"] + metrics.get("thinking_tokens", 0.0)
            ) * self.config.batch_size  # of all processes
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
        keeps_graphs = keeps_graphs and self._may_keep_graphs()
        keeps_policy = keeps_graphs and len(rows) <= _KEPT_POLICY_ROWS
        keeps_value = keeps_graphs and len(rows) <= _KEPT_VALUE_ROWS
        logprobs, entropy, reference, values = [], [], [], []
        for row in rows:
            with torch.set_grad_enabled(keeps_policy):
                ours, spread = self.passes.logprobs(policy, row, with_entropy=True)
            logprobs.append(ours)
            entropy.append(spread)
            with self.passes.as_reference() as model:
                reference.append(self.passes.logprobs(model, row)[0])
            with torch.set_grad_enabled(keeps_value):
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
            logprobs=torch.cat(logprobs).detach(),
            reference_logprobs=torch.cat(reference),
            values=torch.cat(values).detach(),
            entropy=torch.cat(entropy),
            watchdog=watchdog,
            sampling_logprobs=episodes.sampling_logprobs(rollouts, self.device),
            policy_graphs=logprobs if keeps_policy else [],
            value_graphs=values if keeps_value else [],
        )

    def _may_keep_graphs(self) -> bool:
        """Until its first optimizer step, a model returns what was measured, so one pass is
        enough.
        """
        return self.config.n_minibatches == 1 and self.accelerator.num_processes == 1

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
        n = float(seen.numel())
        mean, squares = torch.stack([seen.mean(), ((seen - seen.mean()) ** 2).sum()]).tolist()
        total = self.state.reward_count + n
        shift = mean - self.state.reward_mean
        self.state.reward_m2 += squares + shift * shift * self.state.reward_count * n / total
        self.state.reward_mean += shift * n / total
        self.state.reward_count = total

    # -- learning --

    @torch.no_grad()
    def estimate(self, experience: Experience) -> None:
        """Fills in advantages and returns. Whitening uses the moments of the whole rollout, all
        processes together.
        """
        lengths = experience.lengths
        mask = episodes.matrix(torch.ones_like(experience.values), lengths).bool()
        kl = episodes.matrix(
            formulas.per_token_kl(experience.logprobs, experience.reference_logprobs), lengths
        )
        ends = torch.tensor(lengths, device=kl.device) - 1
        rewards = formulas.shaped_rewards(kl, experience.rewards, ends, beta=self.state.beta)
        values = episodes.matrix(experience.values, lengths)
        advantages, returns = formulas.gae(
            rewards, values, mask, gamma=self.config.gamma, lam=self.config.lam
        )
        experience.returns = episodes.flat(returns, lengths)
        experience.weight = torch.cat(
            [
                torch.full(
                    (len(rollout.response_ids),),
                    float(rollout.is_trained_on(self.config.missing_end)),
                )
                for rollout in experience.rollouts
            ]
        ).to(kl.device)
        experience.advantages = episodes.flat(advantages, lengths)
        if self.config.whitens_advantages:
            moments = formulas.moments(experience.advantages, experience.weight)
            sums = reduce.sums(self.accelerator, moments)
            experience.advantages = formulas.whiten(experience.advantages, sums)

    # -- watching --

    def describe(self, experience: Experience) -> dict[str, float]:
        """A rollout's metrics over the episodes of all processes. Call after `estimate`."""
        n = len(experience.rollouts)
        n_thinking = list(map(self.reading.n_thinking, experience.rollouts))
        measures: dict[str, float | Tensor] = {
            "reward": experience.scores.mean(),
            "learned_reward": experience.rewards.mean(),
            "kl": experience.kl.mean(),
            "response_tokens": (sum(experience.lengths) - sum(n_thinking)) / n,
            "thinking_tokens": sum(n_thinking) / n,
            "ended": sum(rollout.is_ended for rollout in experience.rollouts) / n,
            "beta": self.state.beta,
            "repetition": fmean(
                _repeated(rollout.response_ids[before:])
                for rollout, before in zip(experience.rollouts, n_thinking, strict=True)
            ),
        }
        if experience.watchdog is not None:
            measures["watchdog"] = experience.watchdog.mean()
        means = reduce.means(self.accelerator, measures)
        if not means["thinking_tokens"]:
            del means["thinking_tokens"]
        means["sqrt_kl"] = math.sqrt(max(means["kl"], 0.0))
        return means | self._describe_tokens(experience)

    def _describe_tokens(self, experience: Experience) -> dict[str, float]:
        """Over the tokens of all processes, which may have different numbers of them."""
        every = torch.ones_like(experience.values)
        measured = [
            experience.entropy,
            experience.values,
            experience.returns,
            experience.returns - experience.values,
            -experience.reference_logprobs,
            *self._importance(experience),
        ]
        sums = torch.stack([formulas.moments(x, every) for x in measured])
        entropy, values, returns, errors, log_loss, *drawn = reduce.sums(self.accelerator, sums)
        means = {
            "entropy": formulas.mean_of(entropy),
            "value": formulas.mean_of(values),
            "log_loss": formulas.mean_of(log_loss),
            **dict(zip(IMPORTANCE, map(formulas.mean_of, drawn), strict=False)),
        }
        explained = formulas.explained_variance(errors, returns)
        return reduce.read(means) | {"explained_variance": explained}

    def _importance(self, experience: Experience) -> Sequence[Tensor]:
        """The tokens' weights, and which were truncated; nothing if the policy drew them."""
        if experience.sampling_logprobs is None:
            return ()
        return formulas.truncated_ratio(
            experience.logprobs,
            experience.sampling_logprobs,
            clip_max=self.config.vllm_importance_sampling_clip_max,
        )

    def _refuse_collapse(self, metrics: dict[str, float]) -> None:
        collapse.refuse_broken(metrics)
        ceiling, is_start = self.config.kl_ceiling, self.state.step == 0
        collapse.refuse_far(metrics["kl"], ceiling, is_start=is_start)

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
        for name in ("response_tokens", "log_loss", "repetition", *IMPORTANCE):
            if name in metrics:
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
            "response_tokens": fmean(
                len(rollout.response_ids) - self.reading.n_thinking(rollout) for rollout in rollouts
            ),
            "ended": sum(rollout.is_ended for rollout in rollouts) / len(rollouts),
            "n": float(len(rollouts)),
        }
        if experience.watchdog is not None:
            measures["watchdog"] = float(experience.watchdog.mean())
        return measures, rollouts, experience.scores


def _repeated(ids: Sequence[int]) -> float:
    """The share of an answer's tokens that it has written before."""
    return 1 - len(set(ids)) / len(ids) if ids else 0.0
