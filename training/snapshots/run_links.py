"""The runs that learn from a snapshot."""

from training.models import Run, Snapshot


def runs_on(*, snapshot: Snapshot) -> list[Run]:
    """Those that learned from it or answered it, the newest first."""
    return list(snapshot.runs.select_related("trained_model").order_by("-pk"))
