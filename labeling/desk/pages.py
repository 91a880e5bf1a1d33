"""Builds what the desk's templates show from an item under a lease and what was typed. Never
writes.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arithmetic import chats, days, response_orders
from labeling.desk import words as desk_words
from labeling.desk.forms import answer_fields
from labeling.desk.forms.preference_scale import PreferenceScale
from labeling.desk.posted_page import PageInput, Review, given_comparison, line_on_page, scale_of
from labeling.desk.texts.reading import Turn, turns_of
from labeling.desk.work import LeaseState, Tally, TurnPlace, Work
from labeling.guidelines import rating_form
from labeling.models import Judgment, Rater, Response
from labeling.people.content_settings import selectors as content_settings_selectors
from pages import turns

LONGEST_CHOICE = 8
"""Longest text of a chosen option; anything longer cannot be one of the form's choices."""


@dataclass(frozen=True)
class PromptView:
    turns: tuple[Turn, ...]
    """all of them"""
    earlier: tuple[Turn, ...]
    last: SafeString
    n_turns: int
    tools: SafeString
    """what an answer may call; may be empty"""


@dataclass(frozen=True)
class ResponseView:
    """A response as one rater sees it. Only its letter and text tell it apart from the others."""

    letter: str
    html: SafeString
    raw: str
    head: SafeString
    """letter, rank unless there is a scale, and buttons for ways to show it"""
    rating: SafeString
    """the rating form for this response"""


@dataclass(frozen=True)
class Addresses:
    """The URLs that the page's actions post to. Empty where the page has no such action."""

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
    def of_lease(cls, lease: object, *, corrects: bool, page: str = "desk_item") -> "Addresses":
        names = ["guideline", "diff", "preview", "ask", "draft"]
        names += [] if corrects else ["skip", "release", "heartbeat"]
        item = reverse(page, args=[lease])  # the others are below it: one reverse, not ten
        submit = f"{item}{'correct' if corrects else 'submit'}"
        return cls(submit=submit, **{name: f"{item}{name}" for name in names})

    @classmethod
    def of_sample(cls, campaign_id: int) -> "Addresses":
        """For an admin's preview: nothing that the page sends is stored."""
        whole, *parts = (
            reverse(f"campaign_preview{part}", args=[campaign_id])
            for part in ("", "_guideline", "_diff", "_text")
        )
        guideline, diff, preview = parts
        return cls(
            submit=whole,
            guideline=guideline,
            diff=diff,
            preview=preview,
            skip=whole,
            release=whole,
            ask=whole,
        )


@dataclass(frozen=True)
class ContentNotice:
    """The notice before upsetting content."""

    kinds: str
    n_today: int
    """such items that the rater has seen today before this one"""
    suggests_pause: bool


@dataclass(frozen=True)
class Page:
    """What pages of both kinds show."""

    lease: object
    urls: Addresses
    version: int
    """of the answer being corrected; 0 for a first answer"""
    campaign: str
    guideline_number: int
    prompt: PromptView
    content_notice: ContentNotice | None
    """None when nothing may upset"""
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
    strengths: tuple[tuple[answer_fields.Option, str], ...]
    """each with its label; empty when not asked"""
    strength_problem: str
    is_all_bad: bool
    edit_of: str
    edit: str
    turn: TurnPlace | None
    """of a conversation, or None"""
    scale: PreferenceScale | None
    """of a turn with two answers; None where raters give ranks"""
    asks_ratings: bool
    folds_rating: bool
    """in a conversation, as long as no question must be answered and none is"""


@dataclass(frozen=True)
class Constraint:
    """One item of the checklist."""

    name: str
    sentence: str
    is_kept: bool


@dataclass(frozen=True)
class FurtherTurn:
    """A turn of a dialogue after the first answer; `name` is that of its field."""

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
    """the template from which a script adds two more turns"""
    most_turns: int
    constraints: tuple[Constraint, ...]
    sources: str
    text_problem: str
    n_words: int
    n_tokens: int
    low: int
    high: int
    characters_per_token: int = answer_fields.CHARACTERS_PER_TOKEN


def page(
    *,
    work: Work,
    typed: PageInput,
    review: Review | None = None,
    today: Tally,
    corrects: Judgment | None = None,
    now: dt.datetime,
) -> Page:
    build = compare_page if work.campaign.compares else write_page
    return build(work=work, typed=typed, review=review, today=today, corrects=corrects, now=now)


