"""A turn of a chat as HTML: what was thought, called and returned is folded, the text is open."""

import json
from collections.abc import Callable, Sequence

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arithmetic.chats import Message, Tool
from pages import render

LONGEST_SUMMARY = 80


def html(turn: Message, reword: Callable[[str], str] = str) -> SafeString:
    """`reword` goes over everything but the text, which its caller has reworded."""
    text = turn["content"]
    if turn["role"] == "tool":
        name = turn.get("name", "")[:LONGEST_SUMMARY]
        return _folded({"result": reword(text), "name": name, "is_result": True})
    if not (turn.get("reasoning_content") or turn.get("tool_calls")):
        return render.markdown(text)
    thinking = reword(turn.get("reasoning_content", ""))
    calls = [
        {
            "name": call["function"]["name"][:LONGEST_SUMMARY],
            "arguments": reword(_json(call["function"]["arguments"])),
        }
        for call in turn.get("tool_calls", [])
    ]
    before = _folded({"thinking": thinking, "n_words": len(thinking.split())}) if thinking else ""
    after = _folded({"calls": calls}) if calls else ""
    return format_html("{}{}{}", before, render.markdown(text) if text else "", after)


def tools(described: Sequence[Tool]) -> SafeString:
    """The functions that an answer may call, folded; empty if there are none."""
    if not described:
        return SafeString("")
    return _folded({"tools": _json(list(described)), "n_tools": len(described)})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _folded(parts: dict[str, object]) -> SafeString:
    return render_to_string("components/_folded.html", parts)
