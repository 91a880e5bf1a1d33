"""Views that leave an item: submit, skip, release; and ask the admins about it.

Submitting is two transactions: store and commit, then claim the next item. So a failed claim never
undoes a judgment.
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

from arithmetic import plain_text
from labeling.desk import access as desk_access
from labeling.desk import pages, posted_page
from labeling.desk import work as desk_work
from labeling.desk.forms import answer_fields
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments import submit as judgments_submit
from labeling.desk.next_item import next_address, next_step
from labeling.desk.views import answering
from labeling.desk.views.desk import gone
from labeling.desk.views.drafts import keep_late, keep_typed
from labeling.models import Judgment, Pass
from labeling.queue import slots
from labeling.review.questions import services as question_services
from pages import edit_conflicts


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    if request.method == "GET":  # the address of a page that was rejected, opened again
        return redirect("desk_item", lease)
    work = desk_access.work(user=request.user, lease=lease)
    if work.campaign.about.talks:
        return redirect("desk_item", lease)
    if work.lease_state == desk_work.LeaseState.ENDED:
        return gone(request, work, unsaved=keep_late(request, work))
    step = request.POST.get("step", "review")
    if step == "draft":
        typed = posted_page.PageInput.of_post(request.POST)
        slots.save_draft(
            item=work.item, rater=work.rater, content=typed.as_draft, now=timezone.now()
        )
        return redirect("desk_item", lease)
    answer = answering.check_posted_answer(request, work)
    if isinstance(answer, HttpResponse):
        return answer
    try:
        judgment = judgments_submit.submit(
            lease=work.lease,
            rater=work.rater,
            answer=answer.answer,
            recorded=answer.recorded,
            held=work.shown,
            now=timezone.now(),
        )
    except judgments_rows.UnableToSubmit as error:
        return answering.review(request, work, replace(answer, refusal=str(error)))
    if not work.is_open:  # sent twice, or changed after going back in the browser
        messages.info(request, _("This item was already saved. The first answer counts."))
    return _stored(request, work, judgment, is_last=step == "stop")


def _stored(
    request: HttpRequest, work: desk_work.Work, judgment: Judgment, *, is_last: bool
) -> HttpResponse:
    if is_last:
        messages.info(request, _("Saved. Nothing is reserved for you now."))
        return answering.go_to(request, reverse("desk"))
    step = next_step(
        request, campaign=work.campaign, rater=work.rater, last_version_id=work.version.pk
    )
    if not answering.is_fragment(request):
        return redirect(step.address)
    if step.slot is None:
        return JsonResponse({"next": step.address})
    taken = desk_work.work_taken(slot=step.slot, last=work)
    return answering.in_place(request, step.address, _next_item(taken, judgment))


def _next_item(work: desk_work.Work, judgment: Judgment) -> dict[str, object]:
    """The item with which an open page replaces the one just judged."""
    now = timezone.now()
    page = pages.page(
        work=work,
        typed=posted_page.PageInput.of_draft(work.draft),
        today=answering.today_of(work, now=now),
        now=now,
    )
    return {
        "page": page,
        "undo": judgment if desk_work.may_undo(judgment, now=now) else None,
        "skip_form": answer_fields.SkipForm(),
        "work": work.campaign.about.desk,
    }


@require_http_methods(["GET", "POST"])
def skip(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = desk_access.work(user=request.user, lease=lease)
    if request.method == "POST" and work.is_skipped:  # sent again, response lost
        note = plain_text.storable(request.POST.get("note", "")).strip()
        if note and not work.item.passes.filter(rater=work.rater, note=note).exists():
            sentence = _("You have already skipped this item.")
            edit_conflicts.refuse(request, sentence, typed=note)
        return _go_on(request, work)
    if request.method == "GET" or (not work.is_open and answering.is_fragment(request)):
        return answering.go_to(request, reverse("desk_item", args=[lease]))
    if not work.is_open:
        note = plain_text.storable(request.POST.get("note", "")).strip()
        return gone(request, work, unsaved=[note] if note else [])
    form = answer_fields.SkipForm(request.POST)
    if not form.is_valid() and answering.is_fragment(request):
        return JsonResponse({"error": _("Choose a reason for skipping.")}, status=422)
    if not form.is_valid():
        return answering.page(
            request, work, posted_page.PageInput.of_draft(work.draft), status=422, skip_form=form
        )
    slots.skip(
        lease=lease,
        rater=work.rater,
        reason=Pass.Reason(form.cleaned_data["reason"]),
        note=form.cleaned_data["note"],
        active_s=answer_fields.read_record(dict(request.POST.lists())).active_s,
        now=timezone.now(),
    )
    return _go_on(request, work)


def _go_on(request: HttpRequest, work: desk_work.Work) -> HttpResponse:
    address = next_address(
        request, campaign=work.campaign, rater=work.rater, last_version_id=work.version.pk
    )
    return answering.go_to(request, address)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """Sends the admins a question; the rater keeps the item."""
    work = desk_access.work(user=request.user, lease=lease)
    page = redirect(
        "desk_correct" if work.lease_state == desk_work.LeaseState.STORED else "desk_item", lease
    )
    if request.method == "GET":
        return page
    text = plain_text.storable(request.POST.get("question", "")).strip()
    unsaved = keep_late(request, work) if work.lease_state == desk_work.LeaseState.ENDED else []
    if work.rater.withdrawn_at is not None and answering.is_fragment(request):
        return JsonResponse({"error": judgments_rows.withdrawn_sentence()}, status=409)
    if work.rater.withdrawn_at is not None:
        return gone(request, work, unsaved=[*unsaved, text] if text else unsaved)
    if text:
        question_services.ask_about(
            item=work.item,
            rater=work.rater,
            text=text[: answer_fields.LONGEST_QUESTION],
            now=timezone.now(),
        )
    sentence = (
        _("Your question was sent to the admins. The answer will appear under My work.")
        if text
        else _("The question is empty.")
    )
    if answering.is_fragment(request):
        return JsonResponse({"said": sentence})
    keep_typed(request, work)
    messages.add_message(request, messages.INFO if text else messages.WARNING, sentence)
    return page


@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = desk_access.work(user=request.user, lease=lease)
    if request.method == "GET":
        return redirect("desk_item", lease)
    unsaved = [] if work.is_open else keep_late(request, work)
    if unsaved and answering.is_fragment(request):  # that page keeps what was typed itself
        return answering.go_to(request, reverse("desk_item", args=[lease]))
    if unsaved:
        return gone(request, work, unsaved=unsaved)
    keep_typed(request, work)
    slots.release(lease=lease, rater=work.rater, now=timezone.now())
    messages.info(request, _("Item released. Your draft is saved."))
    return answering.go_to(request, reverse("desk"))
