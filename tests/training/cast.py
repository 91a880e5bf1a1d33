"""Models, snapshots and runs for tests of pages: rows with plausible numbers, without files or
processes.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from training import configs
from training.models import Run, RunPoint, RunSample, Snapshot, TrainedModel
from training.registry import services as registry_services
from training.runs.services import level_of
from training.snapshots import services as snapshots_services


def a_model(by: User, name: str = "SmolLM2-135M-Instruct", kind: str = "policy") -> TrainedModel:
    return registry_services.register_model(
        name=name,
        kind=kind,
        location="/models/smollm2",
        licence="Apache-2.0",
        is_elsewhere=True,
        by=by,
        now=timezone.now(),
    )


def a_snapshot(
    by: User, kind: str = "demonstrations", name: str = "Demonstrations of November"
) -> Snapshot:
    card = {
        "kind": kind,
        "rows": 1204,
        "prompts": 611,
        "raters": 12,
        "splits": {"train": 1010, "validation": 92, "test": 102},
        "sources": {"raters": 904, "OASST1": 300},
        "licences": {"Apache-2.0": 300, "CC-BY-4.0": 904},
        "categories": {"generation": 412, "open_qa": 300, "chat": 492},
        "guidelines": {"Helpful answers v3": 500, "Helpful answers v4": 404},
        "left_out": {"held-out rater on a prompt that trains": 9},
    }
    filters = snapshots_services.Filters(categories=("generation", "open_qa", "chat")).as_json()
    return Snapshot.objects.create(
        name=name,
        kind=kind,
        folder=f"{kind}-cast",
        n_rows=1204,
        fingerprint="3fa1c0de" * 8,
        card=card,
        filters=filters,
        created_by=by,
    )


def a_run(
    by: User,
    *,
    state: str = "queued",
    n_points: int = 0,
    name: str = "Helpful, first try",
    **fields: Any,
) -> Run:
    """An SFT run by `by`. A running one sends heartbeats and is at step `n_points` of 400."""
    model = TrainedModel.objects.first() or a_model(by)
    snapshot = Snapshot.objects.filter(kind="demonstrations").first() or a_snapshot(by)
    now = timezone.now()
    config = configs.as_json(configs.PRESETS["sft"]["balanced"]) | {
        "learning_rate": 5e-5,
        "lora_rank": 32,
    }
    values = {
        "attempt": 0 if state == "queued" else 1,
        "node": "" if state == "queued" else "gpu-2",
        "step": n_points,
        "n_steps": 400 if n_points else 0,
        "heartbeat_at": now,
        "started_at": now - timedelta(minutes=20),
        "log_tail": (
            ""
            if state == "queued"
            else "14:20:11 step 250  checkpoint\n14:20:19 step 251\n14:20:22 step 252"
        ),
    }
    run = Run.objects.create(
        name=name,
        kind="sft",
        config=config,
        snapshot=snapshot,
        base_model=model,
        created_by=by,
        state=state,
        **(values | fields),
    )
    curves(run, n_points, now)
    return run


def curves(run: Run, n_points: int, now: datetime) -> None:
    RunPoint.objects.bulk_create(
        RunPoint(
            run=run,
            attempt=1,
            step=step,
            at=now - timedelta(seconds=4 * (n_points - step)),
            values=_values(step, n_points),
            level=level_of(step, _values(step, n_points)),
        )
        for step in range(1, n_points + 1)
    )
    if n_points:
        texts = [
            (
                "Explain to a child why the moon changes shape.",
                (
                    "The moon does not change. The sun lights one half of it, and we see more or"
                    " less of that half."
                ),
            ),
            (
                "Write a polite note to a neighbour about a loud party.",
                "Hello! The music was loud until two. Could we agree on midnight next time?",
            ),
        ]
        RunSample.objects.bulk_create(
            RunSample(
                run=run,
                attempt=1,
                step=n_points,
                line=line,
                prompt=prompt,
                response=response,
                scores={"reward": 1.62 - line},
            )
            for line, (prompt, response) in enumerate(texts)
        )


def finished(run: Run, outcome: str, error: str = "") -> Run:
    metrics = {
        "held_out_loss_before": 2.104,
        "held_out_loss_after": 1.713,
        "n_held_out": 92,
        "n_train": 1010,
        "seconds": 1220.4,
    }
    run.state, run.outcome, run.error, run.finished_at = "finished", outcome, error, timezone.now()
    run.metrics = metrics if outcome == "succeeded" else {}
    run.notes = [
        "1010 demonstrations for training, 92 held out (validation).",
        "3 truncated.",
    ]
    run.versions = {"torch": "2.13.0", "trl": "1.16.2", "python": "3.11.9"}
    run.save()
    if outcome == "succeeded":
        TrainedModel.objects.create(
            name=f"sft-{run.pk}",
            kind="policy",
            location=f"/models/sft-{run.pk}",
            licence="Apache-2.0",
            parent=run.base_model,
            run=run,
            metrics=metrics,
        )
    return run


def _values(step: int, n_points: int) -> dict[str, float]:
    noise = 0.05 * math.sin(step * 1.7) + 0.04 * math.sin(step * 0.61)
    values = {
        "loss": 1.6 + 0.7 * math.exp(-step / 80) + noise,
        "mean_token_accuracy": 0.62 - 0.08 * math.exp(-step / 60) + noise / 8,
        "learning_rate": 5e-5 * (0.55 + 0.45 * math.cos(step / 400 * math.pi)),
        "grad_norm": 0.8 + abs(noise) * 4,
    }
    if step == 1 or step % 50 == 0:
        values["held_out_loss"] = 1.71 + 0.42 * math.exp(-step / 70)
    return values
