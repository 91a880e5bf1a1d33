"""Raters' questions about items: the list, and the answer."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.queue.cases.selectors import n_waiting
from labeling.review.questions import selectors, services
from pages import edit_conflicts, list_pages
from pages.edit_conflicts import Unsaved

QUESTIONS_PER_PAGE = 25


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return _page(request, is_answered=request.GET.get("state") == "answered")


def _page(
    request: HttpRequest, *, is_answered: bool, unsaved: Unsaved | None = None, status: int = 200
) -> HttpResponse:
    page = list_pages.shown(
        request, selectors.questions(is_answered=is_answered), size=QUESTIONS_PER_PAGE
    )
    context = {
        "page": page,
        "is_answered": is_answered,
        "waiting": n_waiting(),
        "unsaved": unsaved,
    }
    return render(request, "labeling/review/questions.html", context, status=status)


@require_POST
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    question = labeling_access.question(user=request.user, pk=pk)
    text = plain_text.storable(request.POST.get("answer", "")).strip()
    if not text:
        messages.warning(request, _("Write something first."))
        return redirect("questions")
    if edit_conflicts.has_changed(request.POST, question.answer):
        return _page(request, is_answered=True, unsaved=Unsaved(pk, text), status=409)
    services.answer_question(
        question=question, text=text[:5000], by=request.user, now=timezone.now()
    )
    messages.info(request, _("Answered. The rater sees it under My work."))
    return redirect("questions")
