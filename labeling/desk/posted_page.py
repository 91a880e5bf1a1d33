"""Parses a posted desk page: what was typed, the answer, its problems and its warnings. Stores
nothing.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arithmetic import response_orders
from labeling.desk.forms import answer_fields, preference_scale, typed_comparison
from labeling.desk.forms.preference_scale import PreferenceScale
from labeling.desk.judgments import warnings as judgments_warnings
from labeling.desk.judgments.checked_answers import (
    Answer,
    Checked,
    ComparisonAnswer,
    DemonstrationAnswer,
    Recorded,
    as_typed,
    with_clean_ratings,
)
from labeling.desk.work import Work
from labeling.guidelines import rating_form
from labeling.models import Demonstration, Draft, Judgment

MOST_FIELDS = 1_000

WARNING_SENTENCES: dict[str, str | Promise] = {
    judgments_warnings.ORDER_AS_SHOWN: gettext_lazy(
        "Your ranking matches the display order. Is that what you want?"
    ),
    judgments_warnings.CONTRADICTS_RATINGS: gettext_lazy(
        "You rated %(better)s above %(worse)s but ranked %(worse)s higher."
    ),
    judgments_warnings.FASTER_THAN_READING: gettext_lazy(
        "You answered faster than these texts can be read."
    ),
    judgments_warnings.PARTLY_RANKED: gettext_lazy(
        "Some responses have no rank and will not be compared."
    ),
    judgments_warnings.EDITED_NOT_BEST: gettext_lazy(
        "You edited a response that is not ranked best."
    ),
    judgments_warnings.CONSTRAINT_UNTICKED: gettext_lazy(
        "A requirement of the prompt is not checked."
    ),
    judgments_warnings.UNUSUAL_LENGTH: gettext_lazy(
        "The answer is shorter or longer than expected."
    ),
}


@dataclass(frozen=True)
class PageInput:
    """The state of a page as field name → texts. `revision` counts changes, to tell which of two
    copies is newer.
    """

    fields: Mapping[str, list[str]] = field(default_factory=dict)
    revision: int = 0
    saved_at: dt.datetime | None = None
    notice: str = ""
    """why a button had no effect"""

    @classmethod
    def of_post(cls, posted: QueryDict) -> "PageInput":
        return cls(dict(posted.lists()), answer_fields.revision(posted.get("revision", "")))

    @classmethod
    def of_draft(cls, draft: Draft | None) -> "PageInput":
        if draft is None or "fields" not in draft.content:
            return cls()
        return replace(cls.of_json(draft.content), saved_at=draft.saved_at)

    @classmethod
    def of_judgment(cls, judgment: Judgment) -> "PageInput":
        """What a rater would have to type to give this judgment."""
        written: Demonstration | None = getattr(judgment, "demonstration", None)
        if judgment.kind == Judgment.Kind.DEMONSTRATION:
            assert written is not None
            kept = judgment.presentation.get("constraints", {}).get("kept", [])
            ticked = {f"keeps-{place}": ["true"] for place in kept}
            turns = {
                f"turn-{number}": [message["content"]]
                for number, message in enumerate(written.further, 1)
            }
            return cls(
                {"text": [written.text], "sources": [written.sources], **turns, **ticked},
                revision=1,
            )
        comparison = judgment.comparison
        fields = {"reason": [comparison.reason or ""], "strength": [str(comparison.strength or "")]}
        if comparison.is_all_bad:
            fields["all_bad"] = ["true"]
        for row in comparison.ranked.order_by("position"):
            letter = response_orders.LETTERS[row.position]
            fields[f"rank-{letter}"] = [str(row.rank or "")]
            fields |= {
                f"rate-{letter}-{name}": ["true" if answer is True else str(answer)]
                for name, answer in row.ratings.items()
            }
            if written is not None and written.edit_of_id == row.response_id:
                fields |= {"edit_of": [letter], "edit": [written.text]}
        return cls(fields, revision=1)

    @classmethod
    def of_json(cls, raw: Any) -> "PageInput":
        """Raises ValueError unless `raw` is {"revision": int, "fields": {name: [text, …]}};
        "record" is optional.
        """
        fields, revision = (
            (raw.get("fields"), raw.get("revision", 0)) if isinstance(raw, dict) else (None, 0)
        )
        if not isinstance(fields, dict) or len(fields) > MOST_FIELDS or type(revision) is not int:
            raise ValueError("not a draft")
        record = answer_fields.record_text(raw.get("record"))
        return cls(
            answer_fields.answer_fields(fields) | ({"record": [record]} if record else {}), revision
        )

    def with_record_of(self, judgment: Judgment) -> "PageInput":
        """The same, with the judgment's measurements, so that the page continues from them."""
        record = json.dumps(
            {**judgment.presentation, "active_s": judgment.active_s or 0}, ensure_ascii=False
        )
        return replace(self, fields={**self.fields, "record": [record]})

    @property
    def has_words(self) -> bool:
        """Whether the rater entered anything. An untouched page posts empty fields."""
        return any(
            value.strip()
            for name, values in answer_fields.answer_fields(self.fields).items()
            for value in values
            if name != "round"
        )

    @property
    def as_draft(self) -> dict[str, object]:
        record = answer_fields.record_text(answer_fields.first(self.fields, "record"))
        return {
            "revision": self.revision,
            "fields": answer_fields.answer_fields(self.fields),
            "record": record,
        }


