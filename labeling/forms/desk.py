"""What the desk's pages post, read into plain answers. Every problem is said at once, and nothing
typed is lost.

A page, a draft and a refused submit all hold the same thing: field name → list of texts, as an HTML
form posts it. Field names carry a response's letter, which is its place on this rater's page and
nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling import desk_words, rating_form, response_orders
from labeling.models import Pass
from pages import plain_text

RECORD_LIMIT = 20_000
"""Characters of presentation record taken from a page; a record is about 1,000."""
STRENGTHS = ("1", "2", "3", "4")
LONGEST_QUESTION = 5_000
LONGEST_TEXT = 200_000
LONGEST_DIALOGUE = 40
"""Turns after the first answer."""
CHARACTERS_PER_TOKEN = 4
"""Roughly, over today's vocabularies and European languages: what a page says of tokens is no more
than an idea of them.
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
"""What a page may record of how it was used, and the shape of each; docs/recorded.md says what they
mean.
"""
DRAFT_FIELDS = (
    "rank-",
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
)
"""What is kept of a posted page: the answer, not the page's own hidden fields."""

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Problem:
    """What stops a submit: where (an element's id on the page, "" for the whole), and what to
    do.
    """

    where: str
    sentence: str


@dataclass(frozen=True)
class Option:
    value: str
    is_chosen: bool


@dataclass(frozen=True)
class Question:
    """One question of the rating form about one response, ready to be drawn."""

    id: str
    name: str
    label: str
    help: str
    is_flag: bool
    is_required: bool = False
    is_chosen: bool = False
    low: str = ""
    high: str = ""
    options: tuple[Option, ...] = ()
    problem: str = ""
    asked_if: str = ""
    """name of the field that decides whether this is asked; "": always"""
    at_least: int | None = None
    at_most: int | None = None
    condition: str = ""
    """when it is asked, in words"""


@dataclass(frozen=True)
class ComparisonAnswer:
    """Ranks and ratings by position, as the service wants them, beside what is wrong with them."""

    ranks: dict[int, int | None]
    ratings: dict[int, dict[str, Any]]
    reason: str | None
    """None when not asked"""
    is_all_bad: bool
    problems: tuple[Problem, ...] = ()
    edit_of: int | None = None
    """the response that was edited, None when none was"""
    edit: str = ""
    strength: int | None = None


@dataclass(frozen=True)
class Asks:
    """What a campaign asks beside the ranking."""

    strength: bool
    reason: bool


@dataclass(frozen=True)
class DemonstrationAnswer:
    text: str
    sources: str
    problems: tuple[Problem, ...] = ()
    further: tuple[dict[str, str], ...] = ()
    """the turns of a dialogue after `text`, as chat messages"""

    @property
    def lengths(self) -> list[int]:
        """Words of each answer."""
        answers = [
            self.text,
            *(message["content"] for message in self.further if message["role"] == "assistant"),
        ]
        return [len(answer.split()) for answer in answers]

    @property
    def n_words(self) -> int:
        return sum(self.lengths)


@dataclass(frozen=True)
class Recorded:
    """What the page measured: empty and None when it ran without JavaScript."""

    presentation: dict[str, Any] = field(default_factory=dict)
    active_s: float | None = None


