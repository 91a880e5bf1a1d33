"""The runs that start from a model."""

from training.models import Run, TrainedModel


def runs_from(*, model: TrainedModel) -> list[Run]:
    """Those that began with it, the newest first."""
    return list(model.runs_from.select_related("snapshot", "trained_model").order_by("-pk"))
