"""Drafts and problems that a text parses to, for tests."""

import io
import json
from typing import Any

from labeling.importers import formats, votes
from labeling.importers.drafts import ImportDraft, ImportProblem


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
    return list(votes.read(io.BytesIO(content), io.BytesIO(rows(*pairs))))
