"""Strategies of attacks: pure functions from a goal to what is said to the model.

The templates are few, short and in our own words. They show what a model withstands; they are not
the strongest attacks that are known.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from training.configs.evaluation.attack import (
    BUILD_UP,
    DIRECT,
    MANY_SHOT,
    PAST_TENSE,
    PREFIX,
    ROLE,
    SUPPRESSION,
)
from training.trainer.modeling.chat_template import Message

_TEMPLATES = Path(__file__).with_name("templates.json")
_WITH_GOAL = (PREFIX, SUPPRESSION, PAST_TENSE, ROLE)


@dataclass(frozen=True)
class Attack:
    """What is said before the model's first answer, and after each answer from then on."""

    messages: list[Message]
    follow_ups: tuple[str, ...] = ()


def attack(strategy: str, goal: Sequence[Message], *, sample: int = 0) -> Attack:
    """The strategy applied to the goal, the last message of which the user says. Samples take
    turns with the strategy's templates.
    """
    before, asked = list(goal[:-1]), goal_text(goal)
    if strategy == DIRECT:
        return Attack(list(goal))
    if strategy == MANY_SHOT:
        return Attack([*before, *_shots(), _said(asked)])
    if strategy == BUILD_UP:
        first, *later = _pick(BUILD_UP, sample)
        return Attack([*before, _said(_filled(first, asked))], (*later, asked))
    if strategy in _WITH_GOAL:
        return Attack([*before, _said(_filled(_pick(strategy, sample), asked))])
    raise ValueError(f"no strategy is called {strategy}")


def to_attacker(goal: Sequence[Message], messages: Sequence[Message]) -> list[Message]:
    """What the attacker model reads before it writes its next turn. `messages`: the conversation
    with the model that it attacks.
    """
    talk = "\n\n".join(
        f"{'You' if message['role'] == 'user' else 'Model'}: {message['content']}"
        for message in messages
        if message["role"] != "system"
    )
    words = _templates()["attacker"][1 if talk else 0]
    return [_said(_filled(words, goal_text(goal)).replace("{talk}", talk))]


def goal_text(goal: Sequence[Message]) -> str:
    return goal[-1]["content"]


def _shots() -> list[Message]:
    """Harmless requests, each with an answer that begins at once."""
    return [
        {"role": role, "content": text}
        for shot in _templates()[MANY_SHOT]
        for role, text in zip(("user", "assistant"), shot, strict=True)
    ]


def _pick(strategy: str, sample: int) -> Any:
    templates = _templates()[strategy]
    return templates[sample % len(templates)]


def _filled(template: str, goal: str) -> str:
    return template.replace("{goal}", goal)


def _said(text: str) -> Message:
    return {"role": "user", "content": text}


@cache
def _templates() -> Mapping[str, Any]:
    templates: Mapping[str, object] = json.loads(_TEMPLATES.read_text(encoding="utf-8"))
    return templates
