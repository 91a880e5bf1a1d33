"""How far each worker agrees with the others, as the rater's own page says it: a figure with its
interval, to read beside their answers. Nothing is decided by it.
"""

from collections.abc import Mapping

from arithmetic.figures import Figure
from labeling.models import Campaign
from labeling.people.prolific.dues import Row
from labeling.quality import selectors as quality_selectors

Agreement = Mapping[int, Figure]


def agreement(*, campaign: Campaign) -> Agreement:
    """By rater, from the campaign's latest quality report; empty without one."""
    report = quality_selectors.quality_report(campaign=campaign)
    if report is None:
        return {}
    measures = quality_selectors.rater_measures(report=report)
    return {measure.rater_id: measure.agreement for measure in measures}


def of(row: Row, agreement: Agreement) -> Figure | None:
    return agreement.get(row.visit.rater_id) if row.visit else None
