"""Exports of a campaign's judgments: the form, their list, and one with its card."""

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit_log
from accounts.models import User
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data import export_files
from labeling.data.export_forms import ExportForm
from labeling.data.exports import jobs, offers
from labeling.models import Campaign, Export
from labeling.quality import campaign_figures

CONTENT_TYPE = "application/zip"
SHOWN = 20


@require_http_methods(["GET", "POST"])
def export(request: MemberRequest, pk: int) -> HttpResponse:
    """The form and the campaign's exports; POST queues one."""
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    offered = [offers.BY_SHAPE[shape] for shape in campaign.about.shapes]
    form = ExportForm(
        request.POST or None,
        offered=offered,
        licences=campaign_figures.licences(campaign=campaign, now=timezone.now()),
    )
    if request.method == "POST" and form.is_valid():
        try:
            jobs.request_export(
                campaign=campaign, **form.arguments, by=request.user, now=timezone.now()
            )
        except export_files.UnableToExport as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("export", pk)
    context = {"campaign": campaign, "tab": "export", "form": form, "offered": offered}
    return render(
        request,
        "labeling/data/exports/campaign_export.html",
        context | _listed(campaign),
        status=422 if form.errors else 200,
    )


@require_GET
def listed(request: MemberRequest, pk: int) -> HttpResponse:
    """The list by itself, which refreshes while an export is being written."""
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    context = {"campaign": campaign} | _listed(campaign)
    return render(request, "labeling/data/exports/_exports.html", context)


def _listed(campaign: Campaign) -> dict[str, object]:
    exports = list(campaign.exports.select_related("created_by").order_by("-pk")[:SHOWN])
    under_way = (Export.State.QUEUED, Export.State.RUNNING)
    return {
        "exports": [(entry, _label(entry)) for entry in exports],
        "is_going": any(entry.state in under_way for entry in exports),
    }


def _label(export: Export) -> str:
    return str(offers.BY_SHAPE[export.shape].label)


@require_GET
def detail(request: MemberRequest, pk: int) -> HttpResponse:
    """An export with its card and what it left out."""
    selected = labeling_access.export(user=request.user, pk=pk)
    context = {
        "export": selected,
        "label": _label(selected),
        "left_out": [(_(reason), n) for reason, n in selected.left_out.items()],
        "card": selected.card.partition("\n---\n")[2],
        "why_no_file": _why_no_file(selected),
    }
    return render(request, "labeling/data/exports/export_detail.html", context)


def _why_no_file(export: Export) -> str:
    try:
        export_files.file_of(export=export)
    except export_files.UnableToExport as problem:
        return problem.sentence
    return ""


@require_GET
def file(request: MemberRequest, pk: int) -> HttpResponseBase:
    selected = labeling_access.export(user=request.user, pk=pk)
    try:
        return download(selected, by=request.user)
    except export_files.UnableToExport:
        return redirect("export_detail", pk)


def download(export: Export, *, by: User) -> FileResponse:
    """The archive for a person, noted in the audit log. Raises UnableToExport."""
    archive = export_files.file_of(export=export).open("rb")
    after = {"shape": export.shape, "file": export_files.download_name(export=export)}
    audit_log.record(by, "download", export.campaign or export, after=after, now=timezone.now())
    return FileResponse(
        archive,
        as_attachment=True,
        filename=export_files.download_name(export=export),
        content_type=CONTENT_TYPE,
    )
