"""Rewards by rule, from 0 to 1: the scorers of suites, and the form and length of a response. They
see the answer without the thinking before it. An empty answer earns nothing.
"""

import json
import re
from collections.abc import Callable

from training.benchmarks.scoring import rules
from training.benchmarks.scoring.answers import Answer, Item, Score
from training.benchmarks.scoring.refusal import classifier
from training.configs.online import rewards
from training.configs.online.rewards import RewardMix
from training.trainer import data
from training.trainer.data import Prompt
from training.trainer.sample.generation import GeneratedResponse

Rule = Callable[[Prompt, GeneratedResponse], float]

# Quotation marks and brackets may close after the mark.
_ENDS_SENTENCE = re.compile(r"[.!?…。！？।؟][\"'”’»)\]*_]*$")
_LIST_LINE = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s+\S")
_FEWEST_LINES = 2


def of_config(config: RewardMix) -> dict[str, Rule]:
    """The rules that count, by name."""
    made: dict[str, Rule] = {
        rewards.EXACT: lambda prompt, answer: _scored(answer, expected=prompt.reference),
        rewards.CONTAINS: lambda prompt, answer: _scored(answer, accepts=prompt.reference),
        rewards.NUMBER: lambda prompt, answer: _scored(
            answer,
            number=rules.last_number(prompt.reference),
            tolerance=config.number_tolerance,
        ),
        rewards.PATTERN: lambda prompt, answer: _scored(answer, pattern=config.pattern),
        rewards.FORMAT: lambda prompt, answer: float(has_form(answer.text, config.format)),
        rewards.LENGTH: lambda prompt, answer: (
            brevity(answer.n_answer, config.max_length) if answer.text.strip() else 0.0
        ),
        rewards.REFUSAL: lambda prompt, answer: _value(
            classifier.score(Item(kind="generate"), Answer(text=answer.text))
        ),
    }
    return {name: made[name] for name in config.weights if name in made}


def has_form(text: str, form: str) -> bool:
    """Whether the whole text is of the form: one of `rewards.SENTENCE`, `JSON` and `LIST`."""
    text = text.strip()
    if form == rewards.SENTENCE:
        return bool(_ENDS_SENTENCE.search(text))
    if form == rewards.LIST:
        lines = [line for line in text.splitlines() if line.strip()]
        return len(lines) >= _FEWEST_LINES and all(map(_LIST_LINE.match, lines))
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):  # deeply nested
        return False


def brevity(n_tokens: int, longest: int) -> float:
    """1 up to `longest`, falling to 0 at twice that, in a line: DAPO's soft punishment of length
    (Yu 2025, eq. 13), less its constant.
    """
    return min(1.0, max(0.0, 2.0 - n_tokens / longest))


def require_references(config: RewardMix, prompts: list[Prompt]) -> None:
    """Raises UnableToRead if a rule has nothing to compare with, and names the row."""
    if not config.needs_reference:
        return
    for prompt in prompts:
        if not prompt.reference.strip():
            raise data.UnableToRead(
                f"The row {prompt.prompt_id} has no reference answer, and a rule needs one. Choose"
                " a snapshot of demonstrations."
            )
        if config.number_weight and rules.last_number(prompt.reference) is None:
            raise data.UnableToRead(
                f"The reference answer of the row {prompt.prompt_id} has no number:"
                f" “{prompt.reference[:60]}”. Leave the row out, or set the weight of the number"
                " to 0."
            )


def require_pattern(config: RewardMix) -> None:
    """Raises UnableToRead for a pattern that RE2 does not read."""
    for pattern in config.patterns:
        if problem := rules.pattern_problem(pattern):
            raise data.UnableToRead(
                f"“{pattern}” is not a regular expression that RE2 accepts: {problem}. Correct the"
                " pattern."
            )


def _scored(answer: GeneratedResponse, **rule: object) -> float:
    return _value(rules.score(Item(kind="generate", content=rule), Answer(text=answer.text)))


def _value(score: Score | None) -> float:
    return score.value if score else 0.0
