"""Runs and models of the storage tests: failed runs, and how the pages name a row."""

from collections.abc import Callable
from typing import Any

from training.models import Run, TrainedModel

Made = Callable[..., tuple[Run, TrainedModel]]


def key(row: Run | TrainedModel) -> str:
    return f"{'run' if isinstance(row, Run) else 'model'}-{row.pk}"


def failed(made: Made, **fields: Any) -> Run:
    """Twelve steps made, and no model left."""
    run, model = made(
        1.5,
        **(
            {"outcome": "failed", "kept_step": None, "attempt": 1, "step": 12, "node": "gpu-2"}
            | fields
        ),
    )
    model.delete()
    return run
