"""The ends of the 95 % intervals among a run's metrics. Pure."""

from collections.abc import Mapping
from typing import Any

from arithmetic import intervals

Ends = tuple[float, float]
_CHANGES = ("change", "gain")
"""How a measure's metric is named that was compared row by row, before and after."""


def of_measure(name: str, metrics: Mapping[str, Any], moment: str = "after") -> Ends | None:
    """What was measured once has its ends without a moment."""
    low, high = (
        metrics.get(
            f"{name}_{end}_{moment}", metrics.get(f"{name}_{end}") if moment == "after" else None
        )
        for end in ("low", "high")
    )
    return None if low is None or high is None else (low, high)


def of_paired_change(name: str, metrics: Mapping[str, Any]) -> Ends | None:
    """Of after − before, if the run compared them row by row."""
    found = (of_measure(f"{name}_{change}", metrics) for change in _CHANGES)
    return next((ends for ends in found if ends), None)


def of_change(name: str, metrics: Mapping[str, Any]) -> Ends | None:
    """Of after − before. Where the run did not compare row by row it is made of both intervals.
    Earlier runs have none before; it was measured on the same pairs, so that after stands in.
    """
    if paired := of_paired_change(name, metrics):
        return paired
    after, before = (metrics.get(f"{name}_{moment}") for moment in ("after", "before"))
    ends = of_measure(name, metrics)
    if ends is None or after is None or before is None:
        return None
    shift = before - after
    known = of_measure(name, metrics, "before") or (ends[0] + shift, ends[1] + shift)
    return intervals.of_difference(after, ends, before, known)
