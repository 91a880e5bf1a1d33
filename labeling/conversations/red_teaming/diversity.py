"""How much an attack repeats the attacker's earlier ones. Pure: no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arithmetic.similarity import jaccard, shingles, skeleton
from labeling.splits.near_duplicates import NEAR

RUN_WORDS = 8
"""As many words in a row are hardly ever the same by chance."""


@dataclass(frozen=True)
class Resemblance:
    """`likeness` to the most similar earlier attack: None if there is none."""

    likeness: float | None
    repeats_wording: bool


@dataclass(frozen=True)
class Diversity:
    """Of one attacker's attacks, or of several attackers' together."""

    n: int
    n_unlike: int
    """the first one, and those that are no near-duplicates of an earlier one"""
    n_template: int
    """with a run of words of an earlier one"""

    @property
    def unlike_percent(self) -> int:
        return round(100 * self.n_unlike / self.n) if self.n else 0

    @property
    def template_percent(self) -> int:
        return round(100 * self.n_template / self.n) if self.n else 0


def resemblance(text: str, earlier: Sequence[str]) -> Resemblance:
    """Of what the attacker wrote to what they wrote in earlier attacks."""
    if not earlier:
        return Resemblance(None, repeats_wording=False)
    own = skeleton(text)
    others = [skeleton(wording) for wording in earlier]
    own_shingles, own_runs = shingles(own), _runs(own)
    likeness = max(
        1.0 if other == own else jaccard(own_shingles, shingles(other)) for other in others
    )
    return Resemblance(likeness, any(not own_runs.isdisjoint(_runs(other)) for other in others))


def diversity(resemblances: Iterable[Resemblance]) -> Diversity:
    listed = list(resemblances)
    return Diversity(
        n=len(listed),
        n_unlike=sum(entry.likeness is None or entry.likeness < NEAR for entry in listed),
        n_template=sum(entry.repeats_wording for entry in listed),
    )


def _runs(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)}
