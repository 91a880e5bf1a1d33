"""Withdrawal of a rater: what their judgments went into, and leaving them out from now on."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.people.withdrawals import withdrawal as people_withdrawal
from training.registry.lineage import withdrawals


@require_GET
def withdrawal(request: HttpRequest, pk: int) -> HttpResponse:
    rater = labeling_access.rater_as_alias(user=request.user, pk=pk)
    return render(
        request,
        "training/registry/withdrawal.html",
        {"rater": rater, "touched": withdrawals.touched_by(rater=rater)},
    )


@require_POST
def withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    rater = labeling_access.rater_as_alias(user=request.user, pk=pk)
    if people_withdrawal.withdraw_rater(rater=rater, by=request.user, now=timezone.now()):
        messages.success(
            request,
            _("%(alias)s has withdrawn. Future snapshots leave out their answers.")
            % {"alias": rater.alias},
        )
    return redirect("withdrawal", pk)


@require_POST
def readmit(request: MemberRequest, pk: int) -> HttpResponse:
    rater = labeling_access.rater_as_alias(user=request.user, pk=pk)
    if people_withdrawal.readmit_rater(rater=rater, by=request.user, now=timezone.now()):
        messages.success(
            request,
            _("The answers of %(alias)s count again. Add this rater to pools again yourself.")
            % {"alias": rater.alias},
        )
    return redirect("withdrawal", pk)
