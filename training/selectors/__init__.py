"""Every multi-row read of the training half, one module a noun."""

from training.selectors.curves import Curve, curves
from training.selectors.measures import Measure, measures
from training.selectors.points import points_since
from training.selectors.registry import Step, children, lineage, models
from training.selectors.runs import (
    DEFAULT_PRESET,
    Difference,
    Live,
    RunFilter,
    differences_from_preset,
    has_active,
    live,
    queued_run_ids,
    runs,
    runs_from,
    runs_on,
    samples,
    share,
)
from training.selectors.snapshots import (
    RUN_OF_SNAPSHOT,
    Table,
    campaign_choices,
    card,
    filters_in_words,
    is_intact,
    licence_choices,
    snapshots,
)

__all__ = [
    "DEFAULT_PRESET",
    "RUN_OF_SNAPSHOT",
    "Curve",
    "Difference",
    "Live",
    "Measure",
    "RunFilter",
    "Step",
    "Table",
    "campaign_choices",
    "card",
    "children",
    "curves",
    "differences_from_preset",
    "filters_in_words",
    "has_active",
    "is_intact",
    "licence_choices",
    "lineage",
    "live",
    "measures",
    "models",
    "points_since",
    "queued_run_ids",
    "runs",
    "runs_from",
    "runs_on",
    "samples",
    "share",
    "snapshots",
]
