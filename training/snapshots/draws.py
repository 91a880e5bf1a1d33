"""Which prompts a chain's cycle draws: fresh ones, those used least first, the same for the same
cycle.

A prompt is counted with its cluster: whoever practises a near-duplicate practises the prompt.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from django.db.models import Count, Q

from training.configs import kinds
from training.configs.knobs import POLICY
from training.models import Snapshot, SnapshotPrompt

PRACTICE, RATERS = "practice", "raters"
# Names of the steps of chains that practise on prompts, or show them to raters.
PROMPTS, CANDIDATES, HELD_OUT, TAUGHT = "prompts", "candidates", "held_out", "taught"
# Kinds of run that train a language model on its own responses to prompts.
_PRACTISING = tuple(
    kind
    for kind in kinds.kinds_leaving(POLICY)
    if Snapshot.Kind.PROMPTS in kinds.KINDS[kind].snapshots
)


class AnyPrompt(Protocol):
    """A row of labeling.data.exports, which only training.snapshots.freeze may import."""

    @property
    def prompt_id(self) -> int: ...

    @property
    def split(self) -> str: ...

    @property
    def cluster(self) -> str: ...


PromptRow = TypeVar("PromptRow", bound=AnyPrompt)


@dataclass(frozen=True)
class Draw:
    """A draw of prompts. `limits` is by split: a split that it does not name has no limit."""

    purpose: str
    cycle: int
    limits: dict[str, int] = field(default_factory=dict)
    max_uses: int | None = None
    """prompts used this often are left out; None for no limit"""


def drawn(draw: Draw, rows: Iterable[PromptRow], left_out: Counter[str]) -> list[PromptRow]:
    """In the order of their ids. What `max_uses` leaves out is counted in `left_out`."""
    used = _uses(draw.purpose)
    by_split: dict[str, list[PromptRow]] = {}
    for row in rows:
        if draw.max_uses is not None and used[_cluster(row)] >= draw.max_uses:
            left_out[f"used {draw.max_uses} times"] += 1
            continue
        by_split.setdefault(row.split, []).append(row)
    order = _order(draw, used)
    chosen = [
        row
        for split, own in by_split.items()
        for row in heapq.nsmallest(draw.limits.get(split, len(own)), own, key=order)
    ]
    return sorted(chosen, key=lambda row: row.prompt_id)


def _order(draw: Draw, used: Mapping[str, int]) -> Callable[[AnyPrompt], tuple[int, bytes]]:
    """Least used first; among equals by a hash that differs from cycle to cycle."""

    def key(row: AnyPrompt) -> tuple[int, bytes]:
        name = f"{draw.cycle}\x1f{row.cluster}\x1f{row.prompt_id}"
        return used[_cluster(row)], hashlib.sha256(name.encode()).digest()

    return key


def _uses(purpose: str) -> Counter[str]:
    """By cluster, the number of snapshots that were used for the purpose."""
    is_practised = Q(snapshot__runs__kind__in=_PRACTISING, snapshot__runs__is_dry=False) | Q(
        snapshot__links__step=PROMPTS, snapshot__links__chain__links__step=CANDIDATES
    )
    is_shown = Q(snapshot__links__step__in=(HELD_OUT, TAUGHT))
    rows = SnapshotPrompt.objects.filter(is_practised if purpose == PRACTICE else is_shown)
    counted = Count("snapshot", distinct=True)
    by_cluster = rows.exclude(prompt__cluster="").values_list("prompt__cluster").annotate(counted)
    alone = rows.filter(prompt__cluster="").values_list("prompt").annotate(counted)
    return Counter(dict(by_cluster) | {f"prompt-{pk}": n for pk, n in alone})


def _cluster(row: AnyPrompt) -> str:
    return row.cluster or f"prompt-{row.prompt_id}"
