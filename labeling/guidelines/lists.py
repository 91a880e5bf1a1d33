"""Lists of guidelines and their versions for admins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, QuerySet

from labeling.models import Campaign, Guideline, GuidelineVersion


@dataclass(frozen=True)
class GuidelineRow:
    guideline: Guideline
    n_versions: int
    last_at: datetime | None
    n_campaigns: int


def guideline_rows(*, guidelines: Iterable[Guideline]) -> list[GuidelineRow]:
    """A row for each of `guidelines`, with two more queries in total."""
    shown = list(guidelines)
    versions = {
        row["guideline_id"]: row
        for row in (
            GuidelineVersion.objects.filter(guideline__in=shown)
            .order_by()
            .values("guideline_id")
            .annotate(n=Count("pk"), last_at=Max("created_at"))
        )
    }
    campaigns = dict(
        Campaign.objects.filter(guideline__in=shown)
        .values_list("guideline_id")
        .annotate(n=Count("pk"))
    )
    return [
        GuidelineRow(
            guideline=guideline,
            n_versions=versions[guideline.pk]["n"] if guideline.pk in versions else 0,
            last_at=versions[guideline.pk]["last_at"] if guideline.pk in versions else None,
            n_campaigns=campaigns.get(guideline.pk, 0),
        )
        for guideline in shown
    ]


def guideline_versions(*, guideline: Guideline) -> list[GuidelineVersion]:
    """Newest first; there is always at least one."""
    return list(guideline.versions.select_related("created_by").order_by("-number"))


def campaigns_of_guideline(*, guideline: Guideline) -> QuerySet[Campaign]:
    return guideline.campaigns.select_related("guideline_version").order_by("name")
