"""A mapping from a file's own headings to the names that importers read."""

from collections.abc import Collection, Mapping

from labeling.importers.drafts import ImportProblem
from labeling.importers.files.lines import Value, Values
from labeling.importers.shapes import verdicts

Columns = Mapping[str, str]
"""Name that is read → heading in the file."""

_REMEMBERED = 1_000
"""Names that need no other case; more of them than most files have."""
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
        named = of_table if value.heading else _in_row(columns, value.value)
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


def _in_row(columns: Columns, row: Mapping[str, object]) -> Columns:
    """The mapping with each heading as this row writes it."""
    by_case = {name.strip().lower(): name for name in reversed(list(row))}
    return {
        target: heading if heading in row else by_case.get(heading.strip().lower(), heading)
        for target, heading in columns.items()
    }


def known_in_any_case(values: Values, names: Collection[str]) -> Values:
    """The rows, with a heading such as “Prompt” as one of the `names`, as a table's is. One that
    stands beside the name itself keeps its own.
    """
    right: set[str] = set()
    for value in values:
        if isinstance(value, Value) and isinstance(value.value, dict) and not value.heading:
            if right.issuperset(value.value):
                yield value
                continue
            folded = [name.strip().lower() for name in value.value]
            is_right = [
                short not in names or name == short
                for name, short in zip(value.value, folded, strict=True)
            ]
            if all(is_right):
                # Rows have the same names as a rule; a file may have new ones in each row.
                right = right | value.value.keys() if len(right) < _REMEMBERED else set()
            else:
                once = {short for short in folded if folded.count(short) == 1 and short in names}
                row = {
                    (short if short in once else name): cell
                    for (name, cell), short in zip(value.value.items(), folded, strict=True)
                }
                value = Value(value.line, row, value.heading)
        yield value


def _reversed(label: object) -> object:
    """What a column such as `toxic` says of its answer: if it is true, the answer is bad."""
    word = str(label).strip().lower().removesuffix(".0")
    if word in ("true", "yes", "1"):
        return False
    return True if word in ("false", "no", "0") else label
