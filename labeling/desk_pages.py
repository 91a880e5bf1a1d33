"""What the desk's templates draw, made from a piece of work and from what was typed on it. Reads, and never writes."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling import desk_warnings, desk_words, queue, rating_form, word_diff
from labeling.forms import desk as forms
from labeling.models import Demonstration, Draft, Judgment, Rater, Response
from labeling.selectors import care
from labeling.selectors.desk import Standing, Tally, Work
from pages import rendered

MOST_FIELDS = 1_000
LONGEST_CHOICE = 8
"""What is chosen from a list is short; the rest of a longer text is nobody's choice."""

WARNING_SENTENCES: dict[str, str | Promise] = {
    desk_warnings.ORDER_AS_SHOWN: gettext_lazy("The ranking is the order in which the responses happened to be shown."),
    desk_warnings.CONTRADICTS_RATINGS: gettext_lazy("A response you rated higher is ranked lower."),
    desk_warnings.FASTER_THAN_READING: gettext_lazy("This was faster than the texts can be read."),
    desk_warnings.PARTLY_RANKED: gettext_lazy("Some responses have no rank; they will not be compared."),
    desk_warnings.EDITED_NOT_BEST: gettext_lazy("You edited a response that is not ranked best."),
    desk_warnings.CONSTRAINT_UNTICKED: gettext_lazy("A constraint of the prompt is not ticked."),
    desk_warnings.UNUSUAL_LENGTH: gettext_lazy("The answer is shorter or longer than usual."),
}


# --- what was typed ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Typed:
    """The state of a page: field name → texts. `revision` counts changes, so that the newer of two copies is known."""

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
            turns = {f"turn-{number}": [message["content"]] for number, message in enumerate(written.further, 1)}
            return cls({"text": [written.text], "sources": [written.sources], **turns, **ticked}, revision=1)
        given = judgment.comparison
        fields = {"reason": [given.reason or ""], "strength": [str(given.strength or "")]}
        if given.is_all_bad:
            fields["all_bad"] = ["true"]
        for row in given.ranked.order_by("position"):
            letter = forms.LETTERS[row.position]
            fields[f"rank-{letter}"] = [str(row.rank or "")]
            fields |= {
                f"rate-{letter}-{name}": ["true" if answer is True else str(answer)] for name, answer in row.ratings.items()
            }
            if written is not None and written.edit_of_id == row.response_id:
                fields |= {"edit_of": [letter], "edit": [written.text]}
        return cls(fields, revision=1)

    @classmethod
    def of_json(cls, raw: Any) -> "Typed":
        """Raises ValueError when `raw` is not {"revision": int, "fields": {name: [text, …]}}; its "record" may be missing."""
        fields, revision = (raw.get("fields"), raw.get("revision", 0)) if isinstance(raw, dict) else (None, 0)
        if not isinstance(fields, dict) or len(fields) > MOST_FIELDS or type(revision) is not int:
            raise ValueError("not a draft")
        record = forms.record_text(raw.get("record"))
        return cls(forms.answer_fields(fields) | ({"record": [record]} if record else {}), revision)

    def with_record_of(self, judgment: Judgment) -> "Typed":
        """As if the page had never been left: its measurements go on from the judgment's."""
        record = json.dumps({**judgment.presentation, "active_s": judgment.active_s or 0}, ensure_ascii=False)
        return replace(self, fields={**self.fields, "record": [record]})

    @property
    def has_words(self) -> bool:
        """Whether anything was given: a page that nobody touched posts its fields too, empty."""
        return any(value.strip() for values in forms.answer_fields(self.fields).values() for value in values)

    @property
    def as_draft(self) -> dict[str, Any]:
        record = forms.record_text(forms.first(self.fields, "record"))
        return {"revision": self.revision, "fields": forms.answer_fields(self.fields), "record": record}


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
    """A posted page, read: what was given, what speaks against it, and what of that was overruled."""

    typed: Typed
    given: forms.ComparisonAnswer | forms.DemonstrationAnswer
    recorded: forms.Recorded
    warnings: tuple[str, ...]
    line: str
    shown: tuple[Response, ...] = ()
    refusal: str = ""

    @property
    def may_be_stored(self) -> bool:
        return not self.given.problems and set(self.warnings) <= set(self.typed.fields.get("overruled", []))

    @property
    def review(self) -> Review:
        refused = (forms.Problem("", self.refusal),) if self.refusal else ()
        warned = tuple(Warned(name, WARNING_SENTENCES[name]) for name in self.warnings)
        return Review(self.line, refused + self.given.problems, warned)


