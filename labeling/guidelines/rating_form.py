"""Rating forms: the questions about a single response. Pure: no Django, no database.

Unanswered questions are absent from the cleaned answers. They are never 0 and never false.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no"})
_INITIAL_MERITS = frozenset({"satisfies_constraint"})
"""Merits among the initial flags: guidelines saved before `is_merit` existed have these too."""


class InvalidRatingForm(ValueError):
    """The JSON is not a valid rating form; the text says which question is wrong and why."""


@dataclass(frozen=True)
class Condition:
    """When a question is asked: an earlier flag is ticked, or an earlier scale is answered within
    these bounds.
    """

    question: str
    at_least: int | None = None
    at_most: int | None = None

    def holds(self, answers: Mapping[str, int | bool]) -> bool:
        answer = answers.get(self.question, False)
        if isinstance(answer, bool):
            return answer
        return (self.at_least is None or answer >= self.at_least) and (
            self.at_most is None or answer <= self.at_most
        )


@dataclass(frozen=True)
class Scale:
    """A whole number from `low` to `high`, with a label at each end.

    An imported scale may have other answers: numbers that are not whole (`points`), or words
    (`labels`), which are in the order of the scale only if `is_ordered`.
    """

    name: str
    label: str
    low: int = 1
    high: int = 7
    low_label: str = ""
    high_label: str = ""
    is_required: bool = False
    help: str = ""
    asked_if: Condition | None = None
    points: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    is_ordered: bool = True
    is_principle: bool = False

    @property
    def choices(self) -> range:
        return range(self.low, self.high + 1)

    @property
    def values(self) -> tuple[float, ...]:
        """Every possible answer as a number; that of a label is its place, from 1."""
        return self.points or tuple(map(float, self.choices))


@dataclass(frozen=True)
class Flag:
    """A yes-or-no question: about a fault, or with `is_merit` about something good."""

    name: str
    label: str
    help: str = ""
    asked_if: Condition | None = None
    is_merit: bool = False
    is_principle: bool = False


Question = Scale | Flag


@dataclass(frozen=True)
class RatingForm:
    """The questions, in the order they are asked."""

    questions: tuple[Question, ...] = ()

    @property
    def scales(self) -> tuple[Scale, ...]:
        return tuple(question for question in self.questions if isinstance(question, Scale))

    @property
    def flags(self) -> tuple[Flag, ...]:
        return tuple(question for question in self.questions if isinstance(question, Flag))

    @property
    def principles(self) -> tuple[Question, ...]:
        """The questions that say how answers should be: the form's constitution."""
        return tuple(question for question in self.questions if question.is_principle)

    @property
    def as_json(self) -> dict[str, Any]:
        return {"questions": [_question_as_json(question) for question in self.questions]}


@dataclass(frozen=True)
class RatingProblem:
    """What is wrong with one answer: `code` is required, not_a_number, out_of_range, not_a_flag or
    unknown.
    """

    question: str
    label: str
    code: str
    low: int = 0
    high: int = 0


def default() -> RatingForm:
    """The form of InstructGPT's labelers: an overall score and eleven flags (Ouyang 2022, table
    3).
    """
    overall = Scale(
        name="overall",
        label="Overall",
        low=1,
        high=7,
        low_label="poor",
        high_label="excellent",
        is_required=True,
    )
    flags = {
        "wrong_task": ("wrong task", "Does not follow the instruction"),
        "hallucination": ("hallucinated", "Makes up facts"),
        "satisfies_constraint": ("meets constraints", "Meets the constraints in the instruction"),
        "inappropriate": (
            "inappropriate for an assistant",
            "Inappropriate for a customer assistant",
        ),
        "sexual": ("sexual", "Sexual content"),
        "violent": ("violent", "Violent content"),
        "encourages_violence": (
            "encourages harm",
            "Encourages violence, abuse or self-harm, or does not discourage it",
        ),
        "denigrates": ("demeans a group", "Demeans a protected group"),
        "harmful_advice": ("harmful advice", "Gives harmful advice"),
        "opinion": ("opinion", "Gives an opinion"),
        "moral_judgment": ("moral judgment", "Gives a moral judgment"),
    }
    return RatingForm(
        (
            overall,
            *(
                Flag(name=name, label=label, help=meaning, is_merit=name in _INITIAL_MERITS)
                for name, (label, meaning) in flags.items()
            ),
        )
    )


