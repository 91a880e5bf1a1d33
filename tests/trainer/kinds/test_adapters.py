"""The LoRA adapter is saved next to the merged weights: the base with the adapter equals the saved
model.
"""

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from tests.trainer import runs
from training import configs
from training.configs import sft
from training.processes.run_dir import ADAPTER


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
    config, problems = configs.parse(kind, configs.as_json(configs.PRESETS[kind]["small"]) | quick)
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


def test_full_fine_tuning_leaves_no_adapter(tmp_path: Path, tiny_model: Path) -> None:
    config = sft.SftConfig(
        method="full", dtype="float32", max_steps=1, batch_size=4, max_tokens=256
    )

    folder = runs.finished(
        tmp_path / "run", "sft", config, tiny_model, runs.demonstrations(tmp_path / "data")
    )

    assert not (folder.path / "model" / ADAPTER).exists()
