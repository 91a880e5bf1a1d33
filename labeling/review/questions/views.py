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
from pages import list_pages

QUESTIONS_PER_PAGE = 25


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    is_answered = request.GET.get("state") == "answered"
    page = list_pages.shown(
        request, selectors.questions(is_answered=is_answered), size=QUESTIONS_PER_PAGE
    )
    context = {"page": page, "is_answered": is_answered, "waiting": n_waiting()}
    return render(request, "labeling/review/questions.html", context)


@require_POST
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    question = labeling_access.question(user=request.user, pk=pk)
    text = plain_text.storable(request.POST.get("answer", "")).strip()
    if not text:
        messages.warning(request, _("Write something first."))
        return redirect("questions")
    services.answer_question(
        question=question, text=text[:5000], by=request.user, now=timezone.now()
    )
    messages.info(request, _("Answered. The rater sees it under My work."))
    return redirect("questions")
