"""Shared by the rater's desk and the admin's preview: the page of an item, its buttons, the review
of an answer, and what is shown next to the work.

A page with JavaScript sends the same forms with the header `X-Desk: fragment` and gets JSON:
{"review": HTML}, or {"next": address}, with the next item's HTML if there is one.
"""

import datetime as dt
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone

from arithmetic import days
from labeling.desk import pages, posted_page
from labeling.desk import words as desk_words
from labeling.desk import work as desk_work
from labeling.desk.forms import answer_fields
from labeling.desk.texts import reading
from labeling.models import GuidelineVersion, Judgment
from pages import render as pages_render

EDITING = {
    "edit": posted_page.begin_edit,
    "unedit": posted_page.drop_edit,
    "extend": posted_page.add_turns,
    "shorten": posted_page.drop_turns,
}
"""Buttons that open or close the editor, or add or remove turns of a dialogue, and then show the
page again. With JavaScript the page does this by itself.
"""
SUBMITTING = {"submit", "stop"}


def is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("X-Desk") == "fragment"


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    return JsonResponse({"next": address}) if is_fragment(request) else redirect(address)


def today_of(work: desk_work.Work, *, now: dt.datetime) -> desk_work.Tally:
    """A preview belongs to no rater, so it has no counts."""
    if work.lease_state == desk_work.LeaseState.SAMPLE:
        return desk_work.Tally(n_judgments=0, active_s=0.0)
    midnight = days.last_midnight(now, timezone.get_current_timezone())
    return desk_work.tally(rater=work.rater, since=midnight)


def page(
    request: HttpRequest,
    work: desk_work.Work,
    typed: posted_page.PageInput,
    *,
    status: int = 200,
    review: posted_page.Review | None = None,
    skip_form: answer_fields.SkipForm | None = None,
    corrects: Judgment | None = None,
) -> HttpResponse:
    """The whole page of an item."""
    context = page_context(work, typed, review=review, skip_form=skip_form, corrects=corrects)
    return render(request, "labeling/desk/item_page.html", context, status=status)


def page_context(
    work: desk_work.Work,
    typed: posted_page.PageInput,
    *,
    review: posted_page.Review | None = None,
    skip_form: answer_fields.SkipForm | None = None,
    corrects: Judgment | None = None,
) -> dict[str, object]:
    now = timezone.now()
    is_sample = work.lease_state == desk_work.LeaseState.SAMPLE
    today = today_of(work, now=now)
    return {
        "page": pages.page(
            work=work, typed=typed, review=review, today=today, corrects=corrects, now=now
        ),
        "title": desk_words.turn_title(work.turn.number) if work.turn else "",
        "undo": (
            None
            if is_sample
            else desk_work.undoable(rater=work.rater, last_at=today.last_at, now=now)
        ),
        "skip_form": skip_form or answer_fields.SkipForm(),
        "work": work.campaign.about.desk,
        "keys": desk_words.keys(
            is_comparison=work.campaign.compares,
            is_dialogue=work.campaign.asks_dialogue,
            is_turn=work.turn is not None,
            has_scale=work.has_scale,
        ),
    }


def in_place(request: HttpRequest, address: str, context: Mapping[str, object]) -> JsonResponse:
    """What an open page shows next, at `address`, in place of its item."""
    html = part(
        request,
        "labeling/desk/item_fragment.html",
        {**context, "messages": messages.get_messages(request)},
    )
    return JsonResponse({"next": address, "html": html})


def check_posted_answer(
    request: HttpRequest, work: desk_work.Work, *, corrects: Judgment | None = None
) -> HttpResponse | posted_page.PostedAnswer:
    """The posted answer if it can be stored now. Otherwise the page for the button that was
    pressed: an editor, or the review with the problems.
    """
    typed = posted_page.PageInput.of_post(request.POST)
    step = request.POST.get("step", "review")
    if step in EDITING:
        return page(request, work, EDITING[step](work=work, typed=typed), corrects=corrects)
    answer = posted_page.read(
        work=work, typed=typed, corrects=corrects is not None, now=timezone.now()
    )
    if corrects is None and work.lease_state == desk_work.LeaseState.STORED:
        return answer  # it was sent twice; the first one counts, whatever this one contains
    if step in SUBMITTING and answer.may_be_stored:
        return answer
    return review(request, work, answer, corrects=corrects)


def review(
    request: HttpRequest,
    work: desk_work.Work,
    answer: posted_page.PostedAnswer,
    *,
    corrects: Judgment | None = None,
) -> HttpResponse:
    decision = answer.review
    if is_fragment(request):
        html = part(request, "labeling/desk/frame/_review.html", {"review": decision})
        return JsonResponse({"review": html, "is_ready": not decision.problems})
    return page(
        request,
        work,
        answer.typed,
        status=422 if decision.problems else 200,
        review=decision,
        corrects=corrects,
    )


def part(request: HttpRequest, template: str, context: Mapping[str, object]) -> str:
    """A fragment of a page, rendered with only its own context: the context processors would cost
    three queries.
    """
    return render_to_string(template, {**context, "csrf_token": get_token(request)})


# --- next to the work ----------------------------------------------------------------------------


def guideline(request: HttpRequest, version: GuidelineVersion) -> HttpResponse:
    """The guideline, as a page of its own or as the panel next to the work."""
    is_page = not is_fragment(request)
    context = {
        "version": version,
        "html": pages_render.markdown(version.text),
        "base": "base.html" if is_page else "labeling/desk/fragment.html",
        "is_page": is_page,
    }
    return render(request, "labeling/desk/guidance/guideline.html", context)


def diff(request: HttpRequest, work: desk_work.Work) -> HttpResponse:
    """The word diff of responses `of` and `to`, both given by letter."""
    pair = reading.diff(work=work, of=request.GET.get("of", ""), to=request.GET.get("to", ""))
    return render(request, "labeling/desk/_diff.html", {"pair": pair}, status=200 if pair else 400)


def written_text(request: HttpRequest) -> HttpResponse:
    """The posted text as it will be rendered for readers."""
    return HttpResponse(pages_render.markdown_once(request.POST.get("text", "")))
