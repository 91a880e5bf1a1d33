"""Scores of multiple choice: by log-likelihood, or by the choice that a written answer names."""

import math
import re
from collections.abc import Sequence

from training.benchmarks.scoring.answers import Answer, Item, Score
from training.benchmarks.scoring.wording import holds, normalised

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# “B”, “(B)”, “B.”, “B)”, “B:”, “**B**” at the start of the answer, alone or before its wording.
_STARTS_WITH_LETTER = re.compile(r"^[\s*_(\[\"'`]*([A-Z])[\s*_\"'`]*(?:[).:\],]|$)", re.MULTILINE)
# “the answer is B”, “Answer: (B)”, “option B”, “choice B”; not “the answer is a dog”.
_NAMES_LETTER = re.compile(
    r"\b(?i:answer|option|choice)(?i:\s+is)?\s*:?[\s*_(\[\"'`]*([A-Z])\b(?!['’]\w)"
)
_IN_BRACKETS = re.compile(r"\(([A-Z])\)")


def by_likelihood(item: Item, answer: Answer) -> Score | None:
    """1 if the right choice has the highest log-likelihood (lm-evaluation-harness: `acc`)."""
    return _scored(item, [float(x) for x in answer.values.get("log_likelihoods", ())])


def by_likelihood_by_length(item: Item, answer: Answer) -> Score | None:
    """The same with log-likelihoods per character (lm-evaluation-harness: `acc_norm`)."""
    sums = answer.values.get("log_likelihoods", ())
    lengths = answer.values.get("n_characters") or [
        len(choice) for choice in item.content["choices"]
    ]
    if len(sums) != len(lengths):
        return None
    return _scored(item, [float(x) / max(int(n), 1) for x, n in zip(sums, lengths, strict=True)])


def by_text(item: Item, answer: Answer) -> Score | None:
    """1 if the answer names the right choice, by its letter or in its wording.

    An answer that names none, or two, is wrong: its label is empty. Without any text there is no
    score, as for a model that gave log-likelihoods only.
    """
    if not answer.text.strip():
        return None
    named = named_choice(answer.text, item.content["choices"])
    if named is None:
        return Score(0.0)
    return Score(float(named == item.content["answer"]), LETTERS[named])


def named_choice(text: str, choices: Sequence[str]) -> int | None:
    """The index of the one choice that `text` names, else None."""
    letters = LETTERS[: len(choices)]
    for pattern in (_STARTS_WITH_LETTER, _NAMES_LETTER, _IN_BRACKETS):
        letters_named = set(pattern.findall(text)) & set(letters)
        if len(letters_named) == 1:
            return letters.index(letters_named.pop())
    return _worded_choice(text, choices)


def _worded_choice(text: str, choices: Sequence[str]) -> int | None:
    answer = normalised(text)
    for index, choice in enumerate(choices):
        if answer == normalised(choice):
            return index
    places = [index for index, choice in enumerate(choices) if holds(text, choice)]
    # “not guilty” holds “guilty” as well: the longer wording is what was named.
    longest = [
        i for i in places if not any(j != i and holds(choices[j], choices[i]) for j in places)
    ]
    return longest[0] if len(longest) == 1 else None


def _scored(item: Item, likelihoods: Sequence[float]) -> Score | None:
    if len(likelihoods) != len(item.content["choices"]) or not all(map(math.isfinite, likelihoods)):
        return None
    # As numpy.argmax, and so as lm-evaluation-harness: of equal ones, the first.
    best = max(range(len(likelihoods)), key=lambda index: likelihoods[index])
    total = sum(math.exp(likelihood - likelihoods[best]) for likelihood in likelihoods)
    return Score(float(best == item.content["answer"]), letter(best), 1.0 / total)


def letter(index: int) -> str:
    """The name of a choice: A to Z, after that its number."""
    return LETTERS[index] if index < len(LETTERS) else str(index + 1)
