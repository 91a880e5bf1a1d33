"""Rows with a better and a worse answer: TRL's and OpenAI's preferences and their relatives."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers import calls
from labeling.importers.drafts import (
    ImportDraft,
    Reply,
    Unusable,
    compared,
    one_prompt,
    response_text,
)
from labeling.importers.messages import conversation, ends_with_user, one_message
from labeling.importers.shapes import chats, reading, templated
from labeling.importers.shapes.reading import Row

PAIR = ("chosen", "rejected")
_TEXTS = ("prompt", "question", "instruction", "input")
_CHATS = ("messages", "conversations", "conversation")
_SCORES = ("score_{}", "{}_score", "rating_{}", "{}_rating", "{}-rating")
_MODELS = ("{}_model", "{}-model", "model_{}")
ABOUT_REPLIES = (
    "models",
    *(name.format(side) for name in (*_SCORES, *_MODELS) for side in PAIR),
)
COLUMNS = (
    *(*PAIR, *_TEXTS, *_CHATS, *ABOUT_REPLIES),
    *("preferred_output", "non_preferred_output"),
)


def of_row(line: int, row: Row) -> ImportDraft:
    prompt = _prompt(row)
    if prompt is None:
        prompt, replies = _with_shared_turns(row)
    elif all(_are_texts(row.get(name)) for name in PAIR):
        return _several(line, prompt, row)
    else:
        replies = [_reply_to(prompt, row.get(name), name) for name in PAIR]
    draft = compared(line, prompt, *replies)
    return _with_details(draft, row)


def of_openai(line: int, row: Row) -> ImportDraft:
    value = row.get("input")
    messages = conversation(value.get("messages") if isinstance(value, dict) else None, "input")
    preferred, other = (
        reply_in(row.get(name), name) for name in ("preferred_output", "non_preferred_output")
    )
    draft = compared(line, ends_with_user(messages, "input"), preferred, other)
    tools = value.get("tools") if isinstance(value, dict) else None
    return replace(draft, tools=calls.tools(tools, "input.tools")) if tools else draft


def _prompt(row: Row) -> tuple[Message, ...] | None:
    """The prompt, under the first of its names that has a text; None if the row has none."""
    for name in _TEXTS:
        value = row.get(name)
        if value in (None, "", []) or (name == "input" and not isinstance(value, str | list)):
            continue
        if isinstance(value, list):
            return ends_with_user(chats.chat(value, name), name)
        if isinstance(value, str) and (turns := templated.messages_in(value, name)):
            return ends_with_user(turns, name)
        if name == "instruction" and isinstance(row.get("input"), str) and row["input"].strip():
            value = f"{value}\n\n{row['input']}"
        return chats.with_system(row, one_prompt(value, name))
    for name in _CHATS:
        turns = row.get(name)
        if isinstance(turns, list) and turns:
            messages = chats.with_system(row, chats.chat(turns, name))
            is_prompt = messages[-1]["role"] == "user"
            # Whole conversations with the better answer repeat what `chosen` has.
            return messages if is_prompt else None
    return None


def _with_shared_turns(row: Row) -> tuple[tuple[Message, ...], list[Reply]]:
    """The prompt that two whole conversations share, and their last replies."""
    if not isinstance(row.get("chosen"), list):
        raise Unusable(
            _(
                "`prompt` is missing. Add it, or give `chosen` and `rejected` as whole"
                " conversations."
            )
        )
    first, second = (chats.chat(row.get(name), name) for name in PAIR)
    for name, messages in zip(PAIR, (first, second), strict=True):
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
    return chats.with_system(row, first[:-1]), [Reply.of(first[-1]), Reply.of(second[-1])]


# --- several good or bad answers ------------------------------------------------------------------


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(t, str) for t in value)


def _several(line: int, prompt: tuple[Message, ...], row: Row) -> ImportDraft:
    """Lists of good and of bad answers, as RewardBench 2 has them: all good ones tie before all bad
    ones. Its `models` are in the same order.
    """
    texts = [
        (rank, response_text(text, f"{name}[{n}]"))
        for rank, name in enumerate(PAIR, start=1)
        for n, text in enumerate(row[name])
    ]
    models = row.get("models")
    named = models if isinstance(models, list) and len(models) == len(texts) else [""] * len(texts)
    replies = tuple(
        Reply(text, rank, author=reading.author_of({"model": model}))
        for (rank, text), model in zip(texts, named, strict=True)
    )
    if {reply.text.strip() for reply in replies if reply.rank == 1} & {
        reply.text.strip() for reply in replies if reply.rank != 1
    }:
        raise Unusable(_("A text is both in `chosen` and in `rejected`. Remove one of them."))
    return ImportDraft(line, prompt, replies, is_compared=True)


# --- replies --------------------------------------------------------------------------------------


def _with_details(draft: ImportDraft, row: Row) -> ImportDraft:
    """Each reply with its score and the model that wrote it."""
    replies = []
    for side, reply in zip(PAIR, draft.replies, strict=True):
        scores = (reading.number_of(row.get(name.format(side))) for name in _SCORES)
        score = next((score for score in scores if score is not None), None)
        author = reading.author_of(row, *(name.format(side) for name in _MODELS))
        marks: dict[str, Any] = {} if score is None else {"score": score}
        replies.append(replace(reply, marks=marks, author=author))
    return replace(draft, replies=tuple(replies))


def _reply_to(prompt: tuple[Message, ...], value: object, name: str) -> Reply:
    """A reply, which may be given as the whole conversation that starts with the prompt."""
    if isinstance(value, list) and len(value) > 1:
        messages = chats.chat(value, name)
        if messages[-1]["role"] == "assistant" and _without_system(messages[:-1]) == (
            _without_system(prompt)
        ):
            return Reply.of(messages[-1])
    return reply_in(value, name)


def _without_system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(message for message in messages if message["role"] != "system")


def reply_in(value: object, name: str) -> Reply:
    """A reply, given as text, as one message or as a chat with one assistant message."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return Reply(response_text(value, name))
    parts: Sequence[object] = [chats.as_message(part) for part in value]
    if len(parts) != 1 or not isinstance(parts[0], dict) or parts[0].get("role") != "assistant":
        raise Unusable(
            _(
                "`%(name)s` must be a single assistant message. Move what comes before it into"
                " `prompt`."
            )
            % {"name": name}
        )
    return Reply.of(one_message(parts[0], f"{name}[0]"))
