"""Pages of imports: the list, a new one, and one import while it runs and afterwards."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data.imports import agreement as imports_agreement
from labeling.data.imports import previews, selectors, services
from labeling.data.imports.forms import WORDS, ColumnsForm, ImportForm
from labeling.models import Import
from labeling.quality.pages import words as pages_words
from pages import edit_conflicts, list_pages

PER_PAGE = 50


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    page = list_pages.shown(request, selectors.import_list(), size=PER_PAGE)
    return render(request, "labeling/data/import_list.html", {"page": page})


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """The form. “Preview” keeps the file and shows its first rows; the form then names it."""
    kept = previews.kept_file(token=request.POST.get("upload", ""), by=request.user)
    if kept is None and (batch := started(request)):
        return to_started(request, batch)
    form = ImportForm(
        request.POST or None,
        request.FILES or None,
        is_kept=kept is not None,
        is_preview="preview" in request.POST,
    )
    context: dict[str, object] = {"form": form, "kept": kept}
    if kept is not None and request.method == "POST":
        return _with_kept_file(request, form, kept)
    if request.method == "POST" and form.is_valid():
        if kept is None and ("preview" in request.POST or form.cleaned_data["with_judgments"]):
            kept = previews.keep(upload=form.upload_file, by=request.user, now=timezone.now())
        if kept is not None:
            return _with_kept_file(request, form, kept)
        try:
            batch = services.start_upload(
                upload=form.upload_file, **form.arguments, by=request.user, now=timezone.now()
            )
        except services.UnableToImport as error:
            form.add_error(None, error.sentence)
        else:
            return redirect("import_detail", batch.pk)
    return render(
        request, "labeling/data/import_new.html", context, status=422 if form.errors else 200
    )


def _with_kept_file(
    request: MemberRequest, form: ImportForm, kept: previews.KeptFile
) -> HttpResponse:
    """Starts the import of a kept file, or shows its first rows."""
    names = previews.column_names(path=kept.path)
    columns_form = ColumnsForm(request.POST, names=names)
    columns = columns_form.columns if columns_form.is_valid() else {}
    is_valid = form.is_valid()
    is_preview = "preview" in request.POST
    if is_valid and not is_preview and columns_form.is_valid():
        try:
            batch = services.start_kept(
                path=kept.path,
                file_name=kept.name,
                columns=columns,
                stores_responses="stores_responses" in request.POST,
                **form.arguments,
                by=request.user,
                now=timezone.now(),
            )
        except services.AlreadyStarted:
            return to_started(request, started(request))
        except services.UnexplainedColumns:
            form.add_error(None, _say_what_columns_mean())
        except services.UnableToImport as error:
            form.add_error(None, error.sentence)
        else:
            return redirect("import_detail", batch.pk)
    judges = bool(form.cleaned_data.get("with_judgments"))
    preview = previews.preview(
        path=kept.path,
        file_format=form.cleaned_data.get("file_format") or None,
        columns=columns,
        with_judgments=judges,
    )
    asks = judges and preview.asks
    shown = ImportForm(
        request.POST.dict() | {"upload": kept.token},
        is_kept=True,
        asks=asks,
        is_preview=is_preview,
    )
    shown.full_clean()
    shown.ask_origin()
    for sentence in form.non_field_errors():
        shown.add_error(None, str(sentence))
    context = {
        "form": shown,
        "kept": kept,
        "preview": preview,
        "format": WORDS.get(preview.format, preview.format),
        "columns_form": columns_form if names else None,
        "is_columns_open": asks or not preview.rows or bool(columns_form.errors),
    }
    status = 422 if shown.errors or columns_form.errors else 200
    return render(request, "labeling/data/import_new.html", context, status=status)


def started(request: MemberRequest) -> Import | None:
    """The import that has started with the file of the page that was sent."""
    return selectors.started_import(token=request.POST.get("upload", ""), by=request.user)


def to_started(request: MemberRequest, batch: Import | None) -> HttpResponse:
    """To that import, or to the list while it is being stored."""
    edit_conflicts.refuse(request, services.already_started())
    return redirect("import_detail", batch.pk) if batch else redirect("imports")


def _say_what_columns_mean() -> str:
    """The preview names them."""
    return _(
        "Nothing is imported yet. Say what the columns named below mean, or that the answers beside"
        " them are stored as responses."
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
    report = imports_agreement.agreement_of_import(batch=batch)
    context = {
        "batch": batch,
        "found": report,
        "measures": pages_words.imported(report.figures) if report.figures else [],
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
