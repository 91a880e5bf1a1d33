"""Wakes the worker that computes quality. The beat sends a lost message again."""

from config import broker


def ring_quality(campaign_id: int) -> bool:
    """Like `ring_import`, to recompute a campaign's quality. The beat does so only when there are
    new judgments.
    """
    return broker.send("labeling.quality.tasks.compute_quality", campaign_id=campaign_id)


def ring_figures(name: str, pk: int) -> bool:
    """Recomputes the figures `name` of a campaign, for labeling.quality.figure_cache. The next
    reader sends it again.
    """
    return broker.send(
        "labeling.campaigns.tasks.renew_figures",
        otherwise="The next reader asks again.",
        name=name,
        pk=pk,
    )
