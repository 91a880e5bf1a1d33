"""A suite that was read from files and is not stored yet. No database."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from arithmetic.chats import Message


@dataclass(frozen=True)
class ItemDraft:
    """An item. `content` is what its kind needs besides the prompt: choices, texts, …"""

    key: str
    prompt: tuple[Message, ...]
    content: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class SuiteDraft:
    """What suite.yaml says, and the items."""

    slug: str
    version: str
    name: str
    kind: str
    area: str
    scorer: str
    licence: str
    items: tuple[ItemDraft, ...]
    items_hash: str
    origin: str = ""
    about: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def hash_of(items: bytes) -> str:
    """SHA-256 of items.jsonl, as suite.yaml may give it."""
    return hashlib.sha256(items).hexdigest()


def digest(draft: SuiteDraft) -> str:
    """The same for the same suite: what is stored is what was shown before."""
    return hash_of(json.dumps(asdict(draft), sort_keys=True).encode())
