"""The distinct values of an indexed column, in as many steps as there are values: PostgreSQL and
SQLite read the whole column for SELECT DISTINCT.
"""

from django.db import connection
from django.db.models import Field, Model

# Each step asks the index for the next larger value ("loose index scan").
_NEXT = """
WITH RECURSIVE found(value) AS (
    SELECT min({column}) FROM {table} WHERE {column} > ''
    UNION ALL
    SELECT (SELECT min({column}) FROM {table} WHERE {column} > '' AND {column} > found.value)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL
"""


def distinct_values(model: type[Model], field: str) -> list[str]:
    """All values of a text field but the empty one, sorted as the database sorts. The field needs
    an index that begins with it.
    """
    quote = connection.ops.quote_name
    described = model._meta.get_field(field)
    assert isinstance(described, Field)
    assert described.column is not None
    column = quote(described.column)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT.format(column=column, table=quote(model._meta.db_table)))
        return [value for (value,) in cursor.fetchall()]
