"""PPO-ptx with a snapshot of text: fresh blocks each minibatch, the same ones after a resume, and a
model that forgets the text less.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from tests.trainer.ppo import models as ppo_models
from tests.trainer.ppo.test_best_step import tiny_models
from tests.trainer.ppo.test_run import carried_out, result_of, write_snapshot
from training.configs.ppo import PpoConfig
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.modeling import loading
from training.trainer.ppo import ptx

SIZE = 64 + 6
"""the max prompt and response of the tests' runs"""


def write_text(path: Path, n: int = 30) -> Path:
    path.mkdir()
    lines = [
        json.dumps({"id": number, "text": f"The boat number {number} sails over the quiet sea. "})
        for number in range(n)
    ]
    (path / "train.jsonl").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def mix(tmp_path: Path, tiny_model: Path) -> ptx.Mix:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    config = PpoConfig(ptx_coef=1.0, max_prompt_tokens=64, max_new_tokens=6)
    folder = RunFolder(tmp_path / "reading", 1)
    folder.path.mkdir()
    return ptx.read(tmp_path, write_text(tmp_path / "text"), tokenizer, config, folder)


def test_a_text_is_cut_into_whole_blocks_of_which_only_the_first_token_is_given(
    mix: ptx.Mix, tmp_path: Path, tiny_model: Path
) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    whole = [
        token
        for row in data.rows(tmp_path / "text", "train")
        for token in [*tokenizer(row["text"])["input_ids"], tokenizer.eos_token_id]
    ]

    blocks = [[*prompt, *rest] for prompt, rest in mix.rows]

    assert [token for block in blocks for token in block] == whole[: len(blocks) * SIZE]
    assert len(blocks) == len(whole) // SIZE
    assert {(len(prompt), len(rest)) for prompt, rest in mix.rows} == {(1, SIZE - 1)}
    assert mix.note() == f" {len(blocks)} blocks of {SIZE} tokens of text in the ptx mix."


def test_every_minibatch_takes_fresh_blocks_and_a_resumed_run_the_same_ones(mix: ptx.Mix) -> None:
    rows = [([number], [number + 1, 2]) for number in range(3, 13)]

    def taken(step: int) -> list[int]:
        trainer = ppo_models.trainer(ptx=rows, ptx_coef=1.0)
        trainer.state.step = step
        return [prompt[0] for prompt, _rest in islice(trainer.updater._ptx_rows(), 10)]

    assert sorted(taken(0)) == sorted(taken(7)) == list(range(3, 13))
    assert taken(0) != taken(7)
    assert taken(7) == taken(7)


def test_a_run_on_prompts_mixes_the_text_in_and_says_so(tmp_path: Path) -> None:
    models = tiny_models(tmp_path)
    snapshot = write_snapshot(tmp_path / "prompts")
    text = write_text(tmp_path / "text")

    folder = carried_out(
        tmp_path / "run", models, snapshot, n_episodes=8, ptx_coef=1.0, ptx_snapshot=text
    )

    metrics = result_of(folder.path).metrics
    assert metrics["n_ptx_blocks"] > 10
    assert "n_ptx" not in metrics
    assert "ptx_loss" in runs.points(folder)[1]


def test_the_mix_keeps_a_text_in_mind(tmp_path: Path) -> None:
    models = tiny_models(tmp_path)
    text = write_text(tmp_path / "text")

    def last_loss(coefficient: float) -> float:
        folder = carried_out(
            tmp_path / f"run-{coefficient}",
            models,
            write_snapshot(tmp_path / f"prompts-{coefficient}"),
            n_episodes=48,
            learning_rate=1e-2,
            ptx_coef=coefficient,
            ptx_snapshot=text,
        )
        return runs.points(folder)[12]["ptx_loss"]

    assert last_loss(20.0) < last_loss(0.001) - 0.25


def test_a_text_too_short_for_one_block_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    config: Any = PpoConfig(ptx_coef=1.0, max_prompt_tokens=4096)

    with pytest.raises(data.UnableToRead, match="do not fill one block"):
        ptx.read(
            tmp_path, write_text(tmp_path / "text", 2), tokenizer, config, RunFolder(tmp_path, 1)
        )