def read(*, work: Work, typed: Typed, corrects: bool = False, now: dt.datetime) -> Answer:
    """The answer on a posted page, with its problems and warnings. Who `corrects` has read the texts before."""
    recorded = forms.read_record(typed.fields)
    seconds = recorded.active_s if recorded.active_s is not None else _elapsed_s(work, now)
    if work.campaign.n_responses is None:
        written = forms.read_demonstration(typed.fields, is_dialogue=work.campaign.asks_dialogue)
        line = ngettext("%(n)s word", "%(n)s words", written.n_words) % {"n": written.n_words}
        if written.further:
            line = _("%(turns)s turns · %(words)s") % {"turns": len(written.further) + 1, "words": line}
        warnings = desk_warnings.of_length(written.lengths, low=work.campaign.min_words, high=work.campaign.max_words)
        n = len(work.item.prompt.constraints)
        kept = forms.read_kept(typed.fields, n)
        if n:
            recorded = replace(recorded, presentation={**recorded.presentation, "constraints": {"n": n, "kept": kept}})
        return Answer(typed, written, recorded, (*warnings, *desk_warnings.of_constraints(n, kept)), line)
    responses = queue.presented(work.shown)
    form = work.form
    compared = _read_comparison(work, typed, form, len(responses))
    compared = _with_unchanged_edit(compared, responses)
    warnings = [] if compared.is_all_bad else _ranking_warnings(compared, form)
    if not corrects:
        warnings += desk_warnings.of_pace([response.text for response in responses], seconds)
    line = _("All bad") if compared.is_all_bad else line_of(compared)
    if compared.edit_of is not None:
        line = _("%(line)s · %(letter)s edited") % {"line": line, "letter": forms.LETTERS[compared.edit_of]}
    return Answer(typed, compared, recorded, tuple(warnings), line, tuple(responses))


def _read_comparison(work: Work, typed: Typed, form: rating_form.RatingForm, n_responses: int) -> forms.ComparisonAnswer:
    asks = forms.Asks(strength=work.campaign.asks_strength, reason=work.campaign.asks_reason)
    return forms.read_comparison(typed.fields, form=form, n_responses=n_responses, asks=asks)


def _elapsed_s(work: Work, now: dt.datetime) -> float:
    return (now - work.leased_at).total_seconds() if work.leased_at else 0.0


def _ranking_warnings(answer: forms.ComparisonAnswer, form: rating_form.RatingForm) -> list[str]:
    positions = sorted(answer.ranks)
    scale = form.scales[0].name if form.scales else ""
    overall = [answer.ratings[position].get(scale) for position in positions]
    ranks = [answer.ranks[position] for position in positions]
    return desk_warnings.of_ranking(ranks, overall) + desk_warnings.of_edit(ranks, answer.edit_of)


def _with_unchanged_edit(answer: forms.ComparisonAnswer, responses: list[Response]) -> forms.ComparisonAnswer:
    """The answer with one problem more when its edit is the response it was made from."""
    if answer.edit_of is None or answer.edit != _as_typed(responses[answer.edit_of].text):
        return answer
    problem = forms.Problem("edit", _("The edit changes nothing. Make the response better, or drop the edit."))
    return replace(answer, problems=(*answer.problems, problem))


def _as_typed(text: str) -> str:
    """As a text area gives it back."""
    return text.replace("\r\n", "\n")