def compare_page(
    *,
    work: Work,
    typed: PageInput,
    review: Review | None,
    today: Tally,
    corrects: Judgment | None,
    now: dt.datetime,
) -> ComparePage:
    responses = work.responses
    form = work.form
    answer = given_comparison(work=work, typed=typed, n_shown=len(responses))
    problems = {problem.where: problem.sentence for problem in review.problems} if review else {}
    views = [
        _response_view(work, place, response, len(responses), form, typed, problems)
        for place, response in enumerate(responses)
    ]
    prompt = _prompt_view(work)
    return ComparePage(
        **_common(work=work, typed=typed, review=review, today=today, corrects=corrects, now=now),
        prompt=prompt,
        line=line_on_page(work=work, typed=typed, answer=answer),
        responses=tuple(views),
        reason=answer.reason or "",
        asks_reason=work.campaign.asks_reason,
        strengths=_strengths(typed) if work.campaign.asks_strength else (),
        strength_problem=problems.get("strength", ""),
        is_all_bad=answer.is_all_bad,
        edit_of=response_orders.LETTERS[answer.edit.position] if answer.edit else "",
        edit=answer.edit.text if answer.edit else "",
        turn=work.turn,
        scale=scale_of(work=work, typed=typed, problem=problems.get("preference", "")),
        asks_ratings=bool(form.questions),
        folds_rating=work.has_scale
        and bool(form.questions)
        and not any(scale.is_required for scale in form.scales)
        and not any(value for rated in answer.ratings.values() for value in rated.values()),
    )


def _strengths(typed: PageInput) -> tuple[tuple[answer_fields.Option, str], ...]:
    words = (_("negligibly"), _("slightly"), _("clearly"), _("significantly"))
    chosen = answer_fields.first(typed.fields, "strength")
    return tuple(
        (answer_fields.Option(str(number), str(number) == chosen), word)
        for number, word in enumerate(words, 1)
    )


def _response_view(
    work: Work,
    place: int,
    response: Response,
    n: int,
    form: rating_form.RatingForm,
    typed: PageInput,
    problems: Mapping[str, str],
) -> ResponseView:
    letter = response_orders.LETTERS[place]
    rated = f"rate-{letter}-"
    filled_in = tuple(
        (name, values[0][:LONGEST_CHOICE])
        for name, values in typed.fields.items()
        if name.startswith(rated) and values
    )
    wrong = tuple((name, sentence) for name, sentence in problems.items() if name.startswith(rated))
    language = translation.get_language()
    return ResponseView(
        letter=letter,
        html=turns.html(chats.answer(response.text, **response.parts), work.as_shown),
        raw=response.text,
        head=_head(
            letter,
            0 if work.has_scale else n,
            answer_fields.first(typed.fields, f"rank-{letter}")[:LONGEST_CHOICE],
            language,
        ),
        rating=_rating(form, letter, filled_in, wrong, language),
    )


def talk_page(*, work: Work, typed: PageInput, today: Tally, now: dt.datetime) -> Page:
    """What is around a conversation while there is nothing to rate: of its opening item."""
    return Page(
        **_common(work=work, typed=typed, review=None, today=today, corrects=None, now=now),
        prompt=_prompt_view(work),
        line="",
    )


# Most pages show these untouched, so they are cached: a handful of strings in place of three
# hundred small templates a page.
@lru_cache(maxsize=512)
def _head(letter: str, n: int, rank: str, _language: str | None) -> SafeString:
    options = [answer_fields.Option(str(number), str(number) == rank) for number in range(1, n + 1)]
    return render_to_string(
        "labeling/desk/answer/_response_head.html", {"letter": letter, "rank_options": options}
    )


@lru_cache(maxsize=512)
def _rating(
    form: rating_form.RatingForm,
    letter: str,
    values: tuple[tuple[str, str], ...],
    wrong: tuple[tuple[str, str], ...],
    _language: str | None,
) -> SafeString:
    questions = answer_fields.draw_questions(
        form, letter, {name: [text] for name, text in values}, dict(wrong)
    )
    context = {
        "letter": letter,
        "scales": [question for question in questions if not question.is_flag],
        "flags": [question for question in questions if question.is_flag],
        "explained": [question for question in questions if question.is_flag and question.help],
    }
    return render_to_string("labeling/desk/answer/_rating.html", context)


