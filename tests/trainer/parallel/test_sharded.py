"""Runs whose weights are sharded by FSDP2, with two processes on CPU (gloo): trained, saved and
resumed, they end with the weights of one process.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from tests.trainer import runs
from tests.trainer.parallel import reference_shards
from tests.trainer.parallel.launched import Start, launched, together, with_launcher
from training.configs.knobs import Settings
from training.configs.offline.dpo import DpoConfig
from training.configs.online.grpo import GrpoConfig
from training.configs.online.rloo import RlooConfig
from training.configs.reward import RewardConfig
from training.configs.sft import SftConfig
from training.configs.weights import Training
from training.processes import run_dir
from training.processes.launch import Launch
from training.processes.run_dir import Result, RunFolder

pytestmark = pytest.mark.slow

TWO = Launch(n_processes=2, strategy="fsdp")
WHOLE = {"fsdp_state_dict_type": "FULL_STATE_DICT"}

SFT = SftConfig(
    method="full",
    learning_rate=1e-3,
    max_steps=4,
    batch_size=2,
    accumulation=2,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=2,
    keep_checkpoints=9,
    evaluate_every=2,
)
REWARD = RewardConfig(
    method="full",
    learning_rate=1e-3,
    max_steps=4,
    batch_size=2,
    accumulation=2,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=2,
    keep_checkpoints=9,
    evaluate_every=2,
)
DPO = DpoConfig(
    method="full",
    learning_rate=1e-3,
    max_steps=4,
    batch_size=2,
    accumulation=2,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=2,
    keep_checkpoints=9,
    evaluate_every=2,
)
RLOO = RlooConfig(
    method="full",
    learning_rate=1e-3,
    max_steps=4,
    batch_size=2,
    accumulation=4,
    n_responses=2,
    max_new_tokens=8,
    max_prompt_tokens=56,
    dtype="float32",
    checkpoint_every=2,
    keep_checkpoints=9,
)
GRPO = GrpoConfig(
    learning_rate=1e-3,
    max_steps=4,
    batch_size=2,
    accumulation=4,
    n_responses=2,
    max_new_tokens=8,
    max_prompt_tokens=56,
    dtype="float32",
    checkpoint_every=2,
    keep_checkpoints=9,
    length_weight=1.0,
    max_length=3,
)
CASES: dict[str, tuple[Training, Callable[[Path], Path]]] = {
    "sft": (SFT, runs.demonstrations),
    "reward": (REWARD, runs.rankings),
    "dpo": (DPO, runs.rankings),
}


@pytest.mark.parametrize(
    ("kind", "method", "start"),
    [
        ("sft", "full", with_launcher),
        ("sft", "lora", launched),
        ("reward", "full", launched),
        ("reward", "lora", launched),
        ("dpo", "lora", launched),
    ],
    ids=["sft-full", "sft-lora", "reward-full", "reward-lora", "dpo-lora"],
)
def test_a_sharded_run_trains_saves_and_resumes_as_one_process_does(
    kind: str, method: str, start: Start, tmp_path: Path, tiny_model: Path
) -> None:
    config, snapshot_of = CASES[kind]
    config = replace(config, method=method, lora_rank=4)
    snapshot = snapshot_of(tmp_path / "snapshot")
    alone = runs.finished(tmp_path / "alone", kind, config, tiny_model, snapshot)
    shared = runs.prepare(tmp_path / "shared", kind, config, tiny_model, snapshot)

    done = start(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert (shared.path / "checkpoints" / "step-2" / "pytorch_model_fsdp_0").is_dir()
    same(alone, shared)

    resumed = back_to_step(2, shared, kind, config, tiny_model, snapshot)
    done = launched(resumed, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    assert "Resumed from the checkpoint at step 2" in runs.notes(resumed)
    same(alone, resumed)


@pytest.mark.parametrize(
    ("kind", "config", "reference"),
    [
        ("rloo", replace(RLOO, method="lora", lora_rank=4), ""),
        ("rloo", replace(RLOO, kl_coef=0.5), ""),
        ("grpo", replace(GRPO, method="lora", lora_rank=4, kl_coef=0.5), "another"),
        ("grpo", replace(GRPO, method="full", kl_coef=0.5), ""),
    ],
    ids=["rloo-lora", "rloo-full", "grpo-lora-another-reference", "grpo-full"],
)
def test_a_sharded_run_of_groups_learns_from_the_same_responses_as_an_unsharded_one(
    kind: str,
    config: Training,
    reference: str,
    tmp_path: Path,
    taught_run: RunFolder,
    judging_run: RunFolder,
    tiny_model: Path,
) -> None:
    """Each process draws its own responses, so two are compared with two."""
    snapshot = runs.demonstrations(tmp_path / "snapshot")
    model = taught_run.path / "model"
    beside: dict[str, Any] = {"reward_model": judging_run.path / "model"}
    beside |= {"reference_model": tiny_model} if reference else {}
    whole, shared = (
        runs.prepare(tmp_path / name, kind, config, model, snapshot, **beside)
        for name in ("whole", "shared")
    )

    assert launched(whole, Launch(n_processes=2)).returncode == 0
    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    for name, weights in loaded(whole).items():
        assert torch.allclose(weights, loaded(shared)[name], atol=2e-5), name
    metrics = [ended(folder).metrics for folder in (whole, shared)]
    for name in ("reward_after", "kl_after"):
        assert metrics[1][name] == pytest.approx(metrics[0][name], abs=1e-3)

    resumed = back_to_step(2, shared, kind, config, model, snapshot, **beside)
    done = launched(resumed, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    for name, weights in loaded(whole).items():
        assert torch.allclose(weights, loaded(resumed)[name], atol=2e-5), name


def test_the_reference_of_groups_is_shared_out_layer_by_layer(
    tmp_path: Path, tiny_model: Path
) -> None:
    snapshot = runs.demonstrations(tmp_path / "snapshot")
    shared = runs.prepare(tmp_path / "shared", "grpo", GRPO, tiny_model, snapshot)

    done = together(reference_shards.hold, shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]


def test_several_machines_keep_whole_checkpoints_and_resume_from_them(
    tmp_path: Path, tiny_model: Path
) -> None:
    snapshot = runs.demonstrations(tmp_path / "snapshot")
    alone = runs.finished(tmp_path / "alone", "sft", SFT, tiny_model, snapshot)
    shared = runs.prepare(tmp_path / "shared", "sft", SFT, tiny_model, snapshot)

    assert launched(shared, TWO, **WHOLE).returncode == 0
    resumed = back_to_step(2, shared, "sft", SFT, tiny_model, snapshot)
    done = launched(resumed, TWO, **WHOLE)

    assert done.returncode == 0, done.stderr[-4000:]
    assert (shared.path / "checkpoints" / "step-2" / "pytorch_model_fsdp.bin").is_file()
    same(alone, resumed)


def test_a_run_does_not_continue_from_weights_sharded_otherwise(
    tmp_path: Path, tiny_model: Path
) -> None:
    snapshot = runs.demonstrations(tmp_path / "snapshot")
    alone = runs.finished(tmp_path / "alone", "sft", SFT, tiny_model, snapshot)
    resumed = back_to_step(2, alone, "sft", SFT, tiny_model, snapshot)

    done = launched(resumed, TWO)

    assert done.returncode != 0
    assert "another kind of parallelism" in str(ended(resumed).error)


def same(one: RunFolder, other: RunFolder) -> None:
    """Every weight, and what was measured, up to rounding."""
    for name, weights in loaded(one).items():
        assert torch.allclose(weights, loaded(other)[name], atol=2e-5), name
    for name in ("held_out_loss_before", "held_out_loss_after"):
        assert ended(other).metrics[name] == pytest.approx(ended(one).metrics[name], abs=1e-4)


def ended(folder: RunFolder) -> Result:
    result = run_dir.read_result(folder.path)
    assert result is not None
    return result


def loaded(folder: RunFolder) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder.path / "model" / "model.safetensors")


def back_to_step(
    step: int,
    folder: RunFolder,
    kind: str,
    config: Settings,
    model: Path,
    snapshot: Path,
    **beside: Path,
) -> RunFolder:
    """The next attempt of a run that was killed after its checkpoint at `step`."""
    for path in (folder.path / run_dir.CHECKPOINTS).glob("step-*"):
        if run_dir.checkpoint_step(path) > step:
            run_dir.remove(path)
    run_dir.remove(folder.path / "model")
    return runs.prepare(
        folder.path, kind, config, model, snapshot, attempt=folder.attempt + 1, **beside
    )
