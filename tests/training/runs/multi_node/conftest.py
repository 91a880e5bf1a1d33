"""Runs with several processes: on a tiny model, with the real trainer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from django.conf import LazySettings

from accounts.models import User
from tests.trainer.tiny import build_tiny_model
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from tests.training.conftest import NOW
from tests.training.runs.supervisor.test_kills_real import demonstrations
from training.models import Run, RunPoint, Snapshot, TrainedModel
from training.processes.launch import Launch
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs.run_queue import RunOptions
from training.storage import artifacts


@pytest.fixture
def tiny(noor: User, tmp_path: Path) -> TrainedModel:
    folder = build_tiny_model(tmp_path / "tiny")
    return registry_services.register_model(
        name="tiny", kind="policy", location=str(folder), licence="", by=noor, now=NOW
    )


@pytest.fixture
def tiny_judge(noor: User, tiny: TrainedModel, tmp_path: Path) -> TrainedModel:
    folder = tmp_path / "judge"
    transformers.AutoModelForSequenceClassification.from_pretrained(
        tiny.location, num_labels=1
    ).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tiny.location).save_pretrained(folder)
    return registry_services.register_model(
        name="judge", kind="reward", location=str(folder), licence="", by=noor, now=NOW
    )


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def prompt_row(number: int) -> dict[str, Any]:
    return {
        "id": f"prompt-{number}",
        "prompt_id": number,
        "prompt": [{"role": "user", "content": f"Say {number}"}],
    }


def ranking_row(number: int) -> dict[str, Any]:
    responses = [
        {"text": f"An egg {number}", "rank": 1, "response": 1},
        {"text": f"A dog {number}", "rank": 2, "response": 2},
    ]
    return prompt_row(number) | {"responses": responses, "rater": "R1", "weight": 1.0}


SETTINGS: dict[str, dict[str, Any]] = {
    "sft": {
        "max_tokens": 128,
        "batch_size": 4,
        "accumulation": 2,
        "max_steps": 4,
        "checkpoint_every": 2,
        "dtype": "float32",
    },
    "reward": {
        "max_tokens": 64,
        "batch_size": 4,
        "accumulation": 2,
        "max_steps": 4,
        "checkpoint_every": 2,
        "dtype": "float32",
    },
    "ppo": {
        "n_episodes": 12,
        "batch_size": 4,
        "max_new_tokens": 6,
        "max_prompt_tokens": 64,
        "warmup_steps": 0,
        "missing_end": "keep",
        "dtype": "float32",
        "rollout_dtype": "float32",
        "checkpoint_every": 2,
        "lora_rank": 4,
    },
}


def assert_one_curve_and_one_model(run: Run) -> None:
    """Of a run that has succeeded: each attempt has each of its steps once, up to the last."""
    assert (run.outcome, run.error) == ("succeeded", ""), run.log_tail
    points = RunPoint.objects.filter(run=run).order_by("step")
    for attempt in range(1, run.attempt + 1):
        steps = list(points.filter(attempt=attempt).values_list("step", flat=True))
        assert steps == list(range(steps[0], steps[-1] + 1))
    assert steps[-1] == run.n_steps
    assert TrainedModel.objects.filter(run=run).count() == 1


@pytest.fixture
def queue_real(
    settings: LazySettings,
    noor: User,
    tiny: TrainedModel,
    tiny_judge: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
) -> Callable[..., Run]:
    """A queued run of a kind that several processes can share, on a tiny model, with the real
    trainer.
    """

    def make(kind: str, launch: Launch, **changes: Any) -> Run:
        rows = {
            "sft": ("demonstrations", demonstrations(32), demonstrations(4)),
            "reward": (
                "comparisons",
                lines([ranking_row(n) for n in range(32)]),
                lines([ranking_row(n) for n in range(40, 46)]),
            ),
            "ppo": (
                "prompts",
                lines([prompt_row(n) for n in range(12)]),
                lines([prompt_row(n) for n in range(20, 23)]),
            ),
        }
        snapshot_kind, train, held_out = rows[kind]
        snapshot = make_snapshot(snapshot_kind, n_rows=32, train=train, validation=held_out)
        if artifacts.is_shared():
            artifacts.store_snapshot(settings.SNAPSHOTS_DIR / snapshot.folder)
        return run_queue.queue_run(
            kind=kind,
            name=f"shared {kind}",
            config=SETTINGS[kind] | changes,
            snapshot=snapshot,
            base_model=tiny,
            models={"reward_model": tiny_judge} if kind == "ppo" else {},
            options=RunOptions(launch=launch),
            by=noor,
            now=NOW,
        )

    return make
