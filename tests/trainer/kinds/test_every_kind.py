"""Rules for runs of every kind: the same run twice gives the same numbers, and a dry run makes at
most two steps.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from training.configs import kinds, metrics
from training.configs.knobs import Settings
from training.processes import run_dir
from training.processes.run_dir import Result, RunFolder

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)


# Small enough for a tiny model. A config takes those that it has.
QUICK: dict[str, Any] = {
    "accumulation": 1,
    "batch_size": 4,
    "dtype": "float32",
    "lora_dropout": 0.1,
    "max_held_out_prompts": 4,
    "max_held_out_rows": 4,
    "max_new_tokens": 6,
    "max_prompt_tokens": 48,
    "max_steps": 3,
    "max_tokens": 64,
    "n_episodes": 12,
    "rollout_dtype": "float32",
    "row_tokens": 128,
}
# Attacks make items longer.
QUICK_BY_KIND = {
    "attack": {"max_tokens": 512, "many_shot": False, "max_items": 1},
    "grpo": {"n_responses": 4},  # a whole group in a batch
}
SNAPSHOTS: dict[str, Callable[[Path], Path]] = {
    "comparisons": runs.rankings,
    "prompts": runs.prompts,
    "unpaired": runs.verdicts,
    "suites": runs.suites,
}
# What the clock decides.
TIMED = {"seconds", "tokens_per_s", "responses_per_s", "items_per_s", "rollout_s", "update_s"}


def quick(kind: str) -> Settings:
    usual = kinds.KINDS[kind].presets()["balanced"]
    wanted = QUICK | QUICK_BY_KIND.get(kind, {})
    return replace(usual, **{name: wanted[name] for name in wanted if hasattr(usual, name)})


def made(
    path: Path, kind: str, model: Path, judge: RunFolder, *, is_dry: bool = False
) -> RunFolder:
    taken = kinds.KINDS[kind].snapshots
    make = (
        runs.goals
        if kind == "attack"
        else SNAPSHOTS.get("" if "demonstrations" in taken else taken[0], runs.demonstrations)
    )
    reward_model = judge.path / "model" if "reward_model" in kinds.KINDS[kind].takes else None
    snapshot = make(path / "snapshot")
    constitution = runs.CONSTITUTION if kinds.KINDS[kind].reads_principles else None
    return runs.prepare(
        path / "run",
        kind,
        quick(kind),
        model,
        snapshot,
        reward_model=reward_model,
        constitution=constitution,
        is_dry=is_dry,
    )


def numbers(folder: RunFolder) -> dict[int, dict[str, float]]:
    return {
        step: {name: value for name, value in values.items() if name not in TIMED}
        for step, values in runs.points(folder).items()
    }


@pytest.fixture(scope="module")
def ended(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, judging_run: RunFolder
) -> Callable[[str], tuple[RunFolder, Result]]:
    """A run of a kind, carried out once for all tests."""

    @cache
    def carried_out(kind: str) -> tuple[RunFolder, Result]:
        folder = made(tmp_path_factory.mktemp(kind), kind, tiny_model, judging_run)
        return folder, runs.carry_out(folder)

    return carried_out


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_same_run_twice_gives_the_same_numbers(
    kind: str,
    tmp_path: Path,
    tiny_model: Path,
    judging_run: RunFolder,
    ended: Callable[[str], tuple[RunFolder, Result]],
) -> None:
    one, _result = ended(kind)
    other = made(tmp_path, kind, tiny_model, judging_run)

    runs.carry_out(other)

    assert numbers(one)
    assert numbers(one) == numbers(other)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_number_that_a_run_reports_has_a_name_for_people(
    kind: str, ended: Callable[[str], tuple[RunFolder, Result]]
) -> None:
    about = kinds.KINDS[kind]

    folder, result = ended(kind)

    reported = {metrics.base_name(key) for key in result.metrics} - metrics.NOT_LISTED
    assert reported - {measure.name for measure in about.measures} == set()
    drawn = {metric for values in runs.points(folder).values() for metric in values}
    named = {metric for chart in about.charts for metric in chart.curves} | set(about.undrawn)
    assert not about.has_curves or drawn - named == set()


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_dry_run_loads_everything_and_makes_two_steps(
    kind: str, tmp_path: Path, tiny_model: Path, judging_run: RunFolder
) -> None:
    folder = made(tmp_path, kind, tiny_model, judging_run, is_dry=True)

    result = runs.carry_out(folder)

    assert (result.outcome, folder.path.joinpath("checkpoints").exists()) == ("succeeded", False)
    assert 0 < result.n_steps <= 2
    assert run_dir.read_job(folder.path).is_dry
