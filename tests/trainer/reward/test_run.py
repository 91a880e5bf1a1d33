"""A reward model of a tiny model, for real, on an easy rule."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from tests.trainer import runs
from training.configs.reward import RewardConfig
from training.processes import run_dir
from training.trainer import data
from training.trainer.modeling import loading, reward_head
from training.trainer.reward import pair_results, rankings

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = RewardConfig(
    learning_rate=1e-2,
    n_epochs=2,
    batch_size=4,
    accumulation=1,
    max_tokens=64,
    dtype="float32",
    checkpoint_every=3,
    keep_checkpoints=9,
    lora_rank=4,
    lora_dropout=0.1,
)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.rankings(tmp_path / "snapshot")


@pytest.mark.parametrize("method", ["lora", "full"])
def test_held_out_accuracy_rises_on_an_easy_rule(
    method: str, run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.rankings(tmp_path / "snapshot", n_train=40)
    folder = runs.prepare(
        run_folder,
        "reward",
        replace(QUICK, method=method, learning_rate=5e-3),
        tiny_model,
        snapshot,
    )

    result = runs.carry_out(folder)

    assert (
        result.outcome,
        result.metrics["n_held_out_pairs"],
        result.metrics["n_train_pairs"],
    ) == ("succeeded", 12, 40)
    assert result.metrics["certainty"]["verdict"] == "too_few_pairs"
    assert result.metrics["held_out_accuracy_after"] == 1.0
    assert result.metrics["held_out_loss_after"] < 0.2 < result.metrics["held_out_loss_before"]
    assert runs.points(folder)[0]["held_out_loss"] == result.metrics["held_out_loss_before"]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_in_bfloat16_too_the_rule_is_learned_and_the_weights_are_whole(
    method: str, run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.rankings(tmp_path / "snapshot", n_train=40)
    config = replace(QUICK, method=method, learning_rate=5e-3, dtype="bfloat16")

    result = runs.finished(run_folder, "reward", config, tiny_model, snapshot)

    metrics = run_dir.read_result(result.path)
    assert metrics is not None
    assert metrics.metrics["held_out_accuracy_after"] == 1.0
    model = AutoModelForSequenceClassification.from_pretrained(run_folder / "model")
    assert all(torch.isfinite(weight).all() for weight in model.parameters())


def test_the_saved_reward_model_scores_as_was_measured(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    result = runs.carry_out(folder)

    assert result.scores is not None
    assert {line["response"] for line in run_dir.read_lines(run_folder / result.scores)} == {0, 1}
    tokenizer = loading.load_tokenizer(str(run_folder / "model"))
    model = loading.load_reward(str(run_folder / "model"), tokenizer, torch.float32).eval()
    losses = []
    for row in rankings.read(tokenizer, data.held_out_rows(snapshot)[1], 64).rows:
        ids, mask = data.padded(
            [row["prompt_ids"] + response for response in row["response_ids"]],
            tokenizer.pad_token_id,
        )
        with torch.no_grad():
            rewards = reward_head.last_token_rewards(model, ids, mask)
        losses += [
            -torch.nn.functional.logsigmoid(rewards[better] - rewards[worse]).item()
            for better, worse in zip(row["winner"], row["loser"], strict=True)
        ]
    assert sum(losses) / len(losses) == pytest.approx(
        result.metrics["held_out_loss_after"], abs=1e-5
    )


def test_demonstrations_score_zero_on_average(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.rankings(tmp_path / "snapshot")
    runs.write_snapshot(
        snapshot, demonstrations=[runs.demonstration(number) for number in range(5)]
    )
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    result = runs.carry_out(folder)

    tokenizer = loading.load_tokenizer(str(run_folder / "model"))
    model = loading.load_reward(str(run_folder / "model"), tokenizer, torch.float32).eval()
    rows = rankings.unranked(tokenizer, data.rows(snapshot, "demonstrations"), 64).rows
    ids, mask = data.padded(
        [row["prompt_ids"] + row["response_ids"][0] for row in rows], tokenizer.pad_token_id
    )
    with torch.no_grad():
        rewards = reward_head.last_token_rewards(model, ids, mask)
    assert result.metrics["n_demonstrations"] == 5
    assert result.metrics["reward_bias"] != 0.0
    assert rewards.mean().item() - model.config.reward_bias == pytest.approx(0.0, abs=1e-5)


def test_several_raters_of_one_prompt_are_one_row(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    agree, disagree = (
        runs.ranking(1, {"an egg": 1, "a dog": 2}),
        runs.ranking(1, {"a dog": 1, "an egg": 2, "a cat": 2}),
    )
    snapshot = runs.write_snapshot(
        tmp_path / "raters", train=[agree, agree | {"weight": 0.5}, disagree]
    )
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    result = runs.carry_out(folder)

    assert (
        result.metrics["n_train_prompts"],
        result.metrics["n_train_pairs"],
        result.metrics["n_ties"],
    ) == (1, 4, 1)


def contradicted(path: Path, weight: float) -> Path:
    """Every prompt has one judgment. A third of them has the rule upside down and this weight."""
    rows = []
    for number in range(36):
        is_wrong = number % 3 == 0
        texts: dict[str, int | None] = {
            f"An egg {number}": 2 if is_wrong else 1,
            f"A dog {number}": 1 if is_wrong else 2,
        }
        rows.append(runs.ranking(number, texts) | {"weight": weight if is_wrong else 1.0})
    held_out = [
        runs.ranking(number, {f"An egg {number}": 1, f"A dog {number}": 2})
        for number in range(36, 48)
    ]
    return runs.write_snapshot(path, train=rows, validation=held_out)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_rater_of_little_weight_teaches_little_also_as_a_prompts_only_one(
    batch_size: int, tiny_model: Path, tmp_path: Path
) -> None:
    margins = []
    for weight in (1.0, 0.01):
        snapshot = contradicted(tmp_path / f"snapshot-{weight}", weight)
        folder = runs.prepare(
            tmp_path / f"run-{weight}",
            "reward",
            replace(QUICK, batch_size=batch_size, n_epochs=1),
            tiny_model,
            snapshot,
        )
        margins.append(runs.carry_out(folder).metrics["held_out_margin_after"])

    assert margins[1] > margins[0] + 0.1


def test_every_adapted_weight_and_the_head_move(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    config = replace(QUICK, learning_rate=1e-3)
    runs.finished(run_folder, "reward", config, tiny_model, snapshot)

    before = dict(
        AutoModelForSequenceClassification.from_pretrained(
            tiny_model, num_labels=1
        ).named_parameters()
    )
    after = dict(
        AutoModelForSequenceClassification.from_pretrained(run_folder / "model").named_parameters()
    )
    still = {name for name in before if torch.equal(before[name], after[name])}
    assert still == {name for name in before if "_proj" not in name and "score" not in name}


def test_a_resumed_run_equals_an_unbroken_one(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    unbroken = runs.finished(tmp_path / "unbroken", "reward", QUICK, tiny_model, snapshot)
    resumed = runs.prepare(tmp_path / "resumed", "reward", QUICK, tiny_model, snapshot, attempt=2)
    shutil.copytree(
        unbroken.path / "checkpoints" / "step-6", resumed.path / "checkpoints" / "step-6"
    )

    runs.carry_out(resumed)

    expected, found = runs.points(unbroken), runs.points(resumed)
    assert sorted(found) == list(range(7, 13))
    for step, values in found.items():
        assert values["loss"] == pytest.approx(expected[step]["loss"], abs=1e-5)


def test_ties_and_what_is_too_long_are_counted_and_said(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    rows = [
        runs.ranking(1, {"egg": 1, "tied": 2, "also tied": 2, "long " * 100: 3, "not ranked": None})
    ]
    rows.append(
        runs.ranking(2, {"egg": 1, "a dog": 2})
        | {"prompt": [{"role": "user", "content": "word " * 100}]}
    )
    snapshot = runs.write_snapshot(tmp_path / "counted", train=rows)
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    result = runs.carry_out(folder)

    names = ("n_train_pairs", "n_ties", "n_responses_left_out", "n_prompts_cut")
    assert [result.metrics[name] for name in names] == [3, 1, 1, 1]
    assert (
        "1 tie dropped. 1 response dropped: longer than 64 tokens even without the prompt."
        in runs.notes(folder)
    )
    assert "1 prompt truncated at the start" in runs.notes(folder)
    assert "held_out_accuracy_before" not in result.metrics


def test_what_is_too_long_among_held_out_rankings_and_demonstrations_is_counted_and_said(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.rankings(tmp_path / "counted", n_train=4)
    far = [{"role": "user", "content": "word " * 100}]
    held_out = [
        runs.ranking(1, {"egg": 1, "a dog": 2, "long " * 100: 3}),
        runs.ranking(2, {"egg": 1, "a dog": 2}) | {"prompt": far},
    ]
    shown = [
        runs.demonstration(1),
        runs.demonstration(2, "long " * 100),
        runs.demonstration(3) | {"prompt": far},
    ]
    runs.write_snapshot(snapshot, validation=held_out, demonstrations=shown)
    folder = runs.prepare(run_folder, "reward", replace(QUICK, n_epochs=1), tiny_model, snapshot)

    metrics = runs.carry_out(folder).metrics

    assert (metrics["n_held_out_responses_left_out"], metrics["n_held_out_prompts_cut"]) == (1, 1)
    assert (
        metrics["n_demonstrations"],
        metrics["n_demonstrations_left_out"],
        metrics["n_demonstrations_cut"],
    ) == (2, 1, 1)
    assert "1 held-out response dropped: longer than 64 tokens" in runs.notes(folder)
    assert "1 demonstration dropped: longer than 64 tokens." in runs.notes(folder)


def test_rankings_of_ties_alone_get_a_sentence(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.write_snapshot(
        tmp_path / "ties", train=[runs.ranking(1, {"one": 1, "other": 1})]
    )
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    with pytest.raises(data.UnableToRead, match="has no usable pair: 1 tie and"):
        runs.carry_out(folder)


def test_equal_scores_count_half() -> None:
    both = pair_results.PairResults(
        margins=[0.0, 0.0], prompts=[0, 1], rewards=[0.0] * 4, lengths=[1] * 4
    )
    found = both.summary()

    assert found["accuracy"] == 0.5
    assert both.calibration() == [{"predicted": 0.5, "observed": 0.5, "n": 2}]
    assert found["log_loss"] == pytest.approx(0.693147, abs=1e-5)


def test_pairs_of_one_prompt_count_together() -> None:
    prompts, margins = [at // 6 for at in range(60)], [1.0] * 60
    for at in range(0, 60, 12):
        margins[at : at + 6] = [-1.0] * 6  # every second prompt is wrong throughout

    found = pair_results.PairResults(margins, prompts, [], []).summary()
    alone = pair_results.PairResults(margins, list(range(60)), [], []).summary()

    assert found["accuracy"] == alone["accuracy"] == 0.5
    assert found["accuracy_high"] - found["accuracy_low"] > 2 * (
        alone["accuracy_high"] - alone["accuracy_low"]
    )


def test_pairs_of_four_prompts_have_no_interval() -> None:
    found = pair_results.PairResults([1.0] * 8, [0, 0, 1, 1, 2, 2, 3, 3], [], []).summary()

    assert found["accuracy"] == 1.0
    assert "accuracy_low" not in found


def test_the_stop_file_ends_the_run_and_saves(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, result.n_steps) == ("stopped", 1)
    assert run_dir.is_complete(run_folder / "model")


def test_held_out_accuracy_is_reported_by_strength_category_and_pool(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    right = {"strength": 4, "category": "chat", "pool": "Day shift"}
    wrong = {"strength": 1, "category": "extract", "pool": ""}
    held_out = [runs.ranking(n, {f"An egg {n}": 1, f"A dog {n}": 2}) | right for n in range(30, 36)]
    held_out += [
        runs.ranking(n, {f"A dog {n}": 1, f"An egg {n}": 2}) | wrong for n in range(36, 40)
    ]
    snapshot = runs.rankings(tmp_path / "snapshot", n_train=40)
    runs.write_snapshot(snapshot, validation=held_out)
    folder = runs.prepare(
        run_folder, "reward", replace(QUICK, learning_rate=5e-3), tiny_model, snapshot
    )

    found = runs.carry_out(folder).metrics["accuracy_by"]

    assert [(one["group"], one["n"], one["accuracy"]) for one in found["strength"]] == [
        ("1", 4, 0.0),
        ("4", 6, 1.0),
    ]
    assert [(one["group"], one["n"]) for one in found["category"]] == [("chat", 6), ("extract", 4)]
    assert [(one["group"], one["n"]) for one in found["pool"]] == [("Day shift", 6), ("", 4)]
    # Wilson's with Student's t, 6 of 6 prompts; four are too few.
    assert found["strength"][1]["low"] == pytest.approx(0.4759, abs=1e-4)
    assert (found["strength"][0]["low"], found["strength"][0]["high"]) == (None, None)
