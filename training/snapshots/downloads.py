"""The rows of a snapshot to take away: as frozen, with the licence of each text, and without what
people wrote who have withdrawn since.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from arithmetic.chats import PARTS
from labeling.access import withdrawn_prompts
from labeling.models import Judgment, Prompt, Response
from labeling.votes import counting
from training.models import Snapshot
from training.snapshots import freeze

Line = dict[str, Any]
CHUNK = 500
"""Rows in memory at a time, and in a row group of a Parquet file."""

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
# Calls and tools have any shape, so they are JSON in a string; TRL reads tools so too. `parts` has
# the messages of prompt and completion with all that they have, where that is more.
_JSON = [("tools", pa.string()), ("parts", pa.string())]
_ABOUT = [("id", pa.string()), ("prompt", _MESSAGES), *_JSON]
_LICENCES = [("prompt_licence", pa.string()), ("is_withheld", pa.bool_())]
_RESPONSE = pa.struct(
    [
        ("text", pa.string()),
        ("rank", pa.int64()),
        ("response", pa.int64()),
        ("source", pa.string()),
        ("is_ended", pa.bool_()),
        ("rating", pa.int64()),
        ("licence", pa.string()),
        ("reasoning_content", pa.string()),
        ("tool_calls", pa.string()),
    ]
)
_VERDICT = pa.struct([("version", pa.int64()), ("look", pa.int64()), ("confidence", pa.float64())])
SCHEMAS = {
    Snapshot.Kind.DEMONSTRATIONS: pa.schema(
        [
            *_ABOUT,
            ("completion", _MESSAGES),
            ("judgment", pa.int64()),
            ("response", pa.int64()),
            ("score", pa.float64()),
            ("is_ended", pa.bool_()),
            ("cluster", pa.string()),
            ("source", pa.string()),
            *_LICENCES,
            ("response_licence", pa.string()),
        ]
    ),
    Snapshot.Kind.COMPARISONS: pa.schema(
        [
            *_ABOUT,
            ("responses", pa.list_(_RESPONSE)),
            ("judgment", pa.int64()),
            ("rater", pa.string()),
            ("weight", pa.float64()),
            ("strength", pa.int64()),
            ("category", pa.string()),
            ("pool", pa.string()),
            ("cluster", pa.string()),
            *_LICENCES,
        ]
    ),
    Snapshot.Kind.UNPAIRED: pa.schema(
        [
            *_ABOUT,
            ("completion", _MESSAGES),
            ("label", pa.bool_()),
            ("label_from", pa.string()),
            ("is_ended", pa.bool_()),
            ("judgment", pa.int64()),
            ("response", pa.int64()),
            ("rater", pa.string()),
            ("weight", pa.float64()),
            ("category", pa.string()),
            ("pool", pa.string()),
            ("cluster", pa.string()),
            ("source", pa.string()),
            *_LICENCES,
            ("response_licence", pa.string()),
        ]
    ),
    Snapshot.Kind.PROMPTS: pa.schema([*_ABOUT, ("prompt_id", pa.int64()), *_LICENCES]),
    Snapshot.Kind.TEXT: pa.schema(
        [("id", pa.string()), ("text", pa.string()), ("source", pa.string())]
    ),
}


class UnableToDownload(Refusal):
    """The files are not on this machine, or have no such form; the text says so."""


def page(*, snapshot: Snapshot, split: str, skip: int, n: int) -> list[Line]:
    """At most `n` rows of a split after the first `skip`. Raises UnableToDownload."""
    folder = Path(settings.SNAPSHOTS_DIR) / snapshot.folder
    try:
        lines = freeze.rows(folder, split, skip=skip, n=n)
    except OSError as problem:
        raise UnableToDownload(_("The snapshot's files are not on this machine.")) from problem
    return _completed(lines) if snapshot.kind in _OF_PEOPLE else lines


def rows(*, snapshot: Snapshot, split: str) -> Iterator[Line]:
    """All rows of a split, without those that are withheld. Raises UnableToDownload at once, not
    at the first row.
    """
    path = Path(settings.SNAPSHOTS_DIR) / snapshot.folder / f"{split}.jsonl"
    if not path.is_file():
        raise UnableToDownload(_("The snapshot's files are not on this machine."))
    return _rows(path, snapshot)


def jsonl(lines: Iterable[Line]) -> Iterator[bytes]:
    for line in lines:
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def write_parquet(
    lines: Iterable[Line], *, kind: str, to: BinaryIO, has_verdicts: bool = False
) -> None:
    """`has_verdicts`: rows of judges name their version and look. Raises UnableToDownload for a
    kind whose rows have no common columns.
    """
    schema = SCHEMAS.get(Snapshot.Kind(kind))
    if schema is None:
        raise UnableToDownload(
            _("The rows of suites have no common columns. Download them as JSONL.")
        )
    if has_verdicts:
        schema = schema.append(pa.field("judge", _VERDICT))
    remaining = iter(lines)
    with pq.ParquetWriter(to, schema) as writer:
        while chunk := list(islice(remaining, CHUNK)):
            writer.write_table(pa.Table.from_pylist(list(map(_flat, chunk)), schema=schema))


def _flat(line: Line) -> Line:
    """The row with its calls and tools as JSON."""
    messages = {name: line[name] for name in ("prompt", "completion") if name in line}
    flat = line.copy()
    if any(message.keys() & {*PARTS} for turns in messages.values() for message in turns):
        flat["parts"] = json.dumps(messages, ensure_ascii=False)
    if "tools" in line:
        flat["tools"] = json.dumps(line["tools"], ensure_ascii=False)
    if "responses" in line:
        flat["responses"] = [
            response | {"tool_calls": json.dumps(response["tool_calls"], ensure_ascii=False)}
            if "tool_calls" in response
            else response
            for response in line["responses"]
        ]
    return flat


_OF_RATER = ("completion", "responses", "rater", "label")
_WITHHELD: Line = {"is_withheld": True}
_OF_PEOPLE = (
    *(Snapshot.Kind.DEMONSTRATIONS, Snapshot.Kind.COMPARISONS),
    *(Snapshot.Kind.UNPAIRED, Snapshot.Kind.PROMPTS),
)


def _rows(path: Path, snapshot: Snapshot) -> Iterator[Line]:
    with path.open("rb") as file:
        while chunk := [json.loads(line) for line in islice(file, CHUNK)]:
            completed = _completed(chunk) if snapshot.kind in _OF_PEOPLE else chunk
            yield from (line for line in completed if not line.get("is_withheld"))


@dataclass(frozen=True)
class _Known:
    """What the database knows about the ids in some rows."""

    judgments: dict[int, Judgment]
    responses: dict[int, Response]
    prompts: dict[int, Prompt]
    withdrawn: set[int]
    """responses of people who have withdrawn"""
    withdrawn_prompts: set[int]


def _completed(lines: list[Line]) -> list[Line]:
    known = _known(lines)
    return [_complete(line, known) for line in lines]


def _known(lines: list[Line]) -> _Known:
    judgments = Judgment.versions_of_everyone.select_related(
        "rater", "prompt", "import_batch__source", "demonstration__edit_of__source"
    )
    named = {line["response"] for line in lines if "response" in line}
    named |= {response["response"] for line in lines for response in line.get("responses", ())}
    by_pk = Response.objects.select_related("source", "prompt").in_bulk(named)
    judged = judgments.in_bulk({line["judgment"] for line in lines if "judgment" in line})
    prompts = Prompt.objects.in_bulk({line["prompt_id"] for line in lines if "prompt_id" in line})
    withdrawn = Response.objects.filter(counting.by_withdrawn(), pk__in=named)
    asked = {text.prompt_id for text in by_pk.values()}
    asked |= {judgment.prompt_id for judgment in judged.values()} | prompts.keys()
    asked_by_withdrawn = withdrawn_prompts().filter(pk__in=asked)
    return _Known(
        judged,
        by_pk,
        prompts,
        set(withdrawn.values_list("pk", flat=True)),
        set(asked_by_withdrawn.values_list("pk", flat=True)),
    )


def _complete(line: Line, known: _Known) -> Line:
    judgment = known.judgments.get(line.get("judgment", 0))
    written = known.responses.get(line.get("response", 0))
    answer = judgment or written
    prompt = answer.prompt if answer else known.prompts.get(line.get("prompt_id", 0))
    about: Line = {"prompt_licence": prompt.licence if prompt else "", "is_withheld": False}
    if prompt is not None and prompt.pk in known.withdrawn_prompts:
        line = line | {"prompt": []}
        return {name: line[name] for name in line.keys() - _OF_RATER} | about | _WITHHELD
    has_withdrawn = judgment is not None and judgment.rater.withdrawn_at is not None
    if has_withdrawn or line.get("response") in known.withdrawn:
        shown = {name: value for name, value in line.items() if name not in _OF_RATER}
        return shown | about | _WITHHELD
    if "completion" in line:
        about["response_licence"] = _licence(judgment, written)
    if "responses" in line:
        about["responses"] = [
            response | {"licence": known.responses[response["response"]].own_licence}
            for response in line["responses"]
            if response["response"] in known.responses
            and response["response"] not in known.withdrawn
        ]
    return line | about


def _licence(judgment: Judgment | None, written: Response | None) -> str:
    """Of a demonstration, or of the response that was taken as one; empty if it was written
    here.
    """
    if written is not None:
        return written.own_licence
    if judgment is None:
        return ""
    if judgment.import_batch is not None:
        named = judgment.presentation.get("licence")
        return str(named or judgment.import_batch.source.licence)
    original = judgment.demonstration.edit_of
    return original.own_licence if original else ""
