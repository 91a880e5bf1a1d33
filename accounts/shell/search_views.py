"""The search page, and the results fragment that updates while somebody types."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import access as accounts_access
from accounts.shell import search as search_search
from accounts.shell.requests import MemberRequest


@never_cache
@require_GET
def search(request: MemberRequest) -> HttpResponse:
    """The whole page, or only the results for htmx."""
    results = search_search.search(
        query=request.GET.get("q", ""), roles=accounts_access.roles_of(request.user)
    )
    template = "accounts/search/_found.html" if request.htmx else "accounts/search/search.html"
    return render(request, template, {"results": results})
