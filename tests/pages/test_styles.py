"""The names of custom properties, which no browser complains about: a wrong one only shows as a
missing space or colour.
"""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"


def test_every_custom_property_that_a_style_uses_is_set_somewhere() -> None:
    styles = "\n".join(path.read_text() for path in sorted((STATIC / "css").glob("*.css")))
    scripts = "\n".join(path.read_text() for path in sorted((STATIC / "js").rglob("*.js")))

    used = set(re.findall(r"var\((--[\w-]+)", styles))
    in_styles = set(re.findall(r"(--[\w-]+)\s*:", styles))
    in_scripts = set(re.findall(r'"(--[\w-]+)"', scripts))

    assert len(used) > 50
    assert used - in_styles - in_scripts == set()
