"""What a message of a chat and an answer are made of, and when two of them are the same. No Django:
the training process reads it too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NotRequired, TypedDict


class CalledFunction(TypedDict):
    name: str
    arguments: dict[str, object]


class ToolCall(TypedDict):
    """As OpenAI's API and chat templates have it, with the arguments as an object."""

    id: str
    type: str
    function: CalledFunction


class Message(TypedDict):
    """One turn. `content` may be empty beside tool calls. The keys are those that chat templates
    read.
    """

    role: str
    content: str
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCall]]
    tool_call_id: NotRequired[str]
    name: NotRequired[str]


class AnswerColumns(TypedDict):
    """What a table of answers has in columns of these names."""

    text: str
    reasoning_content: str
    tool_calls: list[ToolCall]


Tool = dict[str, object]
"""A function that may be called, as OpenAI's API describes it: `{"type": "function", "function":
{"name": …, "parameters": …}}`.
"""

PARTS = ("reasoning_content", "tool_calls", "tool_call_id", "name")
"""What a message may have besides its role and content."""


def answer(text: str, reasoning_content: str = "", tool_calls: Sequence[ToolCall] = ()) -> Message:
    """An answer as the turn of a chat, with the parts that it has."""
    message: Message = {"role": "assistant", "content": text}
    if reasoning_content:
        message["reasoning_content"] = reasoning_content
    if tool_calls:
        message["tool_calls"] = list(tool_calls)
    return message


def reworded(message: Message, reword: Callable[[str], str]) -> Message:
    """The message with another text."""
    copied = message.copy()
    copied["content"] = reword(message["content"])
    return copied


def answer_key(text: str, reasoning_content: str = "", tool_calls: Sequence[ToolCall] = ()) -> str:
    """Equal for equal answers. That of a plain text is the text."""
    if not (reasoning_content or tool_calls):
        return text
    return as_json([text, reasoning_content, list(tool_calls)])


def parts_of(message: Message | Mapping[str, object]) -> str:
    """The parts besides role and content as one text, the same for equal parts; empty if there are
    none.
    """
    parts = {name: message[name] for name in PARTS if message.get(name)}  # type: ignore[literal-required]
    return as_json(parts) if parts else ""


def as_markdown(message: Message) -> str:
    """The text of a message and its calls, each as a block of code."""
    calls = (
        f"```json\n{json.dumps(call['function'], ensure_ascii=False, indent=2)}\n```"
        for call in message.get("tool_calls", ())
    )
    return "\n\n".join(filter(None, (message["content"], *calls)))


def as_json(value: object) -> str:
    """`value` as JSON that is the same for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
