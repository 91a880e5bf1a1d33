"""Items on which raters disagreed because the guideline does not say what to do."""

from django.db.models import QuerySet

from labeling.models import Adjudication, Guideline


def guideline_gaps(*, guideline: Guideline) -> QuerySet[Adjudication]:
    """Items that raters could not agree on because the guideline left them alone, the latest
    first.
    """
    gaps = Adjudication.objects.filter(
        reason=Adjudication.Reason.GUIDELINE_GAP, item__campaign__guideline=guideline
    )
    return gaps.select_related("item__campaign", "item__prompt", "guideline_version").order_by(
        "-at", "-pk"
    )
