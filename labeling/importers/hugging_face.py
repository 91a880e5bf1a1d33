"""Formats of Hugging Face training data: messages; prompt and completion; prompt, chosen and
rejected; as text or as chats.
"""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from labeling.importers.drafts import (
    Found,
    ImportDraft,
    ImportProblem,
    Message,
    Reply,
    Unusable,
    compared,
    conversation,
    drafted,
    ends_with_user,
    one_prompt,
    response_text,
)
from labeling.importers.lines import json_values


def read(stream: BinaryIO) -> Found:
    for found in json_values(stream):
        if isinstance(found, ImportProblem):
            yield found
        elif not isinstance(found.value, dict):
            yield ImportProblem(
                found.line, _("This is not a JSON object. Write one object per line.")
            )
        else:
            yield from drafted(found.line, found.value, _draft)


def _draft(line: int, row: Mapping[str, Any]) -> ImportDraft:
    if "chosen" in row or "rejected" in row:
        return _preference(line, row)
    if "completion" in row:
        messages = _prompt(row.get("prompt"))
        return ImportDraft(
            line, messages, (Reply(_reply(row["completion"], "completion"), is_human=True),)
        )
    if "messages" in row:
        messages = conversation(row["messages"], "messages")
        if messages[-1]["role"] == "user":
            return ImportDraft(line, messages)
        return ImportDraft(line, messages[:-1], (Reply(messages[-1]["content"], is_human=True),))
    return ImportDraft(line, _prompt(row.get("prompt")))


def _preference(line: int, row: Mapping[str, Any]) -> ImportDraft:
    if row.get("prompt") is not None:
        return compared(
            line,
            _prompt(row["prompt"]),
            _reply(row.get("chosen"), "chosen"),
            _reply(row.get("rejected"), "rejected"),
        )
    if not isinstance(row.get("chosen"), list):
        raise Unusable(
            _(
                "`prompt` is missing. Add it, or give `chosen` and `rejected` as whole"
                " conversations."
            )
        )
    chosen, rejected = (
        conversation(row["chosen"], "chosen"),
        conversation(row.get("rejected"), "rejected"),
    )
    for name, messages in (("chosen", chosen), ("rejected", rejected)):
        if messages[-1]["role"] != "assistant":
            raise Unusable(
                _("`%(name)s` does not end with a reply. Add one or remove this line.")
                % {"name": name}
            )
    if chosen[:-1] != rejected[:-1]:
        raise Unusable(
            _(
                "`chosen` and `rejected` differ before the last reply. They must be answers to the"
                " same prompt."
            )
        )
    return compared(line, chosen[:-1], chosen[-1]["content"], rejected[-1]["content"])


def _prompt(value: Any) -> tuple[Message, ...]:
    return (
        ends_with_user(conversation(value, "prompt"), "prompt")
        if isinstance(value, list)
        else one_prompt(value, "prompt")
    )


def _reply(value: Any, name: str) -> str:
    """A reply's text, given as text or as a chat with one assistant message."""
    if not isinstance(value, list):
        return response_text(value, name)
    parts: Sequence[Any] = value
    if len(parts) != 1 or not isinstance(parts[0], dict) or parts[0].get("role") != "assistant":
        raise Unusable(
            _(
                "`%(name)s` must be a single assistant message. Move what comes before it into"
                " `prompt`."
            )
            % {"name": name}
        )
    return response_text(parts[0].get("content"), f"{name}[0].content")
