"""Supervised fine-tuning of a tiny model, for real: it learns, every weight moves, it stops,
resumes and fails as it should.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from arithmetic import intervals
from tests.trainer import runs
from training.configs.sft import SftConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data, progress, sft
from training.trainer.modeling import loading

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = SftConfig(
    method="full",
    learning_rate=5e-3,
    n_epochs=2,
    batch_size=4,
    accumulation=1,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=3,
    keep_checkpoints=9,
)
QUICK_LORA = replace(QUICK, method="lora", lora_rank=4, lora_dropout=0.1)


def weights(model: Path) -> dict[str, torch.Tensor]:
    return dict(AutoModelForCausalLM.from_pretrained(model).named_parameters())


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.demonstrations(tmp_path / "snapshot")


@pytest.mark.parametrize("config", [QUICK, QUICK_LORA], ids=["full", "lora"])
def test_held_out_loss_falls_and_is_stored_with_its_n(
    config: SftConfig, run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "sft", config, tiny_model, snapshot)

    result = runs.carry_out(folder)

    assert (result.outcome, result.metrics["n_held_out"], result.metrics["held_out_split"]) == (
        "succeeded",
        8,
        "validation",
    )
    assert result.metrics["held_out_loss_after"] < result.metrics["held_out_loss_before"] - 0.05
    change = result.metrics["held_out_loss_after"] - result.metrics["held_out_loss_before"]
    assert result.metrics["held_out_loss_change"] == pytest.approx(change, abs=1e-6)
    assert result.metrics["held_out_loss_change_high"] < 0
    points = runs.points(folder)
    assert points[0]["held_out_loss"] == result.metrics["held_out_loss_before"]
    assert points[8]["held_out_loss"] == result.metrics["held_out_loss_after"]
    assert sorted(points) == list(range(9))


def test_every_weight_moves_in_full_fine_tuning(taught_run: RunFolder, tiny_model: Path) -> None:
    before, after = weights(tiny_model), weights(taught_run.path / "model")

    assert [name for name in before if torch.equal(before[name], after[name])] == []


def test_every_linear_layer_moves_with_lora_and_nothing_else_does(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    runs.finished(run_folder, "sft", QUICK_LORA, tiny_model, snapshot)

    before, after = weights(tiny_model), weights(run_folder / "model")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name in before if "_proj" in name}


def test_the_model_folder_is_whole(run_folder: Path, tiny_model: Path, snapshot: Path) -> None:
    config = replace(QUICK_LORA, dtype="bfloat16", n_epochs=1)

    runs.finished(run_folder, "sft", config, tiny_model, snapshot)

    model = AutoModelForCausalLM.from_pretrained(run_folder / "model", dtype="auto")
    tokenizer = AutoTokenizer.from_pretrained(run_folder / "model")
    assert model.dtype == torch.bfloat16
    assert tokenizer.chat_template
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
    assert not list(run_folder.glob("model/adapter_*"))
    assert run_dir.is_complete(run_folder / "model")


def test_what_is_reported_is_the_loss_of_the_model_that_was_saved(taught_run: RunFolder) -> None:
    tokenizer = loading.load_tokenizer(str(taught_run.path / "model"))
    model = loading.load_policy(str(taught_run.path / "model"), tokenizer, torch.float32).eval()
    job = run_dir.read_job(taught_run.path)
    _, rows = data.held_out_rows(Path(job.snapshot))

    total, n_tokens = 0.0, 0
    for example in data.demonstrations(tokenizer, rows, 64).examples:
        scores = torch.log_softmax(model(torch.tensor([example.input_ids])).logits[0], dim=-1)
        for place, label in enumerate(example.labels):
            if label != data.IGNORED:
                total, n_tokens = total - scores[place - 1, label].item(), n_tokens + 1

    result = run_dir.read_result(taught_run.path)
    assert result is not None
    assert result.metrics["held_out_loss_after"] == pytest.approx(total / n_tokens, abs=1e-4)


def test_the_same_seed_gives_the_same_losses(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    one = runs.finished(tmp_path / "one", "sft", QUICK_LORA, tiny_model, snapshot)
    other = runs.finished(tmp_path / "other", "sft", QUICK_LORA, tiny_model, snapshot)

    losses = [[values.get("loss") for values in runs.points(run).values()] for run in (one, other)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("config", [QUICK, QUICK_LORA], ids=["full", "lora"])
def test_a_resumed_run_equals_an_unbroken_one(
    config: SftConfig, tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    unbroken = runs.finished(tmp_path / "unbroken", "sft", config, tiny_model, snapshot)
    resumed = runs.prepare(tmp_path / "resumed", "sft", config, tiny_model, snapshot, attempt=2)
    shutil.copytree(
        unbroken.path / "checkpoints" / "step-3", resumed.path / "checkpoints" / "step-3"
    )

    runs.carry_out(resumed)

    expected, found = runs.points(unbroken), runs.points(resumed)
    assert sorted(found) == [4, 5, 6, 7, 8]
    for step, values in found.items():
        assert values["loss"] == pytest.approx(expected[step]["loss"], abs=1e-5)
        assert values["learning_rate"] == expected[step]["learning_rate"]
    one, other = weights(unbroken.path / "model"), weights(resumed.path / "model")
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


def test_the_stop_file_ends_the_run_at_the_next_step_and_saves(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "sft", QUICK, tiny_model, snapshot)
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, result.n_steps, result.model) == ("stopped", 1, "model")
    newest = run_dir.newest_checkpoint(run_folder)
    assert newest is not None
    assert newest.name == "step-1"
    assert (run_folder / "model" / "model.safetensors").exists()
    assert "held_out_loss" in runs.points(folder)[1]


def test_a_loss_that_is_no_number_ends_the_run_at_once(
    run_folder: Path, tiny_model: Path, snapshot: Path, tmp_path: Path
) -> None:
    broken = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        broken.model.norm.weight[0] = float("nan")
    broken.save_pretrained(shutil.copytree(tiny_model, tmp_path / "broken"))
    folder = runs.prepare(run_folder, "sft", QUICK, tmp_path / "broken", snapshot)

    with pytest.raises(
        progress.UnableToTrain, match=r"The loss became nan at step 1, .* Lower the learning rate"
    ):
        runs.carry_out(folder)


def test_what_was_cut_is_said(run_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    rows = [runs.demonstration(1), runs.demonstration(2, "blue " * 100)]
    rows.append(
        {
            "id": 3,
            "prompt": [{"role": "user", "content": "why " * 100}],
            "completion": rows[0]["completion"],
        }
    )
    snapshot = runs.write_snapshot(tmp_path / "cut", train=rows)

    result = runs.carry_out(runs.prepare(run_folder, "sft", QUICK, tiny_model, snapshot))

    assert (result.metrics["n_train"], result.metrics["n_cut"], result.metrics["n_left_out"]) == (
        2,
        1,
        1,
    )
    assert (result.metrics["n_held_out"], result.metrics["held_out_loss_before"]) == (0, None)
    assert "1 truncated. 1 dropped" in runs.notes(RunFolder(run_folder, 1))


def test_evaluation_along_the_way_shares_a_point_with_the_loss(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    config = replace(QUICK, evaluate_every=3, log_every=2)

    folder = runs.finished(run_folder, "sft", config, tiny_model, snapshot)

    assert {"held_out_loss", "loss"} <= set(runs.points(folder)[3])


def test_measuring_along_the_way_does_not_change_the_run(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    plain = runs.finished(tmp_path / "plain", "sft", QUICK_LORA, tiny_model, snapshot)
    measured = runs.finished(
        tmp_path / "measured", "sft", replace(QUICK_LORA, evaluate_every=1), tiny_model, snapshot
    )

    assert runs.points(plain)[8]["loss"] == runs.points(measured)[8]["loss"]


def test_padding_does_not_change_the_held_out_loss(tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = loading.load_policy(str(tiny_model), tokenizer, torch.float32)
    rows = [runs.demonstration(number, "blue " * (1 + number)) for number in range(6)]
    examples = data.demonstrations(tokenizer, rows, 200).examples

    together = sft.held_out_loss(model, examples, 6, torch.float32)
    alone = [sft.row_losses(model, [example], 1, torch.float32)[0] for example in examples]

    rows_together = sft.row_losses(model, examples[::-1], 4, torch.float32)[::-1]
    assert [row.total for row in rows_together] == pytest.approx([row.total for row in alone])

    assert together == pytest.approx(sft.held_out_loss(model, examples, 1, torch.float32), abs=1e-5)


def test_the_change_of_the_loss_is_compared_row_by_row() -> None:
    """The slow twin counts every token of a row by itself."""
    before = [sft.RowLoss(3.0 * n, n) for n in (2, 4, 6, 3, 5, 1)]
    after = [sft.RowLoss((2.5 + number / 10) * row.n, row.n) for number, row in enumerate(before)]
    prompts = ["a", "b", "c", "d", "e", "e"]

    found = sft.change_of_loss(before, after, prompts)

    tokens = [
        (now.total / now.n - 3.0, prompt)
        for now, prompt in zip(after, prompts, strict=True)
        for _token in range(now.n)
    ]
    low, high = intervals.of_mean([change for change, _p in tokens], [p for _c, p in tokens]) or (
        0,
        0,
    )
    assert found == pytest.approx(
        {
            "held_out_loss_change": sum(change for change, _p in tokens) / len(tokens),
            "held_out_loss_change_low": low,
            "held_out_loss_change_high": high,
        }
    )
    assert sft.change_of_loss(before[:4], after[:4], prompts[:4]) == {}, "from four prompts"
    widened = sft.change_of_loss(before, after, prompts, n_steps_tried=20)
    assert widened["held_out_loss_change_low"] < low < high < widened["held_out_loss_change_high"]


def test_packed_rows_make_the_same_update_as_rows_by_themselves(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    together = replace(QUICK, n_epochs=1, batch_size=16, learning_rate=1e-3)
    packed = replace(together, packs=True, batch_size=1, max_tokens=1024)
    plain = runs.finished(tmp_path / "plain", "sft", together, tiny_model, snapshot)

    folder = runs.finished(tmp_path / "packed", "sft", packed, tiny_model, snapshot)

    result = run_dir.read_result(folder.path)
    assert result is not None
    assert (result.n_steps, result.metrics["n_train"]) == (1, 16)
    for name, weight in weights(plain.path / "model").items():
        assert torch.allclose(weight, weights(folder.path / "model")[name], atol=2e-5), name


def test_a_model_that_mixes_packed_rows_is_refused_with_a_sentence(tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = loading.load_policy(str(tiny_model), tokenizer, torch.float32)
    sft.require_packing(model)
    forward = model.forward
    model.forward = lambda blocks=None, **inputs: forward(
        **inputs, attention_mask=torch.ones_like(inputs["input_ids"])
    )

    with pytest.raises(loading.UnableToLoad, match="can't keep packed rows apart"):
        sft.require_packing(model)


def test_the_perplexity_of_a_hopeless_model_is_left_out() -> None:
    assert sft.perplexity(0.0) == 1.0
    assert sft.perplexity(709.0) == pytest.approx(8.2184e307, rel=1e-4)
    assert sft.perplexity(800.0) is None
