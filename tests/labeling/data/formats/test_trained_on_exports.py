"""Every export for training is loaded by `datasets` from its archive, and trained on by TRL."""

import training.trainer  # noqa: F401, I001  # before transformers reads the environment

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer
from trl.trainer.reward_config import RewardConfig
from trl.trainer.reward_trainer import RewardTrainer
from trl.trainer.rloo_config import RLOOConfig
from trl.trainer.rloo_trainer import RLOOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from accounts.models import User
from labeling.data import export_files
from labeling.data.exports import jobs, shapes
from labeling.models import Rater
from tests.cast import NOON
from tests.labeling.data.formats import exported
from tests.trainer.tiny import build_tiny_model

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Train = Callable[[Path, Dataset, dict[str, Any]], Any]
STYLES = [
    (name, style)
    for name, shape in shapes.SHAPES.items()
    if shape.schema and name not in ("adjudicated", "consensus", "rating_consensus")
    for style in shape.styles
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def unpacked(rosa: Rater, raul: Rater, alice: User, tmp_path: Path) -> Callable[..., Path]:
    exported.everything(rosa, raul)

    def unpack(shape: str, style: str, file_format: str = "jsonl") -> Path:
        export = jobs.request_export(
            campaign=None, shape=shape, style=style, file_format=file_format, by=alice, now=NOON
        )
        jobs.EXPORTS.run(export.pk, clock=lambda: NOON)
        export.refresh_from_db()
        folder = tmp_path / f"{shape}-{style}-{file_format}"
        with zipfile.ZipFile(export_files.file_of(export=export)) as archive:
            archive.extractall(folder)
        return folder

    return unpack


def loaded(folder: Path, cache: Path) -> Any:
    return load_dataset(str(folder), cache_dir=str(cache))


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
@pytest.mark.parametrize(("shape", "style"), STYLES, ids=map("-".join, STYLES))
def test_an_archive_is_loaded_with_its_splits(
    shape: str, style: str, file_format: str, unpacked: Callable[..., Path], tmp_path: Path
) -> None:
    data = loaded(unpacked(shape, style, file_format), tmp_path / "cache")

    expected = list(shapes.records(shape, style=style))
    assert sum(len(split) for split in data.values()) == len(expected)
    assert set(data) == {row["split"] for row in expected}
    row = data["train"][0]
    first = next(one for one in expected if one["split"] == "train")
    for name in ("prompt", "completion", "chosen", "messages", "text", "label", "labels"):
        assert row.get(name) == first.get(name)


def _settings(folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"),
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "report_to": [],
        "bf16": False,
        "use_cpu": True,
        "gradient_checkpointing": False,
        "save_strategy": "no",
    }


def _sft(model: Path, data: Dataset, about: dict[str, Any]) -> Any:
    return SFTTrainer(str(model), args=SFTConfig(**about), train_dataset=data)


def _dpo(model: Path, data: Dataset, about: dict[str, Any]) -> Any:
    return DPOTrainer(str(model), args=DPOConfig(**about), train_dataset=data)


def _kto(model: Path, data: Dataset, about: dict[str, Any]) -> Any:
    return KTOTrainer(str(model), args=KTOConfig(**about), train_dataset=data)


def _reward(model: Path, data: Dataset, about: dict[str, Any]) -> Any:
    scorer = AutoModelForSequenceClassification.from_pretrained(str(model), num_labels=1)
    tokenizer = AutoTokenizer.from_pretrained(str(model))
    return RewardTrainer(
        scorer, args=RewardConfig(**about), train_dataset=data, processing_class=tokenizer
    )


def _rloo(model: Path, data: Dataset, about: dict[str, Any]) -> Any:
    def length(completions: list[Any], **_about: Any) -> list[float | None]:
        return [float(len(str(completion))) for completion in completions]

    settings = RLOOConfig(**about, num_generations=2, max_completion_length=4)
    return RLOOTrainer(str(model), reward_funcs=length, args=settings, train_dataset=data)


TRAINED: list[tuple[str, str, Train]] = [
    (shape, style, train)
    for shape, trains in {
        "prompts": [_rloo],
        "demonstrations": [_sft],
        "dialogues": [_sft],
        "preferences": [_dpo, _reward],
        "implicit": [_dpo, _reward],
        "unpaired": [_kto],
    }.items()
    for train in trains
    for style in (shapes.CHATS, shapes.TEXTS)
]


@pytest.mark.parametrize(
    ("shape", "style", "train"),
    TRAINED,
    ids=[f"{shape}-{style}{train.__name__}" for shape, style, train in TRAINED],
)
def test_trl_trains_a_step_on_what_was_exported(
    shape: str,
    style: str,
    train: Train,
    unpacked: Callable[..., Path],
    tiny: Path,
    tmp_path: Path,
) -> None:
    data = loaded(unpacked(shape, style), tmp_path / "cache")["train"]

    trainer = train(tiny, data, _settings(tmp_path))
    result = trainer.train()

    assert result.global_step == 1
    assert result.training_loss == result.training_loss  # not NaN