@dataclass(frozen=True)
class ReviewWarning:
    name: str
    sentence: str


@dataclass(frozen=True)
class Review:
    """The review step before submitting. Problems block it; warnings can be overridden."""

    line: str
    problems: tuple[answer_fields.PageProblem, ...]
    warnings: tuple[ReviewWarning, ...]


@dataclass(frozen=True)
class PostedAnswer:
    """A parsed page: the answer, the measurements recorded with it, and what blocks a submit."""

    typed: PageInput
    given: ComparisonAnswer | DemonstrationAnswer
    """as it was typed"""
    parsed: Checked | list[answer_fields.PageProblem]
    recorded: Recorded
    line: str
    refusal: str = ""
    contradiction: tuple[str, str] | None = None
    """letters of the response rated higher and of the one ranked higher"""

    @property
    def answer(self) -> Answer:
        """For the services, which check again what is not right."""
        return self.given if isinstance(self.parsed, list) else self.parsed

    @property
    def problems(self) -> tuple[answer_fields.PageProblem, ...]:
        return tuple(self.parsed) if isinstance(self.parsed, list) else ()

    @property
    def may_be_stored(self) -> bool:
        return not self.problems and set(self.recorded.warnings) <= set(
            self.typed.fields.get("overruled", [])
        )

    @property
    def review(self) -> Review:
        refused = (answer_fields.PageProblem("", self.refusal),) if self.refusal else ()
        warned = tuple(ReviewWarning(name, self._sentence(name)) for name in self.recorded.warnings)
        return Review(self.line, refused + self.problems, warned)

    def _sentence(self, warning: str) -> str:
        sentence = str(WARNING_SENTENCES[warning])
        if self.contradiction is None:
            return sentence
        better, worse = self.contradiction
        return sentence % {"better": better, "worse": worse}


def read(*, work: Work, typed: PageInput, corrects: bool = False, now: dt.datetime) -> PostedAnswer:
    """The answer on a posted page, with its problems and warnings. `corrects` is the judgment being
    corrected: its rater has read the texts before, so pace is not checked.
    """
    if not work.campaign.compares:
        return _read_text(work, typed)
    recorded = answer_fields.read_record(typed.fields)
    shown = work.responses
    comparison = _read_comparison(work=work, typed=typed, n_shown=len(shown))
    parsed = typed_comparison.parse_comparison(comparison, form=work.form, shown=shown)
    given = (
        with_clean_ratings(comparison.answer, form=work.form, n_shown=len(shown))
        if isinstance(parsed, list)
        else parsed.given
    )
    warnings = [] if given.is_all_bad else _ranking_warnings(given, work.form)
    if not corrects:
        seconds = recorded.active_s if recorded.active_s is not None else _elapsed_s(work, now)
        warnings += judgments_warnings.of_pace([response.text for response in shown], seconds)
    return PostedAnswer(
        typed,
        comparison.answer,
        parsed,
        replace(recorded, warnings=tuple(warnings)),
        _review_line(given, line_on_page(work=work, typed=typed, answer=given)),
        contradiction=_contradiction(given, work.form),
    )


def _read_text(work: Work, typed: PageInput) -> PostedAnswer:
    is_dialogue = work.campaign.asks_dialogue
    given = answer_fields.read_demonstration(typed.fields, is_dialogue=is_dialogue)
    recorded = answer_fields.read_record(typed.fields)
    n = len(work.item.prompt.constraints)
    kept = answer_fields.read_kept(typed.fields, n)
    presentation = dict(recorded.presentation)
    if n:
        presentation["constraints"] = {"n": n, "kept": kept}
    low, high = work.campaign.min_words, work.campaign.max_words
    warnings = (
        *judgments_warnings.of_length(given.lengths, low=low, high=high),
        *judgments_warnings.of_constraints(n, kept),
    )
    return PostedAnswer(
        typed,
        given,
        answer_fields.parse_demonstration(given, is_dialogue=is_dialogue),
        replace(recorded, presentation=presentation, warnings=warnings),
        _text_line(given),
    )


def given_comparison(*, work: Work, typed: PageInput, n_shown: int) -> ComparisonAnswer:
    """The comparison on a page, before checking."""
    return _read_comparison(work=work, typed=typed, n_shown=n_shown).answer


def _read_comparison(
    *, work: Work, typed: PageInput, n_shown: int
) -> typed_comparison.TypedComparison:
    return typed_comparison.read_comparison(
        typed.fields, form=work.form, n_shown=n_shown, asks=_asks(work)
    )


def _asks(work: Work) -> typed_comparison.Asks:
    is_attack = work.turn is not None and work.turn.is_attack
    return typed_comparison.Asks(
        strength=work.campaign.asks_strength,
        reason=work.campaign.asks_reason,
        is_turn=work.turn is not None,
        no_choice=(
            preference_scale.missing_sentence(is_attack=is_attack) if work.has_scale else ""
        ),
    )


