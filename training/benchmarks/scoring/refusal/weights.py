"""The weights of the refusal classifier, and what they say about an answer.

Multinomial logistic regression on `features`: plain numbers, read with numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.benchmarks.scoring.refusal import features

Floats = NDArray[np.float64]
SHIPPED = Path(__file__).parent / "weights.npz"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """K classes, D signs, N n-grams."""

    names: NDArray[np.str_]
    """The signs, in the order of `mean`, `spread` and `of_signs`: (D,)"""
    mean: Floats
    spread: Floats
    of_signs: Floats  # (D, K)
    hashes: NDArray[np.uint32]
    """The n-grams that have weights, ascending: (N,)"""
    of_n_grams: Floats  # (N, K)
    bias: Floats  # (K,)
    gain: Floats
    """How much n-grams count beside signs: ()"""
    unsure_below: Floats
    """Below this certainty, a person should look: ()"""

    def probabilities(self, text: str) -> Floats:
        """The probability of each class, (K,), in the order of `labels.LABELS`."""
        plain = features.readable(text)
        return self.of(features.signs(plain), features.n_grams(plain))

    def of(self, signs: dict[str, float], n_grams: Sequence[Sequence[int]]) -> Floats:
        """The same from features that were read before."""
        logits = self.bias + self.scaled(signs) @ self.of_signs
        for hashes in n_grams:
            at = places(self.hashes, hashes)
            if at.size:
                logits = logits + self.gain / np.sqrt(at.size) * self.of_n_grams[at].sum(axis=0)
        powers = np.exp(logits - logits.max())
        shares: Floats = powers / powers.sum()
        return shares

    def scaled(self, signs: dict[str, float]) -> Floats:
        """Signs in units of their spread over the training answers, bounded: (D,)"""
        values = np.array([signs[name] for name in self.names])
        return scaled(values, self.mean, self.spread)


def scaled(values: Floats, mean: Floats, spread: Floats) -> Floats:
    """So that no sign, however rare in training, outweighs all others in a new text."""
    bounded: Floats = np.clip((values - mean) / spread, -4.0, 4.0) / 8.0
    return bounded


def places(known: NDArray[np.uint32], hashes: Sequence[int]) -> NDArray[np.intp]:
    """The indices in `known`, ascending, of those of `hashes` that are in it."""
    sought = np.array(hashes, dtype=np.uint32)
    if not known.size or not sought.size:
        return np.array([], dtype=np.intp)
    at = np.minimum(np.searchsorted(known, sought), known.size - 1)
    indices: NDArray[np.intp] = at[known[at] == sought]
    return indices


def load(path: Path = SHIPPED) -> Weights:
    """Read weights that `save` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return Weights(
            **{
                field.name: stored[field.name].astype(np.float64)
                if stored[field.name].dtype.kind == "f"
                else stored[field.name]
                for field in fields(Weights)
            }
        )
