"""The two parts of a snapshot's rankings: none in common, divided by raters or else by prompts."""

from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from training.configs.reward import RewardConfig
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.modeling import loading
from training.trainer.reward import parts, stored_rankings
from training.trainer.reward import run as reward_run
from training.trainer.reward.stored_rankings import Reading


def test_raters_divide_the_rankings_if_there_are_enough() -> None:
    raters = [f"r{number % 10}" for number in range(40)]

    larger = parts.kept("larger", raters, range(40))
    smaller = parts.kept("smaller", raters, range(40))

    assert (larger ^ smaller).all()
    of = {
        name: {r for r, is_in in zip(raters, mask, strict=True) if is_in}
        for name, mask in (("larger", larger), ("smaller", smaller))
    }
    assert not of["larger"] & of["smaller"]
    assert (len(of["larger"]), len(of["smaller"])) == (6, 4)


@pytest.mark.parametrize(
    "raters",
    [
        ["r1", "r2"] * 20,
        [None] * 40,
        # One rater gave nearly all, so the others alone could not train a watchdog.
        ["r1"] * 36 + ["r2", "r3", "r4", "r5"],
    ],
)
def test_prompts_divide_the_rankings_of_few_raters_near_duplicates_together(
    raters: list[str | None],
) -> None:
    prompts = [number // 2 for number in range(40)]

    larger = parts.kept("larger", raters, prompts)
    smaller = parts.kept("smaller", raters, prompts)

    assert (larger ^ smaller).all()
    assert (larger[::2] == larger[1::2]).all()
    assert larger.sum() == 24


def test_the_parts_read_from_a_file_are_the_whole_file(tmp_path: Path, tiny_model: Path) -> None:
    snapshot = _judged(tmp_path / "snapshot")

    pairs = {part: _n_pairs(snapshot, part, tmp_path, tiny_model) for part in ("larger", "smaller")}

    assert pairs == {"larger": 12, "smaller": 8}
    assert _n_pairs(snapshot, "all", tmp_path, tiny_model) == 20


def test_two_reward_models_of_one_snapshot_learn_from_none_of_the_same_rankings(
    tmp_path: Path, tiny_model: Path
) -> None:
    snapshot = _judged(tmp_path / "snapshot")
    learned: dict[str, Any] = {}
    for part in ("larger", "smaller"):
        config = RewardConfig(part=part, n_epochs=1, max_tokens=60, checkpoint_every=0)
        folder = runs.prepare(tmp_path / part, "reward", config, tiny_model, snapshot)

        learned[part] = runs.carry_out(folder).metrics["n_train_pairs"]

    assert learned == {"larger": 12, "smaller": 8}


def test_rankings_on_one_prompt_are_not_divided(tmp_path: Path) -> None:
    rows = [runs.ranking(1, {"An egg": 1, "A dog": 2}) for _time in range(3)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows)

    with pytest.raises(data.UnableToRead, match="train without a second reward model"):
        stored_rankings.grouped(snapshot / "train.jsonl", "smaller")


def test_cross_validation_stays_within_the_part() -> None:
    rows = [runs.ranking(n, {"An egg": 1, "A dog": 2}) | {"rater": f"r{n % 10}"} for n in range(40)]

    kept = {part: reward_run.of_part(rows, part) for part in ("larger", "smaller")}

    assert not {r["rater"] for r in kept["larger"]} & {r["rater"] for r in kept["smaller"]}
    assert len(kept["larger"]) + len(kept["smaller"]) == len(rows)


def _judged(path: Path) -> Path:
    """Ten raters, two rankings each."""
    rows = [
        runs.ranking(number, {f"An egg {number}": 1, f"A dog {number}": 2})
        | {"rater": f"r{number % 10}"}
        for number in range(20)
    ]
    return runs.write_snapshot(path, train=rows)


def _n_pairs(snapshot: Path, part: str, tmp_path: Path, model: Path) -> int:
    tokenizer = loading.load_tokenizer(str(model))
    folder = RunFolder(tmp_path / f"read-{part}", 1)
    folder.path.mkdir()
    reading = Reading(tokenizer, 60, part=part)
    return stored_rankings.read(snapshot, "train", reading, folder, n_processes=2).n_pairs
