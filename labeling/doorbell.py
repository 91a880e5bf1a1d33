"""Tells the workers that an import or a figure is waiting. Rows are the queue: the beat sends a
lost message again.
"""

from config import broker


def ring_import(import_id: int) -> bool:
    """Sends the import's id; call it after commit. False when the broker is away: the beat sends it
    later.
    """
    return broker.send("labeling.tasks.run_import", import_id=import_id)


def ring_clearing(import_id: int) -> bool:
    """Like `ring_import`, to delete the rows of a discarded import."""
    return broker.send("labeling.tasks.clear_import", import_id=import_id)


def ring_quality(campaign_id: int) -> bool:
    """Like `ring_import`, to recompute a campaign's quality. The beat does so only when there are
    new judgments.
    """
    return broker.send("labeling.tasks.compute_quality", campaign_id=campaign_id)


def ring_topics(pool_id: int) -> bool:
    """Like `ring_import`, to find which topics a pool's raters know. The beat does so again after
    new judgments.
    """
    return broker.send("labeling.tasks.show_topics", pool_id=pool_id)


def ring_figures(name: str, pk: int) -> bool:
    """Recomputes the figures `name` of a campaign (labeling.selectors.kept). The next reader sends
    it again.
    """
    return broker.send(
        "labeling.tasks.renew_figures", otherwise="The next reader asks again.", name=name, pk=pk
    )
