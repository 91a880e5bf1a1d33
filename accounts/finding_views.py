"""The search of the top line, as a page of its own and as the part of it that changes while one
types.
"""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import access, finding
from accounts.requests import MemberRequest


@never_cache
@require_GET
def search(request: MemberRequest) -> HttpResponse:
    """The page, or to htmx the results alone."""
    results = finding.search(query=request.GET.get("q", ""), roles=access.roles_of(request.user))
    template = "account/_found.html" if request.htmx else "account/search.html"
    return render(request, template, {"results": results})
