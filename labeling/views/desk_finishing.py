"""Leaving an item: submit, skip, or give it back. Or ask the admins about it and go on.

Submitting is two transactions: store and commit, then claim the next item, so that a failed claim
never undoes a judgment.
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

from labeling import access, desk_answers, desk_pages, services
from labeling.forms import desk as forms
from labeling.models import Campaign, Judgment, Pass
from labeling.selectors import desk as selectors
from labeling.views import answering
from labeling.views.desk import gone
from labeling.views.desk_drafts import keep_typed
from labeling.views.onward import next_address, next_step
from pages import days, plain_text


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    if request.method == "GET":  # the address of a page that was refused, opened again
        return redirect("desk_item", lease)
    work = access.work(user=request.user, lease=lease)
    if work.standing == selectors.Standing.ENDED:
        return gone(request, work)
    step = request.POST.get("step", "review")
    if step == "draft":
        typed = desk_answers.Typed.of_post(request.POST)
        services.save_draft(
            item=work.item, rater=work.rater, content=typed.as_draft, now=timezone.now()
        )
        return redirect("desk_item", lease)
    answer = answering.look_over(request, work)
    if isinstance(answer, HttpResponse):
        return answer
    try:
        judgment = services.submit(
            lease=work.lease,
            rater=work.rater,
            answer=answer.checked,
            recorded=answer.recorded,
            held=work.shown,
            now=timezone.now(),
        )
    except services.UnableToSubmit as error:
        return answering.review(request, work, replace(answer, refusal=str(error)))
    if not work.is_open:  # sent twice, or changed after going back in the browser
        messages.info(request, _("This item was stored already: the first answer counts."))
    return _stored(request, work, judgment, is_last=step == "stop")


def _stored(
    request: HttpRequest, work: selectors.Work, judgment: Judgment, *, is_last: bool
) -> HttpResponse:
    if is_last:
        messages.info(request, _("Stored. Nothing is reserved for you now."))
        return answering.go_to(request, reverse("desk"))
    step = next_step(request, campaign=work.campaign, rater=work.rater, worked_by=work.version.pk)
    if not answering.is_fragment(request):
        return redirect(step.address)
    if step.slot is None:
        return JsonResponse({"next": step.address})
    taken = selectors.work_taken(slot=step.slot, last=work)
    return JsonResponse({"next": step.address, "html": _next_item(request, taken, judgment)})


def _next_item(request: HttpRequest, work: selectors.Work, judgment: Judgment) -> str:
    """What an open page puts in the place of the item just judged."""
    now = timezone.now()
    today = selectors.tally(rater=work.rater, since=days.last_midnight(now))
    page = desk_pages.page(
        work=work, typed=desk_answers.Typed.of_draft(work.draft), today=today, now=now
    )
    is_comparison = work.campaign.kind == Campaign.Kind.COMPARISON
    context = {
        "page": page,
        "undo": judgment if selectors.may_undo(judgment, now=now) else None,
        "skip_form": forms.SkipForm(),
        "work": "labeling/desk/_compare.html" if is_comparison else "labeling/desk/_write.html",
    }
    return answering.part(
        request,
        "labeling/desk/item_fragment.html",
        context | {"messages": messages.get_messages(request)},
    )


@require_http_methods(["GET", "POST"])
def skip(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = access.work(user=request.user, lease=lease)
    if request.method == "POST" and work.is_skipped:  # sent again: the answer to the first was lost
        return _go_on(request, work)
    if request.method == "GET" or not work.is_open:
        return answering.go_to(request, reverse("desk_item", args=[lease]))
    form = forms.SkipForm(request.POST)
    if not form.is_valid() and answering.is_fragment(request):
        return JsonResponse({"error": _("Choose why you skip it.")}, status=422)
    if not form.is_valid():
        return answering.page(
            request, work, desk_answers.Typed.of_draft(work.draft), status=422, skip_form=form
        )
    services.skip(
        lease=lease,
        rater=work.rater,
        reason=Pass.Reason(form.cleaned_data["reason"]),
        note=form.cleaned_data["note"],
        active_s=forms.read_record(dict(request.POST.lists())).active_s,
        now=timezone.now(),
    )
    return _go_on(request, work)


def _go_on(request: HttpRequest, work: selectors.Work) -> HttpResponse:
    address = next_address(
        request, campaign=work.campaign, rater=work.rater, worked_by=work.version.pk
    )
    return answering.go_to(request, address)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """A question to the admins; the work on the item goes on."""
    work = access.work(user=request.user, lease=lease)
    page = redirect(
        "desk_correct" if work.standing == selectors.Standing.STORED else "desk_item", lease
    )
    if request.method == "GET":
        return page
    text = plain_text.storable(request.POST.get("question", "")).strip()
    if text:
        services.ask_about(
            item=work.item,
            rater=work.rater,
            text=text[: forms.LONGEST_QUESTION],
            now=timezone.now(),
        )
    said = (
        _("Your question went to the admins. The answer comes to My work.")
        if text
        else _("The question is empty.")
    )
    if answering.is_fragment(request):
        return JsonResponse({"said": said})
    keep_typed(request, work)
    messages.add_message(request, messages.INFO if text else messages.WARNING, said)
    return page


@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = access.work(user=request.user, lease=lease)
    if request.method == "GET":
        return redirect("desk_item", lease)
    keep_typed(request, work)
    services.release(lease=lease, rater=work.rater, now=timezone.now())
    messages.info(request, _("Given back. Your draft is kept."))
    return answering.go_to(request, reverse("desk"))
