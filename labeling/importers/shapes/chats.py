"""Conversations in a row: lists of messages with any of the usual names for the sides, and the
system message of the row's own column.
"""

from collections.abc import Mapping
from typing import Any

from arithmetic.chats import Message
from labeling.importers.drafts import (
    ROLES,
    ImportDraft,
    Reply,
    response_text,
)
from labeling.importers.messages import (
    OF_TOOLS,
    THINKING,
    conversation,
    ends_with_user,
    one_message,
)

Row = Mapping[str, Any]
ANSWER_PARTS = ("tool_calls", *THINKING)
SYSTEM_COLUMNS = ("system", "system_prompt")


def of_messages(line: int, messages: tuple[Message, ...], name: str, **about: Any) -> ImportDraft:
    """A prompt and, if a conversation ends with a reply, its answer; `about` describes the
    answer.
    """
    if messages[-1]["role"] != "assistant":
        return ImportDraft(line, ends_with_user(messages, name))
    return ImportDraft(line, messages[:-1], (Reply.of(messages[-1], **about),))


def reply_in(entry: Row, name: str, **about: Any) -> Reply:
    """An answer that an object has under `text`, with its thinking and tool calls."""
    parts = {key: entry[key] for key in ANSWER_PARTS if entry.get(key)}
    if not parts:
        return Reply(response_text(entry.get("text"), f"{name}.text"), **about)
    message = {"role": "assistant", "content": entry.get("text"), **parts}
    return Reply.of(one_message(message, name), **about)


def chat(value: object, name: str) -> tuple[Message, ...]:
    """A list of messages with any of the usual names for the sides and their text."""
    if isinstance(value, list):
        value = [as_message(part) for part in value]
    return conversation(value, name)


_SIDES = {
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "observation": "tool",
    "function_response": "tool",
    "ipython": "tool",
}
_KNOWN_SIDES = {*ROLES, *OF_TOOLS, "developer"}


def is_unlearned(messages: object) -> bool:
    """Whether the last message has weight 0, as replies that must not be learned have in OpenAI's
    files and others.
    """
    last = messages[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, dict) and last.get("weight") == 0


def as_message(part: object) -> object:
    """A message with `role` and `content`, whatever they are called."""
    if not isinstance(part, dict):
        return part
    side = part.get("role", part.get("from"))
    content = part.get("content", part.get("value", part.get("text")))
    if side == "function_call":
        return {"role": "assistant", "content": None, "function_call": content}
    role = _SIDES.get(side.lower(), side.lower()) if isinstance(side, str) else side
    return {**part, "role": role if role in _KNOWN_SIDES else side, "content": content}


def with_system(row: Row, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages after the system message of the row's own column, if it has one."""
    for name in SYSTEM_COLUMNS:
        text = row.get(name)
        if isinstance(text, str) and text.strip() and messages[0]["role"] != "system":
            return conversation([{"role": "system", "content": text}, *messages], name)
    return messages
