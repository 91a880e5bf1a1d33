"""Formats of training data for TRL and OpenAI: messages; prompt and completion, also labeled and in
steps; prompt, chosen and rejected. Each as text or as chats.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from labeling.importers.drafts import (
    ImportDraft,
    Message,
    Reply,
    Unusable,
    compared,
    conversation,
    ends_with_user,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.shapes import reading, templated
from labeling.importers.shapes.reading import Marks, Row

_ANSWERS = ("completion", "messages", "completions")
_KNOWN = {
    "prompt",
    "question",
    "response",
    "chosen",
    "rejected",
    "score_chosen",
    "score_rejected",
    "completions",
    "labels",
    "input",
    "preferred_output",
    "non_preferred_output",
    *reading.MODELS,
    *_ANSWERS,
    *reading.SYSTEM_COLUMNS,
}


def _draft(line: int, row: Row) -> ImportDraft:
    if "question" in row and row.get("prompt") in (None, ""):  # as Orca DPO calls it
        row = {**row, "prompt": row["question"]}
    if "preferred_output" in row:
        return _openai_preference(line, row)
    if "chosen" in row or "rejected" in row:
        return _preference(line, row)
    author = reading.author_of(row)
    if "completions" in row:
        text, marks = _steps(row)
        # Which steps are right is no verdict on the answer as a whole.
        return ImportDraft(line, _prompt(row), (Reply(text, author=author, marks=marks),))
    marks, is_good = reading.marks_of(row)
    about: dict[str, Any] = {"is_human": is_good and not author, "author": author, "marks": marks}
    if "completion" in row:
        text = _reply(row["completion"], "completion")
        return ImportDraft(line, _prompt(row), (Reply(text, **about),))
    if "messages" in row:
        messages = reading.chat(row["messages"], "messages")
        if reading.is_unlearned(row["messages"]):
            about |= {"is_human": False, "marks": marks | {"weight": 0}}
        return reading.of_messages(line, messages, "messages", **about)
    return ImportDraft(line, _prompt(row))


def _preference(line: int, row: Row) -> ImportDraft:
    if row.get("prompt") is not None:
        prompt = _prompt(row)
        chosen, rejected = (_reply_to(prompt, row.get(name), name) for name in _PAIR)
        return _scored(compared(line, prompt, chosen, rejected), row)
    if not isinstance(row.get("chosen"), list):
        raise Unusable(
            _(
                "`prompt` is missing. Add it, or give `chosen` and `rejected` as whole"
                " conversations."
            )
        )
    first, second = (conversation(row.get(name), name) for name in _PAIR)
    for name, messages in zip(_PAIR, (first, second), strict=True):
        if messages[-1]["role"] != "assistant":
            raise Unusable(
                _("`%(name)s` does not end with a reply. Add one or remove this line.")
                % {"name": name}
            )
    if first[:-1] != second[:-1]:
        raise Unusable(
            _(
                "`chosen` and `rejected` differ before the last reply. They must be answers to the"
                " same prompt."
            )
        )
    return _scored(compared(line, first[:-1], first[-1]["content"], second[-1]["content"]), row)


_PAIR = ("chosen", "rejected")


def _scored(draft: ImportDraft, row: Row) -> ImportDraft:
    scores = [reading.number_of(row.get(f"score_{name}")) for name in _PAIR]
    replies = (
        replace(reply, marks={"score": score}) if score is not None else reply
        for reply, score in zip(draft.replies, scores, strict=True)
    )
    return replace(draft, replies=tuple(replies))


def _openai_preference(line: int, row: Row) -> ImportDraft:
    value = row.get("input")
    messages = conversation(value.get("messages") if isinstance(value, dict) else None, "input")
    preferred, other = (
        _reply(row.get(name), name) for name in ("preferred_output", "non_preferred_output")
    )
    return compared(line, ends_with_user(messages, "input"), preferred, other)


def _steps(row: Row) -> tuple[str, Marks]:
    steps, labels = row["completions"], row.get("labels")
    if not isinstance(steps, list) or not steps:
        raise Unusable(_("`completions` is not a list of steps. Fix or remove this line."))
    texts = [response_text(step, f"completions[{n}]") for n, step in enumerate(steps)]
    if not isinstance(labels, list) or len(labels) != len(texts):
        raise Unusable(
            _("`labels` must be a list of %(n)d values, one per step.") % {"n": len(texts)}
        )
    verdicts = [reading.verdict_of(label) for label in labels]
    if None in verdicts:
        raise Unusable(
            _("A label is “%(label)s”, but must be true or false.")
            % {"label": shown(labels[verdicts.index(None)])}
        )
    return "\n".join(texts), {"labels": verdicts}


def _prompt(row: Row) -> tuple[Message, ...]:
    value = row.get("prompt")
    if isinstance(value, list):
        return ends_with_user(conversation(value, "prompt"), "prompt")
    if isinstance(value, str) and (turns := templated.messages_in(value, "prompt")):
        return ends_with_user(turns, "prompt")
    return reading.with_system(row, one_prompt(value, "prompt"))


def _reply_to(prompt: tuple[Message, ...], value: object, name: str) -> str:
    """A reply, which may be given as the whole conversation that starts with the prompt."""
    if isinstance(value, list) and len(value) > 1:
        messages = conversation(value, name)
        if messages[-1]["role"] == "assistant" and messages[:-1] == prompt:
            return messages[-1]["content"]
    return _reply(value, name)


def _reply(value: object, name: str) -> str:
    """A reply's text, given as text or as a chat with one assistant message."""
    if not isinstance(value, list):
        return response_text(value, name)
    parts: Sequence[object] = value
    if len(parts) != 1 or not isinstance(parts[0], dict) or parts[0].get("role") != "assistant":
        raise Unusable(
            _(
                "`%(name)s` must be a single assistant message. Move what comes before it into"
                " `prompt`."
            )
            % {"name": name}
        )
    return response_text(parts[0].get("content"), f"{name}[0].content")


_SEVERAL = {"labels", "score_chosen", "score_rejected", *reading.MODELS}
read = reading.each(_draft, _KNOWN, answers=_ANSWERS, either=sorted(_KNOWN - _SEVERAL))
