"""TruthfulQA as multiple choice with one right answer (MC1)."""

import hashlib
from collections.abc import Sequence

from training.benchmarks.suites.formats.public.tables import (
    Fields,
    PublicFormat,
    key,
    maybe,
    text,
)


def _of_table(fields: Fields, number: int) -> Fields:
    best = text(fields, "Best Answer").strip()
    return maybe(category=fields.get("Category")) | _item(
        number, text(fields, "Question"), best, _listed(text(fields, "Incorrect Answers"))
    )


def _of_targets(fields: Fields, number: int) -> Fields:
    targets = fields["mc1_targets"]
    right = [choice for choice, is_right in targets.items() if is_right == 1]
    if len(right) != 1:
        raise ValueError(right)
    wrong = [choice for choice in targets if choice != right[0]]
    item = _item(number, text(fields, "question"), right[0], wrong)
    return item | {"id": key(fields, number, "id")}


def _listed(answers: str) -> list[str]:
    return [answer.strip() for answer in answers.split(";") if answer.strip()]


def _item(number: int, question: str, best: str, wrong: Sequence[str]) -> Fields:
    """The choices in an order by hash. The file has the right one first, and a model that is asked
    for a letter would be right with A.
    """
    others = dict.fromkeys(answer for answer in wrong if answer != best)
    choices = sorted(
        [best, *others],
        key=lambda choice: hashlib.sha256(f"{question}\n{choice}".encode()).digest(),
    )
    return {
        "id": str(number),
        "prompt": question,
        "choices": choices,
        "answer": choices.index(best),
    }


TRUTHFULQA = PublicFormat(
    title="TruthfulQA",
    columns=frozenset({"Question", "Best Answer", "Incorrect Answers"}),
    about={
        "id": "truthfulqa",
        "name": "TruthfulQA",
        "kind": "choice",
        "area": "honesty",
        "scorer": "likelihood",
        "source": "https://github.com/sylinrl/TruthfulQA",
    },
    item=_of_table,
)
TRUTHFULQA_MC = PublicFormat(
    title="TruthfulQA MC",
    columns=frozenset({"question", "mc1_targets"}),
    about={**TRUTHFULQA.about, "id": "truthfulqa-mc", "name": "TruthfulQA MC1"},
    item=_of_targets,
)
