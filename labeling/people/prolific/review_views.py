"""An admin's pages of submissions and bonuses on Prolific."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.refusals import Refusal
from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.models import ProlificSubmission
from labeling.people.prolific import bonuses as prolific_bonuses
from labeling.people.prolific import dues, figures, reviews
from labeling.people.prolific.forms import RejectForm, ReturnForm
from pages import edit_conflicts

MOST_CHOSEN = 10_000


@require_http_methods(["GET", "POST"])
def approve_passed(request: MemberRequest, pk: int) -> HttpResponse:
    """GET lists those who finished, with the sum of their rewards; POST approves what it listed."""
    study = labeling_access.study_of_link(user=request.user, link_pk=pk)
    if request.method == "GET":
        passed = [row for row in dues.rows(study=study) if row.has_passed]
        context = {
            "study": study,
            "link": study.link,
            "pool": study.link.campaign.pool,
            "rows": passed,
            "total": dues.in_words(study, study.reward * len(passed)),
        }
        return render(request, "labeling/people/prolific/approve.html", context)
    try:
        n = reviews.approve_passed(
            study=study,
            submission_ids=_chosen(request.POST.getlist("submission")),
            by=request.user,
            now=timezone.now(),
        )
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        sentence = ngettext("%(n)d submission is approved.", "%(n)d submissions are approved.", n)
        messages.success(request, sentence % {"n": n})
    return redirect("crowd_prolific", pk)


@require_http_methods(["GET", "POST"])
def submission(request: MemberRequest, pk: int) -> HttpResponse:
    """One submission, and what a person decides about it."""
    selected = labeling_access.prolific_submission(user=request.user, pk=pk)
    act = request.POST.get("act", "")
    forms: dict[str, object] = {
        "return_form": ReturnForm(request.POST if act == "return" else None, prefix="return"),
        "reject_form": RejectForm(request.POST if act == "reject" else None, prefix="reject"),
    }
    if request.method == "GET":
        return _submission_page(request, selected, forms)
    decide = _decision(request, selected, act, forms)
    if decide is None:
        return _submission_page(request, selected, forms, status=422)
    try:
        decide()
    except Refusal as refusal:
        texts = (request.POST.get(name, "") for name in ("return-reason", "reject-message"))
        typed = plain_text.storable("".join(texts)).strip()
        edit_conflicts.refuse(request, refusal.sentence, typed=typed)
    else:
        messages.success(request, _("Done on Prolific."))
    return redirect("prolific_submission", pk)


def _decision(
    request: MemberRequest, selected: ProlificSubmission, act: str, forms: dict[str, Any]
) -> Callable[[], Any] | None:
    """The call that the form asks for; None if the form is not complete."""
    who_and_when: dict[str, Any] = {"by": request.user, "now": timezone.now()}
    if act == "approve":
        return lambda: reviews.approve(submission=selected, **who_and_when)
    if act not in ("return", "reject"):
        raise Http404
    form = forms[f"{act}_form"]
    if not form.is_valid():
        return None
    decide = reviews.ask_to_return if act == "return" else reviews.reject
    return lambda: decide(submission=selected, **form.cleaned_data, **who_and_when)


def _submission_page(
    request: MemberRequest,
    selected: ProlificSubmission,
    forms: Mapping[str, object],
    status: int = 200,
) -> HttpResponse:
    study = selected.study
    row = next(row for row in dues.rows(study=study) if row.submission.pk == selected.pk)
    agreement = figures.agreement(campaign=study.link.campaign)
    context = {
        "study": study,
        "link": study.link,
        "pool": study.link.campaign.pool,
        "submission": selected,
        "row": row,
        "figure": figures.of(row, agreement),
        "reward": dues.in_words(study, study.reward),
        "earned": dues.in_words(study, row.earned),
        "received": dues.in_words(study, row.received),
        "due": dues.in_words(study, row.due),
        **forms,
    }
    return render(request, "labeling/people/prolific/submission.html", context, status=status)


@require_http_methods(["GET", "POST"])
def bonus(request: MemberRequest, pk: int) -> HttpResponse:
    """What is due beyond what was paid. POST sets the chosen bonuses up on Prolific, which says the
    total: they are paid once that is confirmed.
    """
    study = labeling_access.study_of_link(user=request.user, link_pk=pk)
    if request.method == "POST":
        try:
            prolific_bonuses.prepare(
                study=study,
                submission_ids=_chosen(request.POST.getlist("submission")),
                by=request.user,
                now=timezone.now(),
            )
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
        return redirect("crowd_prolific_bonus", pk)
    rows = [row for row in dues.rows(study=study) if row.due]
    batch = prolific_bonuses.open_batch(study=study)
    context = {
        "study": study,
        "link": study.link,
        "pool": study.link.campaign.pool,
        "batch": batch,
        "amount": dues.in_words(study, batch.amount) if batch else "",
        "fees": dues.in_words(study, max(0, batch.total - batch.amount)) if batch else "",
        "total": dues.in_words(study, batch.total) if batch else "",
        "lines": _lines(study, batch.lines.select_related("submission__visit__rater"))
        if batch
        else [],
        "rows": [(row, dues.in_words(study, row.due)) for row in rows],
        "due": dues.in_words(study, sum(row.due for row in rows)),
        "past": [
            (sent_batch, dues.in_words(study, sent_batch.total))
            for sent_batch in prolific_bonuses.batches(study=study)
            if batch is None or sent_batch.pk != batch.pk
        ],
    }
    return render(request, "labeling/people/prolific/bonus.html", context)


def _lines(study: Any, lines: Iterable[Any]) -> list[tuple[object, str]]:
    return [(line, dues.in_words(study, line.amount)) for line in lines]


@require_POST
def pay_bonus(request: MemberRequest, pk: int) -> HttpResponse:
    batch = labeling_access.prolific_bonus(user=request.user, pk=pk)
    total = _number(request.POST.get("total", ""))
    try:
        prolific_bonuses.pay(batch=batch, total=total, by=request.user, now=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The bonuses are being sent."))
    return redirect("crowd_prolific_bonus", batch.study.link_id)


@require_POST
def resend_bonus(request: MemberRequest, pk: int) -> HttpResponse:
    batch = labeling_access.prolific_bonus(user=request.user, pk=pk)
    try:
        prolific_bonuses.send_again(batch=batch, by=request.user, now=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The bonuses are being sent."))
    return redirect("crowd_prolific_bonus", batch.study.link_id)


@require_POST
def discard_bonus(request: MemberRequest, pk: int) -> HttpResponse:
    batch = labeling_access.prolific_bonus(user=request.user, pk=pk)
    try:
        prolific_bonuses.discard(batch=batch, by=request.user, now=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    return redirect("crowd_prolific_bonus", batch.study.link_id)


def _chosen(texts: list[str]) -> set[int]:
    return {number for text in texts[:MOST_CHOSEN] if (number := _number(text))}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