def begin_edit(*, work: Work, typed: Typed) -> Typed:
    """What was typed, with the best-ranked response in the editor; an edit that was begun stays, whatever is best by now."""
    responses = queue.presented(work.shown)
    given = _read_comparison(work, typed, work.form, len(responses))
    if given.edit_of is not None and given.edit.strip() not in {"", _as_typed(responses[given.edit_of].text).strip()}:
        return typed
    ranked = [(rank, position) for position, rank in given.ranks.items() if rank is not None]
    if not ranked:
        return replace(typed, notice=_("Nothing is ranked yet. Rank the responses first: the best of them is the one you edit."))
    best = min(ranked)[1]
    edit = {"edit_of": [forms.LETTERS[best]], "edit": [_as_typed(responses[best].text)]}
    return replace(typed, fields={**typed.fields, **edit})


def drop_edit(*, work: Work, typed: Typed) -> Typed:  # the same call as begin_edit
    return replace(typed, fields={name: value for name, value in typed.fields.items() if not name.startswith("edit")})


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
        name: value for name, value in typed.fields.items() if not name.startswith("turn-") or forms.number_of(name) <= kept
    }
    return replace(typed, fields=fields)


def line_of(answer: forms.ComparisonAnswer) -> str:
    return desk_warnings.ranking_line({forms.LETTERS[position]: rank for position, rank in sorted(answer.ranks.items())})


# --- pages -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Turn:
    role: str
    words: str
    html: SafeString


@dataclass(frozen=True)
class PromptView:
    earlier: tuple[Turn, ...]
    last: SafeString
    n_turns: int


@dataclass(frozen=True)
class ResponseView:
    """A response as one rater sees it: nothing here tells it from the others but its letter and its text."""

    letter: str
    html: SafeString
    raw: str
    head: SafeString
    """letter, rank, ways to show it"""
    rating: SafeString
    """the rating form about it"""


@dataclass(frozen=True)
class Addresses:
    """Where a page sends what is done on it; empty: it does not keep drafts, or no lease."""

    submit: str
    guideline: str
    diff: str
    preview: str
    skip: str = ""
    release: str = ""
    ask: str = ""
    draft: str = ""
    heartbeat: str = ""

    @classmethod
    def of_lease(cls, lease: Any, *, corrects: bool) -> "Addresses":
        names = ["guideline", "diff", "preview", "ask", "draft"]
        names += [] if corrects else ["skip", "release", "heartbeat"]
        submit = reverse("desk_correct" if corrects else "desk_submit", args=[lease])
        return cls(submit=submit, **{name: reverse(f"desk_{name}", args=[lease]) for name in names})

    @classmethod
    def of_sample(cls, campaign_id: int) -> "Addresses":
        """An admin's look at the page: nothing that it sends is stored."""
        whole, *parts = (reverse(f"campaign_preview{part}", args=[campaign_id]) for part in ("", "_guideline", "_diff", "_text"))
        guideline, diff, preview = parts
        return cls(submit=whole, guideline=guideline, diff=diff, preview=preview, skip=whole, release=whole, ask=whole)


@dataclass(frozen=True)
class Care:
    """What stands before upsetting content."""

    kinds: str
    n_today: int
    """such items that the rater has met before this one"""
    suggests_pause: bool


@dataclass(frozen=True)
class Page:
    """What both kinds of page show."""

    lease: Any
    urls: Addresses
    version: int
    """of the answer that is corrected here; 0 for a first answer"""
    campaign: str
    guideline_number: int
    prompt: PromptView
    care: Care | None
    """None where nothing may upset"""
    today: Tally
    active_words: str
    person: str
    revision: int
    record: str
    draft_saved_at: dt.datetime | None
    expires_in_s: int
    notice: str
    review: Review | None
    line: str


@dataclass(frozen=True)
class ComparePage(Page):
    responses: tuple[ResponseView, ...]
    reason: str
    asks_reason: bool
    strengths: tuple[tuple[forms.Option, str], ...]
    """each with its word; empty when not asked"""
    strength_problem: str
    is_all_bad: bool
    edit_of: str
    edit: str


@dataclass(frozen=True)
class Constraint:
    """A line of the checklist."""

    name: str
    sentence: str
    is_kept: bool


