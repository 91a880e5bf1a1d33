"""Parses posted desk pages into answers. All problems are shown at once, and nothing typed is lost.

A page, a draft and a rejected submit all use the same shape: field name → list of texts, as an HTML
form posts it. Field names contain a response's letter, which is only its position on this rater's
page.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arithmetic import plain_text
from labeling.desk.judgments.checked_answers import (
    AnswerProblem,
    CheckedDemonstration,
    Code,
    DemonstrationAnswer,
    Recorded,
    as_typed,
    check_demonstration,
)
from labeling.guidelines import rating_form
from labeling.guidelines import words as guidelines_words
from labeling.models import Pass

RECORD_LIMIT = 20_000
"""Maximum characters of the presentation record that a page sends; a typical record has about
1,000.
"""
LONGEST_QUESTION = 5_000
LONGEST_TEXT = 200_000
LONGEST_DIALOGUE = 40
"""Turns after the first answer."""
CHARACTERS_PER_TOKEN = 4
"""A rough average over today's vocabularies and European languages. Token counts on pages are
estimates.
"""
RECORDED: dict[str, type] = {
    "views": dict,
    "seconds": dict,
    "opened": list,
    "viewport": list,
    "typing": dict,
    "theme": str,
    "face": str,
}
"""What a page may record about how it was used, and the type of each value; docs/recorded.md
explains them.
"""
DRAFT_FIELDS = (
    "rank-",
    "preference",
    "rate-",
    "reason",
    "strength",
    "all_bad",
    "edit",
    "text",
    "turn-",
    "keeps-",
    "sources",
    "note",
    "round",
)
"""The fields that a draft stores: the answer, without the page's own hidden fields; and of a turn
which of its sets of answers it is about.
"""
WRITTEN_FIELDS = ("text", "turn-", "edit", "reason", "sources", "note")
"""The beginnings of the names of those that take words."""

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class PageProblem:
    """A problem that blocks a submit: `where` is the id of the element on the page ("" for the
    whole page), `sentence` says what to do.
    """

    where: str
    sentence: str


@dataclass(frozen=True)
class Option:
    value: str
    is_chosen: bool


@dataclass(frozen=True)
class Question:
    """One question of the rating form about one response, ready for the template."""

    id: str
    name: str
    label: str
    help: str
    is_flag: bool
    is_merit: bool = False
    is_required: bool = False
    is_chosen: bool = False
    low: str = ""
    high: str = ""
    options: tuple[Option, ...] = ()
    problem: str = ""
    asked_if: str = ""
    """name of the field that decides whether this question is asked; "" means always"""
    at_least: int | None = None
    at_most: int | None = None
    condition: str = ""
    """when the question is asked, in words"""


def written(fields: Fields) -> list[str]:
    """What the rater wrote, without what they chose."""
    return [
        value
        for name, values in fields.items()
        for value in values
        if name.startswith(WRITTEN_FIELDS) and name != "edit_of" and value.strip()
    ]


class SkipForm(forms.Form):
    """The reason for skipping an item, with an optional note."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why are you skipping it?"),
        choices=Pass.Reason.choices,
        error_messages={
            "required": gettext_lazy("Choose a reason for skipping."),
            "invalid_choice": gettext_lazy("Choose one of the reasons listed."),
        },
    )
    note = forms.CharField(
        label=gettext_lazy("Anything to add? (optional)"), required=False, max_length=2000
    )


def answer_fields(posted: Fields) -> dict[str, list[str]]:
    """The fields of a posted page that belong to the answer, as a draft stores them. Accepts only
    lists of texts.
    """
    return {
        name: [plain_text.storable(str(value))[:LONGEST_TEXT] for value in values]
        for name, values in posted.items()
        if name.startswith(DRAFT_FIELDS)
        and not plain_text.NOT_TEXT.search(name)
        and isinstance(values, list)
        and len(values) < 20
    }


def first(posted: Fields, name: str) -> str:
    values = posted.get(name) or [""]
    return plain_text.storable(values[0])


def version(posted: str) -> int:
    """The version that is being corrected; 0 (no version) when the field is not a number."""
    return int(posted) if posted.isdecimal() and len(posted) < 5 else 0


def revision(posted: str) -> int:
    """How many changes the page has counted; 0 when the field is not a number."""
    return int(posted) if posted.isdecimal() and len(posted) < 10 else 0


def read_demonstration(posted: Fields, *, is_dialogue: bool = False) -> DemonstrationAnswer:
    """The posted text as typed, with normalised line ends. With `is_dialogue`, also the turns that
    follow.
    """
    return DemonstrationAnswer(
        text=as_typed(first(posted, "text")),
        further=read_further(posted) if is_dialogue else (),
        sources=first(posted, "sources").strip(),
    )


def parse_demonstration(
    given: DemonstrationAnswer, *, is_dialogue: bool
) -> CheckedDemonstration | list[PageProblem]:
    """The demonstration, checked; or what is wrong with it."""
    outcome = check_demonstration(given, is_dialogue=is_dialogue)
    wrong = outcome if isinstance(outcome, list) else []
    empty = {problem.turn for problem in wrong if problem.code == Code.TURN_EMPTY}
    problems = _text_problems(given.text, wrong)
    for number, message in enumerate(given.further, 1):
        problems += _turn_problems(number, message["content"], is_empty=number in empty)
    return problems if problems or isinstance(outcome, list) else outcome


