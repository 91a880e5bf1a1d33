"""Two answers to a prompt and which is better, as published sets and tables name them:
PKU-SafeRLHF, SHP, WebGPT, summarize_from_feedback, AlpacaEval, JudgeBench and their like.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.annotations import cells, legends, roles
from labeling.importers.drafts import (
    Found,
    ImportDraft,
    Reply,
    Unusable,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.files.lines import Value, Values
from labeling.importers.messages import ends_with_user
from labeling.importers.shapes import arena, chats, reading, templated, verdicts
from labeling.importers.shapes.reading import Row

_PROMPTS = ("prompt", "question", "instruction", "query", "history", "context", "userprompt")
_CONTEXTS = ("input", "context")
_STEMS = (
    *("response", "answer", "completion", "output", "humanref", "candidate", "generation", "reply"),
    *("result", "summary", "translation", "modelresponse", "modeloutput", "assistantresponse"),
)
_MODELS = ("model", "modelname", "modelid", "generator", "system", "policy")
_RATERS = ("annotator", "worker", "workerid", "rater", "raterid", "judge", "annotatorid")
_WINNERS = (
    *("winner", "preference", "preferred", "overallpreference", "choice", "chosen", "vote"),
    *("better", "best", "selected", "selection", "verdict", "judgment", "judgement", "label"),
)
_SURE = frozenset(_WINNERS) - {"label", "judgment", "judgement", "selection", "selected", "choice"}
"""Columns under whose name nothing else can be meant than the better answer."""
_BY_NUMBER: Mapping[str, Mapping[float, str]] = {
    "betterresponseid": {0: legends.FIRST, 1: legends.SECOND},  # PKU-SafeRLHF
    "labels": {1: legends.FIRST, 0: legends.SECOND},  # SHP
}


@dataclass(frozen=True)
class _Layout:
    """The headings of a row that is a pair."""

    prompt: str
    context: str
    sides: tuple[str, str]
    models: tuple[str, ...]
    """a column each; or one with both names"""
    rater: str
    verdicts: tuple[str, ...]
    """columns that may say which is better, the surest first"""

    @property
    def read(self) -> set[str]:
        return {self.prompt, self.context, *self.sides, *self.models, self.rater}


@lru_cache(maxsize=256)
def _layout(names: tuple[str, ...]) -> _Layout | None:
    by_name = {roles.compact(name): name for name in reversed(names)}
    pair = roles.sides(names, _STEMS)
    prompt = next((by_name[name] for name in _PROMPTS if name in by_name), "")
    if pair is None or not prompt:
        return None
    context = next((by_name[name] for name in _CONTEXTS if name in by_name), "")
    stated = [by_name[name] for name in ("betterresponseid", *_WINNERS) if name in by_name]
    stated += filter(roles.asks_for_better, names)
    if {"humanrefa", "labels"} <= by_name.keys():
        stated.insert(0, by_name["labels"])
    return _Layout(
        prompt,
        context if roles.compact(prompt) == "instruction" else "",
        pair,
        roles.sides(names, _MODELS) or _models(names, pair),
        next((by_name[name] for name in _RATERS if name in by_name), ""),
        tuple(name for name in stated if name not in pair),
    )


def _models(names: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    both = roles.named(roles.MODELS, names)
    return (both,) if both else tuple(f"{side}_source" for side in pair)


def _authors(row: Row, layout: _Layout) -> list[str]:
    """Raises Unusable."""
    if len(layout.models) == 1:
        value = row.get(layout.models[0])
        both = roles.two_models(value) if isinstance(value, str) else None
        return [name[: reading.MAX_AUTHOR] for name in both or ("", "")]
    return [
        str(row[name]) if isinstance(row.get(name), int) else reading.author_of(row, name)
        for name in layout.models
    ]


def is_pair(row: Row) -> bool:
    layout = _layout(tuple(row))
    return (
        layout is not None
        and isinstance(row[layout.prompt], str | list)
        and all(isinstance(row[side], str) for side in layout.sides)
    )


def _draft(line: int, row: Row) -> ImportDraft:
    layout = _layout(tuple(row))
    if layout is None:
        raise Unusable(
            _("The prompt or one of the two responses is missing. Add it or remove this line.")
        )
    texts = [response_text(row.get(side), side) for side in layout.sides]
    models = _authors(row, layout)
    if texts[0].strip() == texts[1].strip() and len(set(models)) < 2:
        raise Unusable(_("Both responses are the same. Fix or remove this line."))
    replies = tuple(Reply(text, author=model) for text, model in zip(texts, models, strict=True))
    draft = ImportDraft(line, _prompt(row, layout), replies, worker=_worker(row, layout))
    if sentence := verdicts.rejection(row):
        raise Unusable(sentence)
    name, meaning = _verdict(row, layout)
    ranks = arena.RANKS.get(meaning)
    if ranks is None:
        return draft
    ranked = tuple(replace(reply, rank=rank) for reply, rank in zip(replies, ranks, strict=True))
    strength = legends.strength_of(str(cells.only_answer(row.get(name))))
    return arena.judged(replace(draft, replies=ranked), strength)


def _prompt(row: Row, layout: _Layout) -> tuple[Message, ...]:
    value = row.get(layout.prompt)
    if isinstance(value, list):
        return ends_with_user(chats.chat(value, layout.prompt), layout.prompt)
    if isinstance(value, str) and (turns := templated.messages_in(value, layout.prompt)):
        return ends_with_user(turns, layout.prompt)
    messages = one_prompt(value, layout.prompt)
    context = row.get(layout.context)
    if isinstance(context, str) and context.strip():
        messages = one_prompt(f"{value}\n\n{context}", layout.prompt)
    return chats.with_system(row, messages)


def _worker(row: Row, layout: _Layout) -> str:
    rater = row.get(layout.rater)
    is_named = isinstance(rater, str | int) and not isinstance(rater, bool)
    return shown(rater)[: arena.MAX_WORKER] if is_named else ""


def _verdict(row: Row, layout: _Layout) -> tuple[str, str]:
    """(the column that says which is better, what it says); both empty if none does. Raises
    Unusable for one whose value cannot be understood.
    """
    for name in layout.verdicts:
        value = cells.only_answer(row.get(name))
        if value in (None, ""):
            continue
        meaning = _meaning(name, value, row, layout)
        if meaning or roles.compact(name) in _SURE or roles.asks_for_better(name):
            if meaning not in arena.RANKS:
                raise Unusable(_unclear(name, value))
            return name, meaning
    if layout.sides == ("answer_0", "answer_1"):  # WebGPT's raters score both
        scores = [reading.number_of(row.get(name)) for name in ("score_0", "score_1")]
        if scores[0] is not None and scores[1] is not None:
            meaning = legends.FIRST if scores[0] > scores[1] else legends.SECOND
            return "score_0", legends.TIE if scores[0] == scores[1] else meaning
    return "", ""


def _of_word(value: str, row: Row, layout: _Layout) -> str:
    """What a word says: by the headings of the two texts, the names of the models, else by itself.
    The second of response_0 and response_1 is not the first one.
    """
    models = _authors(row, layout)
    texts = [str(row.get(side)).strip() for side in layout.sides]
    if value.strip() in texts and texts[0] != texts[1]:
        return (legends.FIRST, legends.SECOND)[texts.index(value.strip())]
    for names in ([roles.compact(side) for side in layout.sides], models):
        if names[0] != names[1]:
            for name, meaning in zip(names, (legends.FIRST, legends.SECOND), strict=True):
                if name in (value, roles.compact(value)):
                    return meaning
    return legends.meaning_of(value)


def _meaning(name: str, value: object, row: Row, layout: _Layout) -> str:
    number = reading.number_of(value)
    if number is None:
        return _of_word(value, row, layout) if isinstance(value, str) else ""
    short = roles.compact(name)
    are_one_and_two = [side[-1:] for side in layout.sides] == ["1", "2"]
    if short in _SURE and short != "preference" and are_one_and_two and number in (1, 2):
        return legends.FIRST if number == 1 else legends.SECOND
    if short in _BY_NUMBER:
        return _BY_NUMBER[short].get(number, "")
    if short == "preference" and roles.compact(layout.sides[0]) == "output1" and 1 <= number <= 2:
        # AlpacaEval's is the probability that the second is better, plus one.
        return legends.TIE if number == 1.5 else legends.FIRST if number < 1.5 else legends.SECOND
    return ""


def _unclear(name: str, value: object) -> str:
    sentence = _(
        "`%(name)s` is “%(value)s”, which does not say which response is better. Write first,"
        " second, tie or both bad, or use Import answers, where you can say what it means."
    )
    return sentence % {"name": name, "value": shown(value)}


def _own(row: Row) -> Collection[str]:
    """The headings of this row that are read."""
    layout = _layout(tuple(row))
    if layout is None:
        return ()
    try:
        name, _meaning = _verdict(row, layout)
    except Unusable:
        return layout.read
    scores = {"score_0", "score_1"} if name == "score_0" else set()
    return layout.read | {name} | scores | set(filter(verdicts.is_review, row))


# Names that are looked for as they are, besides those that are compared as roles are.
reading.NAMES.update(
    *(("question", "info", "summaries", "choice", "worker"), ("response_j", "response_k")),
    *(("answer_0", "answer_1"), ("score_0", "score_1"), ("response_0", "response_1")),
    ("response_0_source", "response_1_source"),
)
_READ = reading.each(_draft, chats.SYSTEM_COLUMNS, own=_own)


# --- rows whose texts lie deeper ------------------------------------------------------------------


def read(values: Values) -> Found:
    return _READ(_unfolded(value) for value in values)


def _unfolded(value: Any) -> Any:
    if not isinstance(value, Value) or not isinstance(value.value, dict):
        return value
    return replace(value, value=flat(value.value))


def flat(row: Row) -> Row:
    """A row of WebGPT, summarize_from_feedback or stack-exchange-paired as one of texts."""
    for is_so, made in _DEEP:
        if is_so(row):
            return made(row)
    return row


def _of_webgpt(row: Row) -> Row:
    return {**row, "question": row["question"]["full_text"]}


def _of_summaries(row: Row) -> Row:
    info, (first, second) = row["info"], row["summaries"]
    rest = {name: row[name] for name in row if name not in ("info", "summaries", "choice")}
    more = {f"info.{name}": info[name] for name in info if name not in ("post", "article")}
    notes = {
        f"summaries[{n}].{name}": part[name]
        for n, part in enumerate((first, second))
        for name in part
        if name not in ("text", "policy") and part[name] is not None
    }
    return {
        "prompt": info.get("post") or info.get("article"),
        "summary_0": first.get("text"),
        "summary_1": second.get("text"),
        "policy_0": first.get("policy"),
        "policy_1": second.get("policy"),
        "better_response_id": row.get("choice"),
        **rest,
        **more,
        **notes,
    }


def _are_summaries(row: Row) -> bool:
    summaries = row.get("summaries")
    return (
        isinstance(row.get("info"), dict)
        and isinstance(summaries, list)
        and len(summaries) == 2
        and all(isinstance(summary, dict) for summary in summaries)
    )


def _of_paired(row: Row) -> Row:
    """The answer j is the one with more votes."""
    rest = {name: row[name] for name in row if name not in ("response_j", "response_k")}
    return {
        "response_1": row["response_j"],
        "response_2": row["response_k"],
        "winner": "first",
        **rest,
    }


_DEEP: tuple[tuple[Callable[[Row], bool], Callable[[Row], Row]], ...] = (
    (
        lambda row: isinstance(row.get("question"), dict) and "full_text" in row["question"],
        _of_webgpt,
    ),
    (_are_summaries, _of_summaries),
    (
        lambda row: {"response_j", "response_k"} <= row.keys() and "response_1" not in row,
        _of_paired,
    ),
)
