"""The rules in a guideline's text: its numbered items; without any, the items of its lists, and
without lists its paragraphs. Titles, tables and code are no rules.
"""

import re
from collections import defaultdict

from markdown_it import MarkdownIt

_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+]\s+|\d{1,3}[.)]\s+)+")
_NUMBER = re.compile(r"\d{1,3}[.)]\s")
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_KINDS = ("numbered", "bullet", "paragraph")
LONGEST = 500


def rules_of(text: str) -> list[str]:
    """In the order of the text, each once. A numbered heading is a numbered item."""
    blocks = _blocks(text)
    lines = next((blocks[kind] for kind in _KINDS if blocks[kind]), [])
    return list(dict.fromkeys(line for line in lines if len(line) <= LONGEST))


def rule_in(text: str, wanted: str) -> str:
    """The rule as the text has it; empty if the text has no such rule."""
    asked = _plain(wanted).casefold()
    return next((rule for rule in rules_of(text) if rule.casefold() == asked), "")


def _blocks(text: str) -> dict[str, list[str]]:
    """The texts of each kind: the first lines of items, and paragraphs."""
    blocks: dict[str, list[str]] = defaultdict(list)
    lists: list[str] = []
    opened = ""
    for token in _MARKDOWN.parse(text):
        match token.type:
            case "ordered_list_open":
                lists.append("numbered")
            case "bullet_list_open":
                lists.append("bullet")
            case "ordered_list_close" | "bullet_list_close":
                lists.pop()
            case "list_item_open":
                opened = lists[-1]
            case "paragraph_open" if not opened:
                opened = "paragraph"
            case "heading_open":
                opened = "heading"
            case "inline" if opened:
                if opened == "heading":
                    opened = "numbered" if _NUMBER.match(token.content) else ""
                if opened and (plain := _plain(token.content)):
                    blocks[opened].append(plain)
                opened = ""
    return blocks


def _plain(line: str) -> str:
    return " ".join(_MARKS.sub("", line).replace("**", "").replace("`", "").split())
