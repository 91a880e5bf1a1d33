"""Questions of an onboarding step: written as text for the history, and scored. Pure: no database.

In JSON, a question is a dict with these keys: text, choices and right; prompt, response and
is_sensitive; prompt, responses and ranks; prompt; topic.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from arithmetic.response_orders import LETTERS, credit, direction

Question = dict[str, Any]
MOST_QUESTIONS = 100


def topics(text: str) -> list[Question]:
    """The topics of a step, one per line."""
    return [{"topic": line.strip()} for line in text.splitlines() if line.strip()]


def as_text(kind: str, questions: Sequence[Question]) -> str:
    """The questions as an admin reads them in the history and in a comparison of versions."""
    return ("\n" if kind == "topics" else "\n---\n").join(
        _WRITE[kind](question) for question in questions
    )


def score(kind: str, questions: Sequence[Question], answers: Sequence[object]) -> float | None:
    """Agreement with the researchers, from 0 to 1; None if there is nothing to compare.

    Rankings are compared by pairs. A pair that the researchers order counts 1 in the same order, ½
    tied, 0 reversed; a pair that they tie counts 1 tied, else ½. An unanswered question counts 0.
    """
    if kind not in _SCORE or not questions:
        return None
    padded = [*answers, *[None] * (len(questions) - len(answers))]
    points = [
        _SCORE[kind](question, answer) for question, answer in zip(questions, padded, strict=False)
    ]
    return sum(points) / len(points)


def read_ranks(answer: object, n: int) -> list[int] | None:
    """Ranks by response, if all `n` have one."""
    if (
        not isinstance(answer, Sequence)
        or len(answer) != n
        or not all(isinstance(rank, int) and 1 <= rank <= n for rank in answer)
    ):
        return None
    return list(answer)


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


def _score_ranking(question: Question, answer: object) -> float:
    truth = question["ranks"]
    ranks = read_ranks(answer, len(truth))
    if ranks is None:
        return 0.0
    pairs = combinations(range(len(truth)), 2)
    earned = [
        credit(
            direction(ranks[first], ranks[second]),
            direction(truth[first], truth[second]),
        )
        for first, second in pairs
    ]
    return sum(earned) / len(earned)


def _is_right(question: Mapping[str, object], answer: object) -> float:
    return float(type(answer) is int and answer == question["right"])


def _is_flagged_alike(question: Mapping[str, object], answer: object) -> float:
    return float(answer is question["is_sensitive"])


_WRITE: dict[str, Callable[[Question], str]] = {
    "guideline": _write_choices,
    "profile": _write_choices,
    "flags": _write_flag,
    "rankings": _write_ranking,
    "demonstrations": lambda question: question["prompt"],
    "topics": lambda question: question["topic"],
}
_SCORE = {"guideline": _is_right, "flags": _is_flagged_alike, "rankings": _score_ranking}
