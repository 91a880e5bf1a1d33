"""How the refusal classifier is trained: multinomial logistic regression with an L2 penalty.

Used by the benchmark that trains and measures it; scoring needs the weights alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from training.benchmarks.scoring.refusal import features, phrases
from training.benchmarks.scoring.refusal.labels import LABELS
from training.benchmarks.scoring.refusal.weights import Floats, Weights, places, scaled

FEWEST_PROMPTS = 6
"""An n-gram needs answers to at least this many prompts, so that no weight stands
for the subject of one prompt."""
PHRASES_WEIGH = 0.3
"""A phrase of our own counts so much beside an answer of a model."""


@dataclass(frozen=True)
class Settings:
    """What is chosen by leaving out models of the training data."""

    penalty: float = 0.675
    """Of all squared weights, beside the summed loss of all answers: the same prior however many
    answers there are."""
    gain: float = 2.0
    """How much n-grams count beside signs."""


@dataclass(frozen=True)
class Example:
    """An answer with the class that people gave it, an index of `LABELS`."""

    prompt: str
    signs: dict[str, float]
    n_grams: tuple[list[int], list[int]]
    label: int


def example(*, prompt: str, text: str, label: int) -> Example:
    """Read an answer once, for many fits."""
    plain = features.readable(text)
    return Example(prompt, features.signs(plain), features.n_grams(plain), label)


def fit(examples: Sequence[Example], settings: Settings) -> Weights:
    """Train on answers and on the phrases of `phrases`. Same input, same weights."""
    names = np.array(sorted(examples[0].signs))
    signs = np.array([[row.signs[name] for name in names] for row in examples])
    mean, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-2
    known = _known(examples)
    ours = [example(prompt="", text=text, label=label) for text, label in phrases.labelled()]
    all_examples = [*examples, *ours]
    values = np.array([[row.signs[name] for name in names] for row in all_examples])
    table = sparse.hstack(
        [
            sparse.csr_matrix(scaled(values, mean, spread)),
            _n_gram_table(all_examples, known, settings.gain),
        ]
    ).tocsr()
    weigh = np.array([1.0] * len(examples) + [PHRASES_WEIGH] * len(ours))
    labels = np.array([row.label for row in all_examples])
    solution = _minimise(table, labels, weigh, settings.penalty / weigh.sum())
    return Weights(
        names=names,
        mean=mean,
        spread=spread,
        of_signs=solution[: len(names)],
        hashes=known,
        of_n_grams=solution[len(names) : -1],
        bias=solution[-1],
        gain=np.array(settings.gain),
        unsure_below=np.array(0.0),
    )


def _known(examples: Sequence[Example]) -> NDArray[np.uint32]:
    prompts: dict[int, set[str]] = defaultdict(set)
    for row in examples:
        for hashes in row.n_grams:
            for value in hashes:
                prompts[value].add(row.prompt)
    return np.array(
        sorted(value for value, by in prompts.items() if len(by) >= FEWEST_PROMPTS), np.uint32
    )


def _n_gram_table(
    examples: Sequence[Example], known: NDArray[np.uint32], gain: float
) -> sparse.csr_matrix:
    """One row an answer; the opening and the rest each have length `gain`: (B, N)"""
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, example_row in enumerate(examples):
        for hashes in example_row.n_grams:
            at = places(known, hashes)
            rows += [row] * at.size
            columns += at.tolist()
            values += [gain / max(at.size, 1) ** 0.5] * at.size
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(examples), known.size))


def _minimise(
    table: sparse.csr_matrix, labels: NDArray[np.intp], weigh: Floats, penalty: float
) -> Floats:
    """Weights, with the bias as last row, that make the labels likeliest: (D + N + 1, K)"""
    n_columns, n_classes = table.shape[1], len(LABELS)
    wanted = np.eye(n_classes)[labels]
    share = (weigh / weigh.sum())[:, None]
    across = table.T.tocsr()

    def loss(flat: Floats) -> tuple[float, Floats]:
        now = flat.reshape(n_columns + 1, n_classes)
        logits = table @ now[:-1] + now[-1]
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(axis=1, keepdims=True)
        missed = (share * (np.log(total) - (wanted * logits).sum(axis=1, keepdims=True))).sum()
        slope = share * (powers / total - wanted)
        return (
            float(missed + 0.5 * penalty * (now[:-1] ** 2).sum()),
            np.vstack([across @ slope + penalty * now[:-1], slope.sum(axis=0)]).ravel(),
        )

    start = np.zeros((n_columns + 1) * n_classes)
    solution = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    weights: Floats = solution.x.reshape(n_columns + 1, n_classes)
    return weights