def scale_of(*, work: Work, typed: PageInput, problem: str = "") -> PreferenceScale | None:
    """The scale on the page of a turn with two answers; None where raters give ranks."""
    if work.turn is None or not work.has_scale:
        return None
    return preference_scale.preference_scale(
        typed.fields,
        has_strengths=work.campaign.asks_strength,
        is_attack=work.turn.is_attack,
        problem=problem,
    )


def line_on_page(*, work: Work, typed: PageInput, answer: ComparisonAnswer) -> str:
    """What was chosen, in words on a scale and in symbols for ranks."""
    scale = scale_of(work=work, typed=typed)
    return line_of(answer) if scale is None else scale.line


def _review_line(answer: ComparisonAnswer, line: str) -> str:
    line = _("All bad") if answer.is_all_bad else line
    if answer.edit is None:
        return line
    return _("%(line)s · %(letter)s edited") % {
        "line": line,
        "letter": response_orders.LETTERS[answer.edit.position],
    }


def _text_line(answer: DemonstrationAnswer) -> str:
    line = ngettext("%(n)s word", "%(n)s words", answer.n_words) % {"n": answer.n_words}
    if not answer.further:
        return line
    return _("%(turns)s turns · %(words)s") % {"turns": len(answer.further) + 1, "words": line}


def _elapsed_s(work: Work, now: dt.datetime) -> float:
    return (now - work.leased_at).total_seconds() if work.leased_at else 0.0


def _ranking_warnings(answer: ComparisonAnswer, form: rating_form.RatingForm) -> list[str]:
    _positions, ranks, overall = _ranked_and_rated(answer, form)
    edited = answer.edit.position if answer.edit else None
    return judgments_warnings.of_ranking(ranks, overall) + judgments_warnings.of_edit(ranks, edited)


def _contradiction(
    answer: ComparisonAnswer, form: rating_form.RatingForm
) -> tuple[str, str] | None:
    """The first two responses whose ranks and ratings disagree, as letters."""
    positions, ranks, overall = _ranked_and_rated(answer, form)
    for better, worse in judgments_warnings.contradictions(ranks, overall):
        return (
            response_orders.LETTERS[positions[better]],
            response_orders.LETTERS[positions[worse]],
        )
    return None


def _ranked_and_rated(
    answer: ComparisonAnswer, form: rating_form.RatingForm
) -> tuple[list[int], list[int | None], list[int | None]]:
    """Positions in order, with their ranks and their answers on the first scale."""
    positions = sorted(answer.ranks)
    scale = form.scales[0].name if form.scales else ""
    overall = [answer.ratings[position].get(scale) for position in positions]
    return positions, [answer.ranks[position] for position in positions], overall


def begin_edit(*, work: Work, typed: PageInput) -> PageInput:
    """What was typed, with the best-ranked response in the editor. An edit that was already started
    is kept, even if another response is now ranked best.
    """
    shown = work.responses
    answer = given_comparison(work=work, typed=typed, n_shown=len(shown))
    edit = answer.edit
    if edit is not None and edit.text.strip() not in {
        "",
        as_typed(shown[edit.position].text).strip(),
    }:
        return typed
    ranked = [(rank, position) for position, rank in answer.ranks.items() if rank is not None]
    if answer.is_all_bad:
        ranked = [(1, 0)]
    if not ranked:
        return replace(
            typed,
            notice=_(
                "Nothing is ranked yet. Rank the responses first; then you can edit the best one."
            ),
        )
    best = min(ranked)[1]
    begun = {"edit_of": [response_orders.LETTERS[best]], "edit": [as_typed(shown[best].text)]}
    return replace(typed, fields={**typed.fields, **begun})


def drop_edit(
    *, work: Work, typed: PageInput
) -> PageInput:  # takes the same arguments as begin_edit
    return replace(
        typed,
        fields={name: value for name, value in typed.fields.items() if not name.startswith("edit")},
    )


def add_turns(
    *, work: Work, typed: PageInput
) -> PageInput:  # takes the same arguments as begin_edit
    """What was typed, with one more user turn and one more answer."""
    n = len(answer_fields.read_further(typed.fields))
    if n >= answer_fields.LONGEST_DIALOGUE:
        return typed
    return replace(typed, fields={**typed.fields, f"turn-{n + 1}": [""], f"turn-{n + 2}": [""]})


def drop_turns(
    *, work: Work, typed: PageInput
) -> PageInput:  # takes the same arguments as begin_edit
    """What was typed, without its last two turns."""
    kept = len(answer_fields.read_further(typed.fields)) - 2
    fields = {
        name: value
        for name, value in typed.fields.items()
        if not name.startswith("turn-") or answer_fields.number_of(name) <= kept
    }
    return replace(typed, fields=fields)


def line_of(answer: ComparisonAnswer) -> str:
    return judgments_warnings.ranking_line(
        {response_orders.LETTERS[position]: rank for position, rank in sorted(answer.ranks.items())}
    )
