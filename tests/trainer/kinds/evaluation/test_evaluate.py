"""Evaluations of tiny models, for real: each metric compared with another computation; only metrics
and samples are saved.
"""

from pathlib import Path

import pytest

from tests.trainer import runs
from training.configs.evaluation.evaluate import EvaluateConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.evaluation import evaluate

QUICK = EvaluateConfig(max_tokens=64, batch_size=4, max_new_tokens=8, dtype="float32", n_shown=3)


def test_the_loss_is_the_one_that_training_reported(
    run_folder: Path, taught_run: RunFolder
) -> None:
    job = run_dir.read_job(taught_run.path)

    folder = runs.finished(
        run_folder, "evaluate", QUICK, taught_run.path / "model", Path(job.snapshot)
    )

    trained, result = run_dir.read_result(taught_run.path), run_dir.read_result(run_folder)
    assert trained is not None
    assert result is not None
    assert result.metrics["held_out_loss"] == pytest.approx(
        trained.metrics["held_out_loss_after"], abs=1e-4
    )
    assert (result.metrics["n_rows"], result.metrics["measured_on"], result.model) == (
        8,
        "validation",
        None,
    )
    assert runs.points(folder)[1]["held_out_loss"] == result.metrics["held_out_loss"]


def test_a_reward_model_agrees_with_raters_as_its_training_reported(
    run_folder: Path, judging_run: RunFolder
) -> None:
    job = run_dir.read_job(judging_run.path)

    runs.finished(run_folder, "evaluate", QUICK, judging_run.path / "model", Path(job.snapshot))

    trained, result = run_dir.read_result(judging_run.path), run_dir.read_result(run_folder)
    assert trained is not None
    assert result is not None
    assert result.metrics["held_out_accuracy"] == trained.metrics["held_out_accuracy_after"]
    assert result.metrics["held_out_margin"] == pytest.approx(
        trained.metrics["held_out_margin_after"], abs=1e-3
    )
    assert result.metrics["n_held_out_pairs"] == 12
    assert sum(one["n"] for one in result.metrics["calibration"]) == 12
    assert result.metrics["certainty"]["n"] == 12


def test_a_model_against_itself_wins_half(
    run_folder: Path, tiny_model: Path, judging_run: RunFolder, tmp_path: Path
) -> None:
    folder = runs.finished(
        run_folder,
        "evaluate",
        QUICK,
        tiny_model,
        runs.demonstrations(tmp_path / "snapshot"),
        reward_model=judging_run.path / "model",
        other_model=tiny_model,
    )

    result = run_dir.read_result(run_folder)
    assert result is not None
    assert (result.metrics["win_rate"], result.metrics["n_prompts"], result.n_steps) == (0.5, 8, 2)
    assert result.metrics["reward"] == result.metrics["other_reward"]
    assert len(runs.samples(folder)) == 3
    assert set(runs.samples(folder)[0]["scores"]) == {"reward", "other_reward", "is_ended"}


def test_the_share_of_wins_counts_ties_half() -> None:
    found = evaluate.win_rate([1.0, 2.0, 3.0, 0.0, 0.0], [0.0, 2.0, 1.0, 1.0, 1.0])

    assert found["win_rate"] == 2.5 / 5
    assert found["win_rate_low"] < 2.5 / 5 < found["win_rate_high"]


def test_a_win_rate_of_four_prompts_has_no_interval() -> None:
    assert evaluate.win_rate([1.0] * 4, [0.0] * 4) == {"win_rate": 1.0}


def test_a_judge_and_a_policy_on_comparisons(
    run_folder: Path, tiny_model: Path, judging_run: RunFolder
) -> None:
    job = run_dir.read_job(judging_run.path)

    runs.finished(
        run_folder,
        "evaluate",
        QUICK,
        tiny_model,
        Path(job.snapshot),
        reward_model=judging_run.path / "model",
    )

    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.metrics["held_out_accuracy"] > 0.9
    assert result.metrics["n_prompts"] == 12


def test_nothing_to_measure_gets_a_sentence(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.prompts(tmp_path / "prompts")
    config = EvaluateConfig(split="all", max_tokens=64, max_new_tokens=8)

    with pytest.raises(
        data.UnableToRead, match="only responses can be measured, by a reward model"
    ):
        runs.carry_out(runs.prepare(run_folder, "evaluate", config, tiny_model, snapshot))


def test_a_snapshot_with_nothing_held_out_gets_a_sentence(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=[runs.demonstration(1)])

    with pytest.raises(data.UnableToRead, match="has no held-out rows"):
        runs.carry_out(runs.prepare(run_folder, "evaluate", QUICK, tiny_model, snapshot))