class SkipForm(forms.Form):
    """Why an item goes back, and a word about it."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why skip it?"),
        choices=Pass.Reason.choices,
        error_messages={
            "required": gettext_lazy("Choose why you skip it."),
            "invalid_choice": gettext_lazy("Choose one of the reasons shown."),
        },
    )
    note = forms.CharField(label=gettext_lazy("Anything to add?"), required=False, max_length=2000)


def answer_fields(posted: Fields) -> dict[str, list[str]]:
    """The part of a posted page that is the answer: what a draft keeps. Accepts only lists of
    text.
    """
    return {
        name: [plain_text.storable(str(value))[:LONGEST_TEXT] for value in values]
        for name, values in posted.items()
        if name.startswith(DRAFT_FIELDS) and isinstance(values, list) and len(values) < 20
    }


def first(posted: Fields, name: str) -> str:
    values = posted.get(name) or [""]
    return plain_text.storable(values[0])


def read_comparison(
    posted: Fields, *, form: rating_form.RatingForm, n_responses: int, asks: Asks
) -> ComparisonAnswer:
    """The posted ranks and ratings of responses A, B, …; `all_bad` leaves every response
    unranked.
    """
    letters = response_orders.LETTERS[:n_responses]
    is_all_bad = first(posted, "all_bad") == "true"
    problems: list[Problem] = []
    ranks: dict[int, int | None] = {}
    ratings: dict[int, dict[str, Any]] = {}
    for position, letter in enumerate(letters):
        ratings[position], found = _read_ratings(posted, form, letter)
        problems += found
        rank = first(posted, f"rank-{letter}").strip()
        ranks[position] = None
        if rank and not (rank.isdecimal() and 1 <= int(rank[:3]) <= n_responses):
            sentence = _("%(letter)s: a rank is a number from 1 to %(n)s.")
            problems.append(
                Problem(f"rank-{letter}", sentence % {"letter": letter, "n": n_responses})
            )
        elif rank and not is_all_bad:
            ranks[position] = int(rank)
    reason = first(posted, "reason").strip() if asks.reason or is_all_bad else None
    if is_all_bad and not reason:
        problems.append(Problem("reason", _("Say in a few words why all of them are bad.")))
    if not is_all_bad and not problems_with_ranks(problems) and not any(ranks.values()):
        problems.append(
            Problem(
                "rank-A",
                _(
                    "Nothing is ranked yet. Give each response a rank; the same rank twice is a"
                    " tie."
                ),
            )
        )
    edit_of, edit, found = _read_edit(posted, letters)
    strength, unsaid = _read_strength(posted, ranks) if asks.strength else (None, [])
    return ComparisonAnswer(
        ranks,
        ratings,
        reason,
        is_all_bad,
        tuple(problems + found + unsaid),
        edit_of,
        edit,
        strength,
    )


def _read_strength(
    posted: Fields, ranks: Mapping[int, int | None]
) -> tuple[int | None, list[Problem]]:
    """Asked when something came out ahead: between equals there is no strength."""
    if len({rank for rank in ranks.values() if rank is not None}) < 2:
        return None, []
    chosen = first(posted, "strength")
    if chosen in STRENGTHS:
        return int(chosen), []
    return None, [Problem("strength", _("Say how much better the best response is."))]


def _read_edit(posted: Fields, letters: str) -> tuple[int | None, str, list[Problem]]:
    letter = first(posted, "edit_of")
    if len(letter) != 1 or letter not in letters:
        return None, "", []
    text = first(posted, "edit").replace("\r\n", "\n")
    problems = []
    if not text.strip():
        problems.append(
            Problem(
                "edit",
                _("The edit of %(letter)s is empty. Write it, or drop the edit.")
                % {"letter": letter},
            )
        )
    elif len(text) > LONGEST_TEXT:
        problems.append(
            Problem(
                "edit",
                _("The edit is longer than %(n)s characters. Shorten it.") % {"n": LONGEST_TEXT},
            )
        )
    return letters.index(letter), text, problems


def version(posted: str) -> int:
    """The version a correction was made from; 0, which is none, when the field holds no number."""
    return int(posted) if posted.isdecimal() and len(posted) < 5 else 0


def revision(posted: str) -> int:
    """How many changes a page says it has seen; 0 when it says nothing."""
    return int(posted) if posted.isdecimal() and len(posted) < 10 else 0


def problems_with_ranks(problems: Sequence[Problem]) -> bool:
    return any(problem.where.startswith("rank-") for problem in problems)


def _read_ratings(
    posted: Fields, form: rating_form.RatingForm, letter: str
) -> tuple[dict[str, Any], list[Problem]]:
    answers = {
        question.name: first(posted, f"rate-{letter}-{question.name}")
        for question in form.questions
    }
    cleaned, found = rating_form.clean(form, answers)
    return cleaned, [
        Problem(f"rate-{letter}-{problem.question}", _sentence(letter, problem))
        for problem in found
    ]


def _sentence(letter: str, problem: rating_form.Problem) -> str:
    named = {"letter": letter, "label": problem.label, "low": problem.low, "high": problem.high}
    if problem.code == "required":
        return _("%(letter)s: %(label)s is not answered. Choose from %(low)s to %(high)s.") % named
    if problem.code in {"not_a_number", "out_of_range"}:
        return _("%(letter)s: %(label)s is a number from %(low)s to %(high)s.") % named
    return _("%(letter)s: %(label)s is ticked or not.") % named


def read_demonstration(posted: Fields, *, is_dialogue: bool = False) -> DemonstrationAnswer:
    """The posted text as typed: only its line ends are made one kind. `is_dialogue`: the turns
    after it too.
    """
    text = first(posted, "text").replace("\r\n", "\n")
    problems = []
    if not text.strip():
        problems.append(Problem("text", _("Nothing is written yet.")))
    elif len(text) > LONGEST_TEXT:
        problems.append(
            Problem(
                "text",
                _("The text is longer than %(n)s characters. Shorten it.") % {"n": LONGEST_TEXT},
            )
        )
    further = read_further(posted) if is_dialogue else ()
    for number, message in enumerate(further, 1):
        problems += _problems_of_turn(number, message["content"])
    return DemonstrationAnswer(text, first(posted, "sources").strip(), tuple(problems), further)


def read_further(posted: Fields) -> tuple[dict[str, str], ...]:
    """turn-1, turn-2, … up to the first that is missing: the user's and the assistant's, always in
    pairs.
    """
    texts: list[str] = []
    while len(texts) < LONGEST_DIALOGUE and f"turn-{len(texts) + 1}" in posted:
        texts.append(first(posted, f"turn-{len(texts) + 1}").replace("\r\n", "\n"))
    pairs = texts[: len(texts) // 2 * 2]
    return tuple(
        {"role": ("user", "assistant")[place % 2], "content": text}
        for place, text in enumerate(pairs)
    )


def number_of(name: str) -> int:
    """Of a field that is called turn-3: 3."""
    return version(name.removeprefix("turn-"))


def _problems_of_turn(number: int, text: str) -> list[Problem]:
    if not text.strip():
        sentence = _("Turn %(n)s of the dialogue is empty. Write it, or remove the last turns.")
        return [Problem(f"turn-{number}", sentence % {"n": number + 1})]
    if len(text) > LONGEST_TEXT:
        sentence = _("Turn %(n)s of the dialogue is longer than %(most)s characters. Shorten it.")
        return [Problem(f"turn-{number}", sentence % {"n": number + 1, "most": LONGEST_TEXT})]
    return []


def tokens(text: str) -> int:
    """Roughly how many a model reads."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def read_kept(posted: Fields, n: int) -> list[int]:
    """Places of the `n` constraints that are ticked as kept."""
    return [place for place in range(n) if first(posted, f"keeps-{place}") == "true"]


