"""My data: a rater downloads what is stored about them, and withdraws."""

import json
from collections.abc import Iterator

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit_log
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.models import Rater
from labeling.people.own_data import selectors
from labeling.people.own_data.forms import WithdrawForm
from labeling.people.withdrawals import withdrawal


@require_GET
def my_data(request: HttpRequest) -> HttpResponse:
    rater = labeling_access.rater(user=request.user)
    return render(request, "labeling/people/own_data/my_data.html", {"rater": rater})


@require_GET
def download(request: MemberRequest) -> StreamingHttpResponse:
    rater = labeling_access.rater(user=request.user)
    audit_log.record(request.user, "export", rater, now=timezone.now())
    answer = StreamingHttpResponse(_lines(rater), content_type="application/jsonl; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="my-data.jsonl"'
    return answer


@require_http_methods(["GET", "POST"])
def withdraw(request: MemberRequest) -> HttpResponse:
    """Asks back, says what is lost, and withdraws."""
    rater = labeling_access.rater(user=request.user)
    if rater.withdrawn_at is not None:
        return redirect("my_data")
    is_post = request.method == "POST"
    form = WithdrawForm(request.POST if is_post else None)
    if is_post and form.is_valid():
        withdrawal.withdraw_rater(rater=rater, by=request.user, now=timezone.now())
        messages.success(request, _("You have withdrawn. Your answers no longer count."))
        return redirect("my_data")
    context = {"form": form, "effect": selectors.withdrawal_effect(rater=rater)}
    status = 422 if form.errors else 200
    return render(request, "labeling/people/own_data/my_withdrawal.html", context, status=status)


def _lines(rater: Rater) -> Iterator[bytes]:
    for record in selectors.own_data(rater=rater):
        yield json.dumps(record, ensure_ascii=False, cls=DjangoJSONEncoder).encode() + b"\n"
