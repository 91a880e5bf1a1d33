"""The operations page: what is stuck, what is full and what is old, the worst first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access as accounts_access
from training.operations import figures, findings, verdicts


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The page; for htmx only the live part."""
    read = figures.recent(now=timezone.now())
    roles = accounts_access.roles_of(request.user)
    listed = findings.findings(
        read, may_open=lambda url_name: accounts_access.may_open(url_name, roles)
    )
    is_fragment = request.headers.get("HX-Target") == "operations"
    return render(
        request,
        "training/operations/_live.html" if is_fragment else "training/operations/operations.html",
        {
            "verdict": verdicts.of_site(listed),
            "to_check": [one for one in listed if one.level != findings.GOOD],
            "fine": [one for one in listed if one.level == findings.GOOD],
            "at": read.at,
        },
    )
