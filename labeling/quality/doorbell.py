"""Sends workers messages to compute quality. The beat sends a lost message again."""

from config import broker


def ring_quality(campaign_id: int) -> bool:
    """Queue a new report for a campaign. The beat does so only when there are new judgments."""
    return broker.send("labeling.quality.tasks.compute_quality", campaign_id=campaign_id)


def ring_figures(name: str, pk: int) -> bool:
    """Queue a refresh of a campaign's cached figures `name`, for labeling.quality.figure_cache. The
    next reader sends it again.
    """
    return broker.send(
        "labeling.campaigns.tasks.refresh_figures",
        otherwise="The next reader asks again.",
        name=name,
        pk=pk,
    )
