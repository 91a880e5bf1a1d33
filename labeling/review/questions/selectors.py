"""Questions about items: open ones, answered ones, and a rater's own."""

from django.db.models import QuerySet

from labeling.access import on_withdrawn
from labeling.models import ItemQuestion, Rater


def questions(*, is_answered: bool) -> QuerySet[ItemQuestion]:
    """Open questions oldest first, answered ones newest first."""
    queryset = ItemQuestion.objects.filter(answered_at__isnull=not is_answered)
    order = ("-answered_at", "-pk") if is_answered else ("asked_at", "pk")
    return queryset.select_related(
        "rater", "item__campaign", "item__prompt", "answered_by", "owner"
    ).order_by(*order)


def questions_of(*, rater: Rater) -> QuerySet[ItemQuestion]:
    """Newest first."""
    return (
        ItemQuestion.objects.filter(rater=rater)
        .select_related("item__campaign", "item__prompt")
        .annotate(is_on_withdrawn=on_withdrawn("item__prompt"))
        .order_by("-asked_at", "-pk")
    )