@dataclass(frozen=True)
class FurtherTurn:
    """A turn of a dialogue after the first answer; `name` is its field's."""

    name: str
    role: str
    words: str
    text: str
    problem: str


@dataclass(frozen=True)
class WritePage(Page):
    text: str
    asks_dialogue: bool
    further: tuple[FurtherTurn, ...]
    empty_turns: tuple[FurtherTurn, ...]
    """what a script makes two turns more of"""
    most_turns: int
    constraints: tuple[Constraint, ...]
    sources: str
    text_problem: str
    n_words: int
    n_tokens: int
    low: int
    high: int
    characters_per_token: int = forms.CHARACTERS_PER_TOKEN


def page(
    *,
    work: Work,
    typed: Typed,
    review: Review | None = None,
    today: Tally,
    corrects: Judgment | None = None,
    now: dt.datetime,
) -> Page:
    build = write_page if work.campaign.n_responses is None else compare_page
    return build(work=work, typed=typed, review=review, today=today, corrects=corrects, now=now)


def compare_page(
    *, work: Work, typed: Typed, review: Review | None, today: Tally, corrects: Judgment | None, now: dt.datetime
) -> ComparePage:
    responses = queue.presented(work.shown)
    form = work.form
    answer = _read_comparison(work, typed, form, len(responses))
    problems = {problem.where: problem.sentence for problem in review.problems} if review else {}
    turns = work.item.prompt.messages
    html = rendered.markdown([*(response.text for response in responses), *(turn["content"] for turn in turns)])
    views = [
        _response_view(place, response, html[place], len(responses), form, typed, problems)
        for place, response in enumerate(responses)
    ]
    prompt = _prompt_view(turns, html[len(responses) :])
    return ComparePage(
        **_common(work=work, typed=typed, review=review, today=today, corrects=corrects, now=now),
        prompt=prompt,
        line=line_of(answer),
        responses=tuple(views),
        reason=answer.reason or "",
        asks_reason=work.campaign.asks_reason,
        strengths=_strengths(typed) if work.campaign.asks_strength else (),
        strength_problem=problems.get("strength", ""),
        is_all_bad=answer.is_all_bad,
        edit_of="" if answer.edit_of is None else forms.LETTERS[answer.edit_of],
        edit=answer.edit,
    )


def _strengths(typed: Typed) -> tuple[tuple[forms.Option, str], ...]:
    words = (_("negligibly"), _("slightly"), _("clearly"), _("significantly"))
    chosen = forms.first(typed.fields, "strength")
    return tuple((forms.Option(str(number), str(number) == chosen), word) for number, word in enumerate(words, 1))


def _response_view(
    place: int,
    response: Response,
    html: SafeString,
    n: int,
    form: rating_form.RatingForm,
    typed: Typed,
    problems: Mapping[str, str],
) -> ResponseView:
    letter = forms.LETTERS[place]
    rated = f"rate-{letter}-"
    given = tuple(
        (name, values[0][:LONGEST_CHOICE]) for name, values in typed.fields.items() if name.startswith(rated) and values
    )
    wrong = tuple((name, sentence) for name, sentence in problems.items() if name.startswith(rated))
    language = translation.get_language()
    return ResponseView(
        letter=letter,
        html=html,
        raw=response.text,
        head=_head(letter, n, forms.first(typed.fields, f"rank-{letter}")[:LONGEST_CHOICE], language),
        rating=_rating(form, letter, given, wrong, language),
    )


# Most pages show these as nobody has touched them yet: a handful of strings, in place of three hundred small templates a page.
@lru_cache(maxsize=512)
def _head(letter: str, n: int, rank: str, _language: str | None) -> SafeString:
    options = [forms.Option(str(number), str(number) == rank) for number in range(1, n + 1)]
    return render_to_string("labeling/desk/_response_head.html", {"letter": letter, "rank_options": options})


