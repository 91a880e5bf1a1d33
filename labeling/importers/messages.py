"""Chat messages of a file: which roles and parts they may have, and in which order they come. They
are read in OpenAI's shape, in Anthropic's blocks, and as chat templates and TRL have them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from arithmetic import chats
from arithmetic.chats import Message, ToolCall
from labeling.importers import calls
from labeling.importers.drafts import MAX_TEXT, ROLES, Unusable, kind_of, shown, text_of

THINKING = ("reasoning_content", "reasoning", "thinking")
"""Keys under which servers and datasets have what a model thought."""
OF_TOOLS = ("tool", "function")
"""Roles of a result; the second is OpenAI's older name."""
_TEXTS = ("text", "input_text", "output_text")
_FUNCTIONS = "functions."
"""What gpt-oss has before the name of a function that a prompt describes."""
_LEFT_OUT = "redacted_thinking"
"""Anthropic's thinking that only its servers can read."""


def conversation(value: object, name: str) -> tuple[Message, ...]:
    """Validates chat messages: an optional system message first, then user and assistant
    alternate; results of tools follow a message that calls tools.
    """
    if not isinstance(value, list) or not value:
        raise Unusable(
            _("`%(name)s` is not a list of messages. Give the role and content of each turn.")
            % {"name": name}
        )
    parts = _without_channels([(f"{name}[{place}]", part) for place, part in enumerate(value)])
    messages = tuple(message for at, part in parts for message in _messages(part, at))
    _check_order([message["role"] for message in messages], name)
    _check_results(messages, name)
    return messages


def ends_with_user(messages: Sequence[Message], name: str) -> tuple[Message, ...]:
    """Something to answer: a user's message, or the result of a tool."""
    if messages[-1]["role"] not in ("user", "tool"):
        raise Unusable(
            _(
                "`%(name)s` does not end with a user message, so there is nothing to answer. Remove"
                " the reply from it."
            )
            % {"name": name}
        )
    return tuple(messages)


def one_message(part: object, name: str) -> Message:
    """A message on its own."""
    [message] = _messages(part, name)
    return message


@dataclass
class _Content:
    """What the blocks of a message hold."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: list[Message] = field(default_factory=list)


def _messages(part: object, name: str) -> Iterator[Message]:
    """The message; in Anthropic's shape, the results in it before what the user says. In Parquet
    it may be JSON.
    """
    if isinstance(part, str) and part.lstrip().startswith("{"):
        part = calls.parsed(part, name)
    if not isinstance(part, dict):
        raise Unusable(
            _("`%(name)s` is %(kind)s, but must be a message. Give its role and content.")
            % {
                "name": name,
                "kind": kind_of(part),
            }
        )
    role = part.get("role")
    role = "system" if role == "developer" else role  # OpenAI's newer name
    if role not in (*ROLES, *OF_TOOLS):
        raise Unusable(
            _("Unknown role “%(role)s” in `%(name)s`. Use system, user, assistant or tool.")
            % {
                "role": shown(role),
                "name": name,
            }
        )
    content = part.get("content")
    blocks = _blocks(content, f"{name}.content")
    yield from blocks.results
    if blocks.results and not (blocks.texts or blocks.calls):
        return
    text = "\n\n".join(blocks.texts) if isinstance(content, list) and content else content
    if role in OF_TOOLS:
        yield _result(part, text, name)
        return
    message = chats.answer("", _thinking(part, blocks, name), calls.of_message(part, name))
    message["role"] = role
    if blocks.calls:
        message["tool_calls"] = [*message.get("tool_calls", []), *blocks.calls]
    if len(message) > 2 and role != "assistant":
        raise Unusable(
            _("`%(name)s` thinks or calls a tool, but its role is %(role)s. Only an assistant can.")
            % {"name": name, "role": role}
        )
    is_optional = "tool_calls" in message
    message["content"] = _text(text, f"{name}.content", is_optional=is_optional)
    _check_size(message, name)
    yield message


def _blocks(content: object, name: str) -> _Content:
    """The parts of a message that is given in parts."""
    read = _Content()
    for place, block in enumerate(content if isinstance(content, list) else []):
        at = f"{name}[{place}]"
        if not isinstance(block, dict):
            raise Unusable(
                _("`%(name)s` is %(kind)s, but must be a part with a type.")
                % {"name": at, "kind": kind_of(block)}
            )
        kind = block.get("type")
        if kind in _TEXTS:
            # An empty part stands beside calls in some files.
            if block.get("text") != "":
                read.texts.append(text_of(block.get("text"), f"{at}.text"))
        elif kind == "thinking":
            read.thoughts.append(_text(block.get("thinking"), f"{at}.thinking", is_optional=True))
        elif kind == "tool_use":
            read.calls.append(calls.of_block(block, at))
        elif kind == "tool_result":
            read.results.append(_tool_result(block, at))
        elif kind != _LEFT_OUT:
            raise Unusable(_other_kind(kind, at))
    return read


def _other_kind(kind: object, name: str) -> str:
    media = {
        "image": _("an image"),
        "audio": _("a sound"),
        "video": _("a video"),
        "file": _("a file"),
        "document": _("a document"),
    }
    named = kind if isinstance(kind, str) else ""
    words = next((words for part, words in media.items() if part in named), None)
    if words is None:
        return _("`%(name)s` is of the unknown type “%(type)s”. Remove it, or this line.") % {
            "name": name,
            "type": shown(kind),
        }
    return _("`%(name)s` is %(kind)s. Only text can be imported: remove it, or this line.") % {
        "name": name,
        "kind": words,
    }


def _tool_result(block: Mapping[str, object], name: str) -> Message:
    """One of Anthropic's blocks as a message of its own."""
    content = block.get("content")
    within = _blocks(content, f"{name}.content")
    if within.calls or within.results or within.thoughts:
        raise Unusable(
            _("The result `%(name)s` is more than a text. Fix or remove this line.")
            % {"name": name}
        )
    text = "\n\n".join(within.texts) if isinstance(content, list) else content
    return _result({"tool_call_id": block.get("tool_use_id")}, text, name)