def _text_problems(text: str, wrong: Sequence[AnswerProblem]) -> list[PageProblem]:
    if any(problem.code == Code.TEXT_EMPTY for problem in wrong):
        return [PageProblem("text", _("Write something first."))]
    if len(text) > LONGEST_TEXT:
        sentence = _("The text is longer than %(n)s characters. Shorten it.")
        return [PageProblem("text", sentence % {"n": LONGEST_TEXT})]
    return []


def read_further(posted: Fields) -> tuple[dict[str, str], ...]:
    """Reads turn-1, turn-2, … up to the first that is missing, always in pairs of user and
    assistant.
    """
    texts: list[str] = []
    while len(texts) < LONGEST_DIALOGUE and f"turn-{len(texts) + 1}" in posted:
        texts.append(as_typed(first(posted, f"turn-{len(texts) + 1}")))
    pairs = texts[: len(texts) // 2 * 2]
    return tuple(
        {"role": ("user", "assistant")[place % 2], "content": text}
        for place, text in enumerate(pairs)
    )


def number_of(name: str) -> int:
    """The number in a field name: 3 for turn-3."""
    return version(name.removeprefix("turn-"))


def _turn_problems(number: int, text: str, *, is_empty: bool) -> list[PageProblem]:
    if is_empty:
        sentence = _("Turn %(n)s of the dialogue is empty. Write it or remove the last turns.")
        return [PageProblem(f"turn-{number}", sentence % {"n": number + 1})]
    if len(text) > LONGEST_TEXT:
        sentence = _("Turn %(n)s of the dialogue is longer than %(most)s characters. Shorten it.")
        return [PageProblem(f"turn-{number}", sentence % {"n": number + 1, "most": LONGEST_TEXT})]
    return []


def tokens(text: str) -> int:
    """An estimate of the number of tokens."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def read_kept(posted: Fields, n: int) -> list[int]:
    """Positions of the ticked constraints, out of `n`."""
    return [place for place in range(n) if first(posted, f"keeps-{place}") == "true"]


def read_record(posted: Fields) -> Recorded:
    """The page's own measurements. They come from a browser, so only known names with values of the
    right type are kept.
    """
    raw = first(posted, "record")
    # Only what a database rejects needs escaping: zero bytes and broken surrogates.
    if len(raw) > RECORD_LIMIT or "\\u" in raw:
        return Recorded()
    try:
        record = json.loads(raw or "{}", parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return Recorded()
    if not isinstance(record, dict):
        return Recorded()
    kept = {name: record[name] for name in RECORDED if isinstance(record.get(name), RECORDED[name])}
    return Recorded(kept, _seconds(record.get("active_s")))


def record_text(raw: object) -> str:
    """The page's measurements as a draft stores them: the same as for an answer, in the form that
    the page posts; "" when there are none.
    """
    recorded = read_record({"record": [raw]}) if isinstance(raw, str) else Recorded()
    if recorded.active_s is None and not recorded.presentation:
        return ""
    return json.dumps(
        {**recorded.presentation, "active_s": recorded.active_s or 0}, ensure_ascii=False
    )


def _finite(number: str) -> float:
    """Rejects 1e400, which Python reads as infinity."""
    if math.isinf(value := float(number)):
        raise ValueError(number)
    return value


def _refuse(constant: str) -> None:
    """Rejects NaN and Infinity: Python's parser accepts them, but they are not JSON."""
    raise ValueError(constant)


def _seconds(raw: object) -> float | None:
    if not isinstance(raw, int | float) or isinstance(raw, bool):
        return None
    return float(raw) if 0 <= raw < 86_400 else None


def draw_questions(
    form: rating_form.RatingForm, letter: str, posted: Fields, problems: Mapping[str, str]
) -> tuple[Question, ...]:
    """The rating form for response `letter`, with the current choices."""
    drawn = (
        (question, _draw(question, f"rate-{letter}-{question.name}", posted, problems))
        for question in form.questions
    )
    return tuple(_with_condition(form, question, ready, letter) for question, ready in drawn)


def _with_condition(
    form: rating_form.RatingForm, question: rating_form.Question, ready: Question, letter: str
) -> Question:
    if question.asked_if is None:
        return ready
    return replace(
        ready,
        asked_if=f"rate-{letter}-{question.asked_if.question}",
        at_least=question.asked_if.at_least,
        at_most=question.asked_if.at_most,
        condition=guidelines_words.condition_words(form, question),
    )


def _draw(
    question: rating_form.Question, name: str, posted: Fields, problems: Mapping[str, str]
) -> Question:
    chosen = first(posted, name)
    if isinstance(question, rating_form.Flag):
        return Question(
            name,
            name,
            question.label,
            question.help,
            is_flag=True,
            is_merit=question.is_merit,
            is_chosen=chosen == "true",
        )
    return Question(
        name,
        name,
        question.label,
        question.help,
        is_flag=False,
        is_required=question.is_required,
        low=question.low_label,
        high=question.high_label,
        options=tuple(Option(str(value), str(value) == chosen) for value in question.choices),
        problem=problems.get(name, ""),
    )
