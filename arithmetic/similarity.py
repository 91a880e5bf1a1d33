"""How alike two texts are: runs of characters or words as hashes, their Jaccard index, and MinHash
to find the pairs worth comparing.

Runs are 64-bit hashes in sorted arrays: as sets of strings they took nine tenths of an import's
time.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

Hashes = NDArray[np.uint64]

SHINGLE = 5
# For shorter texts a Jaccard index means nothing; only equality counts.
SHORT = 25
# Longer texts are compared by their beginnings.
COMPARED = 8_000


def skeleton(text: str) -> str:
    """The text without case, width, punctuation and spacing; the original text if nothing would be
    left.
    """
    folded = unicodedata.normalize("NFKC", text[:COMPARED]).casefold()
    return " ".join(folded.translate(_letters).split()) or text.strip()


class _Letters(dict[int, int]):
    """A translation table that keeps letters, digits and marks and turns everything else into a
    space; filled on demand.
    """

    def __missing__(self, code: int) -> int:
        c = chr(code)
        self[code] = code if c.isalnum() or unicodedata.category(c).startswith("M") else ord(" ")
        return self[code]


_letters = _Letters()


def jaccard(a: Hashes, b: Hashes) -> float:
    """Size of the intersection over size of the union; 0 for two empty sets."""
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common) if common else 0.0


def shingles(text: str) -> Hashes:
    """Hashes of every run of five characters of a skeleton, sorted and distinct; empty if the text
    is too short to compare.
    """
    if len(text) < SHORT:
        return np.empty(0, dtype=np.uint64)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    return np.unique(run_hashes(codes, SHINGLE))


def run_hashes(values: Hashes, n: int) -> Hashes:
    """One polynomial hash for each run of `n` values; empty if there are fewer."""
    n_runs = len(values) - n + 1
    if n_runs <= 0:
        return np.empty(0, dtype=np.uint64)
    hashed = np.zeros(n_runs, dtype=np.uint64)
    for at in range(n):
        hashed = hashed * _ODD + values[at : at + n_runs]
    # MinHash reads the low bits, so the high ones are mixed in.
    hashed = (hashed ^ (hashed >> np.uint64(31))) * _ODD
    return hashed ^ (hashed >> np.uint64(29))


_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class MinHash:
    """Finds pairs worth comparing: sets of hashes that share the key of a band are candidates.

    Two sets with Jaccard index s agree in a value with probability s, so they share a key with
    probability 1 − (1 − s^rows)^n_bands (Leskovec, Rajaraman and Ullman 2020, section 3.4).
    """

    n_bands: int
    rows: int

    @property
    def n_values(self) -> int:
        return self.n_bands * self.rows

    def values(self, sets: Sequence[Hashes]) -> list[NDArray[np.uint32]]:
        """The MinHash values of each set (Broder 1997); empty for an empty set."""
        if not sets:
            return []
        offsets = np.cumsum([0, *(len(own) for own in sets)]).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            np.concatenate(sets), offsets, num_perm=self.n_values, seed=1
        )
        rows = np.array(matrix.to_rows(), dtype="<u4")
        return [row if len(own) else row[:0] for row, own in zip(rows, sets, strict=True)]

    def keys(self, values: NDArray[np.uint32]) -> list[int]:
        """One signed 64-bit key per band; none for an empty set. The band's number is in the hash:
        the same values in two bands are different keys.
        """
        bands = values.reshape(-1, self.rows)
        return [
            int.from_bytes(
                hashlib.blake2b(bytes((i,)) + band.tobytes(), digest_size=8).digest(), signed=True
            )
            for i, band in enumerate(bands)
        ]
