"""A rater's own timesheet: counted work, totals, payments, and disputes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from labeling import access as labeling_access
from labeling.pay import services
from labeling.pay.forms import DisputeForm
from labeling.pay.periods import COLUMNS, period
from labeling.pay.timesheets import paid
from labeling.pay.timesheets import selectors as timesheets_selectors
from pages import csv_download


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """GET shows the requested days; POST disputes them."""
    rater = labeling_access.rater(user=request.user)
    form, since, until = period(request)
    dispute = DisputeForm(request.POST or None)
    if request.method == "POST" and dispute.is_valid():
        text = dispute.cleaned_data["text"]
        services.raise_dispute(rater=rater, since=since, until=until, text=text, now=timezone.now())
        messages.success(
            request, _("Your question was sent to the admins. The answer will appear on this page.")
        )
        return redirect(f"{request.path}?since={since}&until={until}")
    context = {
        "form": form,
        "sheet": timesheets_selectors.timesheet(rater=rater, since=since, until=until),
        "dispute": dispute,
        "disputes": timesheets_selectors.disputes_of(rater=rater)[:50],
        "payments": [
            (payment, timesheets_selectors.payment_words(payment))
            for payment in timesheets_selectors.payments_of(rater=rater)[:24]
        ],
        "query": f"since={since}&until={until}",
    }
    return render(
        request, "labeling/pay/my_pay.html", context, status=422 if dispute.errors else 200
    )


@require_GET
def as_csv(request: HttpRequest) -> HttpResponse:
    rater = labeling_access.rater(user=request.user)
    _form, since, until = period(request)
    sheet = timesheets_selectors.timesheet(rater=rater, since=since, until=until)
    return csv_download.response(
        f"my-pay-{since}-{until}.csv", COLUMNS, map(paid.as_record, sheet.lines)
    )
