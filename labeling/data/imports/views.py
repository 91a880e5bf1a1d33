"""Pages of imports: the list, a new one, and one import while it runs and afterwards."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data.imports import agreement as imports_agreement
from labeling.data.imports import selectors, services
from labeling.data.imports.forms import ImportForm
from labeling.quality.pages import words as pages_words

PER_PAGE = 50


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    page = Paginator(selectors.import_list(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/data/import_list.html", {"page": page})


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            batch = services.start_upload(
                upload=form.upload, **form.arguments, by=request.user, now=timezone.now()
            )
        except services.UnableToImport as error:
            form.add_error(None, error.sentence)
        else:
            return redirect("import_detail", batch.pk)
    return render(
        request, "labeling/data/import_new.html", {"form": form}, status=422 if form.errors else 200
    )


@require_GET
def detail(request: MemberRequest, pk: int) -> HttpResponse:
    """The page; for htmx only the part that changes while the import runs."""
    report = selectors.import_report(batch=labeling_access.import_batch(user=request.user, pk=pk))
    template = (
        "labeling/data/import_fragment.html" if request.htmx else "labeling/data/import_detail.html"
    )
    return render(request, template, {"report": report})


@require_GET
def agreement(request: MemberRequest, pk: int) -> HttpResponse:
    """Computed on request, because an import has no campaign with a report."""
    batch = labeling_access.import_batch(user=request.user, pk=pk)
    found = imports_agreement.agreement_of_import(batch=batch)
    context = {
        "batch": batch,
        "found": found,
        "measures": pages_words.imported(found.figures) if found.figures else [],
    }
    return render(request, "labeling/data/import_agreement.html", context)


@require_POST
def publish(request: MemberRequest, pk: int) -> HttpResponse:
    batch = labeling_access.import_batch(user=request.user, pk=pk)
    try:
        services.publish(batch=batch, by=request.user, now=timezone.now())
    except services.UnableToImport as error:
        return _refused(request, pk, error)
    return redirect("import_detail", pk)


@require_http_methods(["GET", "POST"])
def discard(request: MemberRequest, pk: int) -> HttpResponse:
    """Asks for confirmation, because a discarded import cannot be restored."""
    batch = labeling_access.import_batch(user=request.user, pk=pk)
    if request.method == "GET":
        return render(
            request,
            "labeling/data/import_discard.html",
            {"report": selectors.import_report(batch=batch)},
        )
    try:
        services.discard(batch=batch, by=request.user, now=timezone.now())
    except services.UnableToImport as error:
        return _refused(request, pk, error)
    return redirect("import_detail", pk)


def _refused(request: MemberRequest, pk: int, error: services.UnableToImport) -> HttpResponse:
    report = selectors.import_report(batch=labeling_access.import_batch(user=request.user, pk=pk))
    return render(
        request,
        "labeling/data/import_detail.html",
        {"report": report, "problem": error.sentence},
        status=409,
    )
