"""A PPO run of models whose attention has a window."""

from pathlib import Path

import pytest
import torch
import transformers

from tests.trainer import runs
from tests.trainer.ppo import models as ppo_models
from tests.trainer.ppo.test_run import carried_out, write_snapshot
from tests.trainer.ppo.test_run import models as models


@pytest.fixture(scope="module")
def windowed(models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Policy and reward model of a family with a window of eight tokens."""
    root = tmp_path_factory.mktemp("windowed")
    tokenizer = transformers.AutoTokenizer.from_pretrained(models[0])
    config = transformers.MistralConfig(
        **ppo_models.llama_config(len(tokenizer), num_labels=1).to_dict() | {"sliding_window": 8}
    )
    for name in ("MistralForCausalLM", "MistralForSequenceClassification"):
        torch.manual_seed(0)
        getattr(transformers, name)(config).save_pretrained(root / name)
        tokenizer.save_pretrained(root / name)
    return sorted(root.iterdir())


def test_models_with_a_window_get_a_row_for_each_sequence_and_the_run_says_so(
    windowed: list[Path], models: tuple[Path, Path], tmp_path: Path
) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot")
    notes = []
    for number, pair in enumerate([(windowed[0], windowed[1]), models]):
        folder = carried_out(tmp_path / str(number), pair, snapshot, n_episodes=4)
        notes.append("Each sequence has a row of its own" in runs.notes(folder))

    assert notes == [True, False]