def write_page(
    *,
    work: Work,
    typed: PageInput,
    review: Review | None,
    today: Tally,
    corrects: Judgment | None,
    now: dt.datetime,
) -> WritePage:
    is_dialogue = work.campaign.asks_dialogue
    answer = answer_fields.read_demonstration(typed.fields, is_dialogue=is_dialogue)
    problems = {problem.where: problem.sentence for problem in review.problems} if review else {}
    return WritePage(
        **_common(work=work, typed=typed, review=review, today=today, corrects=corrects, now=now),
        prompt=_prompt_view(work),
        line="",
        text=answer.text,
        asks_dialogue=work.campaign.asks_dialogue,
        further=tuple(
            _turn(f"turn-{n}", turn["role"], turn["content"], problems)
            for n, turn in enumerate(answer.further, 1)
        ),
        empty_turns=tuple(_turn("", role, "", {}) for role in ("user", "assistant")),
        most_turns=answer_fields.LONGEST_DIALOGUE,
        constraints=_constraints(work.item.prompt.constraints, typed),
        sources=answer.sources,
        text_problem=problems.get("text", ""),
        n_words=answer.lengths[0],
        n_tokens=answer_fields.tokens(answer.text),
        low=work.campaign.min_words,
        high=work.campaign.max_words,
    )


def _turn(name: str, role: str, text: str, problems: Mapping[str, str]) -> FurtherTurn:
    words = {"user": _("User"), "assistant": _("Assistant")}
    return FurtherTurn(name, role, words[role], text, problems.get(name, ""))


def _constraints(sentences: list[str], typed: PageInput) -> tuple[Constraint, ...]:
    kept = answer_fields.read_kept(typed.fields, len(sentences))
    return tuple(
        Constraint(f"keeps-{place}", sentence, place in kept)
        for place, sentence in enumerate(sentences)
    )


def _common(
    *,
    work: Work,
    typed: PageInput,
    review: Review | None,
    today: Tally,
    corrects: Judgment | None,
    now: dt.datetime,
) -> dict[str, Any]:
    return {
        "lease": work.lease,
        "urls": (
            Addresses.of_sample(work.campaign.pk)
            if work.lease_state == LeaseState.SAMPLE
            else Addresses.of_lease(
                work.lease,
                corrects=corrects is not None,
                page="turn" if work.turn else "desk_item",
            )
        ),
        "version": corrects.version if corrects else 0,
        "campaign": work.campaign.name,
        "guideline_number": work.version.number,
        "content_notice": _content_notice(work, now),
        "today": today,
        "active_words": desk_words.duration_words(today.active_s),
        "person": person_key(work.rater),
        "revision": typed.revision,
        "record": answer_fields.first(typed.fields, "record") or "{}",
        "draft_saved_at": typed.saved_at,
        "expires_in_s": (
            max(0, int((work.expires_at - now).total_seconds())) if work.expires_at else 0
        ),
        "notice": typed.notice or (_correcting(corrects) if corrects else _notice(work, now)),
        "review": review,
    }


def _content_notice(work: Work, now: dt.datetime) -> ContentNotice | None:
    kinds = work.item.prompt.upset_words
    if not kinds:
        return None
    if work.lease_state == LeaseState.SAMPLE:
        return ContentNotice(kinds, 0, suggests_pause=False)
    today = days.last_midnight(now, timezone.get_current_timezone())
    n = content_settings_selectors.n_met(rater=work.rater, since=today)
    return ContentNotice(kinds, n, suggests_pause=content_settings_selectors.is_pause_due(n))


def _notice(work: Work, now: dt.datetime) -> str:
    if work.lease_state == LeaseState.SAMPLE:
        return _(
            "This is what raters see, with an item from the campaign. Try it: nothing is saved."
        )
    if work.lease_state == LeaseState.LAPSED:
        return _(
            "Your reservation has expired and someone else has this item now. You can still finish"
            " it; your answer is saved as an extra."
        )
    if work.expires_at is not None and work.expires_at < now:
        return _(
            "Your reservation has expired. Until someone else takes the item, your answer still"
            " counts as usual."
        )
    return ""


def person_key(rater: Rater) -> str:
    """Names this person's drafts in the browser without revealing who they are."""
    return salted_hmac("labeling.desk.person", str(rater.pk)).hexdigest()[:16]


def _correcting(judgment: Judgment) -> str:
    at = timezone.localtime(judgment.submitted_at).strftime("%Y-%m-%d %H:%M")
    return _(
        "You submitted this answer on %(at)s. If you submit again, the new version replaces it; the"
        " earlier one is kept."
    ) % {"at": at}


def _prompt_view(work: Work) -> PromptView:
    """What the user said last stays in sight, with the calls and results that followed it."""
    drawn = turns_of(work.messages, work.as_shown)
    asked = max((place for place, turn in enumerate(drawn) if turn.role == "user"), default=0)
    last = format_html_join("", "{}", ((turn.html,) for turn in drawn[asked:]))
    return PromptView(drawn, drawn[:asked], last, len(drawn), turns.tools(work.item.prompt.tools))
