"""Votes of known workers between two responses: a CSV of votes, and JSON lines with the pairs they
refer to.

Votes have the columns id, worker and winner (left, right or tie); pairs have id, text, model_x,
result_x, model_y and result_y.
"""

from dataclasses import dataclass
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from labeling.importers.drafts import (
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    one_prompt,
    shown,
)
from labeling.importers.files import tables
from labeling.importers.files.lines import json_values, unpacked

_RANKS = {"left": (1, 2), "right": (2, 1), "tie": (1, 1)}
_COLUMNS = ("id", "worker", "winner")


@dataclass(frozen=True)
class Pair:
    """A prompt and two models' responses, the left one first."""

    prompt: str
    models: tuple[str, str]
    texts: tuple[str, str]


def read(votes: BinaryIO, pairs: BinaryIO) -> Found:
    """One compared draft per vote. The pairs are held in memory; the votes are streamed."""
    known: dict[str, Pair] = {}
    for found in json_values(unpacked(pairs)):
        try:
            if isinstance(found, ImportProblem):
                raise Unusable(found.sentence)
            name, pair = _pair(found.value)
            known[name] = pair
        except Unusable as error:
            yield ImportProblem(
                found.line, _("In the pairs file: %(sentence)s") % {"sentence": error.sentence}
            )
    for record in tables.read(unpacked(votes), needed=_COLUMNS):
        if isinstance(record, ImportProblem):
            yield record
            continue
        try:
            yield _draft(record.line, record.value, known)
        except Unusable as error:
            yield ImportProblem(record.line, error.sentence)


def _draft(line: int, row: dict[str, str], known: dict[str, Pair]) -> ImportDraft:
    pair = known.get(row["id"].strip())
    if pair is None:
        raise Unusable(
            _("No pair has the ID “%(id)s”. Add the pair or remove the vote.")
            % {"id": shown(row["id"])}
        )
    ranks = _RANKS.get(row["winner"].strip().lower())
    if ranks is None:
        raise Unusable(
            _("`winner` is “%(value)s”, but must be left, right or tie.")
            % {"value": shown(row["winner"])}
        )
    worker = row["worker"].strip()
    if not worker or len(worker) > 40:
        raise Unusable(
            _("`worker` is empty or longer than 40 characters. Name the voter or remove this line.")
        )
    replies = tuple(
        Reply(text, rank, author=model)
        for text, rank, model in zip(pair.texts, ranks, pair.models, strict=True)
    )
    return ImportDraft(
        line, one_prompt(pair.prompt, "text"), replies, is_compared=True, worker=worker
    )


def _pair(value: Any) -> tuple[str, Pair]:
    if not isinstance(value, dict) or not isinstance(value.get("id"), int | str):
        raise Unusable(_("This is not a pair: `id` is missing. Add it or remove this line."))
    models = (str(value.get("model_x")), str(value.get("model_y")))
    if models[0] == models[1]:
        raise Unusable(_("Both responses are from the same model. Fill in model_x and model_y."))
    texts = (_possibly_empty(value, "result_x"), _possibly_empty(value, "result_y"))
    return str(value["id"]), Pair(
        one_prompt(value.get("text"), "text")[0]["content"], models, texts
    )


def _possibly_empty(row: dict[str, Any], name: str) -> str:
    """A model's text, which may be empty: empty responses were voted on as well."""
    text = row.get(name)
    return (
        text
        if text == ""
        else (
            one_prompt(text, name)[0]["content"]
            if not isinstance(text, str) or text.strip()
            else ""
        )
    )
