"""Queries for suites."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from training.models import Suite, SuiteItem

RETIRED = "retired"


def suites(*, shown: str = "") -> QuerySet[Suite]:
    """By area and name, newest version first. `shown` is an area, “retired”, or "" for all that
    runs are offered.
    """
    queryset = Suite.objects.select_related("created_by").order_by("area", "name", "-pk")
    if shown == RETIRED:
        return queryset.exclude(retired_at=None)
    offered = queryset.filter(retired_at=None)
    return offered.filter(area=shown) if shown else offered


def with_goals() -> QuerySet[Suite]:
    """Those offered that have an item which a model should refuse."""
    wanted = SuiteItem.objects.filter(suite=OuterRef("pk"), content__wants="refuses")
    written = suites().filter(kind=Suite.Kind.GENERATE)
    return written.filter(Exists(wanted) | Q(options__wants="refuses"))


def versions(*, suite: Suite) -> list[Suite]:
    """All versions of it, newest first."""
    return list(Suite.objects.filter(slug=suite.slug).order_by("-pk"))
