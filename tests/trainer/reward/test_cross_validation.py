"""Folds of raters, and a reward run that is cross-validated over them, for real on a tiny model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from tests.trainer.reward.test_run import QUICK
from training.configs import kinds
from training.configs.reward import RewardConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.reward import cross_validation, rankings

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)


def of_raters(number: int) -> list[dict[str, Any]]:
    """Six raters on one prompt; the last of them likes dogs."""
    texts = [f"An egg {number}", f"A dog {number}"]
    found = []
    for rater in range(6):
        better, worse = texts if rater < 5 else texts[::-1]
        found.append(runs.ranking(number, {better: 1, worse: 2}) | {"rater": f"rater-{rater}"})
    return found


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    train = [row for number in range(16) for row in of_raters(number)]
    return runs.write_snapshot(
        tmp_path / "snapshot", train=train, validation=of_raters(30) + of_raters(31)
    )


def settings(**changes: Any) -> RewardConfig:
    config, problems = kinds.parse(
        "reward",
        kinds.as_json(QUICK) | {"learning_rate": 5e-3, "cross_validates": True} | changes,
    )
    assert isinstance(config, RewardConfig), problems
    return config


def learns(
    margins: list[float], asked: list[frozenset[str]]
) -> Callable[[frozenset[str]], list[float] | None]:
    def learn(without: frozenset[str]) -> list[float] | None:
        asked.append(without)
        return margins

    return learn


def test_folds_share_out_the_rankings_and_do_not_hang_on_their_order() -> None:
    rows = [
        {"rater": rater}
        for rater, n in {"a": 9, "b": 5, "c": 4, "d": 4, "e": 3, "f": 3, "g": 1}.items()
        for _row in range(n)
    ]

    found = cross_validation.folds(rows)

    assert found == cross_validation.folds(rows[::-1])
    assert [sorted(group) for group in found] == [["a"], ["b"], ["c", "g"], ["d"], ["e", "f"]]


def test_fewer_than_five_raters_get_a_sentence_and_no_folds(run_folder: Path) -> None:
    rows = [{"rater": rater} for rater in "abcd"]
    asked: list[frozenset[str]] = []
    run_folder.mkdir(exist_ok=True)
    folder = RunFolder(run_folder, 0)

    assert cross_validation.cross_validated(folder, rows, [], learns([], asked)) == {}
    assert asked == []
    assert "fewer than 5 raters" in runs.notes(folder)


def test_folds_measured_by_an_earlier_attempt_are_not_trained_again(run_folder: Path) -> None:
    rows = [{"rater": rater} for rater in "abcde"]
    held_out = [
        rankings.ranking_row(
            [], [[], []], [{"ranks": [1, 2], "about": {"rater": rater}} for rater in "abcde"]
        )
    ]
    asked: list[frozenset[str]] = []
    run_folder.mkdir(exist_ok=True)
    folder = RunFolder(run_folder, 0)
    cross_validation.cross_validated(
        folder, rows, held_out, learns([1.0, 1.0, 1.0, 1.0, -1.0], asked)
    )
    kept = json.loads((run_folder / run_dir.FOLDS).read_text())
    run_dir.write_json(run_folder / run_dir.FOLDS, kept[:3])
    asked.clear()

    found = cross_validation.cross_validated(
        folder, rows, held_out, learns([1.0, 1.0, 1.0, 1.0, -1.0], asked)
    )

    assert asked == [frozenset("d"), frozenset("e")]
    assert found["cross_validation"] == kept
    assert found["unseen_raters_accuracy"] == pytest.approx(0.8)
    assert found["unseen_raters_spread"] == pytest.approx(0.4472, abs=1e-4)  # of 1, 1, 1, 1, 0
    assert found["seen_raters_accuracy"] == pytest.approx(
        0.8
    )  # 3 of 4, but 4 of 4 in the last fold


def test_a_stop_during_a_fold_leaves_the_folds_off_and_saves_the_model(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "reward", settings(), tiny_model, snapshot)
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, "cross_validation" in result.metrics) == ("stopped", False)
    assert "stopped after 0 of 5 folds" in runs.notes(folder)
    assert run_dir.is_complete(run_folder / "model")


def test_a_rater_with_another_taste_stands_out_from_the_others(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    """The run's own training is the same as without the folds."""
    crossed = runs.finished(tmp_path / "crossed", "reward", settings(), tiny_model, snapshot)
    plain = runs.finished(
        tmp_path / "plain", "reward", settings(cross_validates=False), tiny_model, snapshot
    )

    result = run_dir.read_result(crossed.path)

    assert result is not None
    by_fold = [
        (fold["n_raters"], fold["unseen"]["n"], fold["unseen"]["accuracy"])
        for fold in result.metrics["cross_validation"]
    ]
    assert by_fold == [(2, 4, 0.5), (1, 2, 1.0), (1, 2, 1.0), (1, 2, 1.0), (1, 2, 1.0)]
    assert result.metrics["unseen_raters_accuracy"] == pytest.approx(0.9)
    assert [point.get("loss") for point in runs.points(crossed).values()] == [
        point.get("loss") for point in runs.points(plain).values()
    ]