@lru_cache(maxsize=512)
def _rating(
    form: rating_form.RatingForm,
    letter: str,
    given: tuple[tuple[str, str], ...],
    wrong: tuple[tuple[str, str], ...],
    _language: str | None,
) -> SafeString:
    questions = forms.draw_questions(form, letter, {name: [text] for name, text in given}, dict(wrong))
    context = {
        "letter": letter,
        "scales": [question for question in questions if not question.is_flag],
        "flags": [question for question in questions if question.is_flag],
        "explained": [question for question in questions if question.is_flag and question.help],
    }
    return render_to_string("labeling/desk/_rating.html", context)


def write_page(
    *, work: Work, typed: Typed, review: Review | None, today: Tally, corrects: Judgment | None, now: dt.datetime
) -> WritePage:
    answer = forms.read_demonstration(typed.fields, is_dialogue=work.campaign.asks_dialogue)
    problems = {problem.where: problem.sentence for problem in review.problems} if review else {}
    turns = work.item.prompt.messages
    return WritePage(
        **_common(work=work, typed=typed, review=review, today=today, corrects=corrects, now=now),
        prompt=_prompt_view(turns, rendered.markdown([turn["content"] for turn in turns])),
        line="",
        text=answer.text,
        asks_dialogue=work.campaign.asks_dialogue,
        further=tuple(_turn(f"turn-{n}", turn["role"], turn["content"], problems) for n, turn in enumerate(answer.further, 1)),
        empty_turns=tuple(_turn("", role, "", {}) for role in ("user", "assistant")),
        most_turns=forms.LONGEST_DIALOGUE,
        constraints=_constraints(work.item.prompt.constraints, typed),
        sources=answer.sources,
        text_problem=problems.get("text", ""),
        n_words=answer.lengths[0],
        n_tokens=forms.tokens(answer.text),
        low=work.campaign.min_words,
        high=work.campaign.max_words,
    )


def _turn(name: str, role: str, text: str, problems: Mapping[str, str]) -> FurtherTurn:
    words = {"user": _("User"), "assistant": _("Assistant")}
    return FurtherTurn(name, role, words[role], text, problems.get(name, ""))


def _constraints(sentences: list[str], typed: Typed) -> tuple[Constraint, ...]:
    kept = forms.read_kept(typed.fields, len(sentences))
    return tuple(Constraint(f"keeps-{place}", sentence, place in kept) for place, sentence in enumerate(sentences))


def _common(
    *, work: Work, typed: Typed, review: Review | None, today: Tally, corrects: Judgment | None, now: dt.datetime
) -> dict[str, Any]:
    return {
        "lease": work.lease,
        "urls": Addresses.of_sample(work.campaign.pk)
        if work.standing == Standing.SAMPLE
        else Addresses.of_lease(work.lease, corrects=corrects is not None),
        "version": corrects.version if corrects else 0,
        "campaign": work.campaign.name,
        "guideline_number": work.version.number,
        "care": _care(work, now),
        "today": today,
        "active_words": desk_words.duration_words(today.active_s),
        "person": person_key(work.rater),
        "revision": typed.revision,
        "record": forms.first(typed.fields, "record") or "{}",
        "draft_saved_at": typed.saved_at,
        "expires_in_s": max(0, int((work.expires_at - now).total_seconds())) if work.expires_at else 0,
        "notice": typed.notice or (_correcting(corrects) if corrects else _notice(work, now)),
        "review": review,
    }


def _care(work: Work, now: dt.datetime) -> Care | None:
    kinds = work.item.prompt.upset_words
    if not kinds:
        return None
    if work.standing == Standing.SAMPLE:
        return Care(kinds, 0, suggests_pause=False)
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    n = care.n_met(rater=work.rater, since=midnight)
    return Care(kinds, n, suggests_pause=care.is_pause_due(n))


def _notice(work: Work, now: dt.datetime) -> str:
    if work.standing == Standing.SAMPLE:
        return _("This is what raters see, with an item of the campaign. Try it: nothing is stored.")
    if work.standing == Standing.LAPSED:
        return _("Your reservation ran out and somebody else has this item now. You can still finish it: it is kept as an extra.")
    if work.expires_at is not None and work.expires_at < now:
        return _("Your reservation has run out. Until somebody else takes the item your answer counts as usual.")
    return ""


