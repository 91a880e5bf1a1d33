"""The seconds that count as work for pay, budgets and boards, as a database expression and as a
function.

If the browser measured active seconds, these count, but no more than the time the rater held the
item. Without a measurement, the time held counts, up to the campaign's lease. The same holds for
judged and for skipped items.
"""

from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, FloatField, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Least

from labeling.models import Judgment, PastLease


class _Seconds(Func):
    """The seconds from the second time to the first."""

    arity = 2
    arg_joiner = " - "
    template = "EXTRACT(EPOCH FROM (%(expressions)s))"
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((julianday(%(expressions)s)) * 86400)"
        return super().as_sql(
            compiler, connection, template=template, arg_joiner=") - julianday(", **context
        )


def judged_s() -> Case:
    """For a Judgment."""
    return _worked_s(Coalesce("corrected_at", "submitted_at"))


def skipped_s() -> Case:
    """For a PastLease that was skipped."""
    return _worked_s(F("ended_at"))


def skips(whose: Q) -> QuerySet[PastLease]:
    """Leases that ended with a skip. If the rater came back and answered after all, only the
    judgment counts.
    """
    answered = Judgment.versions_of_everyone.filter(lease=OuterRef("lease"))
    return PastLease.objects.filter(whose, ~Exists(answered), end=PastLease.End.SKIPPED)


def worked_s(
    *, active_s: float | None, leased_at: datetime | None, ended_at: datetime, lease_minutes: int
) -> float:
    """The same for one lease."""
    if leased_at is None:
        return active_s or 0.0
    held_s = (ended_at - leased_at).total_seconds()
    return min(60.0 * lease_minutes if active_s is None else active_s, held_s)


def _worked_s(ended_at: object) -> Case:
    held_s = _Seconds(ended_at, F("leased_at"))
    lease_s = F("campaign__lease_minutes") * Value(60.0)
    return Case(
        When(leased_at=None, then=Coalesce("active_s", 0.0)),
        When(active_s=None, then=Least(held_s, lease_s)),
        default=Least("active_s", held_s),
        output_field=FloatField(),
    )
