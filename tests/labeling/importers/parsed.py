"""Drafts and problems that a text parses to, for tests."""

import io
import json
from typing import Any

from labeling.importers import formats
from labeling.importers.annotations import cells, guessing, plans, reading
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import rows as file_rows
from labeling.importers.files.lines import Values


def found(content: bytes, file_format: str = "jsonl") -> list[ImportDraft | ImportProblem]:
    return list(formats.read(io.BytesIO(content), file_format))


def rows(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def only_problem(content: bytes, file_format: str = "jsonl") -> ImportProblem:
    [problem] = found(content, file_format)
    assert isinstance(problem, ImportProblem)
    return problem


def only_draft(content: bytes, file_format: str = "jsonl") -> ImportDraft:
    [draft] = found(content, file_format)
    assert isinstance(draft, ImportDraft)
    return draft


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def node(role: str, text: str, *replies: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "text": text, "replies": list(replies), **more}


def tree(root: dict[str, Any]) -> bytes:
    return rows({"message_tree_id": "t", "prompt": root})


PAIR = {"id": 4, "text": "Hi", "model_x": 1, "result_x": "Left", "model_y": 2, "result_y": ""}


def voted(content: bytes, *pairs: Any) -> list[ImportDraft | ImportProblem]:
    """What becomes of a table of votes on `pairs`."""
    texts = {str(pair["id"]): {name: cells.text(pair[name]) for name in pair} for pair in pairs}
    return answered(content, texts or None)


def answered(
    content: bytes,
    texts: Any = None,
    *,
    roles: dict[str, str] | None = None,
    legend: dict[str, str] | None = None,
) -> list[ImportDraft | ImportProblem]:
    """What becomes of a table of answers, whose columns are found by looking unless told."""

    def values() -> Values:
        for _name, _kind, found in file_rows.files(io.BytesIO(content)):
            yield from found

    own = list(reading.rows_of(values(), None, ""))
    of_texts = {name for row in (texts or {}).values() for name in row} - {
        name for row in own for name in row
    }
    seen = list(reading.rows_of(values(), texts, "id"))
    plan = plans.survey(seen, roles or guessing.guess(seen, of_texts), legend or {})
    return list(reading.read(values(), plan, texts))