def read_record(posted: Fields) -> Recorded:
    """The page's own measurements. They come from a browser, so only known names of the right shape
    are kept.
    """
    raw = first(posted, "record")
    # A browser escapes only what a database refuses: zero bytes and broken surrogates.
    if len(raw) > RECORD_LIMIT or "\\u" in raw:
        return Recorded()
    try:
        record = json.loads(raw or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Recorded()
    if not isinstance(record, dict):
        return Recorded()
    kept = {name: record[name] for name in RECORDED if isinstance(record.get(name), RECORDED[name])}
    return Recorded(kept, _seconds(record.get("active_s")))


def record_text(raw: object) -> str:
    """What a draft keeps of a page's measurements: what an answer would, as the page posts it; ""
    when there is nothing.
    """
    recorded = read_record({"record": [raw]}) if isinstance(raw, str) else Recorded()
    if recorded.active_s is None and not recorded.presentation:
        return ""
    return json.dumps(
        {**recorded.presentation, "active_s": recorded.active_s or 0}, ensure_ascii=False
    )


def _refuse(constant: str) -> None:
    """NaN and Infinity are no JSON, whatever Python thinks."""
    raise ValueError(constant)


def _seconds(raw: object) -> float | None:
    if not isinstance(raw, int | float) or isinstance(raw, bool):
        return None
    return float(raw) if 0 <= raw < 86_400 else None


def draw_questions(
    form: rating_form.RatingForm, letter: str, posted: Fields, problems: Mapping[str, str]
) -> tuple[Question, ...]:
    """The rating form about response `letter`, with what was chosen so far."""
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
        condition=desk_words.condition_words(form, question),
    )


def _draw(
    question: rating_form.Question, name: str, posted: Fields, problems: Mapping[str, str]
) -> Question:
    chosen = first(posted, name)
    if isinstance(question, rating_form.Flag):
        return Question(
            name, name, question.label, question.help, is_flag=True, is_chosen=chosen == "true"
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
