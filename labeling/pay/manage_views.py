"""Pay pages for admins: rates of a pool, all raters' pay, one rater's timesheet, disputes, and
marking days as paid.
"""

import datetime as dt

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit_log
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.models import Rate, Rater
from labeling.pay import services
from labeling.pay.forms import AnswerForm, PaidForm, RateForm
from labeling.pay.periods import COLUMNS, period
from labeling.pay.timesheets import paid
from labeling.pay.timesheets import selectors as timesheets_selectors
from pages import csv_download, edit_conflicts


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    form, since, until = period(request)
    rows = timesheets_selectors.pay_rows(since=since, until=until)
    context = {
        "form": form,
        "since": since,
        "until": until,
        "rows": rows,
        "n_alarms": sum(bool(row.sheet.alarms) for row in rows),
        "disputes": timesheets_selectors.open_disputes()[:50],
        "query": _query(since, until),
    }
    return render(request, "labeling/pay/pay.html", context)


@require_GET
def index_csv(request: MemberRequest) -> HttpResponse:
    _form, since, until = period(request)
    _record_download(request, request.user, since, until)
    rows = timesheets_selectors.pay_rows(since=since, until=until)
    records = (
        {"rater": row.rater.alias, **paid.as_record(line)}
        for row in rows
        for line in row.sheet.lines
    )
    return csv_download.response(f"pay-{since}-{until}.csv", ["rater", *COLUMNS], records)


@require_GET
def rater(request: HttpRequest, pk: int) -> HttpResponse:
    return _rater_page(request, labeling_access.any_rater(user=request.user, pk=pk))


@require_GET
def rater_csv(request: MemberRequest, pk: int) -> HttpResponse:
    chosen = labeling_access.any_rater(user=request.user, pk=pk)
    _form, since, until = period(request)
    _record_download(request, chosen, since, until)
    sheet = timesheets_selectors.timesheet(rater=chosen, since=since, until=until)
    return csv_download.response(
        f"{chosen.alias}-{since}-{until}.csv", COLUMNS, map(paid.as_record, sheet.lines)
    )


@require_http_methods(["GET", "POST"])
def mark(request: MemberRequest, pk: int) -> HttpResponse:
    """Shows the total and asks for confirmation, then marks the days as paid."""
    chosen = labeling_access.any_rater(user=request.user, pk=pk)
    _form, since, until = period(request)
    sheet = timesheets_selectors.timesheet(rater=chosen, since=since, until=until)
    form = PaidForm(request.POST or None, initial={"total": sheet.due_words})
    if request.method == "POST" and form.is_valid():
        try:
            services.mark_paid(
                rater=chosen,
                since=since,
                until=until,
                note=form.cleaned_data["note"],
                by=request.user,
                now=timezone.now(),
            )
        except services.UnableToPay as problem:
            form.add_error(None, problem.sentence)
        else:
            messages.success(
                request, _("Marked as paid. %(alias)s has been notified.") % {"alias": chosen.alias}
            )
            return redirect(f"{reverse('pay_rater', args=[pk])}?{_query(since, until)}")
    context = {"rater": chosen, "sheet": sheet, "form": form, "query": _query(since, until)}
    return render(
        request, "labeling/pay/pay_mark.html", context, status=422 if form.errors else 200
    )


@require_POST
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    dispute = labeling_access.dispute(user=request.user, pk=pk)
    form = AnswerForm(request.POST, prefix=f"dispute-{pk}")
    if not form.is_valid():
        return _rater_page(request, dispute.rater, answering={pk: form}, status=422)
    if services.answer_dispute(
        dispute=dispute, **form.arguments, by=request.user, now=timezone.now()
    ):
        messages.success(request, _("Answered. The rater sees it under My pay."))
    else:
        sentence = _("Someone else has already answered it.")
        edit_conflicts.refuse(request, sentence, typed=form.cleaned_data["text"])
    return redirect("pay_rater", dispute.rater_id)


@require_http_methods(["GET", "POST"])
def rates(request: MemberRequest, pk: int) -> HttpResponse:
    """The pool's rates, and a form for a new one. `?kind=` is the kind of work to start with."""
    pool = labeling_access.pool(user=request.user, pk=pk)
    asked = request.GET.get("kind", "")
    kind = asked if asked in Rate.Kind else timesheets_selectors.kind_to_price(pool=pool)
    rates = timesheets_selectors.rates_of(pool=pool)
    latest = max((rate.pk for rate in rates), default=None)
    form = RateForm(request.POST or None, kind=kind, latest=latest)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_rate(pool=pool, **form.arguments, by=request.user, now=timezone.now())
        except services.UnableToPay as problem:
            form.add_error("from_day", problem.sentence)
        else:
            messages.success(request, _("Rate saved."))
            return redirect("pool_rates", pk)
    context = {"pool": pool, "form": form, "rates": rates}
    return render(
        request, "labeling/pay/pool_rates.html", context, status=422 if form.errors else 200
    )


def _rater_page(
    request: HttpRequest,
    person: Rater,
    *,
    answering: dict[int, AnswerForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    form, since, until = period(request)
    sheet = timesheets_selectors.timesheet(rater=person, since=since, until=until)
    currency = next(iter(sheet.totals), sheet.currency)
    disputes = [
        (
            dispute,
            (answering or {}).get(dispute.pk)
            or AnswerForm(prefix=f"dispute-{dispute.pk}", initial={"currency": currency}),
        )
        for dispute in timesheets_selectors.disputes_of(rater=person)[:50]
    ]
    context = {
        "rater": person,
        "form": form,
        "sheet": sheet,
        "disputes": disputes,
        "payments": [
            (payment, timesheets_selectors.payment_words(payment))
            for payment in timesheets_selectors.payments_of(rater=person)[:24]
        ],
        "query": _query(since, until),
    }
    return render(request, "labeling/pay/pay_rater.html", context, status=status)


def _record_download(request: MemberRequest, target: Model, since: dt.date, until: dt.date) -> None:
    """A file of one rater, or of everybody: then its target is who downloads it."""
    after = {"file": "pay.csv", "since": str(since), "until": str(until)}
    audit_log.record(request.user, "export", target, after=after, now=timezone.now())


def _query(since: dt.date, until: dt.date) -> str:
    return f"since={since}&until={until}"
