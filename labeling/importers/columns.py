"""A mapping from a file's own headings to the names that importers read."""

from collections.abc import Mapping

from labeling.importers.drafts import ImportProblem
from labeling.importers.files.lines import Value, Values
from labeling.importers.shapes import verdicts

Columns = Mapping[str, str]
"""Name that is read → heading in the file."""

TARGETS = (
    "prompt",
    "response",
    "chosen",
    "rejected",
    "model",
    "label",
    "system",
    "category",
    "language",
    "licence",
)
"""The names that a column can be mapped to. `response` and the pair of `chosen` and `rejected` are
two shapes; see labeling.importers.formats.
"""


def renamed(values: Values, columns: Columns) -> Values:
    """The rows with their columns renamed. A mapped column loses its own name, so that it is not
    read twice.
    """
    if not columns:
        yield from values
        return
    # A table's headings are read in lower case.
    of_table = {target: heading.strip().lower() for target, heading in columns.items()}
    for value in values:
        if isinstance(value, ImportProblem) or not isinstance(value.value, dict):
            yield value
            continue
        named = of_table if value.heading else columns
        taken = {*named.values(), *named}
        row = {name: cell for name, cell in value.value.items() if name not in taken}
        row |= {
            target: value.value[heading]
            for target, heading in named.items()
            if heading in value.value
        }
        if verdicts.is_negative(named.get("label", "")) and "label" in row:
            row["label"] = _reversed(row["label"])
        yield Value(value.line, row, value.heading)


def _reversed(label: object) -> object:
    """What a column such as `toxic` says of its answer: if it is true, the answer is bad."""
    word = str(label).strip().lower().removesuffix(".0")
    if word in ("true", "yes", "1"):
        return False
    return True if word in ("false", "no", "0") else label
