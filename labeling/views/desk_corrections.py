"""Changing a submitted answer: undo it within seconds, or correct it while the campaign is open."""

import uuid
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from labeling import access, desk_answers, services
from labeling.forms import desk as forms
from labeling.models import Campaign
from labeling.selectors import desk as selectors
from labeling.views import answering
from labeling.views.desk_drafts import save


@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """As if it had not been submitted: back to the item, with what was typed."""
    work = access.work(user=request.user, lease=lease)
    judgment = selectors.judgment_under(work=work) if request.method == "POST" else None
    if judgment is None:  # undone already
        return answering.go_to(request, reverse("desk_item", args=[lease]))
    draft = desk_answers.Typed.of_judgment(judgment).with_record_of(judgment).as_draft
    try:
        services.undo(lease=lease, rater=work.rater, draft=draft, now=timezone.now())
    except services.UnableToUndo as error:
        # The same request was sent again before this one was answered.
        if selectors.judgment_under(work=work) is None:
            return answering.go_to(request, reverse("desk_item", args=[lease]))
        if answering.is_fragment(request):  # the rater stays where they are by now
            return JsonResponse({"said": error.sentence})
        messages.warning(request, error.sentence)
        return answering.go_to(request, reverse("my_work"))
    return answering.go_to(request, reverse("desk_item", args=[lease]))


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """An answer of mine, opened again; submitting makes its next version."""
    work = access.work(user=request.user, lease=lease)
    judgment = selectors.judgment_under(work=work)
    if judgment is None or work.campaign.state != Campaign.State.OPEN:
        return redirect("desk_item", lease)
    if request.method == "GET":
        draft = selectors.correction_draft(judgment=judgment)
        typed = (
            desk_answers.Typed.of_draft(draft)
            if draft
            else desk_answers.Typed.of_judgment(judgment)
        )
        return answering.page(request, work, typed, corrects=judgment)
    version = forms.version(request.POST.get("version", ""))
    step = request.POST.get("step", "review")
    if step == "draft":
        typed = desk_answers.Typed.of_post(request.POST)
        save(work, typed.as_draft, version=version, now=timezone.now())
        return redirect("desk_correct", lease)
    if step == "drop":
        services.drop_correction(item=work.item, rater=work.rater)
        messages.info(request, _("Dropped. Your answer stays as it was."))
        return answering.go_to(request, reverse("my_work"))
    answer = answering.look_over(request, work, corrects=judgment)
    if isinstance(answer, HttpResponse):
        return answer
    try:
        services.correct(
            lease=work.lease,
            rater=work.rater,
            version=version,
            answer=answer.checked,
            recorded=answer.recorded,
            now=timezone.now(),
        )
    except services.UnableToSubmit as error:
        refused = replace(answer, refusal=str(error))
        return answering.review(request, work, refused, corrects=judgment)
    messages.info(request, _("Corrected. This version counts from now on."))
    return answering.go_to(request, reverse("my_work"))
