"""Tool calls and tools of a file, in OpenAI's, Anthropic's and TRL's shapes, as arithmetic.chats
has them. Nothing here is ever called.
"""

import json
import math
from collections.abc import Mapping

from django.utils.translation import gettext as _

from arithmetic import chats, plain_text
from arithmetic.chats import Tool, ToolCall
from labeling.importers.drafts import MAX_TEXT, Unusable, kind_of

MAX_NAME = 256
MAX_DEPTH = 50


def of_message(part: Mapping[str, object], name: str) -> list[ToolCall]:
    """The calls of a message in OpenAI's shape: `tool_calls`, or `function_call` in older files.
    Raises Unusable.
    """
    given = part.get("tool_calls") or []
    if not isinstance(given, list):
        raise Unusable(
            _("`%(name)s.tool_calls` is %(kind)s, but must be a list. Fix or remove this line.")
            % {"name": name, "kind": kind_of(given)}
        )
    calls = [_call(call, f"{name}.tool_calls[{n}]") for n, call in enumerate(given)]
    if older := part.get("function_call"):
        older = parsed(older, f"{name}.function_call") if isinstance(older, str) else older
        calls.append(_call({"function": older}, f"{name}.function_call"))
    return calls


def of_block(block: Mapping[str, object], name: str) -> ToolCall:
    """The call in one of Anthropic's `tool_use` blocks. Raises Unusable."""
    function = {"name": block.get("name"), "arguments": block.get("input")}
    return _call({"id": block.get("id"), "function": function}, name)


def identifier(value: object, name: str) -> str:
    """The id of a call; empty if there is none, as in TRL's data. Raises Unusable."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_NAME or plain_text.NOT_TEXT.search(value):
        raise Unusable(
            _("`%(name)s` must be a text of at most %(n)d characters. Fix or remove this line.")
            % {"name": name, "n": MAX_NAME}
        )
    return value


def are_tools(value: object) -> bool:
    """Whether a column holds descriptions of functions, and not something else of this name."""
    if isinstance(value, str):
        return value.strip() in ("", "[]") or value.lstrip().startswith("[{")
    return isinstance(value, list) and all(map(_is_described, value))


def _is_described(tool: object) -> bool:
    """An object, or its JSON, as some of TRL's datasets have it."""
    return isinstance(tool, dict) or (isinstance(tool, str) and tool.lstrip().startswith("{"))


def tools(value: object, name: str) -> tuple[Tool, ...]:
    """Descriptions of functions: a list, or its JSON. Those of Anthropic, which have an
    `input_schema`, and bare ones become OpenAI's. Raises Unusable.
    """
    if isinstance(value, str):
        value = parsed(value, name) if value.strip() else []
    if not isinstance(value, list):
        raise Unusable(
            _("`%(name)s` is %(kind)s, but must be a list. Fix or remove this line.")
            % {"name": name, "kind": kind_of(value)}
        )
    read = tuple(_tool(tool, f"{name}[{n}]") for n, tool in enumerate(value))
    if len(chats.as_json(read)) > MAX_TEXT:
        raise Unusable(
            _("`%(name)s` has more than %(n)d characters. Shorten it or remove this line.")
            % {"name": name, "n": MAX_TEXT}
        )
    return read


def _tool(tool: object, name: str) -> Tool:
    tool = parsed(tool, name) if isinstance(tool, str) else tool
    function = tool.get("function", tool) if isinstance(tool, dict) else tool
    if not isinstance(tool, dict) or not isinstance(function, dict):
        raise Unusable(
            _("`%(name)s` does not describe a function. Fix or remove this line.") % {"name": name}
        )
    _function_name(function.get("name"), name)
    _check_json(tool, name)
    if function is not tool:
        return {**tool, "type": "function"}
    rest = {key: part for key, part in tool.items() if key not in ("input_schema", "type")}
    if "input_schema" in tool:
        rest["parameters"] = tool["input_schema"]
    return {"type": "function", "function": rest}


def _call(call: object, name: str) -> ToolCall:
    function = call.get("function", call) if isinstance(call, dict) else call
    if not isinstance(call, dict) or not isinstance(function, dict):
        raise Unusable(
            _("`%(name)s` is not a call of a function. Fix or remove this line.") % {"name": name}
        )
    if call.get("type") not in (None, "function"):
        raise Unusable(
            _("`%(name)s` is no call of a function but of another kind of tool. Remove this line.")
            % {"name": name}
        )
    called = _function_name(function.get("name"), name)
    arguments = function.get("arguments", function.get("parameters"))
    if isinstance(arguments, str):
        arguments = parsed(arguments, f"{name}.arguments") if arguments.strip() else {}
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise Unusable(
            _("The arguments of `%(name)s` are %(kind)s, but must be an object, or its JSON.")
            % {"name": name, "kind": kind_of(arguments)}
        )
    _check_json(arguments, name)
    return {
        "id": identifier(call.get("id"), f"{name}.id"),
        "type": "function",
        "function": {"name": called, "arguments": arguments},
    }


def _function_name(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME:
        raise Unusable(
            _("The function of `%(name)s` has no name of at most %(n)d characters. Add one.")
            % {"name": name, "n": MAX_NAME}
        )
    if plain_text.NOT_TEXT.search(value):
        raise Unusable(_not_text(name))
    return value


def parsed(text: str, name: str) -> object:
    """The value of JSON in a cell. Raises Unusable."""
    if len(text) > MAX_TEXT:
        raise Unusable(
            _("`%(name)s` has more than %(n)d characters. Shorten it or remove this line.")
            % {"name": name, "n": MAX_TEXT}
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(
            _("`%(name)s` is not JSON. Fix or remove this line.") % {"name": name}
        ) from error


def _check_json(value: object, name: str) -> None:
    """Refuses what a database, or a page, cannot hold."""
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise Unusable(
                _("`%(name)s` is nested more than %(n)d levels deep. Fix or remove this line.")
                % {"name": name, "n": MAX_DEPTH}
            )
        if isinstance(part, dict):
            waiting += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list):
            waiting += [(inner, depth + 1) for inner in part]
        elif isinstance(part, str):
            if plain_text.NOT_TEXT.search(part):
                raise Unusable(_not_text(name))
        elif not isinstance(part, bool | int | float | None) or (
            isinstance(part, float) and not math.isfinite(part)
        ):
            raise Unusable(
                _("`%(name)s` has a value that JSON cannot hold. Fix or remove this line.")
                % {"name": name}
            )


def _not_text(name: str) -> str:
    return _(
        "`%(name)s` contains an invalid character (NUL or half a surrogate pair). Remove the"
        " character."
    ) % {"name": name}
