"""Queries for suites."""

from django.db.models import QuerySet

from training.models import Suite

RETIRED = "retired"


def suites(*, shown: str = "") -> QuerySet[Suite]:
    """By area and name, newest version first. `shown` is an area, “retired”, or "" for all that
    runs are offered.
    """
    found = Suite.objects.select_related("created_by").order_by("area", "name", "-pk")
    if shown == RETIRED:
        return found.exclude(retired_at=None)
    offered = found.filter(retired_at=None)
    return offered.filter(area=shown) if shown else offered


def versions(*, suite: Suite) -> list[Suite]:
    """All versions of it, newest first."""
    return list(Suite.objects.filter(slug=suite.slug).order_by("-pk"))
