"""Rows of a snapshot of prompts, demonstrations or comparisons as documents, and the rows as a
recipe left them. No database.

A document is a distinct text with what it answers: an answer that three raters judged is read once,
and the decision holds for all rows that have it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.snapshots.contents.snapshot_card import Row, n_decided_pairs
from training.snapshots.curation.ledger import Curated
from training.snapshots.curation.rules import cleaning
from training.snapshots.curation.rules.documents import Document

# A control character that no rule takes for a word.
_BETWEEN = "\n\x1e\n"
Message = dict[str, str]


def documents(rows: Iterable[Row]) -> Iterator[Document]:
    """Each distinct document once, in the order of the rows."""
    seen: set[str] = set()
    for row in rows:
        for document in _documents(row):
            if document.key not in seen:
                seen.add(document.key)
                yield document


@dataclass(frozen=True)
class CuratedRows:
    """What a recipe did to the documents of rows."""

    curated: Curated
    removed: frozenset[str] = frozenset()
    kept: dict[str, Document | None] = field(default_factory=dict)
    """id → the document as the recipe changed it, None if it did not"""

    def left(self, rows: Iterable[Row], left_out: Counter[str]) -> Iterator[Row]:
        """The rows without what was removed. A row whose judgment came after the recipe ran is left
        out too.
        """
        for row in rows:
            ids = [document.key for document in _documents(row)]
            if any(
                response_id not in self.removed and response_id not in self.kept
                for response_id in ids
            ):
                left_out["new since the curation"] += 1
                continue
            remaining = self._without(row, ids)
            if remaining is None:
                left_out["removed by the recipe"] += 1
                continue
            yield remaining

    def _without(self, row: Row, ids: list[str]) -> Row | None:
        """The row without the texts that were removed; None if nothing is left to learn from."""
        stay = [response_id for response_id in ids if response_id not in self.removed]
        if not stay:
            return None
        content = dict(row.content)
        changed = [self.kept[response_id] for response_id in stay]
        if any(changed):
            _change(content, next(response_id for response_id in changed if response_id))
        if "responses" not in content:
            return replace(row, content=content)
        content["responses"] = [
            response if (left := self.kept[response_id]) is None else response | {"text": left.text}
            for response_id, response in zip(ids, content["responses"], strict=True)
            if response_id not in self.removed
        ]
        n_pairs = n_decided_pairs([response_id["rank"] for response_id in content["responses"]])
        return replace(row, content=content, n_pairs=n_pairs) if n_pairs else None


def curated_rows(work: Path, curated: Curated) -> CuratedRows:
    """Reads what the recipe decided in its folder."""
    removed = set()
    with (work / cleaning.LEDGER).open(encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            if entry["outcome"] == "removed":
                removed.add(entry["id"])
    kept = {key: None if document.key == key else document for key, document in cleaning.kept(work)}
    return CuratedRows(curated, frozenset(removed), kept)


def _documents(row: Row) -> list[Document]:
    """One for each text that is judged: the responses, the completion, or the last turn of a
    prompt.
    """
    turns = [message["content"] for message in row.content["prompt"]]
    sources = [", ".join(dict.fromkeys(row.sources))]
    if "responses" in row.content:
        sources = [str(response["source"]) for response in row.content["responses"]]
        texts = [str(response["text"]) for response in row.content["responses"]]
    elif "completion" in row.content:
        texts = [str(row.content["completion"][0]["content"])]
    else:
        texts, turns = turns[-1:], turns[:-1]
    about = {
        "licence": " AND ".join(sorted(row.licences - {""})),
        "author": row.rater or "",
        "context": _BETWEEN.join(turns),
    }
    return [
        Document(text, source=source, **about) for text, source in zip(texts, sources, strict=True)
    ]


def _change(content: dict[str, Any], left: Document) -> None:
    """Puts the changed texts in the place of the prompt's and the completion's."""
    prompt: list[Message] = content["prompt"]
    turns = left.context.split(_BETWEEN) if left.context else []
    if "completion" in content:
        content["completion"] = [content["completion"][0] | {"content": left.text}]
    elif "responses" not in content:
        turns.append(left.text)
    # A key that spans two turns was masked as one, and the turns cannot be told apart.
    if len(turns) == len(prompt):
        content["prompt"] = [
            message | {"content": turn} for message, turn in zip(prompt, turns, strict=True)
        ]
    else:
        content["prompt"] = [prompt[-1] | {"content": " ".join(turns)}]
