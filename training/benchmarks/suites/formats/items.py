"""Rows of items.jsonl to drafts of items, checked by the suite's kind and scorer."""

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem
from labeling.importers.files import lines
from training.benchmarks.suites.drafts import ItemDraft
from training.benchmarks.suites.formats.kinds import KINDS, LM_EVAL, check_scorer
from training.benchmarks.suites.formats.manifest import Manifest
from training.benchmarks.suites.formats.problems import ItemLine, Notes, storage_problem

MAX_ITEMS = 20_000
MAX_KEY, MAX_CATEGORY, MAX_CLUSTER = 200, 100, 200


@dataclass(frozen=True)
class Row:
    """An item as its file has it, in the fields of items.jsonl."""

    line: int
    fields: dict[str, object]


def rows_of(content: bytes, notes: Notes) -> Iterator[Row]:
    """The objects of a file of JSON lines, split on the line feed only. Notes other lines."""
    for value in lines.json_values(io.BufferedReader(io.BytesIO(content))):
        if isinstance(value, ImportProblem):
            notes.add(value.line, value.sentence)
        elif isinstance(value.value, dict):
            yield Row(value.line, value.value)
        else:
            notes.add(value.line, _("This is not an object. Write one JSON object per line."))


def records_of(content: bytes, notes: Notes) -> Iterator[Row]:
    """The same for a file that may also be one JSON list of objects. Such rows have no line."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        yield from rows_of(content, notes)
        return
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        notes.add(0, _("Not JSON. Write one object per line, or one list of objects."))
        return
    for place, value in enumerate(values, start=1):
        if isinstance(value, dict):
            yield Row(0, value)
        else:
            words = _("Entry %(n)d of the list is not an object. Write only objects.")
            notes.add(0, words % {"n": place}, value)


def read(rows: Iterable[Row], manifest: Manifest, notes: Notes) -> tuple[ItemDraft, ...]:
    """The items. Notes what is wrong with them, all of it, by line."""
    items: list[ItemDraft] = []
    seen: dict[str, int] = {}
    for row in rows:
        if len(items) == MAX_ITEMS:
            notes.add(row.line, _("A suite has at most %(n)d items. Split it.") % {"n": MAX_ITEMS})
            break
        item = _item(ItemLine(notes, row.line, row.fields), manifest, len(items) + 1)
        if item.key and item.key in seen:
            notes.add(
                row.line,
                _("This id is already used in line %(line)d. Give each item its own.")
                % {"line": seen[item.key]},
                item.key,
            )
        seen.setdefault(item.key, row.line)
        items.append(item)
    if not items and not notes.n:
        notes.add(0, _("The file has no items. Add at least one."))
    return tuple(items)


def _item(line: ItemLine, manifest: Manifest, number: int) -> ItemDraft:
    if problem := storage_problem(line.row):
        line.wrong(problem)
        return ItemDraft(key="", prompt=())
    if manifest.kind == LM_EVAL:
        key = line.short("id", MAX_KEY) if _is_key(line.row.get("id")) else f"row-{number}"
        return ItemDraft(key=key, prompt=(), content=KINDS[LM_EVAL].content(line))
    kind = KINDS[manifest.kind]
    for name in kind.unknown(line.row):
        line.wrong(
            _("`%(name)s` is not a field of items of kind “%(kind)s”. Remove or rename it.")
            % {"name": name, "kind": manifest.kind},
            name,
        )
    key = line.short("id", MAX_KEY)
    if not key and line.row.get("id") in (None, ""):
        line.wrong(_("`id` is missing. Give each item its own."))
    content = kind.content(line)
    check_scorer(line, content, manifest.scorer, manifest.options)
    return ItemDraft(
        key=key,
        prompt=line.prompt(),
        content=content,
        category=line.short("category", MAX_CATEGORY),
        cluster=line.short("cluster", MAX_CLUSTER),
    )


def _is_key(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(str(value).strip())


def as_lines(rows: Iterable[Row]) -> bytes:
    """The rows as items.jsonl would have them, for the hash of a file of another shape."""
    return b"".join(
        json.dumps(row.fields, ensure_ascii=True, sort_keys=True).encode() + b"\n" for row in rows
    )
