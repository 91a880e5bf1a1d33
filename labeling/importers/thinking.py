"""Takes the thinking at the head of an answer apart from the answer: `<think>…</think>`, or another
model's tags. Raters read, and scorers score, the answer alone.
"""

from dataclasses import replace

from django.utils.translation import gettext as _

from arithmetic import answer_parts
from arithmetic.answer_parts import CHANNELS
from arithmetic.chats import Message, ToolCall
from labeling.importers import calls
from labeling.importers.drafts import Found, ImportDraft, ImportProblem, Reply, Unusable


def apart(entries: Found) -> Found:
    """The drafts with thinking taken apart. One whose thinking is never closed becomes a
    problem.
    """
    for entry in entries:
        try:
            yield _draft(entry) if isinstance(entry, ImportDraft) else entry
        except Unusable as refused:
            assert isinstance(entry, ImportDraft)
            yield ImportProblem(entry.line, refused.sentence)


def _draft(draft: ImportDraft) -> ImportDraft:
    texts = [reply.text for reply in draft.replies]
    turns = (*draft.messages, *draft.further)
    texts += [turn["content"] for turn in turns if turn["role"] == "assistant"]
    if not any(map(_begins_with_thinking, texts)):
        return draft
    return replace(
        draft,
        messages=tuple(map(_message, draft.messages)),
        replies=tuple(map(_reply, draft.replies)),
        further=tuple(map(_message, draft.further)),
    )


def _begins_with_thinking(text: str) -> bool:
    return answer_parts.split(text).tags is not None


def _reply(reply: Reply) -> Reply:
    thought, text, called = _split(reply.text, is_whole=bool(reply.tool_calls))
    thinking = _joined(reply.reasoning_content, thought)
    tool_calls = (*reply.tool_calls, *called)
    return replace(reply, text=text, reasoning_content=thinking, tool_calls=tool_calls)


def _message(message: Message) -> Message:
    if message["role"] != "assistant" or not _begins_with_thinking(message["content"]):
        return message
    parted = message.copy()
    is_whole = "tool_calls" in message
    thought, parted["content"], called = _split(message["content"], is_whole=is_whole)
    if called:
        parted["tool_calls"] = [*message.get("tool_calls", []), *called]
    if thought := _joined(message.get("reasoning_content", ""), thought):
        parted["reasoning_content"] = thought
    return parted


def _split(text: str, *, is_whole: bool) -> tuple[str, str, list[ToolCall]]:
    """(thinking, answer, the calls in gpt-oss's channels). `is_whole`: the answer needs no text."""
    parts = answer_parts.split(text)
    if parts.tags is None:
        return "", text, []
    if not parts.is_closed:
        sentence = _(
            "A response opens %(tag)s and never closes it, so all of it is thinking and there is no"
            " answer. Close the tag or remove this line."
        )
        raise Unusable(sentence % {"tag": parts.tags.opening})
    answer, called = parts.answer, []
    if parts.tags == CHANNELS:
        answer, read = answer_parts.calls_in(answer)
        called = calls.of_message({"tool_calls": read}, "response")
    if not answer.strip() and not (is_whole or called):
        sentence = _("A response has nothing after %(tag)s. Add the answer or remove this line.")
        raise Unusable(sentence % {"tag": parts.tags.closing})
    return parts.thinking, answer, called


def _joined(*thoughts: str) -> str:
    return "\n\n".join(filter(None, thoughts))
