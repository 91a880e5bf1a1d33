"""Chosen and rejected transcripts in the format of Anthropic's HH data: two dialogues that differ
only in the last reply.
"""

import re

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.drafts import (
    ImportDraft,
    Reply,
    Unusable,
    compared,
    response_text,
    text_of,
)
from labeling.importers.shapes import reading
from labeling.importers.shapes.reading import Row

_TURN = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def _draft(line: int, row: Row) -> ImportDraft:
    chosen, rejected = (
        _turns(response_text(row.get(name), name), name) for name in ("chosen", "rejected")
    )
    if chosen[:-1] != rejected[:-1]:
        raise Unusable(
            _(
                "`chosen` and `rejected` differ before the last reply. They must be answers to the"
                " same prompt."
            )
        )
    for name, turns in (("chosen", chosen), ("rejected", rejected)):
        response_text(turns[-1]["content"], name)
    return compared(line, tuple(chosen[:-1]), Reply.of(chosen[-1]), Reply.of(rejected[-1]))


def _turns(transcript: str, name: str) -> list[Message]:
    """The turns of a transcript, with consecutive turns of one speaker joined; the last one is the
    reply.
    """
    transcript = transcript.replace("\r\n", "\n")
    start, *parts = _TURN.split(
        transcript if transcript.startswith("\n\n") else "\n\n" + transcript.lstrip()
    )
    if start.strip() or not parts:
        raise Unusable(
            _("`%(name)s` must start with “Human:”. Add it or remove this line.") % {"name": name}
        )
    turns: list[Message] = []
    for speaker, text in zip(parts[::2], parts[1::2], strict=True):
        role, content = _ROLES[speaker], text.strip()
        if turns and turns[-1]["role"] == role:
            turns[-1] = {
                "role": role,
                "content": "\n\n".join(filter(None, (turns[-1]["content"], content))),
            }
        else:
            turns.append({"role": role, "content": content})
    if turns[0]["role"] != "user":
        raise Unusable(
            _("`%(name)s` starts with a reply that has no prompt. Add the human's turn before it.")
            % {"name": name}
        )
    if turns[-1]["role"] != "assistant":
        raise Unusable(
            _("`%(name)s` does not end with a reply. Add one or remove this line.") % {"name": name}
        )
    for turn in turns[:-1]:
        text_of(turn["content"], name)
    return turns


read = reading.each(_draft, ("chosen", "rejected"))
