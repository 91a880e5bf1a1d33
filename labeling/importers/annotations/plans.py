"""How a table of answers is read: the role of each column, what the values of its winner mean, and
its questions with all their answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from labeling.guidelines import rating_form
from labeling.guidelines.rating_form import Question, RatingForm
from labeling.importers.annotations import cells, legends, roles
from labeling.importers.annotations.cells import Cells
from labeling.importers.annotations.legends import Legend
from labeling.importers.annotations.questions import Asked
from labeling.importers.annotations.roles import Roles

_ASKING = {roles.ANSWER, roles.SCALE, roles.CHOICE, roles.FLAG, roles.BY_RATER, roles.VALUE}
_ANSWERS = {*_ASKING, roles.WINNER, roles.RANK, roles.LEFT_ANSWER, roles.TEXT}


@dataclass(frozen=True)
class Plan:
    """`questions` are by their key in the file: see `key_of`."""

    roles: Roles
    legend: Legend = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)

    def heading(self, role: str) -> str:
        """The column with this role; empty if there is none."""
        return next((name for name, value in self.roles.items() if value == role), "")

    def headings(self, *wanted: str) -> list[str]:
        return [name for name, role in self.roles.items() if role in wanted]

    @property
    def is_pair(self) -> bool:
        """Whether each row shows two responses, of which one can be better."""
        of_pairs = {roles.LEFT, roles.LEFT_MODEL, roles.MODELS, roles.WINNER}
        return bool(of_pairs & set(self.roles.values()))

    @property
    def winners(self) -> list[str]:
        """The columns that say which response is better."""
        return self.headings(roles.WINNER) or (
            self.headings(roles.BY_RATER) if self.is_pair else []
        )

    @cached_property
    def by_raters(self) -> dict[str, tuple[str, str]]:
        """Column of one rater → (what is asked, which rater)."""
        return roles.by_raters(self.headings(roles.BY_RATER))

    @property
    def form(self) -> RatingForm:
        return RatingForm(tuple(self.questions.values()))

    @property
    def as_json(self) -> dict[str, object]:
        return {
            # As pairs: a database may sort the keys of an object.
            "roles": [[heading, role] for heading, role in self.roles.items()],
            "legend": dict(self.legend),
            "keys": list(self.questions),
            "form": self.form.as_json,
        }

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> "Plan":
        form = rating_form.parse(raw["form"])
        return cls(
            dict(raw["roles"]), raw["legend"], dict(zip(raw["keys"], form.questions, strict=True))
        )


def missing(assigned: Roles) -> str:
    """What nobody has said yet of a table, as a sentence; empty if it can be read."""
    has = set(assigned.values())
    if not has & {roles.RATER, roles.BY_RATER}:
        return _(
            "No column says who answered. Choose the column with the rater, or the columns that"
            " have one rater's answers each."
        )
    if not has & _ANSWERS:
        return _(
            "No column holds an answer. Choose the column with the better response, a rank, a"
            " rating, a flag or a written text."
        )
    if roles.RANK in has and not has & {roles.ITEM, roles.PROMPT}:
        return _("A rank needs an item or a prompt that the ranked responses share. Choose one.")
    if roles.QUESTION in has and roles.VALUE not in has:
        return _("One column names the question, but none has the answers to it. Choose one.")
    return ""


def key_of(heading: str, role: str, row: Cells, plan: Plan) -> str:
    """Names the question that a column answers: columns of several raters, and of the two sides,
    share one.
    """
    if role == roles.BY_RATER:
        return plan.by_raters[heading][0]
    if role in (roles.LEFT_ANSWER, roles.RIGHT_ANSWER):
        return roles.without_side(heading)
    if role == roles.VALUE and (asked := plan.heading(roles.QUESTION)):
        return cells.of(row, asked)
    return heading


def survey(rows: Iterable[Cells], assigned: Roles, legend: Legend) -> Plan:
    """The plan for a table, from all of its rows: which answers each question has, and what the
    values mean that `legend` does not explain.
    """
    plan = Plan(assigned)
    asked: dict[str, Asked] = {}
    values: set[str] = set()
    asking = [
        (name, role)
        for name, role in assigned.items()
        if role in {*_ASKING, roles.LEFT_ANSWER, roles.RIGHT_ANSWER} and name not in plan.winners
    ]
    models = plan.headings(roles.LEFT_MODEL, roles.RIGHT_MODEL)
    both = plan.heading(roles.MODELS)
    for row in rows:
        for heading, role in asking:
            if key := key_of(heading, role, row, plan):
                if key not in asked:
                    kind = role if role in _FORCED else roles.ANSWER
                    asked[key] = Asked(_name(key, asked), _words(key), kind)
                asked[key].add(cells.of(row, heading))
        named = {legends.folded(cells.of(row, model)) for model in models}
        named |= set(map(legends.folded, roles.two_models(cells.of(row, both)) or ()))
        values |= {legends.folded(cells.of(row, column)) for column in plan.winners} - named
    questions = {key: column.question() for key, column in asked.items()}
    meant = legends.guess({value for value in values if len(value) < _LONGEST_VALUE})
    meant |= {value: side for value in values if (side := _side_named(value, plan))}
    return Plan(
        assigned,
        {**meant, **{legends.folded(value): meaning for value, meaning in legend.items()}},
        {key: question for key, question in questions.items() if question is not None},
    )


def _side_named(value: str, plan: Plan) -> str:
    """The side whose heading a value is: the second of answer_0 and answer_1 is not the first."""
    names = {
        roles.compact(plan.heading(role)): meaning
        for role, meaning in ((roles.LEFT, legends.FIRST), (roles.RIGHT, legends.SECOND))
    }
    return names.get(roles.compact(value), "") if value else ""


_FORCED = (roles.SCALE, roles.CHOICE, roles.FLAG)
_LONGEST_VALUE = 100


def _name(key: str, asked: Mapping[str, Asked]) -> str:
    name = roles.question_name(key)
    taken = {taken_name.name for taken_name in asked.values()}
    return next(
        taken_name
        for taken_name in (name, *(f"{name}_{n}" for n in range(2, 10_000)))
        if taken_name not in taken
    )


def _words(key: str) -> str:
    """A heading as a label."""
    return " ".join(key.replace("_", " ").replace(".", " ").split())[:100] or key
