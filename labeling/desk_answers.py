"""What was typed at the desk, and how it is read: the answer on a posted page, with what speaks
against it. Stores nothing.
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

from labeling import desk_warnings, queue, rating_form, response_orders
from labeling.forms import desk as forms
from labeling.models import Demonstration, Draft, Judgment, Response
from labeling.selectors.desk import Work

MOST_FIELDS = 1_000

WARNING_SENTENCES: dict[str, str | Promise] = {
    desk_warnings.ORDER_AS_SHOWN: gettext_lazy(
        "The ranking is the order in which the responses happened to be shown."
    ),
    desk_warnings.CONTRADICTS_RATINGS: gettext_lazy("A response you rated higher is ranked lower."),
    desk_warnings.FASTER_THAN_READING: gettext_lazy("This was faster than the texts can be read."),
    desk_warnings.PARTLY_RANKED: gettext_lazy(
        "Some responses have no rank; they will not be compared."
    ),
    desk_warnings.EDITED_NOT_BEST: gettext_lazy("You edited a response that is not ranked best."),
    desk_warnings.CONSTRAINT_UNTICKED: gettext_lazy("A constraint of the prompt is not ticked."),
    desk_warnings.UNUSUAL_LENGTH: gettext_lazy("The answer is shorter or longer than usual."),
}


@dataclass(frozen=True)
class Typed:
    """The state of a page: field name → texts. `revision` counts changes, so that the newer of two
    copies is known.
    """

    fields: Mapping[str, list[str]] = field(default_factory=dict)
    revision: int = 0
    saved_at: dt.datetime | None = None
    notice: str = ""
    """why a button did nothing"""

    @classmethod
    def of_post(cls, posted: QueryDict) -> "Typed":
        return cls(dict(posted.lists()), forms.revision(posted.get("revision", "")))

    @classmethod
    def of_draft(cls, draft: Draft | None) -> "Typed":
        if draft is None or "fields" not in draft.content:
            return cls()
        return replace(cls.of_json(draft.content), saved_at=draft.saved_at)

    @classmethod
    def of_judgment(cls, judgment: Judgment) -> "Typed":
        """What a rater would type to give this judgment."""
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
        given = judgment.comparison
        fields = {"reason": [given.reason or ""], "strength": [str(given.strength or "")]}
        if given.is_all_bad:
            fields["all_bad"] = ["true"]
        for row in given.ranked.order_by("position"):
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
    def of_json(cls, raw: Any) -> "Typed":
        """Raises ValueError when `raw` is not {"revision": int, "fields": {name: [text, …]}}; its
        "record" may be missing.
        """
        fields, revision = (
            (raw.get("fields"), raw.get("revision", 0)) if isinstance(raw, dict) else (None, 0)
        )
        if not isinstance(fields, dict) or len(fields) > MOST_FIELDS or type(revision) is not int:
            raise ValueError("not a draft")
        record = forms.record_text(raw.get("record"))
        return cls(forms.answer_fields(fields) | ({"record": [record]} if record else {}), revision)

    def with_record_of(self, judgment: Judgment) -> "Typed":
        """As if the page had never been left: its measurements go on from the judgment's."""
        record = json.dumps(
            {**judgment.presentation, "active_s": judgment.active_s or 0}, ensure_ascii=False
        )
        return replace(self, fields={**self.fields, "record": [record]})

    @property
    def has_words(self) -> bool:
        """Whether anything was given: a page that nobody touched posts its fields too, empty."""
        return any(
            value.strip()
            for values in forms.answer_fields(self.fields).values()
            for value in values
        )

    @property
    def as_draft(self) -> dict[str, Any]:
        record = forms.record_text(forms.first(self.fields, "record"))
        return {
            "revision": self.revision,
            "fields": forms.answer_fields(self.fields),
            "record": record,
        }


@dataclass(frozen=True)
class Warned:
    name: str
    sentence: str | Promise


@dataclass(frozen=True)
class Review:
    """The last look before submitting. Problems stop it; warnings can be overruled."""

    line: str
    problems: tuple[forms.Problem, ...]
    warnings: tuple[Warned, ...]


@dataclass(frozen=True)
class Answer:
    """A posted page, read: what was given, what speaks against it, and what of that was
    overruled.
    """

    typed: Typed
    given: forms.ComparisonAnswer | forms.DemonstrationAnswer
    recorded: forms.Recorded
    warnings: tuple[str, ...]
    line: str
    shown: tuple[Response, ...] = ()
    refusal: str = ""

    @property
    def may_be_stored(self) -> bool:
        return not self.given.problems and set(self.warnings) <= set(
            self.typed.fields.get("overruled", [])
        )

    @property
    def review(self) -> Review:
        refused = (forms.Problem("", self.refusal),) if self.refusal else ()
        warned = tuple(Warned(name, WARNING_SENTENCES[name]) for name in self.warnings)
        return Review(self.line, refused + self.given.problems, warned)


