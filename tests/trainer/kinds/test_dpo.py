"""DPO of a tiny model, for real: it prefers what raters prefer, on pairs that it has not seen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset

from tests.trainer import runs
from training.configs.offline.dpo import DpoConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.modeling import loading
from training.trainer.offline import dpo
from training.trainer.reward import rankings

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = DpoConfig(
    method="full",
    learning_rate=5e-4,
    n_epochs=3,
    batch_size=4,
    accumulation=1,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=0,
)
QUICK_LORA = replace(QUICK, method="lora", learning_rate=1e-2, lora_rank=4)


@pytest.mark.parametrize("config", [QUICK, QUICK_LORA], ids=["full", "lora"])
def test_held_out_pairs_come_to_be_ranked_as_raters_ranked_them(
    config: DpoConfig, run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.rankings(tmp_path / "snapshot")

    folder = runs.finished(run_folder, "dpo", config, tiny_model, snapshot)

    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.metrics["held_out_accuracy_before"] == 0.5
    assert result.metrics["held_out_accuracy_after"] == 1.0
    assert (
        result.metrics["held_out_loss_after"]
        < result.metrics["held_out_loss_before"]
        == pytest.approx(0.6931, abs=1e-3)
    )
    assert (
        result.metrics["n_train_pairs"],
        result.metrics["n_held_out_pairs"],
        result.n_steps,
    ) == (24, 12, 18)
    points = runs.points(folder)
    assert sorted(points) == list(range(19))
    assert {"loss", "accuracy", "margin", "learning_rate"} <= set(points[18])
    assert not any("/" in name for name in points[18])


def test_held_out_pairs_are_drawn_from_files_and_not_from_memory(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    held_out = [
        runs.ranking(number, {f"An egg {number}": 1, f"A dog {number}": 2}) for number in range(40)
    ]
    snapshot = runs.write_snapshot(
        tmp_path / "long",
        train=[runs.ranking(41, {"An egg": 1, "A dog": 2})],
        validation=held_out,
    )
    folder = runs.prepare(run_folder, "dpo", QUICK, tiny_model, snapshot)
    tokenizer = loading.load_tokenizer(str(tiny_model))
    config = replace(QUICK, max_held_out_rows=5)

    found = dpo._read(snapshot, tokenizer, config, folder, n_processes=1)

    every = dpo.pairs(rankings.read(tokenizer, held_out, 64).rows)
    assert found.held_out == data.sample_of(every, 5, config.seed)
    assert list(run_folder.glob("*-rows-validation"))


def test_the_first_loss_is_that_of_no_preference(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = runs.finished(
        run_folder,
        "dpo",
        replace(QUICK, max_steps=1),
        tiny_model,
        runs.rankings(tmp_path / "snapshot"),
    )

    assert runs.points(folder)[1]["loss"] == pytest.approx(0.6931, abs=1e-3)


def test_log_probabilities_are_those_of_the_responses_tokens_alone(tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = loading.load_policy(str(tiny_model), tokenizer, torch.float32).eval()
    read = rankings.read(tokenizer, [runs.ranking(1, {"An egg": 1, "A much longer dog": 2})], 64)
    pair = dpo.pairs(read.rows)[0]

    ((chosen, rejected),) = dpo.log_probabilities(model, [pair], 1, torch.float32)

    for response, found in ((pair.chosen_ids, chosen), (pair.rejected_ids, rejected)):
        scores = torch.log_softmax(
            model(torch.tensor([pair.prompt_ids + response])).logits[0], dim=-1
        )
        places = range(len(pair.prompt_ids) - 1, len(pair.prompt_ids) + len(response) - 1)
        expected = sum(
            scores[place, token].item() for place, token in zip(places, response, strict=True)
        )
        assert found == pytest.approx(expected, abs=1e-3)


def test_ties_are_no_pairs(tmp_path: Path, tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    read = rankings.read(tokenizer, [runs.ranking(1, {"a": 1, "b": 1, "c": 2})], 64)

    assert len(dpo.pairs(read.rows)) == 2


def test_a_pair_of_little_weight_teaches_little(tmp_path: Path, tiny_model: Path) -> None:
    margins = []
    for weight in (1.0, 0.01):
        rows = [
            runs.ranking(n, {f"An egg {n}": 1 + n % 2, f"A dog {n}": 2 - n % 2})
            | {"weight": weight if n % 2 else 1.0}
            for n in range(24)
        ]
        snapshot = runs.write_snapshot(
            tmp_path / f"snapshot-{weight}",
            train=rows,
            validation=[
                runs.ranking(n, {f"An egg {n}": 1, f"A dog {n}": 2}) for n in range(24, 36)
            ],
        )
        folder = runs.prepare(
            tmp_path / f"run-{weight}", "dpo", replace(QUICK, n_epochs=2), tiny_model, snapshot
        )
        margins.append(runs.carry_out(folder).metrics["held_out_margin_after"])

    assert margins[1] > margins[0] + 0.1


@pytest.mark.parametrize("loss", ["sigmoid", "ipo", "hinge"])
def test_the_gradient_is_that_of_the_weighed_mean(
    loss: str, tmp_path: Path, tiny_model: Path
) -> None:
    """Against the gradients of each pair alone, added by hand; and so are the curves."""
    weights = [1.0, 0.2, 0.5]
    tokenizer = loading.load_tokenizer(str(tiny_model))
    read = rankings.read(
        tokenizer,
        [
            runs.ranking(n, {"An egg": 1 + n % 2, "A much longer dog": 2 - n % 2})
            | {"weight": weight}
            for n, weight in enumerate(weights)
        ],
        64,
    )
    pairs = dpo.pairs(read.rows)
    found, curves = [], list[Any]()
    for several in ([pairs], [[pair] for pair in pairs]):
        gradients, values = [], []
        for some in several:
            model = loading.load_policy(str(tiny_model), tokenizer, torch.float32)
            folder = runs.prepare(tmp_path / "run", "dpo", QUICK, tiny_model, tmp_path)
            rows = [{name: getattr(pair, name) for name in dpo._FEATURES} for pair in some]
            trainer = dpo._trainer(
                model, replace(QUICK, loss=loss), folder, tokenizer, Dataset.from_list(rows)
            )
            trained: Any = trainer.model
            with torch.no_grad():  # away from the reference, where all pairs are alike
                trained.lm_head.weight.mul_(1.5)
            batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
            value = trainer.compute_loss(trained, batch)
            value.backward()
            gradients.append(trained.model.layers[0].mlp.up_proj.weight.grad.clone())
            mode = "train" if trained.training else "eval"
            shown = {name: means[-1] for name, means in trainer._metrics[mode].items()}
            values.append([float(value.detach())] + [shown[name] for name in dpo._NAMES])
        found.append(gradients)
        curves.append(np.array(values))

    (weighed,), alone = found
    expected = sum(w * gradient for w, gradient in zip(weights, alone, strict=True)) / sum(weights)
    assert torch.allclose(weighed, expected, atol=1e-7)
    assert not torch.allclose(weighed, sum(alone) / 3, atol=1e-7)
    ours, theirs = curves[0][0], np.average(curves[1], axis=0, weights=weights)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    assert ours[0] != pytest.approx(curves[1][:, 0].mean(), abs=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_label_smoothing_gives_the_loss_and_gradient_of_conservative_dpo(
    smoothing: float, tmp_path: Path, tiny_model: Path
) -> None:
    """(1−ε)·−log σ(βΔ) + ε·−log σ(−βΔ) by hand (Mitchell 2023, eq. 3), Δ the policy's preference
    beyond the reference's.
    """
    tokenizer = loading.load_tokenizer(str(tiny_model))
    texts: list[dict[str, int | None]] = [{"An egg": 1, "A dog": 2}, {"Yes, please": 1, "No": 2}]
    pairs = dpo.pairs(
        rankings.read(tokenizer, [runs.ranking(n, t) for n, t in enumerate(texts)], 64).rows
    )
    policy, reference = (
        loading.load_policy(str(tiny_model), tokenizer, torch.float32) for _ in range(2)
    )
    folder = runs.prepare(tmp_path / "run", "dpo", QUICK, tiny_model, tmp_path)
    rows = [{name: getattr(pair, name) for name in dpo._FEATURES} for pair in pairs]
    config = replace(QUICK, label_smoothing=smoothing, beta=0.5)
    trainer = dpo._trainer(policy, config, folder, tokenizer, Dataset.from_list(rows))
    trained: Any = trainer.model
    with torch.no_grad():
        trained.lm_head.weight.mul_(1.5)  # away from the reference

    def logprob(model: Any, prompt: list[int], response: list[int]) -> torch.Tensor:
        ids = torch.tensor([prompt + response])
        logprobs = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
        return logprobs[range(len(response)), response].sum()

    losses = []
    for pair in pairs:
        chosen, rejected = (
            logprob(trained, pair.prompt_ids, ids)
            - logprob(reference, pair.prompt_ids, ids).detach()
            for ids in (pair.chosen_ids, pair.rejected_ids)
        )
        right = torch.sigmoid(config.beta * (chosen - rejected))
        losses.append(-(1 - smoothing) * right.log() - smoothing * (1 - right).log())
    expected = torch.stack(losses).mean()
    weight = trained.model.layers[0].mlp.up_proj.weight
    gradient = torch.autograd.grad(expected, weight)[0]

    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    loss = trainer.compute_loss(trained, batch)
    loss.backward()

    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    assert torch.allclose(weight.grad, gradient, atol=1e-6)


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path, tiny_model: Path) -> None:
    snapshot = runs.rankings(tmp_path / "snapshot")
    config = replace(QUICK_LORA, n_epochs=1, checkpoint_every=3)
    unbroken = runs.finished(tmp_path / "unbroken", "dpo", config, tiny_model, snapshot)
    resumed = runs.prepare(tmp_path / "resumed", "dpo", config, tiny_model, snapshot, attempt=2)
    (tmp_path / "resumed" / "checkpoints").mkdir()
    (tmp_path / "unbroken" / "checkpoints" / "step-3").rename(
        tmp_path / "resumed" / "checkpoints" / "step-3"
    )

    runs.carry_out(resumed)

    expected, found = runs.points(unbroken), runs.points(RunFolder(tmp_path / "resumed", 2))
    assert sorted(found) == [4, 5, 6]
    assert found[6]["held_out_loss"] == pytest.approx(expected[6]["held_out_loss"], abs=1e-5)
