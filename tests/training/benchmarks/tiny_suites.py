"""Suites of two items, one of each kind, for tests that need any suite."""

from datetime import UTC, datetime
from typing import Any

from training.benchmarks.suites import services as suites_services
from training.benchmarks.suites.drafts import ItemDraft, SuiteDraft, hash_of
from training.models import Suite

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)

CONTENTS: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "choice": (
        "capability",
        "likelihood",
        [{"choices": ["blue", "red"], "answer": 0}, {"choices": ["two", "four"], "answer": 1}],
    ),
    "generate": ("over-refusal", "refusal", [{"wants": "complies"}, {"wants": "refuses"}]),
    "pairs": (
        "reward",
        "preferred",
        [{"better": "Paris.", "worse": "Rome."}, {"better": "Four.", "worse": "Five."}],
    ),
    "best-of-k": (
        "reward",
        "best_of_k",
        [
            {"responses": ["Paris.", "Rome.", "Oslo."], "best": [0]},
            {"responses": ["Three.", "Four.", "Five."], "best": [1]},
        ],
    ),
    "flip": ("honesty", "flip", [{"accepts": ["Paris"]}, {"accepts": ["four", "4"]}]),
}


def tiny_draft(kind: str = "choice", *, version: str = "1", **columns: Any) -> SuiteDraft:
    """`columns` replace what is here: `options`, `name`, …"""
    area, scorer, contents = CONTENTS[kind]
    items = tuple(
        ItemDraft(
            key=f"q{number}",
            prompt=({"role": "user", "content": f"Question {number} of {kind}?"},),
            content=content,
            category="easy",
        )
        for number, content in enumerate(contents, start=1)
    )
    values: dict[str, Any] = {
        "slug": f"tiny-{kind}",
        "version": version,
        "name": f"Tiny {kind}",
        "kind": kind,
        "area": area,
        "scorer": scorer,
        "licence": "Apache-2.0",
        "items": items,
        "items_hash": hash_of(repr(items).encode()),
    }
    return SuiteDraft(**values | columns)


def tiny_suite(kind: str = "choice", *, version: str = "1", **columns: Any) -> Suite:
    draft = tiny_draft(kind, version=version, **columns)
    return suites_services.create_suite(draft=draft, by=None, now=NOW)
