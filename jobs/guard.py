"""Changes of a row under a condition, in place of a lock."""

from django.db.models import Model, QuerySet


def update_one(rows: QuerySet[Model, object], **changes: object) -> bool:
    """Changes the row that `rows` selects by its id and by what must be true of it, such as a
    state. False: it is true no longer, because somebody else was first.
    """
    return rows.update(**changes) == 1
