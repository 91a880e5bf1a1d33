"""How wide and how deep the rows of a file may be, whatever holds them. What follows looks at
columns in pairs and at values by recursion: a small file could keep it busy for hours.
"""

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem

MAX_COLUMNS = 4_000
"""Columns of a table, or fields of an object."""
_CONTAINERS = (dict, list)
MAX_DEPTH = 100
"""Lists and objects inside each other."""


def too_wide(line: int, n_columns: int) -> ImportProblem | None:
    """A problem if a row has too many columns."""
    if n_columns <= MAX_COLUMNS:
        return None
    sentence = _("%(n)d columns; the limit is %(limit)d. Remove the columns that are not needed.")
    return ImportProblem(line, sentence % {"n": n_columns, "limit": MAX_COLUMNS}, is_fatal=True)


def too_deep(line: int) -> ImportProblem:
    sentence = _("The JSON is nested too deeply. Flatten it or remove this line.")
    return ImportProblem(line, sentence)


def problem_of(line: int, value: object) -> ImportProblem | None:
    """What is wrong with the size of a row."""
    if isinstance(value, dict) and (problem := too_wide(line, len(value))):
        return problem
    return too_deep(line) if _is_deep(value) else None


def _is_deep(value: object) -> bool:
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, _CONTAINERS)
        ]
        if not level:
            return False
    return True
