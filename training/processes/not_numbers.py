"""Finds NaN and infinity among what a child leaves. No JSON column can hold them, and a model that
has them is of no use.

Standard library only: both sides import it.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from training.configs import metrics
from training.processes import run_dir

_HELD_OUT = "held_out_"


def sentence(folder: Path, measured: Mapping[str, object]) -> str:
    """Which measures are not numbers, and since which step. "" if all are numbers."""
    broken = [name for name, value in measured.items() if not is_finite(value)]
    if not broken:
        return ""
    since = _first_steps(folder)
    named = dict.fromkeys(_named(name, since) for name in broken)
    return (
        f"The run ended with values that are infinite or not numbers: {', '.join(named)}. Nothing"
        " of it was kept. Check the models that it used, lower the learning rate or compute in"
        " float32, then start again."
    )


def is_finite(value: object) -> bool:
    """Whether a value, or everything in a list or dictionary, can be stored as JSON."""
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def without(values: Mapping[str, object]) -> dict[str, object]:
    """The values that can be stored."""
    return {name: value for name, value in values.items() if is_finite(value)}


def _named(name: str, since: Mapping[str, int]) -> str:
    measure = metrics.base_name(name)
    step = since.get(measure.removeprefix(_HELD_OUT))
    return measure if step is None else f"{measure} (since step {step})"


def _first_steps(folder: Path) -> dict[str, int]:
    """The first step of each measure that was left out of a point."""
    first_steps: dict[str, int] = {}
    for line in run_dir.read_progress(folder, 0)[0]:
        for name in line.get(run_dir.LEFT_OUT, ()):
            measure = metrics.base_name(name).removeprefix(_HELD_OUT)
            first_steps[measure] = min(line["step"], first_steps.get(measure, line["step"]))
    return first_steps
