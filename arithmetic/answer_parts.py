"""What a model wrote, in its parts: the thinking, the answer, and the calls of tools. No Django:
the training process reads it too.

A thinking part comes first, between two tags of the model's chat template. Templates of some
models write the first tag themselves, so that the model writes only the second. A part that is not
closed is all thinking, and the answer after it is empty.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arithmetic import plain_text
from arithmetic.chats import CalledFunction, ToolCall

_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


@dataclass(frozen=True)
class Tags:
    """What stands before the thinking and after it."""

    opening: str
    closing: str


THINK = Tags("<think>", "</think>")
KNOWN = (
    THINK,  # Qwen, DeepSeek, GLM, Nemotron, LFM, SmolLM3 and most others
    Tags("[THINK]", "[/THINK]"),  # Magistral
    Tags("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    Tags("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A
    Tags("<|channel>thought", "<channel|>"),  # Gemma 4
    Tags("<thinking>", "</thinking>"),
)


@dataclass(frozen=True)
class Parts:
    """`tags` are those around the thinking, None for an answer alone. `is_closed`: whether an
    answer can have followed.
    """

    answer: str
    thinking: str = ""
    tags: Tags | None = None
    is_closed: bool = True


def tags_of(template: str) -> Tags | None:
    """The tags that a chat template names; None if it names none. Some name only the second, to
    drop what is before it from earlier turns.
    """
    return next((tags for tags in KNOWN if tags.closing in template), None)


def is_opened_by(prompt: str, tags: Tags) -> bool:
    """Whether a prompt to answer, as its template writes it, ends within the thinking."""
    return prompt.rstrip().endswith(tags.opening)


def split(text: str, tags: Tags | None = None, *, is_opened: bool = False) -> Parts:
    """Without `tags`, those of the known ones that the text begins with. `is_opened`: the prompt
    has written the first tag. A tag inside of an answer is the answer's.
    """
    tags = tags or _first_of(text)
    begun = text.lstrip()
    if tags is None or not (is_opened or begun.startswith(tags.opening)):
        return Parts(text)
    thinking, closing, answer = begun.removeprefix(tags.opening).partition(tags.closing)
    return Parts(answer.lstrip(), thinking.strip(), tags, bool(closing))


def split_unknown(text: str) -> Parts:
    """Of a model whose template is unknown, as behind a server: one that closes a part it has not
    opened was opened by its template.
    """
    if _first_of(text) is None:
        for tags in KNOWN:
            before, closing, _answer = text.partition(tags.closing)
            if closing and tags.opening not in before:
                return split(text, tags, is_opened=True)
    return split(text)


def joined(thinking: str, answer: str, tags: Tags = THINK, *, may_be_empty: bool = False) -> str:
    """One text again, as most templates write it."""
    if not thinking and not may_be_empty:
        return answer
    return f"{tags.opening}\n{thinking}\n{tags.closing}\n\n{answer}"


def whole(answer: Mapping[str, object]) -> str:
    """All that was written, as one text: of a message, or of an answer with its `text`."""
    content, calls = answer.get("content", answer.get("text")), answer.get("tool_calls")
    text = with_calls(str(content), calls if isinstance(calls, list) else [])
    return joined(str(answer.get("reasoning_content") or ""), text)


@dataclass
class Stream:
    """Splits a text that comes in pieces. What may become the first tag waits."""

    tags: Tags | None = None
    is_opened: bool = False
    text: str = field(default="", init=False)
    _sent: Parts = field(default=Parts(""), init=False)

    def add(self, piece: str, *, is_last: bool = False) -> Parts:
        """What is new of each part."""
        self.text += piece
        if not is_last and not self.is_opened and self._may_open():
            return Parts("")
        parts = split(self.text, self.tags, is_opened=self.is_opened)
        n_thinking, n_answer = len(self._sent.thinking), len(self._sent.answer)
        self._sent = parts
        new = parts.answer[n_answer:], parts.thinking[n_thinking:]
        return Parts(*new, parts.tags, parts.is_closed)

    def _may_open(self) -> bool:
        begun = self.text.lstrip()
        return any(tags.opening.startswith(begun) for tags in ([self.tags] if self.tags else KNOWN))


def _first_of(text: str) -> Tags | None:
    begun = text.lstrip()
    return next((tags for tags in KNOWN if begun.startswith(tags.opening)), None)


# --- calls of tools -------------------------------------------------------------------------------


def with_calls(content: str, calls: Sequence[Mapping[str, Any]]) -> str:
    """The calls in the text, as Hermes, Qwen and SmolLM write them, for a template that writes
    none.
    """
    written = (
        "<tool_call>\n" + json.dumps(call["function"], ensure_ascii=False) + "\n</tool_call>"
        for call in calls
    )
    return "\n".join([*([content] if content else []), *written])


def calls_in(text: str) -> tuple[str, list[ToolCall]]:
    """(the text without the calls, the calls). All of the text and no call if one of them can't be
    read: nothing is lost.
    """
    calls: list[ToolCall] = []
    for written in _CALL.findall(text):
        call = _call(written, len(calls))
        if call is None:
            return text, []
        calls.append(call)
    return (_CALL.sub("", text).strip(), calls) if calls else (text, [])


def calls_of_openai(text: str, sent: object) -> tuple[str, list[ToolCall]]:
    """(the text, the calls) of an OpenAI-compatible server's answer, where arguments are JSON in a
    string. If one of the calls can't be read, all of them are in the text, and there is no call.
    """
    if not sent or not isinstance(sent, list):
        return text, []
    read = [_openai_call(call, number) for number, call in enumerate(sent)]
    calls = [call for call in read if call is not None]
    if len(calls) < len(sent):
        return "\n".join(filter(None, [text, json.dumps(sent)])), []
    return text, calls


def as_openai(message: Mapping[str, object]) -> dict[str, object]:
    """A message as a request to such a server has it. Thinking stays here: some refuse it."""
    sent = {name: part for name, part in message.items() if name != "reasoning_content"}
    if isinstance(calls := sent.get("tool_calls"), list):
        sent["tool_calls"] = [call | {"function": _dumped(call["function"])} for call in calls]
    return sent


def _dumped(function: Mapping[str, Any]) -> dict[str, Any]:
    return {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}


def _openai_call(call: object, number: int) -> ToolCall | None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        return None
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        arguments = _loaded(arguments)
    made = _made(function.get("name"), arguments, number)
    return made and made | {"id": plain_text.storable(str(call.get("id") or made["id"]))}


def _call(written: str, number: int) -> ToolCall | None:
    read = _loaded(written)
    if not isinstance(read, dict) or read.keys() != {"name", "arguments"}:
        return None
    return _made(read["name"], read["arguments"], number)


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _made(name: object, arguments: object, number: int) -> ToolCall | None:
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    if not _is_storable([name, arguments]):
        return None
    function: CalledFunction = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _is_storable(value: object) -> bool:
    """Whether a database can hold it as JSON: without NUL, half a surrogate pair, NaN and ∞."""
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in written and not plain_text.NOT_TEXT.search(written)
