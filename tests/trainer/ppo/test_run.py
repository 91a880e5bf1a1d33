"""The PPO run as the supervisor starts it: a child process and its folder, with a two-layer
model.
"""

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import transformers

from tests.trainer import runs, tiny, warm
from tests.trainer.ppo import models as ppo_models
from training.configs.ppo import PpoConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.processes.run_lines import ProgressLine
from training.trainer.ppo import run

PROMPTS = [
    "What is the colour of the sky?",
    "How do I boil an egg?",
    "Name an animal.",
    "Yes or no?",
    "Thank you.",
    "Why?",
    "Is a cat a dog?",
    "An egg?",
]
SMALL: dict[str, Any] = {
    "method": "lora",
    "n_episodes": 24,
    "batch_size": 4,
    "max_new_tokens": 6,
    "max_prompt_tokens": 64,
    "warmup_steps": 0,
    "learning_rate": 1e-3,
    "value_learning_rate": 1e-3,
    "missing_end": "keep",
    "dtype": "float32",
    "rollout_dtype": "float32",
    "checkpoint_every": 2,
    "lora_rank": 4,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(policy, reward model), the second the first with a head of one number."""
    root = tmp_path_factory.mktemp("models")
    policy = tiny.build_tiny_model(root / "policy")
    torch.manual_seed(0)  # of the head, which the policy has none for
    reward = transformers.AutoModelForSequenceClassification.from_pretrained(policy, num_labels=1)
    reward.config.reward_bias = 0.25
    reward.save_pretrained(root / "reward")
    transformers.AutoTokenizer.from_pretrained(policy).save_pretrained(root / "reward")
    return policy, root / "reward"


def write_snapshot(folder: Path, *, with_completions: bool = False) -> Path:
    folder.mkdir()
    rows: list[dict[str, Any]] = [
        {"id": n, "prompt_id": n, "prompt": [{"role": "user", "content": text}]}
        for n, text in enumerate(PROMPTS)
    ]
    if with_completions:
        rows = [
            row | {"completion": [{"role": "assistant", "content": "Yes, please."}]} for row in rows
        ]
    for split, part in (("train", rows[:6]), ("validation", rows[6:])):
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return folder


def start(
    folder: Path, models: tuple[Path, Path], snapshot: Path, *, attempt: int = 1, **changes: Any
) -> subprocess.CompletedProcess[str]:
    write_job(folder, models, snapshot, attempt=attempt, **changes)
    return warm.as_child(folder)


def write_job(
    folder: Path, models: tuple[Path, Path], snapshot: Path, *, attempt: int = 1, **changes: Any
) -> None:
    reward = changes.pop("reward_model", str(models[1]))
    watchdog = changes.pop("watchdog_model", None)
    config = SMALL | changes
    job = run_dir.Job(
        "ppo", 1, attempt, config, str(models[0]), str(snapshot), reward, watchdog_model=watchdog
    )
    run_dir.write_job(folder, job)


def carried_out(path: Path, models: tuple[Path, Path], snapshot: Path, **changes: Any) -> RunFolder:
    """The run in this process: quick, where nothing of the child's own is asked."""
    given = {name: changes.pop(name) for name in ("ptx_snapshot",) if name in changes}
    config = PpoConfig(**(SMALL | changes))
    given |= {"reward_model": models[1]}
    return runs.finished(path, "ppo", config, models[0], snapshot, **given)


def result_of(folder: Path) -> run_dir.Result:
    result = run_dir.read_result(folder)
    assert result is not None
    return result


def points(folder: Path) -> list[ProgressLine]:
    return [line for line in run_dir.read_progress(folder, 0)[0] if "values" in line]


def in_a_new_interpreter(folder: Path) -> subprocess.CompletedProcess[str]:
    return runs.as_child(RunFolder(folder, 1), OMP_NUM_THREADS="1")


@pytest.mark.parametrize(
    ("method", "as_child"),
    [("lora", warm.as_child), ("full", in_a_new_interpreter)],
    ids=["lora", "full"],
)
def test_a_run_leaves_whole_weights_curves_and_samples(
    method: str,
    as_child: Callable[[Path], subprocess.CompletedProcess[str]],
    models: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    write_job(tmp_path / "run", models, write_snapshot(tmp_path / "snapshot"), method=method)

    done = as_child(tmp_path / "run")

    result = result_of(tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert result.outcome == "succeeded"
    assert result.n_steps == 6
    assert {"reward_before", "reward_after", "kl_after", "n_held_out_prompts"} <= set(
        result.metrics
    )
    assert result.metrics["kl_before"] == 0.0
    assert [point["step"] for point in points(tmp_path / "run")] == [0, 1, 2, 3, 4, 5, 6]
    assert {
        "reward",
        "kl",
        "sqrt_kl",
        "entropy",
        "clip_fraction",
        "explained_variance",
        "ended",
        "tokens_per_s",
    } <= set(points(tmp_path / "run")[3]["values"])
    assert any("sample" in line for line in run_dir.read_progress(tmp_path / "run", 0)[0])
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model")
    weights = safetensors.torch.load_file(tmp_path / "run" / "model" / "model.safetensors")
    assert not [name for name in weights if "lora" in name]


def test_kl_is_measured_to_the_reference_model(models: tuple[Path, Path], tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")
    reference = tiny.build_tiny_model(tmp_path / "reference", seed=5)
    before = []
    for method in ("lora", "full"):
        config = PpoConfig(**(SMALL | {"method": method, "n_episodes": 4}))
        runs.finished(
            tmp_path / method,
            "ppo",
            config,
            models[0],
            snapshot,
            reward_model=models[1],
            reference_model=reference,
        )
        before.append(result_of(tmp_path / method).metrics["kl_before"])

    assert before[0] > 0.01
    assert before[0] == pytest.approx(before[1], rel=1e-3)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_in_bfloat16_too_the_kl_is_exactly_zero_before_the_first_update(
    method: str, models: tuple[Path, Path], tmp_path: Path
) -> None:
    done = start(
        tmp_path / "run",
        models,
        write_snapshot(tmp_path / "snapshot"),
        method=method,
        dtype="bfloat16",
        n_episodes=8,
    )

    assert done.returncode == 0, done.stderr
    assert result_of(tmp_path / "run").metrics["kl_before"] == 0.0
    assert points(tmp_path / "run")[1]["values"]["kl"] == 0.0  # measured before its update


def test_the_reward_models_bias_is_taken_off(models: tuple[Path, Path], tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")
    start(tmp_path / "biased", models, snapshot, n_episodes=4)
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(models[1])
    plain.config.reward_bias = 0.0
    plain.save_pretrained(tmp_path / "plain")
    transformers.AutoTokenizer.from_pretrained(models[1]).save_pretrained(tmp_path / "plain")

    start(tmp_path / "run", models, snapshot, n_episodes=4, reward_model=str(tmp_path / "plain"))

    biased, unbiased = (
        result_of(tmp_path / name).metrics["reward_before"] for name in ("biased", "run")
    )
    assert unbiased - biased == pytest.approx(0.25, abs=1e-4)


def test_a_stopped_run_goes_on_to_the_same_end(models: tuple[Path, Path], tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")
    start(tmp_path / "whole", models, snapshot)
    start(tmp_path / "broken", models, snapshot, keep_checkpoints=3)
    for checkpoint in (tmp_path / "broken" / "checkpoints").glob("step-[46]"):
        run_dir.remove(checkpoint)
    run_dir.remove(tmp_path / "broken" / "model")

    start(tmp_path / "broken", models, snapshot, attempt=2, keep_checkpoints=3)

    one, other = (
        safetensors.torch.load_file(tmp_path / name / "model" / "model.safetensors")
        for name in ("whole", "broken")
    )
    assert [point["step"] for point in points(tmp_path / "broken") if point["attempt"] == 2] == [
        3,
        4,
        5,
        6,
    ]
    assert all(torch.allclose(one[name].float(), other[name].float(), atol=1e-3) for name in one)


def test_with_a_moving_average_the_averaged_weights_are_saved(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    changes: dict[str, Any] = {
        "method": "full",
        "ema_decay": 0.9,
        "evaluate_every": 0,
        "keeps_state": "always",
    }

    folder = carried_out(
        tmp_path / "run",
        models,
        write_snapshot(tmp_path / "snapshot"),
        learning_rate=1e-2,
        **changes,
    )

    averaged = torch.load(folder.path / "checkpoints" / "step-6" / "ema.pt")
    saved = transformers.AutoModelForCausalLM.from_pretrained(folder.path / "model").parameters()
    assert all(
        torch.equal(one.bfloat16(), other.bfloat16())
        for one, other in zip(averaged, saved, strict=True)
    )


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_model_that_was_measured_is_the_model_that_was_saved(
    method: str, models: tuple[Path, Path], tmp_path: Path
) -> None:
    """A run that changes nothing starts from the saved model, and measures it as its `before`."""
    snapshot = write_snapshot(tmp_path / "snapshot")
    fixed: dict[str, Any] = {"method": method, "evaluate_every": 0}
    fixed |= {"max_new_tokens": 128, "max_prompt_tokens": 64}  # long enough to tell rounding
    start(tmp_path / "run", models, snapshot, learning_rate=3e-3, **fixed)

    saved = tmp_path / "run" / "model"
    start(tmp_path / "again", (saved, models[1]), snapshot, n_episodes=4, **fixed)

    one, other = (result_of(tmp_path / name).metrics for name in ("run", "again"))
    assert one["reward_after"] == pytest.approx(other["reward_before"], abs=1e-5)
    assert one["response_tokens_after"] == other["response_tokens_before"]


def test_in_float32_the_saved_policy_is_float32(models: tuple[Path, Path], tmp_path: Path) -> None:
    folder = carried_out(
        tmp_path / "run", models, write_snapshot(tmp_path / "snapshot"), n_episodes=4
    )

    weights = safetensors.torch.load_file(folder.path / "model" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def test_a_stop_file_saves_after_the_rollout(models: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    run_dir.request_stop(folder)

    start(folder, models, write_snapshot(tmp_path / "snapshot"))

    result = result_of(folder)
    assert (result.outcome, result.n_steps) == ("stopped", 1)
    assert (folder / "model" / "model.safetensors").exists()


def test_a_collapse_keeps_the_last_good_checkpoint_and_says_so(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")

    start(
        tmp_path / "run",
        models,
        snapshot,
        learning_rate=0.05,
        kl_coef=0.0,
        kl_ceiling=0.02,
        n_episodes=400,
        checkpoint_every=1,
    )

    result = result_of(tmp_path / "run")
    assert result.outcome == "stopped"
    assert "above the ceiling of 0.02" in str(result.error)
    assert "was kept" in str(result.error)
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


@pytest.mark.parametrize(("evaluate_every", "n_reporting"), [(2, 4), (0, 8)])
def test_the_prompts_that_choose_a_step_do_not_report_its_reward(
    evaluate_every: int, n_reporting: int, models: tuple[Path, Path], tmp_path: Path
) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")
    (snapshot / "validation.jsonl").write_text(
        (snapshot / "train.jsonl").read_text() + (snapshot / "validation.jsonl").read_text()
    )

    folder = carried_out(
        tmp_path / "run", models, snapshot, n_episodes=8, evaluate_every=evaluate_every
    )

    assert result_of(folder.path).metrics["n_held_out_prompts"] == n_reporting
    held_out = [
        one["scores"]["reward"] for one in runs.samples(folder) if one["scores"].get("held_out")
    ]
    first = sorted(held_out[:8], reverse=True)
    assert first == held_out[:8]
    reported = result_of(folder.path).metrics["reward_before"]
    assert (reported == pytest.approx(sum(first) / 8, abs=1e-3)) == (n_reporting == 8)


@pytest.mark.parametrize("keep_checkpoints", [1, 3])
def test_a_checkpoint_of_the_collapsed_policy_is_neither_kept_nor_left(
    keep_checkpoints: int, models: tuple[Path, Path], tmp_path: Path
) -> None:
    """Saved at every step, the newest holds the very policy whose rollout shows the collapse."""
    settings: dict[str, Any] = {
        "learning_rate": 0.02,
        "kl_coef": 0.0,
        "kl_ceiling": 0.2,
        "n_episodes": 400,
        "evaluate_every": 4,
    }

    folder = carried_out(
        tmp_path / "run",
        models,
        write_snapshot(tmp_path / "snapshot"),
        checkpoint_every=1,
        keep_checkpoints=keep_checkpoints,
        **settings,
    )

    result, last = result_of(folder.path), max(runs.points(folder))
    steps = [run_dir.checkpoint_step(path) for path in (folder.path / "checkpoints").glob("step-*")]
    assert f"The checkpoint of step {last - 1} was kept" in str(result.error)
    assert max(steps) == result.n_steps == last - 1
    assert result.metrics["kept_step"] < last


def test_the_best_weights_are_known_by_what_is_on_disk_not_by_the_checkpoint_gone_back_to(
    tmp_path: Path,
) -> None:
    trainer, folder = ppo_models.trainer(), RunFolder(tmp_path, 1)
    (tmp_path / "attempt").write_text("1")
    trainer.state.step = 3
    run._keep_if_best(trainer, run._Measured({"reward": 0.0}, choice=1.5), folder)

    trainer.state.best_step, trainer.state.best_gain = 1, 0.5  # as the checkpoint of step 2 says
    run._recall_best(trainer, folder)
    assert (trainer.state.best_step, trainer.state.best_gain) == (3, 1.5)

    run._forget_collapsed(2, folder)
    run._recall_best(trainer, folder)
    assert (trainer.state.best_step, trainer.state.best_gain) == (0, -math.inf)


def test_ptx_needs_demonstrations_and_uses_them(models: tuple[Path, Path], tmp_path: Path) -> None:
    refused = start(
        tmp_path / "refused", models, write_snapshot(tmp_path / "prompts"), ptx_coef=1.0
    )
    taken = start(
        tmp_path / "run",
        models,
        write_snapshot(tmp_path / "demonstrations", with_completions=True),
        ptx_coef=1.0,
    )

    assert refused.returncode == run_dir.EXIT_ANTICIPATED
    assert "snapshot of demonstrations, a text to mix in" in str(
        result_of(tmp_path / "refused").error
    )
    assert taken.returncode == 0, taken.stderr
    assert "ptx_loss" in points(tmp_path / "run")[2]["values"]


def test_what_does_not_fit_the_ptx_mix_or_the_measuring_is_counted_and_said(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    def row(prompt: str, completion: str) -> dict[str, Any]:
        return {
            "id": 1,
            "prompt": [{"role": "user", "content": prompt}],
            "completion": [{"role": "assistant", "content": completion}],
        }

    train = [row(text, "Yes.") for text in PROMPTS] + [
        row("Why?", "No. " * 100),
        row("Why? " * 100, "No."),
    ]
    snapshot = runs.write_snapshot(
        tmp_path / "snapshot",
        train=train,
        validation=[row("Why?", "No."), row("Why? " * 100, "No.")],
    )

    folder = carried_out(tmp_path / "run", models, snapshot, n_episodes=4, ptx_coef=1.0)

    metrics = result_of(folder.path).metrics
    assert (metrics["n_held_out_prompts"], metrics["n_held_out_prompts_too_long"]) == (1, 1)
    assert (metrics["n_ptx"], metrics["n_ptx_cut"], metrics["n_ptx_left_out"]) == (9, 1, 1)
    assert (
        "9 demonstrations in the ptx mix, 1 of them truncated; 1 dropped: too long."
        in runs.notes(folder)
    )
    assert "1 held-out prompt dropped" in runs.notes(folder)


def test_without_a_reward_model_the_run_says_what_to_do(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    done = start(tmp_path / "run", models, write_snapshot(tmp_path / "snapshot"), reward_model=None)

    assert done.returncode == run_dir.EXIT_ANTICIPATED
    assert "Choose one and start again" in str(result_of(tmp_path / "run").error)


def opposed(models: tuple[Path, Path], folder: Path) -> str:
    """A reward model that likes what the other dislikes."""
    watchdog = transformers.AutoModelForSequenceClassification.from_pretrained(models[1])
    with torch.no_grad():
        watchdog.score.weight.neg_()
    watchdog.config.reward_bias = -0.25
    watchdog.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(models[1]).save_pretrained(folder)
    return str(folder)


def test_a_watchdog_is_scored_at_every_step_and_never_learned_from(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")
    start(tmp_path / "alone", models, snapshot)
    start(
        tmp_path / "watched",
        models,
        snapshot,
        watchdog_model=opposed(models, tmp_path / "watchdog"),
    )

    alone, watched = points(tmp_path / "alone"), points(tmp_path / "watched")

    assert [point["values"].get("reward") for point in watched] == [
        point["values"].get("reward") for point in alone
    ]
    for point in watched[1:]:
        assert point["values"]["watchdog"] == pytest.approx(-point["values"]["reward"], abs=1e-5)
    assert {"watchdog_before", "watchdog_after"} <= set(result_of(tmp_path / "watched").metrics)
