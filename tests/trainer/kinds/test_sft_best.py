"""SFT keeps the weights with the lowest held-out loss, and sorts the rows of a step by length."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.trainer import runs
from training.configs.sft import SftConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder
from training.trainer.modeling.best_weights import BestWeights
from training.trainer.sft import LengthSortedSteps

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

DIVERGING = SftConfig(
    method="full",
    learning_rate=5e-2,
    schedule="constant",
    n_epochs=2,
    batch_size=4,
    accumulation=1,
    max_tokens=64,
    dtype="float32",
    evaluate_every=1,
    checkpoint_every=0,
)
"""Its held-out loss falls at first and then rises."""


def trained(path: Path, config: SftConfig, model: Path, snapshot: Path) -> tuple[Result, RunFolder]:
    folder = runs.prepare(path, "sft", config, model, snapshot)
    return runs.carry_out(folder), folder


def test_the_weights_with_the_lowest_held_out_loss_are_kept(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.demonstrations(tmp_path / "snapshot")

    result, folder = trained(run_folder, DIVERGING, tiny_model, snapshot)

    losses = {step: values["held_out_loss"] for step, values in runs.points(folder).items() if step}
    kept = int(result.metrics["kept_step"])
    on_the_way = {step: loss for step, loss in losses.items() if step < 8}
    assert kept < 8
    assert on_the_way[kept] == min(on_the_way.values())
    assert result.metrics["held_out_loss_after"] == pytest.approx(on_the_way[kept], abs=1e-4)
    assert not (run_folder / "best").exists()


def test_the_last_weights_are_kept_if_so_set(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    config = replace(DIVERGING, keeps_best=False)

    result, _folder = trained(
        run_folder, config, tiny_model, runs.demonstrations(tmp_path / "snapshot")
    )

    assert result.metrics["kept_step"] == 8


def test_test_rows_do_not_choose(run_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    rows = [runs.demonstration(number) for number in range(24)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows[:16], test=rows[16:])

    result, _folder = trained(run_folder, DIVERGING, tiny_model, snapshot)

    assert result.metrics["kept_step"] == 8


def test_a_later_attempt_finds_the_best_weights(run_folder: Path) -> None:
    run_dir.write_job(run_folder, Job("sft", 1, 1, {}, model="", snapshot=""))
    model = torch.nn.Linear(3, 2)
    good = model.weight.detach().clone()
    first = BestWeights(RunFolder(run_folder, 1))
    first.offer(model, step=4, loss=1.5)
    with torch.no_grad():
        model.weight.add_(1)
    first.offer(model, step=8, loss=1.75)

    later = BestWeights(RunFolder(run_folder, 1))

    assert later.restore(model, step=9, loss=1.25) == 9
    assert not torch.equal(model.weight, good)
    assert later.restore(model, step=9, loss=1.75) == 4
    assert torch.equal(model.weight, good)


def test_a_step_has_the_rows_of_a_random_order_sorted_by_length() -> None:
    lengths = [7, 3, 9, 1, 5, 8, 2, 6, 4, 10]
    sampler = LengthSortedSteps(lengths, rows_a_step=4, seed=3)
    random = LengthSortedSteps([1] * 10, rows_a_step=4, seed=3)  # equal lengths: nothing to sort

    order, unsorted = list(sampler), list(random)
    sampler.set_epoch(1)

    assert sorted(order) == list(range(10))
    for start in (0, 4, 8):
        step = order[start : start + 4]
        assert set(step) == set(unsorted[start : start + 4])
        assert [lengths[row] for row in step] == sorted(
            (lengths[row] for row in step), reverse=True
        )
    assert list(sampler) != order


def test_a_run_resumed_in_its_second_epoch_trains_on_the_same_rows(
    tmp_path: Path, tiny_model: Path
) -> None:
    rows = [runs.demonstration(number, "blue " * (1 + number % 7)) for number in range(24)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows[:16], validation=rows[16:])
    config = replace(
        DIVERGING,
        learning_rate=5e-3,
        batch_size=2,
        accumulation=2,
        evaluate_every=0,
        checkpoint_every=1,
        keep_checkpoints=9,
    )
    unbroken = runs.finished(tmp_path / "unbroken", "sft", config, tiny_model, snapshot)
    resumed = runs.prepare(tmp_path / "resumed", "sft", config, tiny_model, snapshot, attempt=2)
    shutil.copytree(
        unbroken.path / "checkpoints" / "step-5", resumed.path / "checkpoints" / "step-5"
    )

    runs.carry_out(resumed)

    expected, found = runs.points(unbroken), runs.points(resumed)
    assert sorted(found) == [6, 7, 8]
    for step, values in found.items():
        assert values["loss"] == pytest.approx(expected[step]["loss"], abs=1e-5)
    one, other = (
        dict(AutoModelForCausalLM.from_pretrained(run.path / "model").named_parameters())
        for run in (unbroken, resumed)
    )
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)
