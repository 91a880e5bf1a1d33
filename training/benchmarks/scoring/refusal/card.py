"""The card of the refusal classifier: what it was trained on, and how often it is right."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FIGURES = FOLDER / "figures.json"
CARD = FOLDER / "CARD.md"


def figures() -> dict[str, Any]:
    """What was measured when the shipped weights were trained, as `benchmarks/refusals.py` says."""
    found: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def write(measured: dict[str, Any]) -> None:
    """Write the figures, for pages, and the card, for readers."""
    FIGURES.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n", encoding="utf-8")
