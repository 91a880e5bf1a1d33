"""ShareGPT and its relatives: `conversations` of turns with `from` and `value`."""

from labeling.importers.drafts import ImportDraft
from labeling.importers.shapes import reading
from labeling.importers.shapes.reading import Row

COLUMNS = ("conversations", "conversation")


def _draft(line: int, row: Row) -> ImportDraft:
    name = "conversations" if "conversations" in row else "conversation"
    messages = reading.with_system(row, reading.chat(row.get(name), name))
    marks, is_good = reading.marks_of(row)
    author = reading.author_of(row)
    if reading.is_unlearned(row.get(name)):
        is_good, marks = False, marks | {"weight": 0}
    return reading.of_messages(
        line, messages, name, is_human=is_good and not author, author=author, marks=marks
    )


read = reading.each(
    _draft,
    (*COLUMNS, *reading.MODELS, *reading.SYSTEM_COLUMNS),
    answers=COLUMNS,
    either=(*COLUMNS, *reading.SYSTEM_COLUMNS),
)
