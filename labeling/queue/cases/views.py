"""Pages of the case queues (prompt repair, safety, technical): each case's owner, age and
outcome.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.models import Case
from labeling.queue.cases import selectors, services
from pages import edit_conflicts, list_pages

CASES_PER_PAGE = 25
LONGEST_NOTE = 2_000


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Redirects to the first queue with open cases."""
    waiting = selectors.n_waiting()
    elsewhere = {selectors.QUESTIONS: "questions", selectors.ONBOARDING: "queue_onboarding"}
    first = next(
        (queue for queue in (*Case.Queue.values, *elsewhere) if waiting.get(queue)),
        Case.Queue.REPAIR,
    )
    return redirect(elsewhere[first]) if first in elsewhere else redirect("queue", first)


@require_GET
def queue(request: HttpRequest, name: str) -> HttpResponse:
    if name not in Case.Queue:
        raise Http404
    is_settled = request.GET.get("state") == "settled"
    page = list_pages.shown(
        request, selectors.cases(queue=name, is_settled=is_settled), size=CASES_PER_PAGE
    )
    context = {
        "queue": name,
        "title": Case.Queue(name).label,
        "page": page,
        "rows": selectors.case_rows(cases=page),
        "waiting": selectors.n_waiting(),
        "is_settled": is_settled,
    }
    return render(request, "labeling/queue/queue.html", context)


@require_POST
def own(request: MemberRequest, pk: int) -> HttpResponse:
    """Takes a case, or releases it."""
    case = labeling_access.case(user=request.user, pk=pk)
    owner = request.user if request.POST.get("owner") == "me" else None
    if edit_conflicts.has_changed(request.POST, case.owner_id):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
    else:
        services.assign_case(case=case, owner=owner, by=request.user, now=timezone.now())
    return redirect("queue", case.queue)


@require_POST
def settle(request: MemberRequest, pk: int) -> HttpResponse:
    case = labeling_access.case(user=request.user, pk=pk)
    outcome = (
        Case.Outcome.FIXED
        if request.POST.get("outcome") == Case.Outcome.FIXED
        else Case.Outcome.KEPT
    )
    note = plain_text.storable(request.POST.get("note", "")).strip()[:LONGEST_NOTE]
    try:
        services.settle_case(
            case=case, outcome=outcome, note=note, by=request.user, now=timezone.now()
        )
    except services.UnableToSettle as problem:
        edit_conflicts.refuse(request, problem.sentence, typed=note)
    else:
        messages.success(
            request, _("Resolved. The item is available again, but not to raters who skipped it.")
        )
    return redirect("queue", case.queue)


@require_POST
def own_question(request: MemberRequest, pk: int) -> HttpResponse:
    question = labeling_access.question(user=request.user, pk=pk)
    owner = request.user if request.POST.get("owner") == "me" else None
    if edit_conflicts.has_changed(request.POST, question.owner_id):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
    else:
        now = timezone.now()
        services.assign_question(question=question, owner=owner, by=request.user, now=now)
    return redirect("questions")
