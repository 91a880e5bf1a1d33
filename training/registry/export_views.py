"""Publishing an export to a hub as a dataset."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data import export_files
from labeling.models import Export
from training.registry import publish as registry_publish
from training.registry.views import publications_of


@require_http_methods(["GET", "POST"])
def publish(request: MemberRequest, pk: int) -> HttpResponse:
    """The form and earlier publications; POST queues one."""
    export = labeling_access.export(user=request.user, pk=pk)
    problem = _why_not(export)
    if request.method == "POST":
        try:
            registry_publish.publish_export(
                export=export,
                repository=request.POST.get("repository", "").strip(),
                is_private="is_private" in request.POST,
                by=request.user,
                now=timezone.now(),
            )
        except registry_publish.UnableToPublish as refusal:
            problem = refusal.sentence
        else:
            return redirect("export_publish", pk)
    context = {"export": export, "problem": problem} | _publications(export)
    status = 409 if request.method == "POST" else 200
    return render(request, "training/registry/export_publish.html", context, status=status)


@require_GET
def publications(request: MemberRequest, pk: int) -> HttpResponse:
    """The part of the page that refreshes itself while something is being published."""
    export = labeling_access.export(user=request.user, pk=pk)
    return render(request, "training/registry/_publications.html", _publications(export))


def _publications(export: Export) -> dict[str, object]:
    address = reverse("export_publications", args=[export.pk])
    return publications_of(export, refreshed_at=address)


def _why_not(export: Export) -> str:
    """Why it cannot be published; "" if it can."""
    try:
        export_files.file_of(export=export)
    except export_files.UnableToExport as problem:
        return problem.sentence
    return ""
