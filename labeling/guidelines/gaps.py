"""Items on which raters disagreed because the guideline does not cover them."""

from django.db.models import QuerySet

from labeling.models import Adjudication, Guideline


def guideline_gaps(*, guideline: Guideline) -> QuerySet[Adjudication]:
    """Adjudicated items whose disagreement was caused by a gap in the guideline, latest first."""
    gaps = Adjudication.objects.filter(
        reason=Adjudication.Reason.GUIDELINE_GAP, item__campaign__guideline=guideline
    )
    return gaps.select_related("item__campaign", "item__prompt", "guideline_version").order_by(
        "-at", "-pk"
    )
