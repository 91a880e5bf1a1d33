"""KTO of a tiny model, for real: it prefers what people call good, on responses that it has not
seen.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer

from tests.trainer import runs
from training.configs import kinds
from training.configs.offline.kto import KtoConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import progress
from training.trainer.data import UnableToRead
from training.trainer.modeling import loading
from training.trainer.offline import kto
from training.trainer.offline.kto import Scores, Verdict

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = KtoConfig(
    method="full",
    learning_rate=5e-4,
    n_epochs=4,
    batch_size=4,
    accumulation=1,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=0,
)
QUICK_LORA = replace(QUICK, method="lora", learning_rate=1e-2, lora_rank=4)


def rows_of(lesson: kto.GoodAndBad) -> list[dict[str, Any]]:
    return [dict(row) for row in lesson.train]


def lesson_of(
    tmp_path: Path, model: Path, snapshot: Path, config: KtoConfig = QUICK
) -> tuple[kto.GoodAndBad, PreTrainedTokenizerBase]:
    tokenizer = loading.load_tokenizer(str(model))
    folder = runs.prepare(tmp_path / "run", "kto", config, model, snapshot)
    return kto.read(snapshot, tokenizer, config, folder), tokenizer


@pytest.mark.parametrize("config", [QUICK, QUICK_LORA], ids=["full", "lora"])
def test_held_out_responses_come_to_be_ordered_as_people_called_them(
    config: KtoConfig, run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.verdicts(tmp_path / "snapshot")

    folder = runs.finished(run_folder, "kto", config, tiny_model, snapshot)

    result = run_dir.read_result(run_folder)
    assert result is not None
    found = result.metrics
    assert (found["held_out_accuracy_before"], found["held_out_margin_before"]) == (0.5, 0.0)
    assert found["held_out_accuracy_after"] == 1.0
    assert 0.5 < found["held_out_accuracy_low_after"] < 1.0
    assert 0.0 < found["held_out_margin_low_after"] < found["held_out_margin_after"]
    assert found["held_out_loss_after"] < found["held_out_loss_before"] == pytest.approx(0.5)
    assert (found["n_good"], found["n_bad"], found["n_held_out"]) == (24, 24, 24)
    points = runs.points(folder)
    assert {"loss", "margin", "good_reward", "bad_reward", "kl"} <= set(points[result.n_steps])
    assert points[1]["loss"] == pytest.approx(0.5, abs=1e-6)  # no response is preferred yet
    assert not any("/" in name for name in points[result.n_steps])


def test_a_responses_loss_by_hand() -> None:
    """β 0.5, z₀ 1, λ 2 and 3. Good with log π/π₀ = 3: 2·(1 − σ(0.5·(3 − 1))) = 2·(1 − σ(1)).
    Bad with −1: 3·(1 − σ(0.5·(1 + 1))) = 3·(1 − σ(1)). σ(1) = 0.7310586 (Ethayarajh 2024, eq. 8).
    """
    losses = kto.kto_losses(
        torch.tensor([3.0, -1.0]),
        torch.tensor([True, False]),
        reference_point=1.0,
        beta=0.5,
        weights=(2.0, 3.0),
    )

    assert losses.tolist() == pytest.approx([2 * 0.2689414, 3 * 0.2689414], abs=1e-6)


def test_the_loss_of_a_batch_is_that_of_a_slow_twin_with_its_weights(
    tmp_path: Path, tiny_model: Path
) -> None:
    """One sequence at a time: log-ratios, the reference point from each prompt with the response of
    the row before, eq. 7 and 8 of Ethayarajh 2024, the mean by weight, and its gradient.
    """
    snapshot = runs.write_snapshot(
        tmp_path / "snapshot",
        train=[
            runs.verdict(n, text, label) | {"weight": weight}
            for n, (text, label, weight) in enumerate(
                [("An egg", True, 1.0), ("A much longer dog", False, 0.2), ("Yes", False, 0.6)]
            )
        ],
    )
    config = replace(QUICK, batch_size=3, beta=0.5, balances=False, good_weight=1.3)
    lesson, tokenizer = lesson_of(tmp_path, tiny_model, snapshot, config)
    policy, reference = (
        loading.load_policy(str(tiny_model), tokenizer, torch.float32) for _ in range(2)
    )
    trainer = lesson.trainer(policy)
    trained: Any = trainer.model

    def ratio(prompt: list[int], response: list[int]) -> torch.Tensor:
        sums = []
        for model in (trained, reference):
            logits = model(input_ids=torch.tensor([prompt + response])).logits[0]
            logprobs = logits[len(prompt) - 1 : -1].log_softmax(-1)
            sums.append(logprobs[range(len(response)), response].sum())
        return sums[0] - sums[1].detach()

    rows = rows_of(lesson)

    def drift() -> torch.Tensor:
        return torch.stack(
            [
                ratio(row["prompt_ids"], rows[place - 1]["completion_ids"])
                for place, row in enumerate(rows)
            ]
        ).mean()

    head = trained.lm_head.weight
    (uphill,) = torch.autograd.grad(drift(), head)
    with torch.no_grad():  # away from the reference, on responses to other prompts too
        head.add_(uphill, alpha=0.3)
    point = float(drift().detach())
    assert point > 0.5
    total = sum(row["weight"] for row in rows)
    expected = torch.zeros(())
    for row in rows:
        gain = ratio(row["prompt_ids"], row["completion_ids"]) - point
        value = torch.sigmoid(0.5 * (gain if row["label"] else -gain))
        expected = expected + row["weight"] * (1.3 if row["label"] else 1.0) * (1 - value)
    expected = expected / total
    weight = trained.model.layers[0].mlp.up_proj.weight
    gradient = torch.autograd.grad(expected, weight)[0]

    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    loss = trainer.compute_loss(trained, batch)
    loss.backward()

    mode = "train" if trained.training else "eval"
    assert trainer._metrics[mode]["kl"] == [pytest.approx(point, abs=1e-5)]
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    assert torch.allclose(weight.grad, gradient, atol=1e-6)
    assert gradient.abs().max() > 1e-4


def test_without_weights_it_trains_as_trls_own_trainer_does(
    tmp_path: Path, tiny_model: Path
) -> None:
    """TRL tokenises the same texts itself, in the same order, and ends with the same weights."""
    snapshot = runs.verdicts(tmp_path / "snapshot", n_train=10)
    config = replace(QUICK, n_epochs=2)
    lesson, tokenizer = lesson_of(tmp_path, tiny_model, snapshot, config)
    folder = runs.finished(tmp_path / "ours", "kto", config, tiny_model, snapshot)

    texts = [
        {
            "prompt": tokenizer.decode(row["prompt_ids"]),
            "completion": tokenizer.decode(row["completion_ids"]),
            "label": row["label"],
        }
        for row in rows_of(lesson)
    ]
    trl_folder = RunFolder(tmp_path / "theirs", 1)
    theirs = KTOTrainer(
        model=loading.load_policy(str(tiny_model), tokenizer, torch.float32),
        args=KTOConfig(max_length=64, beta=config.beta, **progress.arguments(config, trl_folder)),
        train_dataset=Dataset.from_list(texts),
        processing_class=tokenizer,
    )
    theirs.train()

    drifts = [values["kl"] for step, values in sorted(runs.points(folder).items()) if step]
    assert drifts == pytest.approx([log["kl"] for log in theirs.state.log_history if "kl" in log])
    assert max(drifts) > 0.01
    ours = loading.load_policy(str(folder.path / "model"), tokenizer, torch.float32)
    trained: Any = theirs.model
    for name, weight in ours.named_parameters():
        assert torch.allclose(weight, trained.get_parameter(name), atol=1e-6), name
    start = loading.load_policy(str(tiny_model), tokenizer, torch.float32)
    assert not torch.allclose(ours.lm_head.weight, start.lm_head.weight, atol=1e-4)


def test_the_few_together_count_as_much_as_the_many(tmp_path: Path, tiny_model: Path) -> None:
    snapshot = runs.write_snapshot(
        tmp_path / "snapshot",
        train=[runs.verdict(n, f"An egg {n}", n % 4 != 0) | {"weight": 0.5} for n in range(16)],
    )

    lesson, _tokenizer = lesson_of(tmp_path, tiny_model, snapshot)

    assert (lesson.metrics["n_good"], lesson.metrics["n_bad"]) == (12, 4)
    assert list(lesson.weights) == pytest.approx([16 / 24, 2.0])
    note = runs.notes(lesson.folder)
    assert "12 good and 4 bad" in note
    assert "A good one counts 0.667, a bad one 2, which balances them." in note
    plain = replace(QUICK, balances=False, bad_weight=1.5)
    assert kto.balanced([True, False], [1.0, 1.0], plain) == (1.0, 1.5)


def test_held_out_figures_by_hand() -> None:
    """Rewards 0.1 × (4, 1, 2, −1): of four pairs of a good and a bad response three are in order;
    the reference point is the mean drift of other responses, (1 + 3 + 0 + 0) / 4 = 1.
    """
    held_out = [
        Verdict(n, [1], [2], is_good) for n, is_good in enumerate([True, True, False, False])
    ]
    start = [Scores(-5.0, -7.0)] * 4
    now = [Scores(-5.0 + own, -7.0 + other) for own, other in [(4, 1), (1, 3), (2, 0), (-1, 0)]]

    found = kto.summary(held_out, now, start, beta=0.1)

    def missed(gain: float) -> float:
        return 1 - 1 / (1 + math.exp(-0.1 * gain))

    assert found == {
        "held_out_accuracy": 0.75,
        "held_out_margin": pytest.approx(0.1 * (2.5 - 0.5)),
        "held_out_kl": 1.0,
        "held_out_loss": pytest.approx(
            ((missed(3) + missed(0)) / 2 + (missed(-1) + missed(2)) / 2) / 2
        ),
    }


def test_a_batch_is_never_one_response_which_has_no_neighbour(
    tmp_path: Path, tiny_model: Path
) -> None:
    snapshot = runs.verdicts(tmp_path / "snapshot", n_train=7)  # 14 rows

    lesson, _tokenizer = lesson_of(tmp_path, tiny_model, snapshot, replace(QUICK, max_rows=9))

    assert len(lesson.train) == 8


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([True] * 8, "All 8 responses are good, and KTO needs bad ones too."),
        ([False] * 8, "All 8 responses are bad, and KTO needs good ones too."),
        ([True, False], "The snapshot has 2 usable responses, fewer than one batch of 4."),
        ([], "The snapshot has no row for this run."),
    ],
)
def test_what_cannot_be_learned_from_is_said(
    labels: list[bool], sentence: str, tmp_path: Path, tiny_model: Path
) -> None:
    rows = [runs.verdict(n, f"An egg {n}", label) for n, label in enumerate(labels)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows)

    with pytest.raises(UnableToRead) as refused:
        lesson_of(tmp_path, tiny_model, snapshot)

    assert sentence in str(refused.value)


def test_a_snapshot_of_comparisons_is_refused_with_what_is_missing(
    tmp_path: Path, tiny_model: Path
) -> None:
    with pytest.raises(UnableToRead, match="its rows have no “label”"):
        lesson_of(tmp_path, tiny_model, runs.rankings(tmp_path / "snapshot"))


def test_a_batch_of_one_is_refused() -> None:
    _config, problems = kinds.parse("kto", {"batch_size": 1})

    assert [problem.field for problem in problems] == ["batch_size"]


def test_what_is_too_long_is_dropped_and_a_prompt_is_cut(tmp_path: Path, tiny_model: Path) -> None:
    rows = [runs.verdict(n, f"An egg {n}", n % 2 == 0) for n in range(8)]
    rows += [runs.verdict(8, "egg " * 100, label=True), runs.verdict(9, "egg " * 20, label=False)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows)
    config = replace(QUICK, max_tokens=32)

    lesson, _tokenizer = lesson_of(tmp_path, tiny_model, snapshot, config)

    assert lesson.counts["n_responses_left_out"] == 1
    assert lesson.counts["n_prompts_cut"] >= 1
    assert all(len(row["prompt_ids"] + row["completion_ids"]) <= 32 for row in rows_of(lesson))


def test_a_stopped_run_keeps_its_model(run_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    snapshot = runs.verdicts(tmp_path / "snapshot")
    folder = runs.prepare(run_folder, "kto", QUICK, tiny_model, snapshot)
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, result.n_steps) == ("stopped", 1)
    assert (run_folder / "model" / "config.json").exists()


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path, tiny_model: Path) -> None:
    snapshot = runs.verdicts(tmp_path / "snapshot", n_train=12)
    config = replace(QUICK_LORA, n_epochs=1, checkpoint_every=3)
    unbroken = runs.finished(tmp_path / "unbroken", "kto", config, tiny_model, snapshot)
    resumed = runs.prepare(tmp_path / "resumed", "kto", config, tiny_model, snapshot, attempt=2)
    (tmp_path / "resumed" / "checkpoints").mkdir()
    (tmp_path / "unbroken" / "checkpoints" / "step-3").rename(
        tmp_path / "resumed" / "checkpoints" / "step-3"
    )

    runs.carry_out(resumed)

    expected, found = runs.points(unbroken), runs.points(RunFolder(tmp_path / "resumed", 2))
    timed = {"seconds", "tokens_per_s"}
    last = max(expected)
    assert min(found) == 4
    assert {name: value for name, value in found[last].items() if name not in timed} == {
        name: value for name, value in expected[last].items() if name not in timed
    }


@pytest.mark.parametrize("is_ended", [True, False])
def test_only_a_response_that_the_model_ended_has_an_end(
    tmp_path: Path, tiny_model: Path, is_ended: bool
) -> None:
    rows = [runs.verdict(n, f"An egg {n}", n % 2 == 0) | {"is_ended": is_ended} for n in range(4)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows)

    lesson, tokenizer = lesson_of(tmp_path, tiny_model, snapshot)

    ends = [row["completion_ids"][-1] == tokenizer.eos_token_id for row in rows_of(lesson)]
    assert ends == [is_ended] * 4


def test_rows_of_different_weight_are_balanced_by_what_they_weigh(
    tmp_path: Path, tiny_model: Path
) -> None:
    """12 good ones of weight ½ and 4 bad ones of weight 1: 6 and 4 of 10 in all."""
    rows = [
        runs.verdict(n, f"An egg {n}", n % 4 != 0) | {"weight": 0.5 if n % 4 else 1.0}
        for n in range(16)
    ]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows)

    lesson, _tokenizer = lesson_of(tmp_path, tiny_model, snapshot)

    assert list(lesson.weights) == pytest.approx([5 / 6, 5 / 4])
