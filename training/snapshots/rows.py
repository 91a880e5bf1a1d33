"""The rows of a snapshot as frozen, joined with the judgments and responses in the database."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict

from django.conf import settings

from arithmetic import answer_parts
from arithmetic.chats import Message, Tool, ToolCall
from labeling.access import on_withdrawn, withdrawn_prompts
from labeling.models import Judgment, Response, Source
from labeling.votes import counting
from training.models import Snapshot, TrainedModel
from training.snapshots import freeze
from training.verdicts import look_names
from training.verdicts.look_names import NamedLook


class RankedLine(TypedDict):
    """A response in a line of comparisons."""

    text: str
    rank: int | None
    response: int
    rating: NotRequired[int]
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCall]]


class VerdictLine(TypedDict):
    """What a line of a judge's verdict says of it: ids of its version and of the look."""

    version: int
    look: int | None
    confidence: float


class SnapshotLine(TypedDict, total=False):
    """A line of a snapshot's file, of any kind: `completion` in demonstrations and, with `label`,
    in good and bad responses, `responses` in comparisons, `text` in documents, `key` and `row` in
    suites.
    """

    id: str
    prompt: list[Message]
    tools: list[Tool]
    prompt_id: int
    judgment: int
    response: int
    source: str
    weight: float
    score: float
    label: bool
    completion: list[Message]
    responses: list[RankedLine]
    text: str
    key: str
    row: dict[str, object]
    judge: VerdictLine


@dataclass(frozen=True)
class RowResponse:
    """A response in a row, its thinking and calls as text. `source` says who wrote it; `model` is
    set if a model did.
    """

    text: str
    rank: int | None = None
    rating: int | None = None
    source: str = ""
    model: TrainedModel | None = None
    label: bool | None = None
    """whether somebody called it good"""


@dataclass(frozen=True)
class FrozenRow:
    """A row of a snapshot. `is_withheld`: its rater has withdrawn, so their answers are
    not shown, or who wrote its prompt has, so nothing is.
    """

    name: str
    messages: list[Message]
    answers: list[RowResponse] = field(default_factory=list)
    judgment: Judgment | None = None
    prompt_id: int | None = None
    weight: float | None = None
    score: float | None = None
    verdict: VerdictLine | None = None
    """None unless a judge made it"""
    look: NamedLook | None = None
    """which allowed the verdict"""
    text: str = ""
    """of a document for pretraining"""
    is_withheld: bool = False


@dataclass(frozen=True)
class _Known:
    """What the database knows about the ids on a page."""

    judgments: Mapping[int, Judgment]
    responses: Mapping[int, Response]
    models: dict[int, TrainedModel]
    withdrawn_prompts: set[int]
    """of the lines of a snapshot of prompts; judgments and responses say it of theirs"""
    looks: dict[int, NamedLook]


def frozen_rows(*, snapshot: Snapshot, split: str, skip: int, n: int) -> list[FrozenRow] | None:
    """At most `n` rows of a split after the first `skip`; None if the files are not on this
    machine.
    """
    try:
        lines = freeze.rows(Path(settings.SNAPSHOTS_DIR) / snapshot.folder, split, skip=skip, n=n)
    except OSError:
        return None
    if snapshot.kind == Snapshot.Kind.SUITES:
        return [_suite_item(line) for line in lines]
    known = _known(lines)
    return [_row(line, known) for line in lines]


def _suite_item(line: SnapshotLine) -> FrozenRow:
    """An item of a suite: its prompt, or the record of a task of lm-evaluation-harness."""
    record = line.get("row")
    text = json.dumps(record, ensure_ascii=False, indent=1) if record else ""
    return FrozenRow(name=line["key"], messages=line["prompt"], text=text)


def _known(lines: Iterable[SnapshotLine]) -> _Known:
    judgments = {line["judgment"] for line in lines if "judgment" in line}
    responses = {answer["response"] for line in lines for answer in line.get("responses", [])}
    responses |= {line["response"] for line in lines if "response" in line}
    of_raters = Judgment.versions_of_everyone.select_related(
        "rater", "campaign", "guideline_version__guideline", "comparison"
    )
    written = Response.objects.select_related("source").annotate(
        is_by_withdrawn=counting.by_withdrawn(), is_on_withdrawn=on_withdrawn("prompt")
    )
    by_pk = written.in_bulk(responses)
    sources = {response.source_id for response in by_pk.values()}
    models = {
        model.source_id or 0: model for model in TrainedModel.objects.filter(source__in=sources)
    }
    judged = of_raters.annotate(is_on_withdrawn=on_withdrawn("prompt")).in_bulk(judgments)
    asked = {line["prompt_id"] for line in lines if "prompt_id" in line}
    withdrawn = withdrawn_prompts().filter(pk__in=asked).values_list("pk", flat=True)
    looks = {line["judge"]["look"] or 0 for line in lines if "judge" in line} - {0}
    named = look_names.named(looks=looks) if looks else {}
    return _Known(judged, by_pk, models, set(withdrawn), named)


def _row(line: SnapshotLine, known: _Known) -> FrozenRow:
    judgment, verdict = known.judgments.get(line.get("judgment", 0)), line.get("judge")
    written = known.responses.get(line.get("response", 0))
    prompt_id = (
        line.get("prompt_id")
        or (judgment and judgment.prompt_id)
        or (written and written.prompt_id)
    )
    answer = judgment or written
    is_asked_by_withdrawn = prompt_id in known.withdrawn_prompts or (
        answer is not None and answer.is_on_withdrawn  # type: ignore[union-attr]  # annotated
    )
    is_withheld = (
        is_asked_by_withdrawn
        or (written is not None and written.is_by_withdrawn)  # type: ignore[attr-defined]
        or (judgment is not None and judgment.rater.withdrawn_at is not None)
    )
    return FrozenRow(
        name=str(line["id"]),
        messages=[] if is_asked_by_withdrawn else line.get("prompt", []),
        answers=[] if is_withheld else _answers(line, known),
        judgment=judgment,
        prompt_id=None if is_asked_by_withdrawn else prompt_id or None,
        weight=line.get("weight"),
        score=line.get("score"),
        verdict=verdict,
        look=known.looks.get((verdict and verdict["look"]) or 0),
        text=line.get("text", ""),
        is_withheld=is_withheld,
    )


def _answers(line: SnapshotLine, known: _Known) -> list[RowResponse]:
    """Best first; unranked responses last."""
    if "completion" in line:
        model = _model_of(line.get("response", 0), known)
        return [
            RowResponse(
                answer_parts.whole(turn),
                source=line["source"],
                model=model,
                label=line.get("label"),
            )
            for turn in line["completion"]
        ]
    answers = [
        _ranked(row, known)
        for row in line.get("responses", [])
        if not getattr(known.responses.get(row["response"]), "is_by_withdrawn", False)
    ]
    return sorted(answers, key=lambda answer: (answer.rank is None, answer.rank or 0))


def _ranked(shown: RankedLine, known: _Known) -> RowResponse:
    response = known.responses.get(shown["response"])
    return RowResponse(
        answer_parts.whole(shown),
        shown["rank"],
        shown.get("rating"),
        _source_of(response),
        _model_of(shown["response"], known),
    )


def _source_of(response: Response | None) -> str:
    """For a person only that it was a person."""
    if response is None:
        return ""
    is_person = response.source.kind == Source.Kind.PERSON
    return str(response.source.get_kind_display()) if is_person else response.source.name


def _model_of(response_id: int, known: _Known) -> TrainedModel | None:
    response = known.responses.get(response_id)
    return known.models.get(response.source_id) if response else None
