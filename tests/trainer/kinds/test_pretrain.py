"""Pretraining a tiny model, for real: on documents and demonstrations, from weights and from
scratch.
"""

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.trainer import runs
from training.configs.pretrain import PretrainConfig
from training.configs.sft import SftConfig
from training.processes import run_dir
from training.trainer import data, pretrain
from training.trainer.modeling import loading

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = PretrainConfig(
    learning_rate=5e-3,
    n_epochs=3,
    batch_size=4,
    accumulation=1,
    max_tokens=32,
    dtype="float32",
    checkpoint_every=0,
)


def document(number: int) -> dict[str, Any]:
    return {"id": f"text-{number}", "text": f"The sky is blue on day {number}. " * 4}


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    rows = [document(number) for number in range(24)]
    return runs.write_snapshot(tmp_path / "snapshot", train=rows[:18], validation=rows[18:])


def test_held_out_loss_falls_on_text(run_folder: Path, tiny_model: Path, snapshot: Path) -> None:
    folder = runs.finished(run_folder, "pretrain", QUICK, tiny_model, snapshot)

    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.metrics["held_out_loss_after"] < result.metrics["held_out_loss_before"] - 1
    change = result.metrics["held_out_loss_after"] - result.metrics["held_out_loss_before"]
    assert result.metrics["held_out_loss_change"] == pytest.approx(change, abs=1e-6)
    assert result.metrics["held_out_loss_change_high"] < 0
    assert result.metrics["n_documents"] == 18
    assert result.metrics["n_tokens"] == result.metrics["n_train"] * 32
    assert result.n_steps == max(runs.points(folder))


@pytest.mark.parametrize(("n", "stretches"), [(3, [0, 1, 2]), (60, [n // 2 for n in range(60)])])
def test_neighbouring_blocks_are_one_stretch(n: int, stretches: list[int]) -> None:
    assert pretrain.stretches(n) == stretches


def test_rows_are_mapped_from_files_and_not_held_in_memory(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "pretrain", QUICK, tiny_model, snapshot)
    tokenizer = loading.load_tokenizer(str(tiny_model))

    found = pretrain._read(snapshot, tokenizer, QUICK, folder)

    files = [Path(one["filename"]) for one in found.train.cache_files]
    assert files
    assert all(file.is_relative_to(run_folder) for file in files)
    assert {len(row["input_ids"]) for row in found.train} == {32}


def test_held_out_rows_that_are_not_measured_are_not_held_in_memory(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.write_snapshot(
        tmp_path / "long",
        train=[document(1)],
        validation=[document(number) for number in range(2_000)],
    )
    folder = runs.prepare(run_folder, "pretrain", QUICK, tiny_model, snapshot)
    config = replace(QUICK, max_held_out_rows=5)
    tokenizer = loading.load_tokenizer(str(tiny_model))

    tracemalloc.start()
    found = pretrain._read(snapshot, tokenizer, config, folder)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(found.held_out) == 5
    assert peak < 2_000_000


def test_a_model_from_nothing_has_a_tokenizer_of_its_own(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    config = replace(QUICK, start="scratch", tokenizer="own", vocabulary=300)

    runs.finished(run_folder, "pretrain", config, tiny_model, snapshot)

    model = AutoModelForCausalLM.from_pretrained(run_folder / "model")
    tokenizer = AutoTokenizer.from_pretrained(run_folder / "model")
    assert (
        len(tokenizer) <= 300 < AutoModelForCausalLM.from_pretrained(tiny_model).config.vocab_size
    )
    assert model.config.vocab_size == len(tokenizer)
    assert (
        tokenizer.decode(tokenizer("Wholly unseen: ß, 日本.")["input_ids"])
        == "Wholly unseen: ß, 日本."
    )


def test_what_came_of_nothing_can_be_fine_tuned(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    config = replace(QUICK, start="scratch", tokenizer="own", vocabulary=300, max_steps=2)
    born = runs.finished(tmp_path / "born", "pretrain", config, tiny_model, snapshot)
    tuning = SftConfig(
        max_tokens=128,
        max_steps=1,
        batch_size=2,
        accumulation=1,
        dtype="float32",
        keeps_state="never",
    )

    runs.finished(
        tmp_path / "tuned",
        "sft",
        tuning,
        born.path / "model",
        runs.demonstrations(tmp_path / "demonstrations"),
    )

    assert run_dir.is_complete(tmp_path / "tuned" / "model")


def test_demonstrations_are_text_as_the_chat_template_writes_them(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.demonstrations(tmp_path / "demonstrations")

    runs.finished(run_folder, "pretrain", replace(QUICK, max_steps=1), tiny_model, snapshot)

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    assert "assistant\nThe sky is blue.<|im_end|>" in pretrain.text_of(
        tokenizer, runs.demonstration(1)
    )


def test_a_response_that_was_cut_off_is_given_no_end(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    whole = runs.demonstration(1)
    text = {"id": "2", "text": "A page."}

    ended, cut, page = pretrain.documents([whole, whole | {"is_ended": False}, text], tokenizer)

    end = tokenizer.eos_token_id
    assert (ended[-1], page[-1]) == (end, end)
    assert tokenizer.decode(cut).endswith("assistant\nThe sky is blue.")
    assert ended[: len(cut)] == cut


def test_no_token_is_padding_and_the_rest_is_left_out() -> None:
    found = list(pretrain.blocks([[1, 2, 3, 0], [4, 0], [5, 6, 0]], 4))

    assert found == [[1, 2, 3, 0], [4, 0, 5, 6]]


def test_text_that_fills_no_row_gets_a_sentence(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    short = runs.write_snapshot(tmp_path / "short", train=[{"id": "1", "text": "Hm."}])

    with pytest.raises(
        data.UnableToRead, match="1 documents together do not fill one row of 32 tokens"
    ):
        runs.carry_out(runs.prepare(run_folder, "pretrain", QUICK, tiny_model, short))
