"""Which prompts, responses and judgments may be seen: what an unpublished import brought in may
not.
"""

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from labeling.models import Import

Row = TypeVar("Row", bound=Model)


def visible(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Prompts, responses or judgments, without those of an import that is not published."""
    return rows.filter(Q(import_batch=None) | Q(import_batch__state=Import.State.PUBLISHED))
