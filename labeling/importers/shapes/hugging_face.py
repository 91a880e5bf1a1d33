"""Formats of training data for TRL and OpenAI: messages; prompt and completion, also labeled and in
steps; prompt, chosen and rejected. Each as text or as chats.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.drafts import (
    ImportDraft,
    Reply,
    Unusable,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.messages import conversation, ends_with_user
from labeling.importers.shapes import chats, preferences, reading, templated
from labeling.importers.shapes.reading import Marks, Row

_ANSWERS = ("completion", "messages", "completions")
_KNOWN = {
    "prompt",
    "response",
    "completions",
    "labels",
    *preferences.COLUMNS,
    *reading.MODELS,
    *_ANSWERS,
    *chats.SYSTEM_COLUMNS,
}


def _draft(line: int, row: Row) -> ImportDraft:
    if "preferred_output" in row:
        return preferences.of_openai(line, row)
    if "chosen" in row or "rejected" in row:
        return preferences.of_row(line, row)
    if "question" in row and row.get("prompt") in (None, ""):
        row = {**row, "prompt": row["question"]}
    author = reading.author_of(row)
    if "completions" in row:
        text, marks = _steps(row)
        # Which steps are right is no verdict on the answer as a whole.
        return ImportDraft(line, _prompt(row), (Reply(text, author=author, marks=marks),))
    marks, is_good = reading.marks_of(row)
    about: dict[str, Any] = {"is_human": is_good and not author, "author": author, "marks": marks}
    if "completion" in row:
        return _completed(line, _prompt(row), row["completion"], about)
    if "messages" in row:
        messages = chats.chat(row["messages"], "messages")
        if chats.is_unlearned(row["messages"]):
            about |= {"is_human": False, "marks": marks | {"weight": 0}}
        return chats.of_messages(line, messages, "messages", **about)
    return ImportDraft(line, _prompt(row))


def _completed(
    line: int, prompt: tuple[Message, ...], completion: object, about: Mapping[str, Any]
) -> ImportDraft:
    """A prompt and its answer. What an agent did before it answered belongs to the prompt."""
    if isinstance(completion, list) and len(completion) > 1:
        messages = conversation([*prompt, *map(chats.as_message, completion)], "completion")
        if messages[-1]["role"] == "assistant" and "tool" in [m["role"] for m in messages]:
            return chats.of_messages(line, messages, "completion", **about)
    reply = preferences.reply_in(completion, "completion")
    return ImportDraft(line, prompt, (replace(reply, **about),))


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
    return chats.with_system(row, one_prompt(value, "prompt"))


_ABOUT_REPLIES = {"labels", *preferences.ABOUT_REPLIES, *reading.MODELS}
read = reading.each(_draft, _KNOWN, answers=_ANSWERS, either=sorted(_KNOWN - _ABOUT_REPLIES))
