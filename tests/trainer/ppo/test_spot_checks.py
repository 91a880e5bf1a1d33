"""Spot checks in a PPO run: what it writes for raters, and that the kept step is the one saved,
whatever happens meanwhile.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from tests.trainer import runs
from tests.trainer.ppo.test_run import PROMPTS, SMALL, models, write_snapshot
from training.configs.ppo import PpoConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.processes.run_lines import Kept

__all__ = ["models"]
FULL: dict[str, Any] = {**SMALL, "method": "full", "n_spot_checks": 3, "spot_wait_h": 0.0}
Models = tuple[Path, Path]


def prepared(
    path: Path, models: Models, snapshot: Path, *, attempt: int = 1, **changes: Any
) -> RunFolder:
    config = PpoConfig(**(FULL | changes))
    return runs.prepare(
        path, "ppo", config, models[0], snapshot, attempt=attempt, reward_model=models[1]
    )


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return write_snapshot(tmp_path / "snapshot")


def checks(folder: RunFolder) -> dict[int, list[Any]]:
    lines, _end = run_dir.read_progress(folder.path, 0)
    return {line["step"]: line["check"] for line in lines if "check" in line}


def set_aside(folder: RunFolder, step: int) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder.path / f"spot/step-{step}/weights.safetensors")


def has_saved(folder: RunFolder, step: int) -> bool:
    saved = safetensors.torch.load_file(folder.path / "model/model.safetensors")
    kept = set_aside(folder, step)
    return all(torch.equal(weight, kept[name]) for name, weight in saved.items() if name in kept)


def test_it_writes_two_responses_to_each_held_out_prompt_at_the_start_and_at_each_check(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "run", models, snapshot)

    runs.carry_out(folder)

    written = checks(folder)
    assert sorted(written) == [0, 2, 4, 6]
    for rows in written.values():
        held_out = range(6, len(PROMPTS))
        assert [(row["number"], row["prompt_id"]) for row in rows] == [
            (number, prompt) for number in (0, 1) for prompt in held_out
        ]
        texts = [row["text"] for row in rows]
        assert texts[:2] != texts[2:], "what made a step the kept one is not shown again"
    assert "6 answers by raters in all" in runs.notes(folder)
    assert "Each compares 2 pairs" in runs.notes(folder)


def test_a_run_without_spot_checks_is_the_same_as_before(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    """Asking draws nothing from training's random numbers."""
    asked = prepared(tmp_path / "asked", models, snapshot)
    plain = prepared(tmp_path / "plain", models, snapshot, n_spot_checks=0)

    measured = [runs.carry_out(folder).metrics["reward_after"] for folder in (asked, plain)]

    assert measured[0] == measured[1]
    assert not (plain.path / "spot").exists()
    assert checks(plain) == {}


@pytest.mark.parametrize("step", [0, 2, 4, 6])
def test_the_kept_step_is_the_one_saved(
    models: Models, snapshot: Path, tmp_path: Path, step: int
) -> None:
    folder = prepared(tmp_path / "run", models, snapshot)
    runs.write_kept(folder.path, Kept(step, 6))

    result = runs.carry_out(folder)

    assert result.metrics["kept_step"] == step
    assert has_saved(folder, step)
    assert f"Raters kept step {step}" in runs.notes(folder)


def test_without_a_verdict_reward_chooses(models: Models, snapshot: Path, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "run", models, snapshot)
    runs.write_kept(folder.path, Kept(0, 0))

    runs.carry_out(folder)

    assert "Raters decided no spot check" in runs.notes(folder)
    assert has_saved(folder, 6)


def test_it_ends_with_what_is_decided_and_says_what_is_not(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "run", models, snapshot)
    runs.write_kept(folder.path, Kept(2, 4))

    runs.carry_out(folder)

    assert has_saved(folder, 2)
    assert "1 spot check had no verdict yet" in runs.notes(folder)


@pytest.mark.parametrize(("waits", "waited_for"), [("each", [2, 4, 6]), ("end", [6])])
def test_it_waits_for_raters_where_it_should(
    models: Models,
    snapshot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waits: str,
    waited_for: list[int],
) -> None:
    """Raters answer while it sleeps."""
    folder = prepared(tmp_path / "run", models, snapshot, spot_waits=waits, spot_wait_h=1.0)
    asked = []

    def answer(_seconds: float) -> None:
        asked.append(max(checks(folder)))
        runs.write_kept(folder.path, Kept(2, asked[-1]))

    monkeypatch.setattr(time, "sleep", answer)
    runs.carry_out(folder)

    assert asked == waited_for
    assert has_saved(folder, 2)


def test_a_run_that_is_asked_to_stop_does_not_wait(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "run", models, snapshot, spot_waits="each", spot_wait_h=100.0)
    run_dir.request_stop(folder.path)

    assert runs.carry_out(folder).outcome == "stopped"


def test_a_resumed_run_still_has_what_it_set_aside(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    """On another node, which has only the checkpoint."""
    first = prepared(tmp_path / "run", models, snapshot, n_episodes=16)
    runs.carry_out(first)
    before = set_aside(first, 2)
    shutil.rmtree(first.path / "spot")
    (first.path / run_dir.PROGRESS).unlink()
    again = prepared(first.path, models, snapshot, attempt=2)
    runs.write_kept(again.path, Kept(2, 6))

    runs.carry_out(again)

    assert sorted(checks(again)) == [4, 6]  # not those of the checkpoint
    assert all(torch.equal(weight, before[name]) for name, weight in set_aside(again, 2).items())
    assert has_saved(again, 2)


def test_an_extension_begins_where_it_starts(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    """What the run before it set aside belongs to that run."""
    first = prepared(tmp_path / "first", models, snapshot, n_episodes=16, keeps_state="always")
    runs.carry_out(first)
    second = prepared(tmp_path / "second", models, snapshot)
    shutil.copytree(first.path / run_dir.CHECKPOINTS, second.path / run_dir.CHECKPOINTS)
    job = run_dir.read_job(second.path)
    run_dir.write_job(second.path, run_dir.Job(**{**vars(job), "run_id": 2}))

    runs.carry_out(second)

    assert sorted(checks(second)) == [4, 6]


def test_a_snapshot_without_prompts_of_the_site_asks_nobody(models: Models, tmp_path: Path) -> None:
    snapshot = runs.demonstrations(tmp_path / "snapshot", n_train=6, n_held_out=2)
    folder = prepared(tmp_path / "run", models, snapshot)

    runs.carry_out(folder)

    assert checks(folder) == {}
    assert "No spot checks: no held-out prompt" in runs.notes(folder)


def test_only_prompts_that_the_site_knows_are_asked_about(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    path = snapshot / "validation.jsonl"
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    del first["prompt_id"]
    path.write_text("".join(json.dumps(row) + "\n" for row in (first, second)))
    folder = prepared(tmp_path / "run", models, snapshot, n_spot_checks=1)

    runs.carry_out(folder)

    asked = [[row["prompt_id"] for row in rows] for rows in checks(folder).values()]
    assert asked == [[second["prompt_id"]] * 2] * 2
    assert "Each compares 1 pair," in runs.notes(folder)


def test_moving_averages_are_what_raters_see_and_what_is_saved(
    models: Models, snapshot: Path, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "run", models, snapshot, ema_decay=0.5)
    runs.write_kept(folder.path, Kept(4, 6))

    runs.carry_out(folder)

    assert has_saved(folder, 4)
