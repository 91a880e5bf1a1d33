"""Reads of runs, their curves and samples."""

from training.models import Run


def queued_run_ids() -> list[int]:
    """The longest waiting first."""
    return list(Run.objects.filter(state=Run.State.QUEUED).order_by("created_at", "pk").values_list("pk", flat=True))