def _result(part: Mapping[str, object], text: object, name: str) -> Message:
    """The result of a tool, which may be empty."""
    content = _text(text, f"{name}.content", is_optional=True)
    message: Message = {"role": "tool", "content": content}
    if called := calls.identifier(part.get("tool_call_id"), f"{name}.tool_call_id"):
        message["tool_call_id"] = called
    if function := calls.identifier(part.get("name"), f"{name}.name"):
        message["name"] = function
    _check_size(message, name)
    return message


def _thinking(part: Mapping[str, object], blocks: _Content, name: str) -> str:
    given = [
        _text(part.get(key), f"{name}.{key}", is_optional=True) for key in THINKING
    ] + blocks.thoughts
    return "\n\n".join(dict.fromkeys(filter(str.strip, given)))


def _text(value: object, name: str, *, is_optional: bool) -> str:
    if is_optional and (value is None or (isinstance(value, str) and not value.strip())):
        return value or ""
    return text_of(value, name)


def _without_channels(parts: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    """gpt-oss's turns are several messages, each in a channel: they become one, with its thinking
    and calls. A result of a tool has the tool's name with a prefix.
    """
    joined: list[tuple[str, object]] = []
    turn: dict[str, object] | None = None
    for at, part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("channel"), str):
            turn = None
            joined.append((at, part))
        elif part.get("role") != "assistant":
            turn = None
            named = str(part.get("name") or "").removeprefix(_FUNCTIONS)
            joined.append((at, part | ({"name": named} if named else {})))
        else:
            if turn is None:
                turn = {"role": "assistant", "content": "", THINKING[0]: "", "tool_calls": []}
                joined.append((at, turn))
            _add_channel(turn, part, at)
    return joined


def _add_channel(turn: dict[str, Any], part: Mapping[str, Any], at: str) -> None:
    blocks = _blocks(part.get("content"), f"{at}.content")
    content = part.get("content")
    text = "\n\n".join(blocks.texts) if isinstance(content, list) else content
    text = _text(text, f"{at}.content", is_optional=True)
    recipient = part.get("recipient")
    if isinstance(recipient, str) and recipient not in ("", "all"):
        called = {"name": recipient.removeprefix(_FUNCTIONS), "arguments": text}
        turn["tool_calls"].append({"id": part.get("call_id"), "function": called})
    else:
        key = THINKING[0] if part["channel"] == "analysis" else "content"
        turn[key] = "\n\n".join(filter(None, (turn[key], text)))


def _check_size(message: Message, name: str) -> None:
    """The limit of a text holds for all parts of a message together."""
    n = len(message["content"]) + len(chats.parts_of(message))
    if n > MAX_TEXT and n > len(message["content"]):
        raise Unusable(
            _(
                "`%(name)s` has %(n)d characters with its thinking and tool calls; the limit is"
                " %(limit)d. Shorten it or remove this line."
            )
            % {"name": name, "n": n, "limit": MAX_TEXT}
        )


def _check_results(messages: Sequence[Message], name: str) -> None:
    """Each result follows the message that calls tools, and names one of the calls before it."""
    before: Message | None = None
    called: set[str] = set()
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if before is None or not (before["role"] == "tool" or before.get("tool_calls")):
                raise Unusable(
                    _(
                        "Message %(n)d of `%(name)s` is the result of a tool, but the message"
                        " before it calls none. Add the call or remove this line."
                    )
                    % {"n": place + 1, "name": name}
                )
            of = message.get("tool_call_id", "")
            if of and called and of not in called:
                raise Unusable(
                    _(
                        "Message %(n)d of `%(name)s` is the result of the call “%(id)s”, but no"
                        " message before it has a call with this id. Fix or remove this line."
                    )
                    % {"n": place + 1, "name": name, "id": shown(of)}
                )
        called |= {call["id"] for call in message.get("tool_calls", []) if call["id"]}
        before = message


def _check_order(roles: list[str], name: str) -> None:
    if roles.count("system") > 1:
        raise Unusable(
            _("`%(name)s` has %(n)d system messages. Merge them into one at the start.")
            % {
                "name": name,
                "n": roles.count("system"),
            }
        )
    if "system" in roles[1:]:
        raise Unusable(
            _("The system message of `%(name)s` must come first. Move it to the start.")
            % {"name": name}
        )
    turns = [role for role in roles if role != "system"]
    if not turns:
        raise Unusable(
            _("`%(name)s` has no user message. Add one or remove this line.") % {"name": name}
        )
    if turns[0] == "assistant":
        raise Unusable(
            _(
                "`%(name)s` starts with a reply that has no prompt. Add the user's message"
                " before it."
            )
            % {"name": name}
        )
    for before, after in pairwise(turns):
        if before == after != "tool":
            raise Unusable(
                _(
                    "`%(name)s` has two %(role)s messages in a row. Merge them or add the missing"
                    " turn."
                )
                % {"name": name, "role": after}
            )
