"""Views that change a submitted answer: undo it within seconds, or correct it while the campaign is
open.
"""

import uuid
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from labeling.desk import access as desk_access
from labeling.desk import posted_page
from labeling.desk import work as desk_work
from labeling.desk.forms import answer_fields
from labeling.desk.judgments import correct as judgments_correct
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments import undo as judgments_undo
from labeling.desk.views import answering
from labeling.desk.views.desk import gone
from labeling.desk.views.drafts import save
from labeling.models import Campaign


@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """Takes the submission back and returns to the item with what was typed."""
    work = desk_access.work(user=request.user, lease=lease)
    judgment = desk_work.judgment_under(work=work) if request.method == "POST" else None
    if judgment is None:  # undone already
        return answering.go_to(request, reverse("desk_item", args=[lease]))
    draft = posted_page.PageInput.of_judgment(judgment).with_record_of(judgment).as_draft
    try:
        judgments_undo.undo(lease=lease, rater=work.rater, draft=draft, now=timezone.now())
    except judgments_undo.UnableToUndo as error:
        # the same request was sent again before this one was answered
        if desk_work.judgment_under(work=work) is None:
            return answering.go_to(request, reverse("desk_item", args=[lease]))
        if answering.is_fragment(request):  # the rater has moved on and stays where they are
            return JsonResponse({"said": error.sentence})
        messages.warning(request, error.sentence)
        return answering.go_to(request, reverse("my_work"))
    return answering.go_to(request, reverse("desk_item", args=[lease]))


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """Opens one of the rater's answers again; submitting stores its next version."""
    work = desk_access.work(user=request.user, lease=lease)
    judgment = desk_work.judgment_under(work=work)
    is_open = work.campaign.state == Campaign.State.OPEN and work.rater.withdrawn_at is None
    if judgment is None or not is_open:
        return _not_corrected(request, work)
    if work.item.is_turn:
        return gone(request, work, why=judgments_correct.turn_sentence())
    if request.method == "GET":
        draft = desk_work.correction_draft(judgment=judgment)
        typed = (
            posted_page.PageInput.of_draft(draft)
            if draft
            else posted_page.PageInput.of_judgment(judgment)
        )
        return answering.page(request, work, typed, corrects=judgment)
    version = answer_fields.version(request.POST.get("version", ""))
    step = request.POST.get("step", "review")
    if step == "draft":
        typed = posted_page.PageInput.of_post(request.POST)
        save(work, typed.as_draft, version=version, now=timezone.now())
        return redirect("desk_correct", lease)
    if step == "drop":
        judgments_correct.drop_correction(item=work.item, rater=work.rater)
        messages.info(request, _("Changes discarded. Your answer stays as it was."))
        return answering.go_to(request, reverse("my_work"))
    answer = answering.check_posted_answer(request, work, corrects=judgment)
    if isinstance(answer, HttpResponse):
        return answer
    try:
        judgments_correct.correct(
            lease=work.lease,
            rater=work.rater,
            version=version,
            answer=answer.answer,
            recorded=answer.recorded,
            now=timezone.now(),
        )
    except judgments_rows.UnableToSubmit as error:
        refused = replace(answer, refusal=str(error))
        return answering.review(request, work, refused, corrects=judgment)
    messages.info(request, _("Corrected. This version counts from now on."))
    return answering.go_to(request, reverse("my_work"))


def _not_corrected(request: HttpRequest, work: desk_work.Work) -> HttpResponse:
    """The answer was taken back, or its campaign takes no corrections: says so, with what was
    typed.
    """
    typed = posted_page.PageInput.of_post(request.POST)
    if request.method == "GET" or not typed.has_words:
        return redirect("desk_item", work.lease)
    if work.is_open:
        notice = _("You have taken this answer back. Submit it again.")
        return answering.page(request, work, replace(typed, notice=notice), status=422)
    is_withdrawn = work.rater.withdrawn_at is not None
    why = (
        judgments_rows.withdrawn_sentence() if is_withdrawn else judgments_correct.closed_sentence()
    )
    return gone(request, work, why=why, unsaved=answer_fields.written(typed.fields))
