"""The LoRA adapter is saved next to the merged weights: the base with the adapter equals the saved
model.
"""

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from accelerate import Accelerator
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from tests.trainer import runs
from training.configs import kinds, sft
from training.configs.ppo import PpoConfig
from training.configs.reward import RewardConfig
from training.processes import run_dir
from training.processes.run_dir import ADAPTER, RunFolder
from training.trainer import data, progress
from training.trainer.modeling import loading
from training.trainer.ppo import models as ppo_models
from training.trainer.reward import rankings
from training.trainer.reward import run as reward_run


@pytest.mark.parametrize("kind", ["sft", "reward"])
def test_the_base_with_the_adapter_on_is_the_model_that_was_saved(
    tmp_path: Path, tiny_model: Path, kind: str
) -> None:
    make = runs.demonstrations if kind == "sft" else runs.rankings
    quick: dict[str, Any] = {
        "method": "lora",
        "dtype": "float32",
        "max_steps": 3,
        "learning_rate": 0.01,
    }
    config, problems = kinds.parse(kind, kinds.as_json(kinds.PRESETS[kind]["small"]) | quick)
    assert config is not None, problems
    folder = runs.finished(tmp_path / "run", kind, config, tiny_model, make(tmp_path / "data"))
    loader = AutoModelForCausalLM if kind == "sft" else AutoModelForSequenceClassification
    more = {} if kind == "sft" else {"num_labels": 1}

    whole = loader.from_pretrained(folder.path / "model", **more)
    base = loader.from_pretrained(tiny_model, **more)
    unmerged = peft.PeftModel.from_pretrained(
        base, str(folder.path / "model" / ADAPTER)
    ).merge_and_unload()

    moved = unmerged.state_dict()
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(moved[name], weight, rtol=1e-5, atol=1e-6)
    assert (
        str(tiny_model) not in (folder.path / "model" / ADAPTER / "adapter_config.json").read_text()
    )


def test_a_head_trains_in_float32_on_a_base_in_bfloat16(tiny_model: Path, tmp_path: Path) -> None:
    """At these rates a step is smaller than bfloat16's rounding of most of the head's weights."""
    config = RewardConfig(
        dtype="bfloat16",
        learning_rate=1e-5,
        n_epochs=5,
        batch_size=4,
        accumulation=1,
        max_tokens=64,
        schedule="constant",
        checkpoint_every=0,
    )
    snapshot = runs.rankings(tmp_path / "snapshot")
    folder = runs.prepare(tmp_path / "run", "reward", config, tiny_model, snapshot)
    job = run_dir.read_job(folder.path)
    tokenizer = loading.load_tokenizer(job.model)
    trainer = reward_run._trainer(
        job,
        config,
        folder,
        tokenizer,
        rankings.read(tokenizer, data.rows(snapshot, "train"), 64).rows,
    )
    trainer.follow(progress.Follower(folder, config, dict))
    trained = {name: p for name, p in trainer.model.named_parameters() if p.requires_grad}
    before = {name: p.detach().clone() for name, p in trained.items()}

    progress.train(trainer)

    head = next(name for name in trained if "score" in name)
    assert {p.dtype for p in trained.values()} == {torch.float32}
    assert (trained[head] != before[head]).all()


def test_every_trained_weight_of_a_ppo_run_is_float32(
    tiny_model: Path, judging_run: RunFolder
) -> None:
    job = run_dir.Job("ppo", 1, 1, {}, str(tiny_model), "", str(judging_run.path / "model"))

    roles = ppo_models.roles_of(
        job,
        PpoConfig(max_prompt_tokens=64),
        loading.load_tokenizer(str(tiny_model)),
        torch.bfloat16,
        Accelerator(cpu=True),
    )

    for model in (roles.policy, roles.value):
        trained = {p.dtype for p in model.parameters() if p.requires_grad}
        frozen = {p.dtype for p in model.parameters() if not p.requires_grad}
        assert (trained, frozen) == ({torch.float32}, {torch.bfloat16})


def test_an_update_below_bfloat16s_rounding_survives_the_merge(tiny_model: Path) -> None:
    """On average over the weights: rounded to the nearest, next to nothing of it would be left."""
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model: Any = loading.with_adapters(
        loading.load_policy(str(tiny_model), tokenizer, torch.bfloat16),
        loading.lora(sft.SftConfig(), is_reward=False),
    )
    torch.manual_seed(0)
    learned = {}
    with torch.no_grad():
        for name, module in model.named_modules():
            if name.endswith("mlp.up_proj"):
                module.lora_B["default"].weight.normal_(std=3e-6)
                learned[name.removeprefix("base_model.model.")] = (
                    module.base_layer.weight.float().clone(),
                    module.get_delta_weight("default").float(),
                )

    whole = loading.merged(model, torch.bfloat16)

    kept = sum(
        ((whole.get_submodule(name).weight.float() - base) * change).sum() / (change**2).sum()
        for name, (base, change) in learned.items()
    ) / len(learned)
    nearest = sum(
        (((base + change).bfloat16().float() - base) * change).sum() / (change**2).sum()
        for base, change in learned.values()
    ) / len(learned)
    assert kept == pytest.approx(1.0, abs=0.5)
    assert abs(nearest) < 0.2
    assert torch.equal(whole.lm_head.weight, model.get_base_model().lm_head.weight)


def test_full_fine_tuning_leaves_no_adapter(tmp_path: Path, tiny_model: Path) -> None:
    config = sft.SftConfig(
        method="full", dtype="float32", max_steps=1, batch_size=4, max_tokens=256
    )

    folder = runs.finished(
        tmp_path / "run", "sft", config, tiny_model, runs.demonstrations(tmp_path / "data")
    )

    assert not (folder.path / "model" / ADAPTER).exists()
