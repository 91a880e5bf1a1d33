"""The rules in a guideline's text: its lines, without the marks of Markdown."""

import re

_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+]\s+|\d{1,3}[.)]\s+)+")
LONGEST = 500


def rules_of(text: str) -> list[str]:
    """In the order of the text, each once. Headings are rules too: many guidelines number them."""
    lines = (_plain(line) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line and len(line) <= LONGEST))


def rule_in(text: str, wanted: str) -> str:
    """The rule as the text has it; empty if the text has no such rule."""
    asked = _plain(wanted).casefold()
    return next((rule for rule in rules_of(text) if rule.casefold() == asked), "")


def _plain(line: str) -> str:
    return " ".join(_MARKS.sub("", line).replace("**", "").replace("`", "").split())
