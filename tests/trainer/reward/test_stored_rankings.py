"""Rankings in Arrow files: the same rows as those read into memory, whoever tokenises them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.modeling import loading
from training.trainer.reward import rankings, stored_rankings
from training.trainer.reward.stored_rankings import Reading


def several_raters(path: Path) -> Path:
    """Prompts whose rankings lie apart, a tie, and one prompt that nobody decided."""
    rows = [
        runs.ranking(number % 5, {f"An egg {number}": 1, "A dog": 2, "A cat": 2})
        | {"rater": f"r{number % 3}", "strength": 1 + number % 4, "weight": 0.5}
        for number in range(12)
    ]
    undecided = runs.ranking(7, {"One": 1, "Two": 1})
    return runs.write_snapshot(path, train=[*rows[:6], undecided, *rows[6:]])


@pytest.mark.parametrize("n_processes", [1, 3])
def test_stored_rows_are_those_read_into_memory(
    n_processes: int, tmp_path: Path, tiny_model: Path
) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    snapshot = several_raters(tmp_path / "snapshot")
    folder = RunFolder(tmp_path / "run", 1)
    folder.path.mkdir()
    reading = Reading(tokenizer, 60, "small")

    stored = stored_rankings.read(snapshot, "train", reading, folder, n_processes=n_processes)

    found = rankings.read(tokenizer, data.rows(snapshot, "train"), 60, "small")
    assert [plain(row) for row in stored.rows] == [plain(row) for row in found.rows]
    assert (stored.n_pairs, stored.n_ties, stored.n_left_out, stored.n_cut) == (
        found.n_pairs,
        found.n_ties,
        found.n_left_out,
        found.n_cut,
    )
    for at_most in (None, 7):
        kept, expected = (
            rankings.at_most_pairs(rows, at_most, 3) for rows in (stored.rows, found.rows)
        )
        assert [plain(row) for row in kept] == [plain(row) for row in expected]


def plain(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if not name.startswith("n_")}


def test_while_rows_are_tokenised_the_log_says_how_far_it_is(
    tmp_path: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log grows, so the supervisor does not take a million rankings for a standstill."""
    monkeypatch.setattr(stored_rankings, "SAY_EVERY_S", 0.0)
    monkeypatch.setattr(stored_rankings, "AT_ONCE", 2)
    tokenizer = loading.load_tokenizer(str(tiny_model))
    snapshot = runs.rankings(tmp_path / "snapshot", n_train=4)
    folder = RunFolder(tmp_path / "run", 1)
    folder.path.mkdir()

    stored_rankings.read(snapshot, "train", Reading(tokenizer, 60), folder, n_processes=1)

    assert "Tokenised 50 % of 4 prompts." in caplog.text


@pytest.mark.parametrize("rows", [[], [runs.demonstration(1)]])
def test_a_snapshot_of_another_kind_is_refused(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(data.UnableToRead):
        stored_rankings.grouped(runs.write_snapshot(tmp_path, train=rows) / "train.jsonl")
