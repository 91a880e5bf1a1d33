"""Pages of imports from a hub: the form, and one download until its import starts."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data.hub import jobs
from labeling.data.hub.forms import HubForm
from labeling.data.imports.forms import ImportForm
from labeling.models import HubDownload


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = HubForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            download = jobs.request_download(
                **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except jobs.UnableToDownload as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return redirect("hub_import", download.pk)
    return render(
        request,
        "labeling/data/hub/hub_import_new.html",
        {"form": form},
        status=422 if form.errors else 200,
    )


@require_GET
def detail(request: MemberRequest, pk: int) -> HttpResponse:
    """Its progress, and then the form of the import; for htmx only that part."""
    download = labeling_access.hub_download(user=request.user, pk=pk)
    kept = jobs.kept_file(download=download, by=request.user)
    initial = {
        "upload": kept.token if kept else "",
        "source_name": download.repository,
        "licence": download.licence,
    }
    states = (HubDownload.State.QUEUED, HubDownload.State.RUNNING)
    context = {
        "download": download,
        "name": jobs.shown_name(download),
        "kept": kept,
        "form": ImportForm(initial=initial, is_kept=True) if kept else None,
        "is_going": download.state in states,
    }
    part = "labeling/data/hub/_hub_import.html"
    return render(request, part if request.htmx else "labeling/data/hub/hub_import.html", context)
