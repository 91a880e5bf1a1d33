"""The card of the refusal classifier: what it was trained on, and how often it is right. Both files
are written by the benchmark that trains it.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FIGURES = FOLDER / "figures.json"
CARD = FOLDER / "CARD.md"


def figures() -> dict[str, Any]:
    """What was measured when the shipped weights were trained, as `benchmarks/refusals.py` says."""
    stored: dict[str, object] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return stored


def text() -> str:
    """The card, in Markdown."""
    return CARD.read_text(encoding="utf-8")
