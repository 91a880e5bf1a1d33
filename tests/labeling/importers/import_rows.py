"""A clock that stands still, and rows of Open-Assistant trees, for tests."""

from datetime import datetime
from typing import Any

from tests.cast import NOON


def clock() -> datetime:
    return NOON


def tree(*replies: dict[str, Any], text: str = "Which moons has Saturn?") -> dict[str, Any]:
    return {
        "message_tree_id": text,
        "prompt": {"role": "prompter", "text": text, "replies": list(replies)},
    }


def reply(text: str, rank: int | None) -> dict[str, Any]:
    return {"role": "assistant", "text": text, "rank": rank, "replies": []}
