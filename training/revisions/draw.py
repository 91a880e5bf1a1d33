"""Which of a run's revisions raters compare with the answers before them."""

import hashlib
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.models import Run
from training.snapshots.contents import revised

FEWEST = 10


@dataclass(frozen=True)
class Pair:
    """The answer before all revisions, and the last revision, by their ids."""

    prompt_id: int
    before: int
    revision: int


def n_drawn(n: int, share: float) -> int:
    """Of `n` revisions: the share, but at least FEWEST where there are as many."""
    return min(n, max(FEWEST, math.ceil(share * n)))


def pairs(run: Run) -> list[Pair]:
    """Of each prompt whose answer was revised and is another one now."""
    source = run.base_model.source_id
    if source is None:
        return []
    rows = revised.answers(source=source, run_id=run.pk).order_by("prompt_id", "number")
    texts = rows.values_list("prompt_id", "pk", "text").iterator(chunk_size=2_000)
    by_prompt = itertools.groupby(texts, key=lambda row: row[0])
    return [pair for prompt, of in by_prompt for pair in _ends(prompt, of)]


def _ends(prompt: int, rows: Iterable[tuple[int, int, str]]) -> Iterable[Pair]:
    listed = list(rows)
    (_prompt, before, old), (_prompt, revision, new) = listed[0], listed[-1]
    if old.split() != new.split():
        yield Pair(prompt, before, revision)


def drawn(run: Run, found: Sequence[Pair], share: float) -> list[Pair]:
    """A random share of them, always the same: nothing but the prompt's id decides."""

    def place(pair: Pair) -> str:
        return hashlib.sha256(f"revision:{run.pk}:{pair.prompt_id}".encode()).hexdigest()

    return sorted(found, key=place)[: n_drawn(len(found), share)]