def person_key(rater: Rater) -> str:
    """Names this person's drafts in the browser without naming the person."""
    return salted_hmac("labeling.desk.person", str(rater.pk)).hexdigest()[:16]


def _correcting(judgment: Judgment) -> str:
    at = timezone.localtime(judgment.submitted_at).strftime("%Y-%m-%d %H:%M")
    return _("You gave this answer on %(at)s. What you submit here takes its place; the earlier one is kept.") % {"at": at}


def _prompt_view(turns: list[dict[str, str]], html: Sequence[SafeString]) -> PromptView:
    drawn = _drawn(turns, html)
    return PromptView(tuple(drawn[:-1]), drawn[-1].html if drawn else SafeString(""), len(turns))


# --- an answer to read ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class GivenResponse:
    """A response, by the letter it had, and what was said of it."""

    letter: str
    html: SafeString
    rank: int | None
    ratings: tuple[tuple[str, int | bool], ...]


@dataclass(frozen=True)
class Given:
    """A stored answer as its rater reads it again, whatever became of the campaign."""

    upsets: str
    """kinds of upsetting content, or empty"""
    prompt: tuple[Turn, ...]
    responses: tuple[GivenResponse, ...]
    line: str
    reason: str
    written: tuple[Turn, ...]
    """a demonstration's turns, or the edit"""
    edit_of: str
    sources: str


def given(*, work: Work, judgment: Judgment) -> Given:
    written: Demonstration | None = getattr(judgment, "demonstration", None)
    prompt, responses = work.item.prompt, _given_responses(work, judgment)
    ranks = {response.letter: response.rank for response in responses}
    is_all_bad = judgment.kind == Judgment.Kind.COMPARISON and judgment.comparison.is_all_bad
    edited = queue.presented(work.shown) if written is not None and written.edit_of_id is not None else []
    return Given(
        upsets=prompt.upset_words,
        prompt=_turns(prompt.messages),
        responses=responses,
        line=_("All bad") if is_all_bad else desk_warnings.ranking_line(ranks),
        reason=(judgment.comparison.reason or "") if judgment.kind == Judgment.Kind.COMPARISON else "",
        written=_turns([{"role": "assistant", "content": written.text}, *written.further]) if written is not None else (),
        edit_of=next(
            (letter for letter, each in zip(forms.LETTERS, edited, strict=False) if written and each.pk == written.edit_of_id), ""
        ),
        sources=written.sources if written is not None else "",
    )


def _given_responses(work: Work, judgment: Judgment) -> tuple[GivenResponse, ...]:
    if judgment.kind != Judgment.Kind.COMPARISON:
        return ()
    rows = list(judgment.comparison.ranked.select_related("response").order_by("position"))
    html = rendered.markdown([row.response.text for row in rows])
    labels = {question.name: question.label for question in work.form.questions}
    return tuple(
        GivenResponse(
            forms.LETTERS[row.position],
            made,
            row.rank,
            tuple((labels.get(name, name), answer) for name, answer in row.ratings.items() if answer is not False),
        )
        for row, made in zip(rows, html, strict=True)
    )


def _turns(messages: Sequence[Mapping[str, str]]) -> tuple[Turn, ...]:
    return tuple(_drawn(messages, rendered.markdown([message["content"] for message in messages])))


def _drawn(turns: Sequence[Mapping[str, str]], html: Sequence[SafeString]) -> list[Turn]:
    words = {"system": _("Instruction"), "user": _("User"), "assistant": _("Assistant")}
    return [Turn(turn["role"], words.get(turn["role"], turn["role"]), made) for turn, made in zip(turns, html, strict=True)]


# --- words by words ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Diff:
    of: str
    to: str
    pieces: tuple[word_diff.Piece, ...]


def diff(*, work: Work, of: str, to: str) -> Diff | None:
    """Response `of` by words against `to`; None when the letters name no two responses of this work."""
    texts = dict(zip(forms.LETTERS, (response.text for response in queue.presented(work.shown)), strict=False))
    if of not in texts or to not in texts or of == to:
        return None
    return Diff(of, to, tuple(word_diff.pieces(texts[to], texts[of])))
