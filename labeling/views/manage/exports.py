"""A campaign's judgments as files to take away."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from labeling import access


@require_http_methods(["GET", "POST"])
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """GET offers the shapes, POST streams the file that was asked for."""
    campaign = access.campaign(user=request.user, pk=pk)
    return render(request, "labeling/manage/campaign_export.html", {"campaign": campaign, "tab": "export"})