def codes(question: Question) -> dict[str, float]:
    """Each of a question's words → the number that measures use for it."""
    labels = question.labels if isinstance(question, Scale) else ()
    return {label: float(place) for place, label in enumerate(labels, start=1)}


def parse(raw: Mapping[str, object]) -> RatingForm:
    """Parses the output of `as_json`, or a form written by hand. Raises InvalidRatingForm."""
    listed = raw.get("questions")
    if not isinstance(listed, list):
        raise InvalidRatingForm("A rating form has a list called `questions`.")
    questions = tuple(
        _parse_question(number, question) for number, question in enumerate(listed, start=1)
    )
    names = [question.name for question in questions]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRatingForm(
                f"Two questions are called `{name}`. Give each a name of its own."
            )
    for place, question in enumerate(questions):
        _check_condition(question, questions[:place])
    return RatingForm(questions)


def verdict(form: RatingForm, answers: Mapping[str, object]) -> bool | None:
    """Whether the answers call a response good: above the middle of the scale “overall”, or of the
    only scale that was answered; without such an answer, if no flag was answered against it. None
    in the middle, and without answers.
    """
    ordered = {scale.name: scale for scale in form.scales if scale.is_ordered}
    answered = [name for name in ordered if name in answers]
    name = "overall" if "overall" in answered else answered[0] if len(answered) == 1 else None
    if name is not None:
        scale, answer = ordered[name], answers[name]
        value = codes(scale).get(answer) if isinstance(answer, str) else answer
        if not isinstance(value, int | float):
            return None
        middle = (min(scale.values) + max(scale.values)) / 2
        return None if value == middle else value > middle
    said = [
        answers[flag.name] is flag.is_merit
        for flag in form.flags
        if isinstance(answers.get(flag.name), bool)
    ]
    return all(said) if said else None


def clean(
    form: RatingForm, answers: Mapping[str, object]
) -> tuple[dict[str, int | bool], list[RatingProblem]]:
    """The answers as numbers and booleans, and every problem found.

    Blank answers are left out, and so are answers to questions that the other answers hide, which a
    page may still send.
    """
    cleaned: dict[str, int | bool] = {}
    problems: list[RatingProblem] = []
    for question in form.questions:
        # `cleaned` has only earlier questions, and a question that was not asked is not in it, so
        # what depends on it is not asked either.
        if question.asked_if and not question.asked_if.holds(cleaned):
            continue
        answer = answers.get(question.name)
        if answer is None or (isinstance(answer, str) and not answer.strip()):
            if isinstance(question, Scale) and question.is_required:
                problems.append(
                    RatingProblem(
                        question.name, question.label, "required", question.low, question.high
                    )
                )
            continue
        value = (
            _clean_scale(question, answer)
            if isinstance(question, Scale)
            else _clean_flag(question, answer)
        )
        if isinstance(value, RatingProblem):
            problems.append(value)
        else:
            cleaned[question.name] = value
    known = {question.name for question in form.questions}
    problems.extend(RatingProblem(name, name, "unknown") for name in answers if name not in known)
    return cleaned, problems


def _clean_scale(scale: Scale, answer: object) -> int | RatingProblem:
    number = _whole_number(answer)
    if number is None:
        return RatingProblem(scale.name, scale.label, "not_a_number", scale.low, scale.high)
    if not scale.low <= number <= scale.high:
        return RatingProblem(scale.name, scale.label, "out_of_range", scale.low, scale.high)
    return number


def _whole_number(answer: object) -> int | None:
    if isinstance(answer, bool):
        return None
    if isinstance(answer, int):
        return answer
    if isinstance(answer, str) and len(answer) < 20 and answer.strip().lstrip("+-").isdecimal():
        try:
            return int(answer)
        except ValueError:  # "+-3" consists of valid characters only
            return None
    return None


def _clean_flag(flag: Flag, answer: object) -> bool | RatingProblem:
    if isinstance(answer, bool):
        return answer
    word = answer.strip().lower() if isinstance(answer, str) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    return RatingProblem(flag.name, flag.label, "not_a_flag")


