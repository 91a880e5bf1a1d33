"""Eight simulated writers of demonstrations, four of whom paste or two of whom hand in the same
texts, for benchmarks/raters.py.
"""

from dataclasses import dataclass
from statistics import median

import numpy as np

from labeling.statistics.bias.writing import pasting, same_texts

FOUR_PASTE, TWO_ALIKE = "four of eight paste", "two hand in the same texts"
N_WRITERS, N_TEXTS, N_WORDS = 8, 12, 60
HABIT = 0.7


@dataclass(frozen=True)
class FoundWriters:
    n_planted: int
    n_found: int
    n_honest: int
    n_false: int


def found_writers(seed: int, kind: str) -> FoundWriters:
    """The planted writers are the first ones; they follow their habit in 70 % of their texts."""
    random = np.random.default_rng([seed, len(kind)])
    n_planted = 4 if kind == FOUR_PASTE else 2
    marked = _pasting(random) if kind == FOUR_PASTE else _alike(random)
    planted = set(range(n_planted))
    return FoundWriters(
        n_planted, len(marked & planted), N_WRITERS - n_planted, len(marked - planted)
    )


def _pasting(random: np.random.Generator) -> set[int]:
    """Everybody pastes a quotation now and then, in a tenth of the texts a long one."""
    shares = {}
    for writer in range(N_WRITERS):
        quoted = np.where(
            random.random(N_TEXTS) < 0.1,
            random.uniform(0.4, 0.9, N_TEXTS),
            random.beta(1, 12, N_TEXTS),
        )
        pastes = (random.random(N_TEXTS) < HABIT) & (writer < 4)
        shares[writer] = median(np.where(pastes, random.uniform(0.85, 1, N_TEXTS), quoted).tolist())
    return pasting(shares)


def _alike(random: np.random.Generator) -> set[int]:
    """Texts of sixty words out of a vocabulary of 2,000, the frequent ones more often."""
    texts = []
    for prompt in range(N_TEXTS):
        written = [
            " ".join(f"w{word}" for word in random.zipf(1.3, N_WORDS) % 2_000)
            for _writer in range(N_WRITERS)
        ]
        if random.random() < HABIT:
            written[1] = written[0].replace(" ", "  ").capitalize() + "."
        texts += [(writer, prompt, text) for writer, text in enumerate(written)]
    return set(same_texts(texts))
