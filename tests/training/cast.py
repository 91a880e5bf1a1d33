"""Models, snapshots and runs for tests of pages: rows with plausible numbers, without files or
processes.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from training.configs import kinds
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
    config = kinds.as_json(kinds.PRESETS["sft"]["balanced"]) | {
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
            level=level_of(step=step, values=_values(step, n_points)),
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


def a_reward_run(by: User, **fields: Any) -> Run:
    """A finished reward model, as the trainer reports it."""
    snapshot = Snapshot.objects.filter(kind="comparisons").first() or a_snapshot(
        by, "comparisons", "Comparisons of November"
    )
    base = TrainedModel.objects.first() or a_model(by)
    groups = [
        {"group": str(n), "n": 78, "accuracy": 0.6 + n / 20, "low": 0.5 + n / 20, "high": 0.9}
        for n in range(1, 5)
    ]
    metrics = {
        "held_out_accuracy_before": 0.519,
        "held_out_accuracy_after": 0.702,
        "held_out_accuracy_low": 0.643,
        "held_out_accuracy_high": 0.757,
        "held_out_loss_before": 0.7104,
        "held_out_loss_after": 0.5817,
        "held_out_margin_before": 0.01,
        "held_out_margin_after": 0.84,
        "reward_length_correlation_before": 0.05,
        "reward_length_correlation_after": 0.21,
        "held_out_split": "validation",
        "n_held_out_pairs": 312,
        "n_train_pairs": 2840,
        "n_train_prompts": 471,
        "n_ties": 204,
        "n_responses_left_out": 3,
        "n_prompts_cut": 0,
        "shares_prefix": True,
        "reward_bias": 0.42,
        "n_demonstrations": 92,
        "calibration": [
            {"predicted": 0.525 + n / 20, "observed": 0.5 + n / 21, "n": 60 - 5 * n}
            for n in range(9)
        ],
        "margins": [{"margin": -1.4 + 0.2 * n, "n": 40 - (n - 9) ** 2 // 3} for n in range(20)],
        "accuracy_by": {
            "strength": groups,
            "strangeness": [
                {"group": "new_prompt", "n": 312, "accuracy": 0.702, "low": 0.643, "high": 0.757},
                {"group": "longer", "n": 41, "accuracy": 0.61, "low": 0.44, "high": 0.76},
            ],
        },
        "strangeness_left_out": [
            {"group": "seen_prompt", "why": "none", "n": 0},
            {"group": "new_model", "why": "no_source", "n": 0},
        ],
        "temperature": 1.62,
        "calibration_error": 0.038,
        "certainty": {
            "n": 312,
            "n_prompts": 61,
            "verdict": "calibrated",
            "n_enough": 480,
            "ece_before": 0.081,
            "ece_after": 0.038,
            "ece_by_chance": 0.044,
            "least_sure": {"n": 31, "accuracy": 0.54, "low": 0.36, "high": 0.71},
            "most_sure": {"n": 31, "accuracy": 0.87, "low": 0.7, "high": 0.95},
        },
        "seconds": 1834.2,
        "peak_memory_gb": 31.4,
    }
    return _ended(
        by,
        kind="reward",
        name=fields.pop("name", "Reward of November"),
        snapshot=snapshot,
        base_model=base,
        metrics=metrics,
        values=lambda step: (
            {
                "loss": 0.7 - 0.12 * step / 120 + 0.03 * math.sin(step * 1.9),
                "accuracy": 0.52 + 0.2 * step / 120 + 0.04 * math.sin(step * 2.3),
                "margin": 0.8 * step / 120,
                "learning_rate": 1e-4,
                "grad_norm": 1.2 + 0.3 * math.sin(step),
                "seconds": 15.2,
            }
            | (
                {
                    "held_out_loss": 0.71 - 0.13 * step / 120,
                    "held_out_accuracy": 0.519 + 0.183 * step / 120,
                    "held_out_margin": 0.84 * step / 120,
                    "reward_length_correlation": 0.05 + 0.16 * step / 120,
                }
                if step % 30 == 0
                else {}
            )
        ),
        n_steps=120,
        **fields,
    )


def a_ppo_run(by: User, *, is_measured: bool = True, **fields: Any) -> Run:
    """A finished PPO run; with `is_measured=False` it had no held-out prompts."""
    snapshot = Snapshot.objects.filter(kind="prompts").first() or a_snapshot(
        by, "prompts", "Prompts of November"
    )
    base = TrainedModel.objects.filter(kind="policy").first() or a_model(by)
    judge = TrainedModel.objects.filter(kind="reward").first() or a_model(by, "reward-1", "reward")
    held_out = {
        "reward_before": 0.31,
        "reward_after": 1.22,
        "kl_before": 0.0,
        "kl_after": 4.41,
        "response_tokens_before": 56.2,
        "response_tokens_after": 61.3,
        "ended_before": 0.91,
        "ended_after": 0.97,
        "held_out_split": "validation",
    }
    metrics = (held_out if is_measured else {"held_out_split": ""}) | {
        "n_held_out_prompts": 64 if is_measured else 0,
        "n_prompts": 1204,
        "n_prompts_too_long": 2,
        "n_episodes": 25_600,
        "beta": 0.05,
        "seconds": 5400,
        "peak_memory_gb": 41.2,
    }

    def values(step: int) -> dict[str, float]:
        noise = 0.1 * math.sin(step * 1.7)
        kl = 4.4 * step / 400 + noise / 4
        found = {
            "reward": 0.35 + 0.9 * (1 - math.exp(-step / 120)) + noise,
            "kl": max(kl, 0.0),
            "sqrt_kl": max(kl, 0.0) ** 0.5,
            "response_tokens": 56 + 5 * step / 400 + 20 * noise,
            "ended": 0.92 + 0.05 * step / 400 + noise / 10,
            "entropy": 1.6 - 0.3 * step / 400 + noise / 4,
            "clip_fraction": 0.04 + noise / 10,
            "value_clip_fraction": 0.02 + noise / 10,
            "explained_variance": 0.6 + noise,
            "value_loss": 0.2 + noise,
            "beta": 0.05,
            "lr": 2e-5,
            "grad_norm": 0.8 + noise,
            "tokens_per_s": 900 + 100 * noise,
            "seconds": 12 + noise,
        }
        if is_measured and step % 100 == 0:
            found["held_out_reward"] = 0.31 + 0.91 * step / 400
        return found

    return _ended(
        by,
        kind="ppo",
        name=fields.pop("name", "PPO 31, helpful"),
        snapshot=snapshot,
        base_model=base,
        reward_model=judge,
        metrics=metrics,
        values=values,
        n_steps=400,
        **fields,
    )


def a_sampling_run(by: User, **fields: Any) -> Run:
    """Four responses to each of ten prompts."""
    snapshot = Snapshot.objects.filter(kind="prompts").first() or a_snapshot(
        by, "prompts", "Prompts of November"
    )
    base = TrainedModel.objects.filter(kind="policy").first() or a_model(by)
    metrics = {
        "n_prompts": 10,
        "n_prompts_too_long": 0,
        "n_responses": 40,
        "n_empty": 0,
        "share_ended": 0.9,
        "mean_tokens": 61.4,
        "tokens_per_s": 210.0,
        "responses_per_s": 3.4,
        "seconds": 11.8,
    }
    return _ended(
        by,
        kind="sample",
        name=fields.pop("name", "Responses of November"),
        snapshot=snapshot,
        base_model=base,
        metrics=metrics,
        values=lambda step: {
            "share_ended": 0.9,
            "mean_tokens": 60.0 + step,
            "tokens_per_s": 210.0,
            "responses_per_s": 3.4,
        },
        n_steps=5,
        leaves_model=False,
        **fields,
    )


def _ended(
    by: User,
    *,
    kind: str,
    metrics: dict[str, Any],
    values: Callable[[int], dict[str, float]],
    n_steps: int,
    leaves_model: bool = True,
    **fields: Any,
) -> Run:
    now = timezone.now()
    given: dict[str, Any] = {
        "state": "finished",
        "outcome": "succeeded",
        "attempt": 1,
        "node": "gpu-2",
        "step": n_steps,
        "n_steps": fields.pop("of_steps", n_steps),
        "started_at": now - timedelta(seconds=metrics["seconds"] + 60),
        "finished_at": now,
        "versions": {"torch": "2.13.0", "trl": "1.16.2", "python": "3.11.9"},
    }
    run = Run.objects.create(
        kind=kind,
        config=kinds.as_json(kinds.PRESETS[kind]["balanced"]),
        metrics=metrics,
        created_by=by,
        **(given | fields),
    )
    RunPoint.objects.bulk_create(
        RunPoint(
            run=run,
            attempt=1,
            step=step,
            at=now - timedelta(seconds=4 * (n_steps - step)),
            values=values(step),
            level=level_of(step=step, values=values(step)),
        )
        for step in range(1, n_steps + 1)
    )
    RunSample.objects.create(
        run=run,
        attempt=1,
        step=n_steps,
        line=0,
        prompt="Explain to a child why the moon changes shape.",
        response="The moon does not change. The sun lights one half of it.",
        scores={"reward": 1.62, "held_out": True, "is_ended": True},
    )
    if leaves_model:
        TrainedModel.objects.create(
            name=f"{kind}-{run.pk}",
            kind=kinds.KINDS[kind].leaves,
            location=f"/models/{kind}-{run.pk}",
            licence="Apache-2.0",
            parent=run.base_model,
            run=run,
            metrics=metrics,
        )
    return run
