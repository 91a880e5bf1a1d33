"""Questions of an onboarding step: parsed from an admin's text, written back, and scored. Pure: no
database.

An admin types questions one after another, with a line `---` between two. The format depends on the
step:

    guideline, profile   the question, then a choice per line: `- brief`, the right one `* helpful`
                         (no right one in a profile)
    flags                `Prompt: …`, `Response: …`, `Sensitive: yes` or `no`
    rankings             `Prompt: …`, `A: …`, `B: …` and so on, `Order: B > A = C`
    demonstrations       the prompt
    topics               one topic per line, without `---`

In JSON, a question is a dict with these keys: text, choices and right; prompt, response and
is_sensitive; prompt, responses and ranks; prompt; topic.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.utils.translation import gettext as _

from labeling.statistics.response_orders import LETTERS, credit, direction

Question = dict[str, Any]
LABEL = re.compile(r"(prompt|response|sensitive|order|[A-I])\s*:\s?(.*)", re.IGNORECASE | re.DOTALL)
MOST_QUESTIONS = 100


@dataclass(frozen=True)
class QuestionProblem:
    line: int
    sentence: str


@dataclass(frozen=True)
class _Block:
    line: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()


def parse(kind: str, text: str) -> tuple[list[Question], list[QuestionProblem]]:
    """Questions, and a problem with its line for each that cannot be used."""
    blocks = _lines(text) if kind == "topics" else _blocks(text)
    questions, problems = [], []
    for block in blocks:
        try:
            questions.append(_READ[kind](block.text))
        except ValueError as problem:
            problems.append(QuestionProblem(block.line, str(problem)))
    if len(questions) > MOST_QUESTIONS:
        problems.append(
            QuestionProblem(
                1,
                _("At most %(n)d questions are allowed.") % {"n": MOST_QUESTIONS},
            )
        )
    return questions, problems


def as_text(kind: str, questions: Sequence[Question]) -> str:
    """Text that `parse` turns back into the same questions."""
    return ("\n" if kind == "topics" else "\n---\n").join(
        _WRITE[kind](question) for question in questions
    )


def score(kind: str, questions: Sequence[Question], answers: Sequence[Any]) -> float | None:
    """Agreement with the researchers, from 0 to 1; None if there is nothing to compare.

    Rankings are compared by pairs. A pair that the researchers order counts 1 in the same order, ½
    tied, 0 reversed; a pair that they tie counts 1 tied, else ½. An unanswered question counts 0.
    """
    if kind not in _SCORE or not questions:
        return None
    given = [*answers, *[None] * (len(questions) - len(answers))]
    points = [
        _SCORE[kind](question, answer) for question, answer in zip(questions, given, strict=False)
    ]
    return sum(points) / len(points)


def read_ranks(answer: Any, n: int) -> list[int] | None:
    """Ranks by response, if all `n` have one."""
    if (
        not isinstance(answer, Sequence)
        or len(answer) != n
        or not all(isinstance(rank, int) and 1 <= rank <= n for rank in answer)
    ):
        return None
    return list(answer)


def _blocks(text: str) -> list[_Block]:
    blocks, lines, start = [], [], 1
    for number, line in enumerate([*text.splitlines(), "---"], start=1):
        if line.strip() != "---":
            lines.append(line.rstrip())
            continue
        if any(lines):
            blocks.append(_Block(start, lines))
        lines, start = [], number + 1
    return blocks


def _lines(text: str) -> list[_Block]:
    return [
        _Block(number, [line.strip()])
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    ]


def _labelled(text: str) -> dict[str, str]:
    """`Prompt: …` and the like; a line without a label continues the previous one."""
    parts: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        match = LABEL.fullmatch(line)
        # a label counts only once: “A: …” inside a response's own text is text
        if match and match[1].lower() not in parts:
            current = match[1].lower()
            parts[current] = match[2]
        elif current:
            parts[current] += f"\n{line}"
        elif line.strip():
            raise ValueError(_("Start with a label, such as “Prompt:”."))
    return {label: part.strip() for label, part in parts.items()}


def _read_choices(text: str, *, has_right: bool) -> Question:
    lines = text.splitlines()
    choices = [line.strip() for line in lines if line.strip()[:1] in {"-", "*"}]
    words = "\n".join(line for line in lines if line.strip()[:1] not in {"-", "*"}).strip()
    if not words:
        raise ValueError(_("The question is empty."))
    if len(choices) < 2:
        raise ValueError(
            _("A question needs at least two choices, one per line, each starting with “-”.")
        )
    question: Question = {"text": words, "choices": [choice[1:].strip() for choice in choices]}
    if has_right:
        right = [place for place, choice in enumerate(choices) if choice.startswith("*")]
        if len(right) != 1:
            raise ValueError(_("Mark the one right choice with “*” instead of “-”."))
        question["right"] = right[0]
    return question


def _read_flag(text: str) -> Question:
    parts = _labelled(text)
    for label in ("prompt", "response"):
        if not parts.get(label):
            raise ValueError(_("“%(label)s:” is missing.") % {"label": label.capitalize()})
    answer = parts.get("sensitive", "").lower()
    if answer not in {"yes", "no"}:
        raise ValueError(
            _("Add “Sensitive: yes” or “Sensitive: no”, as your researchers answered.")
        )
    return {
        "prompt": parts["prompt"],
        "response": parts["response"],
        "is_sensitive": answer == "yes",
    }


def _read_ranking(text: str) -> Question:
    parts = _labelled(text)
    if not parts.get("prompt"):
        raise ValueError(_("“%(label)s:” is missing.") % {"label": "Prompt"})
    letters = [letter for letter in "abcdefghi" if letter in parts]
    if len(letters) < 2 or letters != list("abcdefghi"[: len(letters)]):
        raise ValueError(_("Add at least two responses: “A:”, “B:” and so on."))
    tiers = [
        [letter.strip() for letter in tier.split("=")]
        for tier in parts.get("order", "").lower().split(">")
    ]
    if sorted(letter for tier in tiers for letter in tier) != letters:
        raise ValueError(
            _("“Order:” must name each response once, for example “Order: B > A = C”.")
        )
    rank_of = {letter: number for number, tier in enumerate(tiers, start=1) for letter in tier}
    return {
        "prompt": parts["prompt"],
        "responses": [parts[letter] for letter in letters],
        "ranks": [rank_of[letter] for letter in letters],
    }


def _write_choices(question: Question) -> str:
    right = question.get("right")
    lines = [
        f"{'*' if place == right else '-'} {choice}"
        for place, choice in enumerate(question["choices"])
    ]
    return "\n".join([question["text"], *lines])


def _write_flag(question: Question) -> str:
    answer = "yes" if question["is_sensitive"] else "no"
    return f"Prompt: {question['prompt']}\nResponse: {question['response']}\nSensitive: {answer}"


def _write_ranking(question: Question) -> str:
    tiers: dict[int, list[str]] = {}
    for place, rank in enumerate(question["ranks"]):
        tiers.setdefault(rank, []).append(LETTERS[place])
    order = " > ".join(" = ".join(tiers[rank]) for rank in sorted(tiers))
    responses = [
        f"{letter}: {text}" for letter, text in zip(LETTERS, question["responses"], strict=False)
    ]
    return "\n".join([f"Prompt: {question['prompt']}", *responses, f"Order: {order}"])


def _score_ranking(question: Question, answer: Any) -> float:
    truth = question["ranks"]
    given = read_ranks(answer, len(truth))
    if given is None:
        return 0.0
    pairs = combinations(range(len(truth)), 2)
    earned = [
        credit(
            direction(given[one], given[other]),
            direction(truth[one], truth[other]),
        )
        for one, other in pairs
    ]
    return sum(earned) / len(earned)


def _is_right(question: Mapping[str, Any], answer: Any) -> float:
    return float(type(answer) is int and answer == question["right"])


def _is_flagged_alike(question: Mapping[str, Any], answer: Any) -> float:
    return float(answer is question["is_sensitive"])


_READ: dict[str, Callable[[str], Question]] = {
    "guideline": lambda text: _read_choices(text, has_right=True),
    "profile": lambda text: _read_choices(text, has_right=False),
    "flags": _read_flag,
    "rankings": _read_ranking,
    "demonstrations": lambda text: {"prompt": text},
    "topics": lambda text: {"topic": text},
}
_WRITE: dict[str, Callable[[Question], str]] = {
    "guideline": _write_choices,
    "profile": _write_choices,
    "flags": _write_flag,
    "rankings": _write_ranking,
    "demonstrations": lambda question: question["prompt"],
    "topics": lambda question: question["topic"],
}
_SCORE = {"guideline": _is_right, "flags": _is_flagged_alike, "rankings": _score_ranking}
