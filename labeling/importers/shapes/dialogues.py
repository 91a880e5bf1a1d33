"""ShareGPT and its relatives: `conversations` of turns with `from` and `value`."""

from labeling.importers.drafts import ImportDraft
from labeling.importers.shapes import chats, reading
from labeling.importers.shapes.reading import Row

COLUMNS = ("conversations", "conversation")


def _draft(line: int, row: Row) -> ImportDraft:
    name = "conversations" if "conversations" in row else "conversation"
    messages = chats.with_system(row, chats.chat(_turns(row.get(name)), name))
    marks, is_good = reading.marks_of(row)
    author = reading.author_of(row)
    if chats.is_unlearned(row.get(name)):
        is_good, marks = False, marks | {"weight": 0}
    return chats.of_messages(
        line, messages, name, is_human=is_good and not author, author=author, marks=marks
    )


def _turns(value: object) -> object:
    """Texts that alternate, as LIMA has them, and pairs of input and output, as Capybara's, as
    turns.
    """
    if not isinstance(value, list) or not value:
        return value
    if all(isinstance(part, dict) and {"input", "output"} <= part.keys() for part in value):
        value = [part[side] for part in value for side in ("input", "output")]
    if not all(isinstance(part, str) for part in value):
        return value
    sides = ("user", "assistant")
    return [{"role": sides[n % 2], "content": text} for n, text in enumerate(value)]


read = reading.each(
    _draft,
    (*COLUMNS, *reading.MODELS, *chats.SYSTEM_COLUMNS),
    answers=COLUMNS,
    either=(*COLUMNS, *chats.SYSTEM_COLUMNS),
)