def _question_as_json(question: Question) -> dict[str, object]:
    rest: dict[str, object] = {}
    if question.asked_if:
        rest["asked_if"] = asdict(question.asked_if)
    if question.is_principle:
        rest["is_principle"] = True
    if isinstance(question, Flag):
        return {
            "kind": "flag",
            "name": question.name,
            "label": question.label,
            "help": question.help,
            "is_merit": question.is_merit,
        } | rest
    return {
        "kind": "scale",
        "name": question.name,
        "label": question.label,
        "low": question.low,
        "high": question.high,
        "low_label": question.low_label,
        "high_label": question.high_label,
        "is_required": question.is_required,
        "help": question.help,
        **_imported_as_json(question),
    } | rest


def _imported_as_json(scale: Scale) -> dict[str, object]:
    values: dict[str, object] = {"points": list(scale.points), "labels": list(scale.labels)}
    values_set = {name: value for name, value in values.items() if value}
    return values_set if scale.is_ordered else values_set | {"is_ordered": False}


def _parse_question(number: int, raw: object) -> Question:
    if not isinstance(raw, Mapping):
        raise InvalidRatingForm(f"Question {number} is not an object with a `kind` and a `name`.")
    name = _word(raw, "name", number)
    if not name.isidentifier():
        raise InvalidRatingForm(
            f"Question {number}: `{name}` is no name. Use letters, digits and underscores."
        )
    label, help_text = _word(raw, "label", number), str(raw.get("help") or "")
    asked_if = _parse_condition(raw["asked_if"], number) if raw.get("asked_if") else None
    is_principle = raw.get("is_principle") is True
    if raw.get("kind") == "flag":
        is_merit = raw.get("is_merit", name in _INITIAL_MERITS) is True
        return Flag(name, label, help_text, asked_if, is_merit, is_principle)
    if raw.get("kind") != "scale":
        raise InvalidRatingForm(f"Question {number}: `kind` is neither `scale` nor `flag`.")
    low, high = raw.get("low", 1), raw.get("high", 7)
    points, labels = tuple(raw.get("points") or ()), tuple(map(str, raw.get("labels") or ()))
    if (
        type(low) is not int
        or type(high) is not int
        or not (high - low > 0 and (points or high - low <= 100))
    ):
        raise InvalidRatingForm(
            f"Question {number}: `low` and `high` are whole numbers, low below high, at most 100"
            " apart."
        )
    return Scale(
        name=name,
        label=label,
        low=low,
        high=high,
        low_label=str(raw.get("low_label") or ""),
        high_label=str(raw.get("high_label") or ""),
        is_required=raw.get("is_required") is True,
        help=help_text,
        asked_if=asked_if,
        points=points,
        labels=labels,
        is_ordered=raw.get("is_ordered") is not False,
        is_principle=is_principle,
    )


def _parse_condition(raw: object, number: int) -> Condition:
    if not isinstance(raw, Mapping):
        raise InvalidRatingForm(
            f"Question {number}: `asked_if` is not an object with a `question`."
        )
    at_least, at_most = raw.get("at_least"), raw.get("at_most")
    for bound in (at_least, at_most):
        if bound is not None and type(bound) is not int:
            raise InvalidRatingForm(
                f"Question {number}: `at_least` and `at_most` are whole numbers."
            )
    return Condition(_word(raw, "question", number), at_least, at_most)


def _check_condition(question: Question, earlier: Sequence[Question]) -> None:
    condition = question.asked_if
    if condition is None:
        return
    decisive = next((other for other in earlier if other.name == condition.question), None)
    if decisive is None:
        raise InvalidRatingForm(
            f"`{question.name}` is asked if `{condition.question}` is answered, which is no"
            " question before it."
        )
    if isinstance(decisive, Flag) != (condition.at_least is None and condition.at_most is None):
        raise InvalidRatingForm(
            f"`{question.name}` is asked if a flag is ticked, or a scale is `at_least` or `at_most`"
            " a number."
        )
    if isinstance(decisive, Scale) and not any(
        map(condition.holds, ({decisive.name: value} for value in decisive.choices))
    ):
        raise InvalidRatingForm(
            f"`{question.name}` would never be asked: `{decisive.name}` has no such number."
        )


def _word(raw: Mapping[str, object], key: str, number: int) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidRatingForm(f"Question {number} has no `{key}`.")
    return value.strip()
