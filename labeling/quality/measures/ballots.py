"""How often votes followed possible biases, counted by prompt and rater: shares for groups of
raters and for each rater.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias import shares
from arithmetic.figures import Figure, Ints, absent, codes, gettext_noop
from labeling.votes.arrays import Record, Truths, as_record

PULLS = ("first", "longer", "list", "bold", "link", "emoji", "refusal", "ties")


@dataclass(frozen=True)
class Ballots:
    """Counts by prompt and rater: the votes on pairs, and for each possible bias the votes it
    applies to and the votes that followed it.

    A few rows replace many votes: shares, and their errors clustered by prompt and rater, come out
    the same.
    """

    prompt: Ints
    rater: Ints
    n: Ints
    asked: Mapping[str, Ints]
    followed: Mapping[str, Ints]

    @classmethod
    def of(
        cls,
        pairs: agreement_pairs.PairVotes,
        *,
        prompt: Ints,
        followed: Mapping[str, NDArray[np.int8]],
    ) -> "Ballots":
        """Counts votes; the rows of each rater are contiguous."""
        (rater, _raters), (prompt_code, prompts) = codes(pairs.rater), codes(prompt)
        cell, cells = codes(rater * max(1, len(prompts)) + prompt_code)
        first = np.zeros(len(cells), dtype=np.int64)
        first[cell] = np.arange(len(cell))
        return cls(
            prompt=prompt[first],
            rater=pairs.rater[first],
            n=np.bincount(cell, minlength=len(cells)),
            asked={
                name: np.bincount(cell[followed[name] >= 0], minlength=len(cells)) for name in PULLS
            },
            followed={
                name: np.bincount(cell[followed[name] == 1], minlength=len(cells)) for name in PULLS
            },
        )

    def row(self, raters: frozenset[int], *, fewest: int = 1) -> Record:
        """A group's shares, clustered by prompt and rater; figures from fewer raters than `fewest`
        are absent.
        """
        in_group = np.isin(self.rater, np.array(sorted(raters), dtype=np.int64))
        figures = {
            name: as_record(self._share(name, in_group & (self.asked[name] > 0), fewest))
            for name in PULLS
        }
        return {
            "n_raters": len(np.unique(self.rater[in_group])),
            "n": int(self.n[in_group].sum()),
            "figures": figures,
        }

    def by_rater(self) -> dict[int, dict[str, Figure]]:
        """Each rater's shares, clustered by prompt."""
        raters, starts = np.unique(self.rater, return_index=True)
        bounds = [*starts.tolist(), len(self.rater)]
        return {
            rater: {name: self._of_one(name, slice(bounds[at], bounds[at + 1])) for name in PULLS}
            for at, rater in enumerate(raters.tolist())
        }

    def _of_one(self, name: str, rows: slice) -> Figure:
        n_asked = self.asked[name][rows]
        applies = n_asked > 0
        if not applies.any():
            return absent(_UNASKED[name])
        return shares.share(
            self.followed[name][rows][applies],
            counts=n_asked[applies],
            prompts=self.prompt[rows][applies],
        )

    def _share(self, name: str, rows: Truths, fewest: int) -> Figure:
        rater = self.rater[rows]
        if 0 < len(np.unique(rater)) < fewest:
            return absent(gettext_noop("Too few raters in the group faced this choice."))
        return shares.share(
            self.followed[name][rows],
            counts=self.asked[name][rows],
            prompts=self.prompt[rows],
            raters=rater,
        )


_ALIKE = gettext_noop("No decided pair has this in only one response.")
_UNASKED = dict.fromkeys(PULLS, _ALIKE) | {
    "first": gettext_noop("No pairs have been decided."),
    "longer": gettext_noop("No two responses differ in length."),
}
