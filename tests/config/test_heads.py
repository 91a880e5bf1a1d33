"""Table heads and names of facts are in sentence case, also where a unit is the same word."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LOWER_CASE = re.compile(
    r"""(?:<th\b[^>]*>|<dt>|data-label=")\s*(?:<a\b[^>]*>)?\s*"""
    r"""\{% translate ["'][a-z][^"']*["'] %\}"""
)


def test_no_head_starts_with_a_small_letter() -> None:
    found = [
        f"{file.relative_to(TEMPLATES)}: {' '.join(head.split())}"
        for file in sorted(TEMPLATES.rglob("*.html"))
        for head in LOWER_CASE.findall(file.read_text())
    ]

    assert not found, "add |capfirst"
