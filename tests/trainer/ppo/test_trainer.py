"""The PPO loop on two-layer models: resume, order of prompts, learning rate, early stops, and that
it learns.
"""

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import safetensors.torch
import torch
from accelerate.state import AcceleratorState, PartialState

from tests.trainer.ppo import models as ppo_models
from tests.trainer.ppo.models import weights
from training.trainer.modeling import packing
from training.trainer.ppo import collapse, episodes, prompt_order, roles
from training.trainer.ppo.trainer import PpoTrainer

Build = Callable[..., roles.Roles]


# --- resume ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_stop_and_resume_equals_an_unbroken_run(build: Build, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "kl_control": "adaptive",
        "kl_target": 0.01,
        "kl_horizon": 50,
        "n_episodes": 48,
        "ema_decay": 0.9,
        "normalizes_reward": True,
        "n_minibatches": (
            2
        ),  # a resume in the middle of a rollout's optimizer steps would be unequal: there is none
        "n_inner_epochs": 2,
        "warmup_steps": 5,
    }
    torch.manual_seed(11)
    whole = ppo_models.trainer(build(), **changes)
    torch.manual_seed(12)
    for report in whole.steps():
        if report.step == 3:
            whole.trained.save(tmp_path)

    torch.manual_seed(99)
    resumed = ppo_models.trainer(build(seed=5), **changes)
    if resumed.passes.reference is not None and whole.passes.reference is not None:
        resumed.passes.reference.load_state_dict(whole.passes.reference.state_dict())
    for fresh, model in (
        (resumed.trained.policy, whole.trained.policy),
        (resumed.trained.value, whole.trained.value),
    ):  # what is frozen comes with the model
        frozen = {name: p for name, p in model.named_parameters() if not p.requires_grad}
        fresh.load_state_dict(frozen, strict=False)
    resumed.trained.load(tmp_path)
    reports = list(resumed.steps())

    assert [report.step for report in reports] == [4, 5, 6]
    assert resumed.state == whole.state
    for a, b in zip(
        weights(whole.trained.policy) + whole.trained.ema,
        weights(resumed.trained.policy) + resumed.trained.ema,
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_a_checkpoint_holds_each_weight_that_trains_once_and_no_other(
    build: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = ppo_models.trainer(build())

    trainer.trained.save(tmp_path)

    for model, name in ((trainer.trained.policy, "policy"), (trainer.trained.value, "value")):
        saved = safetensors.torch.load_file(tmp_path / f"{name}.safetensors")
        assert saved.keys() == {key for key, p in model.named_parameters() if p.requires_grad}
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


def test_each_prompt_comes_once_before_any_comes_twice() -> None:
    trainer = ppo_models.trainer(batch_size=4)

    seen = [index for step in range(4) for index in trainer._prompts_of(step)]

    assert sorted(seen[:8]) == sorted(seen[8:]) == list(range(8))
    assert seen[:8] != seen[8:]


def test_a_step_shuffles_its_prompts_once_each_time_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """31,000 prompts shuffled anew for each of 512 episodes took five seconds a step."""
    trainer = ppo_models.trainer(batch_size=12)
    order, asked = prompt_order.shuffled, []

    def counted(n: int, seed: int, epoch: int) -> list[int]:
        asked.append(epoch)
        return order(n, seed, epoch)

    monkeypatch.setattr(prompt_order, "shuffled", counted)
    chosen = [index for step in range(4) for index in trainer._prompts_of(step)]

    assert asked == [0, 1, 1, 2, 3, 4, 4, 5]
    assert chosen == [order(8, trainer.config.seed, place // 8)[place % 8] for place in range(48)]


def test_the_learning_rate_rises_from_a_tenth_over_the_warm_up_and_then_stays() -> None:
    trainer = ppo_models.trainer(
        warmup_steps=2,
        n_minibatches=2,
        n_inner_epochs=2,
        learning_rate=1e-3,
        value_learning_rate=2e-3,
    )
    policy, value = [], []

    for _update in range(10):
        policy.append(trainer.trained.optimizer.param_groups[0]["lr"])
        value.append(trainer.trained.optimizer.param_groups[1]["lr"])
        trainer.trained.optimizer.step()
        trainer.trained.scheduler.step()

    assert policy == pytest.approx(
        [(0.1 + 0.9 * min(update, 8) / 8) * 1e-3 for update in range(10)]
    )
    assert value == pytest.approx([2 * rate for rate in policy])


def test_the_warm_up_takes_as_many_steps_with_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = ppo_models.trainer(warmup_steps=4)
    monkeypatch.setitem(AcceleratorState._shared_state, "num_processes", 2)
    monkeypatch.setitem(PartialState._shared_state, "num_processes", 2)

    trainer.trained.optimizer.step()
    trainer.trained.scheduler.step()

    assert trainer.trained.optimizer.param_groups[0]["lr"] == pytest.approx((0.1 + 0.9 / 4) * 1e-3)


def test_one_prompt_with_one_response_is_a_batch() -> None:
    trainer = ppo_models.trainer(prompts=[[3, 4]], batch_size=1, n_episodes=2)

    assert [len(report.experience.rollouts) for report in trainer.steps()] == [1, 1]


# --- stopping in time -----------------------------------------------------------------------------


def test_a_kl_above_its_ceiling_stops_the_run_with_advice() -> None:
    trainer = ppo_models.trainer(kl_ceiling=0.001, learning_rate=0.05, n_episodes=400, kl_coef=0.0)

    with pytest.raises(collapse.Collapse, match=r"above the ceiling of 0\.001\. Raise β"):
        list(trainer.steps())


def test_a_start_above_the_ceiling_is_not_blamed_on_the_settings() -> None:
    """The policy of a line of models may have gone as far as it may before this run."""
    models = ppo_models.full_models()
    with torch.no_grad():
        models.policy.get_parameter("lm_head.weight").mul_(20)
    trainer = ppo_models.trainer(models, kl_ceiling=1.0)

    with pytest.raises(collapse.Collapse) as stopped:
        list(trainer.steps())

    assert "The model that this run begins with is " in str(stopped.value)
    assert "Choose a reference model that is nearer" in str(stopped.value)
    assert "β" not in str(stopped.value)


def test_a_reward_that_is_not_a_number_stops_the_run() -> None:
    trainer = ppo_models.trainer(
        ppo_models.full_models(lambda rollouts: torch.full((len(rollouts),), math.nan))
    )

    with pytest.raises(collapse.Collapse, match="not a number"):
        list(trainer.steps())


def test_responses_that_stop_ending_stop_the_run() -> None:
    with pytest.raises(collapse.Collapse, match="learned to ramble"):
        collapse.refuse_rambling([0.9, 0.4], 0.5, batch_size=64)


def test_a_few_responses_that_do_not_end_stop_nothing() -> None:
    shares = [0.625, 0.25] * 20

    for n in range(len(shares)):
        collapse.refuse_rambling(shares[: n + 1], 0.5, batch_size=8)


def test_the_watchdogs_alarm_compares_64_responses_with_the_first_64() -> None:
    """Of 16 responses each: one bad rollout is noise, four in a row are not."""
    good, bad = [0.1, -0.1, 0.1, -0.1], [-1.0] * 4

    for rewards in (good + bad[:3], [*good, *good, -1.0], [-1.0, *good, *bad[:2]]):
        collapse.refuse_fallen(rewards, 0.5, batch_size=16)
    with pytest.raises(collapse.Collapse, match=r"fell from 0\.00 to -1\.00"):
        collapse.refuse_fallen(good + bad, 0.5, batch_size=16)
    collapse.refuse_fallen(good + bad, 0.0, batch_size=16)


def test_a_falling_watchdog_stops_the_run() -> None:
    trainer = ppo_models.trainer(watchdog_drop=1.0)
    n = max(4, math.ceil(64 / trainer.config.batch_size))
    rewards = iter([2.0] * n + [0.5] * n)

    with pytest.raises(collapse.Collapse, match=r"fell from 2\.00 to 0\.[0-9]+, more than chance"):
        _refuse_all(trainer, rewards)


def _refuse_all(trainer: PpoTrainer, rewards: Iterator[float]) -> None:
    for reward in rewards:
        trainer._refuse_drift({"ended": 1.0, "watchdog": reward})


def test_a_watchdog_that_only_varies_stops_hardly_any_run() -> None:
    """Comparing single rollouts stopped 56 of these 100 runs."""
    stopped = 0
    for seed in range(100):
        luck = random.Random(seed)
        rewards = [luck.gauss(0, 0.25) for _rollout in range(60)]
        try:
            for n in range(len(rewards)):
                collapse.refuse_fallen(rewards[: n + 1], 0.5, batch_size=16)
        except collapse.Collapse:
            stopped += 1

    assert stopped <= 3


@pytest.mark.parametrize(
    ("check", "honest", "odd", "words"),
    [
        (collapse.refuse_longer, 20.0, 31.0, "grown from 20 to 31 tokens"),
        (collapse.refuse_unlikely, 2.0, 2.7, r"rose from 2\.00 to 2\.70 nats"),
        (collapse.refuse_repeating, 0.2, 0.31, "rose from 20% to 31%"),
    ],
)
def test_a_sign_speaks_once_64_responses_differ_from_the_first_64(
    check: Any, honest: float, odd: float, words: str
) -> None:
    first, latest = [honest] * 4, [odd] * 4

    check(first + latest[:3], batch_size=16)
    check(first * 3, batch_size=16)
    check([honest, odd] * 4, batch_size=16)  # as far apart as rollouts are by chance
    with pytest.raises(collapse.Collapse, match=words):
        check(first + latest, batch_size=16)


def signs(**values: float) -> dict[str, float]:
    return {"ended": 1.0, "response_tokens": 20.0, "log_loss": 2.0, "repetition": 0.2} | values


def test_a_sign_that_honest_runs_show_too_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(collapse.FALSE_ALARMS, "length", 0.4)
    trainer = ppo_models.trainer()
    n = max(4, math.ceil(64 / trainer.config.batch_size))
    lengths = [20.0] * n + [40.0] * (n + 3)

    warnings = [trainer._warnings(signs(response_tokens=length)) for length in lengths]

    (said,) = [sentence for found in warnings for sentence in found]
    assert said.startswith("Responses have grown from 20 to")
    assert said.endswith("40% of the 20 honest runs in our benchmark showed this too.")


def test_a_sign_stops_the_run_of_a_person_who_wants_that() -> None:
    trainer = ppo_models.trainer(stops_at_warnings=True)
    n = max(4, math.ceil(64 / trainer.config.batch_size))

    for ended in [0.9] * n + [0.1] * (n - 1):
        if ended == 0.9:
            trainer._warnings(signs(ended=ended))
        else:
            trainer.state.ended.append(ended)

    with pytest.raises(collapse.Collapse, match="learned to ramble"):
        trainer._warnings(signs(ended=0.1))


def test_signs_are_those_of_the_slow_twin() -> None:
    trainer = ppo_models.trainer()
    experience = ppo_models.stored_experience(trainer)

    described = trainer.describe(experience)

    repeated = [1 - len({*response}) / len(response) for response in ppo_models.RESPONSES]
    assert described["repetition"] == pytest.approx(fmean(repeated))
    log_probabilities = experience.reference_logprobs.tolist()
    assert described["log_loss"] == pytest.approx(-fmean(log_probabilities), rel=1e-5)


# --- that it learns -------------------------------------------------------------------------------


def share_of_sevens(rollouts: list[episodes.Rollout]) -> torch.Tensor:
    """At best 1: a response of nothing but token 7."""
    return torch.tensor(
        [
            sum(token == 7 for token in rollout.response_ids) / len(rollout.response_ids)
            for rollout in rollouts
        ]
    )


LEARNING: dict[str, Any] = {
    "batch_size": 32,
    "max_new_tokens": 4,
    "row_tokens": 512,
    "learning_rate": 5e-3,
    "value_learning_rate": 5e-3,
    "ended_floor": 0.0,
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reward_reaches_four_fifths_of_its_optimum_within_sixty_rollouts(seed: int) -> None:
    models = ppo_models.full_models(share_of_sevens, seed)
    trainer = ppo_models.trainer(models, **LEARNING, n_episodes=60 * 32, kl_coef=0.01, seed=seed)
    torch.manual_seed(seed)
    rewards: list[float] = []

    for report in trainer.steps():
        rewards.append(report.metrics["reward"])
        if min(rewards[-5:]) >= 0.8:
            break

    assert rewards[0] < 0.3
    assert min(rewards[-5:]) >= 0.8


@pytest.mark.slow
def test_several_updates_a_rollout_learn_more_from_the_same_rollouts() -> None:
    """As the presets take them, against one update, which is no PPO."""
    reached, clipped = {}, {}
    for n_minibatches, n_inner_epochs in ((1, 1), (2, 2)):
        trainer = ppo_models.trainer(
            ppo_models.full_models(share_of_sevens, 1),
            batch_size=8,
            learning_rate=2e-3,
            value_learning_rate=2e-3,
            row_tokens=512,
            n_episodes=60 * 8,
            n_minibatches=n_minibatches,
            n_inner_epochs=n_inner_epochs,
            ended_floor=0.0,
            seed=1,
        )
        torch.manual_seed(1)
        reports = [report.metrics for report in trainer.steps()]
        reached[n_minibatches] = fmean(report["reward"] for report in reports[-10:])
        clipped[n_minibatches] = fmean(report["clip_fraction"] for report in reports)

    assert reached[2] > reached[1] + 0.1
    assert clipped[2] > clipped[1] == 0.0


@pytest.mark.slow
def test_without_a_penalty_the_policy_drifts_further() -> None:
    drift = {}
    for beta in (0.0, 0.5):
        trainer = ppo_models.trainer(
            ppo_models.full_models(share_of_sevens), **LEARNING, n_episodes=25 * 32, kl_coef=beta
        )
        torch.manual_seed(0)
        drift[beta] = fmean([report.metrics["kl"] for report in trainer.steps()][-5:])

    assert drift[0.0] > 1.5 * abs(drift[0.5])


@pytest.mark.slow
def test_ptx_holds_the_language_model_loss_where_plain_ppo_lets_it_rise() -> None:
    """The policy first learns one answer to each prompt; the reward then pulls away from it, and
    the mix holds on.
    """
    ptx = [(prompt, [9, 10, 11, 2]) for prompt in ppo_models.PROMPTS]
    rise = {}
    for gamma in (0.0, 1.0):
        models = ppo_models.full_models(share_of_sevens)
        settings = LEARNING | {"learning_rate": 1e-3}
        trainer = ppo_models.trainer(
            models,
            **settings,
            ptx=ptx,
            ptx_coef=gamma,
            n_episodes=25 * 32,
            kl_coef=0.0,
            temperature=2.0,
        )
        optimizer = torch.optim.Adam(models.policy.parameters(), lr=3e-3)
        while trainer.passes.language_model_loss(ptx) > 0.5:
            loss = -sum(trainer.passes.plain_logprobs(row).mean() for row in packing.pack(ptx, 512))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        optimizer.zero_grad()
        torch.manual_seed(0)
        before = trainer.passes.language_model_loss(ptx)
        list(trainer.steps())
        rise[gamma] = trainer.passes.language_model_loss(ptx) - before

    assert rise[1.0] < 0.1
    assert rise[0.0] > 0.3
