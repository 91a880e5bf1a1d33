"""PPO with policy, value model and the frozen models sharded by FSDP2, with two processes on CPU
(gloo): trained, saved and resumed, it ends with the weights of one process.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from tests.trainer.parallel import loaded_shards, served_shards
from tests.trainer.parallel.launched import launched, together
from tests.trainer.parallel.test_sharded import TWO, back_to_step, ended, loaded
from training.configs.ppo import PpoConfig
from training.processes.run_dir import RunFolder
from training.processes.run_lines import Kept

pytestmark = pytest.mark.slow

# Without the most likely token's rivals, each response is the same whichever process writes it.
CONFIG = PpoConfig(
    n_episodes=24,
    batch_size=6,
    n_inner_epochs=2,
    top_p=0.01,
    learning_rate=1e-3,
    value_learning_rate=1e-3,
    warmup_steps=0,
    max_new_tokens=8,
    max_prompt_tokens=60,
    row_tokens=128,
    dtype="float32",
    rollout_dtype="float32",
    lora_rank=4,
    checkpoint_every=2,
    keep_checkpoints=9,
    evaluate_every=2,
    max_held_out_prompts=5,
    ended_floor=0.0,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "full", "ema_decay": 0.5, "saves_memory": True},
        {"method": "lora", "normalizes_reward": True},
    ],
    ids=["full", "lora"],
)
def test_a_sharded_ppo_run_trains_saves_and_resumes_as_one_process_does(
    changes: dict[str, Any], tmp_path: Path, taught_run: RunFolder, judging_run: RunFolder
) -> None:
    config = replace(CONFIG, **changes)
    snapshot = prompts_of_many_lengths(tmp_path / "snapshot")
    model, judge = taught_run.path / "model", judging_run.path / "model"
    alone = runs.finished(tmp_path / "alone", "ppo", config, model, snapshot, reward_model=judge)
    shared = runs.prepare(tmp_path / "shared", "ppo", config, model, snapshot, reward_model=judge)

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    same(alone, shared)

    resumed = back_to_step(2, shared, "ppo", config, model, snapshot, reward_model=judge)
    done = launched(resumed, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert min(runs.points(resumed)) == 3
    same(alone, resumed)


def test_two_processes_save_the_step_that_raters_keep(
    tmp_path: Path, taught_run: RunFolder, judging_run: RunFolder
) -> None:
    """Only the first one knows what raters say, and has what was set aside."""
    config = replace(CONFIG, method="lora", n_spot_checks=2, spot_wait_h=1.0)
    snapshot = prompts_of_many_lengths(tmp_path / "snapshot")
    model, judge = taught_run.path / "model", judging_run.path / "model"
    alone, shared = (
        runs.prepare(tmp_path / name, "ppo", config, model, snapshot, reward_model=judge)
        for name in ("alone", "shared")
    )
    for folder in (alone, shared):
        runs.write_kept(folder.path, Kept(2, 4))
    runs.carry_out(alone)

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert ended(shared).metrics["kept_step"] == ended(alone).metrics["kept_step"] == 2
    assert "Raters kept step 2" in runs.notes(shared)
    same(alone, shared)


def test_a_sharded_policy_reaches_the_rollout_server_whole_and_merged(tmp_path: Path) -> None:
    done = together(served_shards.hand_over, RunFolder(tmp_path, 1), TWO)

    assert done.returncode == 0, done.stderr[-4000:]


def test_the_first_process_holds_one_whole_model_at_a_time(tmp_path: Path) -> None:
    loaded_shards.write(tmp_path)

    done = together(loaded_shards.load, RunFolder(tmp_path, 1), TWO)

    assert done.returncode == 0, done.stderr[-4000:]


def prompts_of_many_lengths(path: Path) -> Path:
    """So that the processes have different numbers of rows."""
    rows = [runs.demonstration(number) for number in range(17)]
    for number, row in enumerate(rows):
        row["prompt_id"] = number
        row["prompt"][0]["content"] += " please" * (number % 3 * 4)
    return runs.write_snapshot(path, train=rows[:12], validation=rows[12:])


def same(one: RunFolder, other: RunFolder) -> None:
    """Every weight, and what was measured, up to rounding."""
    for name, weights in loaded(one).items():
        assert weights.allclose(loaded(other)[name], atol=2e-5), name
    for name in ("reward_before", "reward_after", "kl_after", "response_tokens_after"):
        assert ended(other).metrics[name] == pytest.approx(ended(one).metrics[name], abs=1e-4)
