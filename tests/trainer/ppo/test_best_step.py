"""The step that is kept: the one whose held-out reward rose most surely, compared with a slow
twin.
"""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import transformers
from scipy import stats

from arithmetic import intervals
from tests.trainer import runs, tiny
from tests.trainer.ppo.test_run import carried_out, result_of, write_snapshot
from tests.trainer.ppo.test_run import models as models
from training.trainer.ppo.best_step import halves, sure_gain


def slow_gain(scores: Sequence[float], before: Sequence[float], prompts: Sequence[int]) -> float:
    """From every pair of responses to one prompt, as the cluster-robust variance is defined."""
    n, names = len(scores), set(prompts)
    gains = [scores[i] - before[i] for i in range(n)]
    mean = sum(gains) / n
    variance = 0.0
    for i in range(n):
        for j in range(n):
            if prompts[i] == prompts[j]:
                variance += (gains[i] - mean) * (gains[j] - mean) / n**2
    variance *= len(names) / (len(names) - 1)
    return float(mean - stats.t(len(names) - 1).ppf(0.975) * math.sqrt(variance))


@pytest.mark.parametrize("seed", range(5))
def test_the_sure_gain_is_that_of_the_slow_twin(seed: int) -> None:
    draw = random.Random(seed)
    prompts = [draw.randrange(9) for _response in range(30)]
    before = [draw.gauss(0, 3) for _prompt in prompts]
    scores = [one + draw.gauss(0.5, 1) for one in before]

    assert sure_gain(scores, before, prompts) == pytest.approx(slow_gain(scores, before, prompts))


def test_a_sure_small_gain_beats_a_larger_one_by_luck() -> None:
    before, prompts = [0.0, 5.0, -3.0, 2.0, 8.0, -6.0], range(6)
    sure = [one + gain for one, gain in zip(before, [0.9, 1.1, 1.0, 1.0, 0.9, 1.1], strict=True)]
    lucky = [one + gain for one, gain in zip(before, [14, -1, -1, 0, -2, 0], strict=True)]

    assert sum(lucky) > sum(sure)
    assert sure_gain(sure, before, prompts) > 0.8 > 0 > sure_gain(lucky, before, prompts)


def test_several_responses_to_one_prompt_count_as_one() -> None:
    scores, before = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 6

    once = sure_gain(scores, before, range(6))
    thrice = sure_gain(scores * 3, before * 3, [*range(6)] * 3)

    assert thrice == pytest.approx(once)
    assert sure_gain(scores * 3, before * 3, range(18)) > once


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    draw, n_held = random.Random(1), 0
    for _time in range(400):
        of_prompt = [draw.gauss(0, 1) for _prompt in range(8)]
        prompts = [number for number in range(8) for _response in range(3)]
        ends = intervals.of_mean([of_prompt[n] + draw.gauss(0, 0.3) for n in prompts], prompts)
        assert ends is not None
        n_held += ends[0] <= 0 <= ends[1]

    assert 0.92 <= n_held / 400 <= 0.975


def test_too_few_prompts_choose_by_the_mean() -> None:
    assert sure_gain([1.0, 3.0], [0.0, 0.0], [1, 2]) == 2.0
    assert sure_gain([1.0, 3.0], [], [1, 2]) == 2.0  # a checkpoint of an earlier version


def test_the_halves_have_no_prompt_in_common() -> None:
    choosing, reporting = halves(11, has_choice=True)

    assert sorted([*range(11)[choosing], *range(11)[reporting]]) == list(range(11))
    assert not set(range(11)[choosing]) & set(range(11)[reporting])


def test_a_run_reports_the_interval_of_its_reward(tmp_path: Path) -> None:
    models = tiny_models(tmp_path)
    snapshot = write_snapshot(tmp_path / "snapshot")
    row = (snapshot / "train.jsonl").read_text().splitlines()[0]
    held_out = [row.replace("?", f" {number}?") for number in range(12)]
    assert len(set(held_out)) == 12
    (snapshot / "validation.jsonl").write_text("\n".join(held_out) + "\n")

    folder = carried_out(tmp_path / "run", models, snapshot, n_episodes=8, evaluate_every=1)

    metrics = result_of(folder.path).metrics
    assert metrics["n_held_out_prompts"] == 6
    for when in ("before", "after"):
        low, mean, high = (metrics[f"reward{end}_{when}"] for end in ("_low", "", "_high"))
        assert low < mean < high
    assert "held_out_reward_low" in runs.points(folder)[0]


def tiny_models(root: Path) -> tuple[Path, Path]:
    """(policy, reward model)"""
    policy = tiny.build_tiny_model(root / "policy")
    torch.manual_seed(0)
    reward = transformers.AutoModelForSequenceClassification.from_pretrained(policy, num_labels=1)
    reward.save_pretrained(root / "reward")
    transformers.AutoTokenizer.from_pretrained(policy).save_pretrained(root / "reward")
    return policy, root / "reward"


def test_a_collapse_before_the_first_checkpoint_keeps_the_best_step(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"learning_rate": 0.002, "kl_coef": 0.0, "n_episodes": 400}

    folder = carried_out(
        tmp_path / "run",
        models,
        write_snapshot(tmp_path / "snapshot"),
        method="full",
        kl_ceiling=0.2,
        evaluate_every=1,
        checkpoint_every=0,
        **settings,
    )

    result, last = result_of(folder.path), max(runs.points(folder))
    kept = int(result.metrics["kept_step"])
    assert result.outcome == "stopped"
    assert 0 < kept == result.n_steps < last
    assert str(result.error).endswith(f"Step {kept}, the best on held-out prompts, was kept.")
    saved = safetensors.torch.load_file(folder.path / "model" / "model.safetensors")
    best = safetensors.torch.load_file(folder.path / "best" / "policy.safetensors")
    assert all(torch.equal(weight, saved[name]) for name, weight in best.items())
