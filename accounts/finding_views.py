"""The search page, and the results fragment that updates while somebody types."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import access, finding
from accounts.requests import MemberRequest


@never_cache
@require_GET
def search(request: MemberRequest) -> HttpResponse:
    """The whole page, or only the results for htmx."""
    results = finding.search(query=request.GET.get("q", ""), roles=access.roles_of(request.user))
    template = "account/_found.html" if request.htmx else "account/search.html"
    return render(request, template, {"results": results})
