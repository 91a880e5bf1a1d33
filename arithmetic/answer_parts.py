"""What a model wrote, in its parts: the thinking, the answer, and the calls of tools. No Django:
the training process reads it too.

A thinking part comes first, between two tags of the model's chat template. Templates of some
models write the first tag themselves, so that the model writes only the second. A part that is not
closed is all thinking, and the answer after it is empty.

gpt-oss writes messages in channels instead (OpenAI's harmony format): `analysis` is thinking,
`final` the answer, and `commentary` what is said before a call, or a call of a tool.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
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
FINAL = "<|channel|>final<|message|>"
CHANNELS = Tags("<|channel|>analysis<|message|>", f"<|end|><|start|>assistant{FINAL}")
"""gpt-oss's, as it writes an answer after its thinking."""
CALLED = "<|call|>"
"""What it ends the call of a tool with, and its turn."""
KNOWN = (
    THINK,  # Qwen, DeepSeek, GLM, Nemotron, LFM, SmolLM3 and most others
    Tags("[THINK]", "[/THINK]"),  # Magistral
    Tags("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    Tags("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A
    Tags("<|channel>thought", "<channel|>"),  # Gemma 4
    Tags("<thinking>", "</thinking>"),
    CHANNELS,
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
    if FINAL in template:
        return CHANNELS
    return next((tags for tags in KNOWN if tags.closing in template), None)


def is_opened_by(prompt: str, tags: Tags) -> bool:
    """Whether a prompt to answer, as its template writes it, ends within the thinking."""
    return prompt.rstrip().endswith(tags.opening)


def split(
    text: str, tags: Tags | None = None, *, is_opened: bool = False, is_whole: bool = True
) -> Parts:
    """Without `tags`, those of the known ones that the text begins with. `is_opened`: the prompt
    has written the first tag. A tag inside of an answer is the answer's. Unless the text
    `is_whole`, a call in a channel is part of the answer only once it has ended.
    """
    tags = tags or _first_of(text)
    begun = text.lstrip()
    if tags == CHANNELS and (is_opened or _in_channels(begun, may_call=True)):
        opening = "" if _in_channels(begun) else tags.opening * is_opened
        return _of_channels(opening + text, is_whole=is_whole)
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


def has_answer(text: str, tags: Tags) -> bool:
    """Whether an answer has begun in a text that thinks first."""
    if tags == CHANNELS:
        parts = split(text, tags)
        return parts.tags is not None and parts.is_closed
    return tags.closing in text


def is_between_messages(text: str) -> bool:
    """Whether a text in channels ends after a message, or within the heading of the next."""
    before, mark, _heading = text.rpartition("<|end|>")
    return bool(mark) and "<|message|>" in before and "<|message|>" not in _heading


def joined(thinking: str, answer: str, tags: Tags = THINK, *, may_be_empty: bool = False) -> str:
    """One text again, as most templates write it."""
    if not thinking and not may_be_empty:
        return answer
    if tags == CHANNELS:
        return f"{tags.opening}{thinking}{tags.closing}{answer}" if thinking else FINAL + answer
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
        parts = split(self.text, self.tags, is_opened=self.is_opened, is_whole=is_last)
        n_thinking, n_answer = len(self._sent.thinking), len(self._sent.answer)
        self._sent = parts
        new = parts.answer[n_answer:], parts.thinking[n_thinking:]
        return Parts(*new, parts.tags, parts.is_closed)

    def _may_open(self) -> bool:
        begun = self.text.lstrip()
        tags = [self.tags] if self.tags else KNOWN
        openings = [*(of.opening for of in tags), *(_STARTS if CHANNELS in tags else ())]
        if self.tags == CHANNELS and re.fullmatch(_TO, begun):
            return True
        return any(opening.startswith(begun) for opening in openings)


def _first_of(text: str) -> Tags | None:
    begun = text.lstrip()
    if _in_channels(begun):
        return CHANNELS
    return next((tags for tags in KNOWN if begun.startswith(tags.opening)), None)


# --- gpt-oss's channels ---------------------------------------------------------------------------

_STARTS = ("<|start|>assistant", "<|channel|>")
_TO = r"t?|to|to=[^\s<]*\s*(?:<[|a-z]*)?"
"""The beginning of a message to a tool, whose name comes first."""
_CALL_FIRST = re.compile(r"to=[^\s<]+\s*<\|channel\|>")
_MESSAGE_END = re.compile(r"<\|(end|call|return)\|>|(?=<\|start\|>)")
_BEGUN_MARK = re.compile(r"<(?:\|[a-z]*\|?)?\Z")
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w*)")
_RECIPIENT = re.compile(r"(?:^|\s|assistant)to=([^\s<]+)")


@dataclass(frozen=True)
class _ChannelMessage:
    """`written` is all of it, with its marks."""

    heading: str
    content: str
    written: str
    is_ended: bool

    @property
    def channel(self) -> str:
        named = _CHANNEL.search(self.heading)
        return named[1] if named else ""

    @property
    def recipient(self) -> str:
        """The tool that it calls; "" if it speaks to the user."""
        named = _RECIPIENT.search(self.heading)
        return named[1] if named else ""

    @property
    def is_thinking(self) -> bool:
        return self.channel == "analysis" and not self.recipient


def _in_channels(begun: str, *, may_call: bool = False) -> bool:
    """`may_call`: in a model's own text, which may begin with the name of the tool."""
    return begun.startswith(_STARTS) or (may_call and bool(_CALL_FIRST.match(begun)))


def _channel_messages(text: str) -> Iterator[_ChannelMessage]:
    """The messages up to a heading that is not finished. A text of anyone else, such as a tool's
    result, is left as it is.
    """
    while text:
        heading, mark, rest = text.partition("<|message|>")
        if not mark:
            return
        if "<|start|>" in heading and not heading.lstrip().startswith("<|start|>assistant"):
            yield _ChannelMessage("", text, text, True)
            return
        end = _MESSAGE_END.search(rest)
        content, text = (rest[: end.start()], rest[end.end() :]) if end else (rest, "")
        closing = end[0] if end else ""
        yield _ChannelMessage(heading, content, heading + mark + content + closing, end is not None)


def _of_channels(text: str, *, is_whole: bool) -> Parts:
    """Calls are in the answer as other models write them, so that they are read as theirs."""
    thoughts: list[str] = []
    said: list[str] = []
    is_closed = False
    text = text if is_whole else _BEGUN_MARK.sub("", text)
    for message in _channel_messages(text):
        if message.is_thinking:
            thoughts.append(message.content.strip())
            continue
        is_closed = True
        if not message.recipient:
            said.append(message.content)
        elif is_whole or message.is_ended:
            said.append(_written_call(message))
    answer = "\n".join(filter(None, said)).lstrip()
    return Parts(answer, "\n\n".join(filter(None, thoughts)), CHANNELS, is_closed)


def _written_call(message: _ChannelMessage) -> str:
    """One that can't be read stays as it was written."""
    name = message.recipient.removeprefix("functions.")
    call = _made(name, _loaded(message.content or "{}"), 0)
    return with_calls("", [call]) if call else message.written


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