def read(*, work: Work, typed: Typed, corrects: bool = False, now: dt.datetime) -> Answer:
    """The answer on a posted page, with its problems and warnings. Who `corrects` has read the
    texts before.
    """
    recorded = forms.read_record(typed.fields)
    seconds = recorded.active_s if recorded.active_s is not None else _elapsed_s(work, now)
    if work.campaign.n_responses is None:
        written = forms.read_demonstration(typed.fields, is_dialogue=work.campaign.asks_dialogue)
        line = ngettext("%(n)s word", "%(n)s words", written.n_words) % {"n": written.n_words}
        if written.further:
            line = _("%(turns)s turns · %(words)s") % {
                "turns": len(written.further) + 1,
                "words": line,
            }
        warnings = desk_warnings.of_length(
            written.lengths, low=work.campaign.min_words, high=work.campaign.max_words
        )
        n = len(work.item.prompt.constraints)
        kept = forms.read_kept(typed.fields, n)
        if n:
            recorded = replace(
                recorded,
                presentation={**recorded.presentation, "constraints": {"n": n, "kept": kept}},
            )
        return Answer(
            typed, written, recorded, (*warnings, *desk_warnings.of_constraints(n, kept)), line
        )
    responses = queue.presented(work.shown)
    compared = read_comparison(work=work, typed=typed, n_responses=len(responses))
    compared = _with_unchanged_edit(compared, responses)
    warnings = [] if compared.is_all_bad else _ranking_warnings(compared, work.form)
    if not corrects:
        warnings += desk_warnings.of_pace([response.text for response in responses], seconds)
    line = _("All bad") if compared.is_all_bad else line_of(compared)
    if compared.edit_of is not None:
        line = _("%(line)s · %(letter)s edited") % {
            "line": line,
            "letter": response_orders.LETTERS[compared.edit_of],
        }
    return Answer(typed, compared, recorded, tuple(warnings), line, tuple(responses))


def read_comparison(*, work: Work, typed: Typed, n_responses: int) -> forms.ComparisonAnswer:
    """What is given on the page of a comparison, whatever speaks against it."""
    asks = forms.Asks(strength=work.campaign.asks_strength, reason=work.campaign.asks_reason)
    return forms.read_comparison(typed.fields, form=work.form, n_responses=n_responses, asks=asks)


def _elapsed_s(work: Work, now: dt.datetime) -> float:
    return (now - work.leased_at).total_seconds() if work.leased_at else 0.0


def _ranking_warnings(answer: forms.ComparisonAnswer, form: rating_form.RatingForm) -> list[str]:
    positions = sorted(answer.ranks)
    scale = form.scales[0].name if form.scales else ""
    overall = [answer.ratings[position].get(scale) for position in positions]
    ranks = [answer.ranks[position] for position in positions]
    return desk_warnings.of_ranking(ranks, overall) + desk_warnings.of_edit(ranks, answer.edit_of)


def _with_unchanged_edit(
    answer: forms.ComparisonAnswer, responses: list[Response]
) -> forms.ComparisonAnswer:
    """The answer with one problem more when its edit is the response it was made from."""
    if answer.edit_of is None or answer.edit != _as_typed(responses[answer.edit_of].text):
        return answer
    problem = forms.Problem(
        "edit", _("The edit changes nothing. Make the response better, or drop the edit.")
    )
    return replace(answer, problems=(*answer.problems, problem))


def _as_typed(text: str) -> str:
    """As a text area gives it back."""
    return text.replace("\r\n", "\n")


def begin_edit(*, work: Work, typed: Typed) -> Typed:
    """What was typed, with the best-ranked response in the editor; an edit that was begun stays,
    whatever is best by now.
    """
    responses = queue.presented(work.shown)
    given = read_comparison(work=work, typed=typed, n_responses=len(responses))
    if given.edit_of is not None and given.edit.strip() not in {
        "",
        _as_typed(responses[given.edit_of].text).strip(),
    }:
        return typed
    ranked = [(rank, position) for position, rank in given.ranks.items() if rank is not None]
    if not ranked:
        return replace(
            typed,
            notice=_(
                "Nothing is ranked yet. Rank the responses first: the best of them is the one you"
                " edit."
            ),
        )
    best = min(ranked)[1]
    edit = {"edit_of": [response_orders.LETTERS[best]], "edit": [_as_typed(responses[best].text)]}
    return replace(typed, fields={**typed.fields, **edit})


def drop_edit(*, work: Work, typed: Typed) -> Typed:  # the same call as begin_edit
    return replace(
        typed,
        fields={name: value for name, value in typed.fields.items() if not name.startswith("edit")},
    )


def add_turns(*, work: Work, typed: Typed) -> Typed:  # the same call as begin_edit
    """What was typed, with two turns more: the user's and the answer to it."""
    n = len(forms.read_further(typed.fields))
    if n >= forms.LONGEST_DIALOGUE:
        return typed
    return replace(typed, fields={**typed.fields, f"turn-{n + 1}": [""], f"turn-{n + 2}": [""]})


def drop_turns(*, work: Work, typed: Typed) -> Typed:  # the same call as begin_edit
    """What was typed, without its last two turns."""
    kept = len(forms.read_further(typed.fields)) - 2
    fields = {
        name: value
        for name, value in typed.fields.items()
        if not name.startswith("turn-") or forms.number_of(name) <= kept
    }
    return replace(typed, fields=fields)


def line_of(answer: forms.ComparisonAnswer) -> str:
    return desk_warnings.ranking_line(
        {response_orders.LETTERS[position]: rank for position, rank in sorted(answer.ranks.items())}
    )
