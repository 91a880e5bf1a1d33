"""The page that imports answers by several raters: upload, preview with columns and legend."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.shell.requests import MemberRequest
from labeling.data.imports import previews, services
from labeling.data.imports import views as imports_views
from labeling.data.imports.answers import previews as answer_previews
from labeling.data.imports.answers.forms import AnswersForm, LegendForm, RolesForm
from labeling.data.imports.forms import WORDS
from labeling.data.imports.previews import KeptFile

TEMPLATE = "labeling/data/answers/import.html"


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """The form. “Preview” keeps the files and shows their first answers; only then can the import
    start, so that somebody has seen what the columns and values are taken for.
    """
    kept = _kept(request, "upload")
    if kept is None and (started := imports_views.started(request)):
        return imports_views.to_started(request, started)
    form = AnswersForm(
        request.POST or None,
        request.FILES or None,
        is_kept=kept is not None,
        is_preview=_is_preview(request),
    )
    if kept is None and (request.method != "POST" or not form.is_valid()):
        status = 422 if form.errors else 200
        return render(request, TEMPLATE, {"form": form, "kept": kept}, status=status)
    texts = _kept(request, "texts_upload")
    if kept is None:
        now = timezone.now()
        kept = previews.keep(upload=form.upload_file, by=request.user, now=now)
        if form.texts_file is not None:
            texts = previews.keep(upload=form.texts_file, by=request.user, now=now)
    return _with_kept_files(request, form, kept, texts)


def _is_preview(request: MemberRequest) -> bool:
    return "start" not in request.POST


def _kept(request: MemberRequest, name: str) -> KeptFile | None:
    return previews.kept_file(token=request.POST.get(name, ""), by=request.user)


def _with_kept_files(
    request: MemberRequest,
    form: AnswersForm,
    kept: KeptFile,
    texts: KeptFile | None,
) -> HttpResponse:
    """Starts the import of kept files, or shows their first answers."""
    pairs_path = texts.path if texts else None
    preview = answer_previews.preview(path=kept.path, pairs_path=pairs_path)
    # A first preview has no columns yet: they are recognized.
    is_sent = "role-0" in request.POST
    roles_form = RolesForm(request.POST if is_sent else None, columns=preview.columns)
    roles = roles_form.roles if is_sent and roles_form.is_valid() else None
    if roles is not None:
        preview = answer_previews.preview(path=kept.path, pairs_path=pairs_path, roles=roles)
    is_explained = any(f"means-{value}" in request.POST for value in preview.legend)
    legend_form = LegendForm(request.POST if is_explained else None, legend=preview.legend)
    legend_form.full_clean()
    legend = legend_form.legend if is_explained else {}
    if legend:
        preview = answer_previews.preview(
            path=kept.path, pairs_path=pairs_path, roles=roles, legend=legend
        )
    if form.is_valid() and not _is_preview(request) and not roles_form.errors:
        try:
            batch = services.start_kept(
                path=kept.path,
                pairs_path=pairs_path,
                file_name=kept.name,
                file_format=preview.format,
                roles=roles,
                legend=legend,
                **form.arguments,
                by=request.user,
                now=timezone.now(),
            )
        except services.AlreadyStarted:
            return imports_views.to_started(request, imports_views.started(request))
        except services.UnableToImport as error:
            form.add_error(None, error.sentence)
        else:
            return redirect("import_detail", batch.pk)
    return _preview(request, form, (kept, texts), preview, roles_form, legend_form)


def _preview(
    request: MemberRequest,
    form: AnswersForm,
    files: tuple[KeptFile, KeptFile | None],
    preview: answer_previews.AnswersPreview,
    roles_form: RolesForm,
    legend_form: LegendForm,
) -> HttpResponse:
    kept, texts = files
    tokens = {"upload": kept.token, "texts_upload": texts.token if texts else ""}
    shown = AnswersForm(request.POST.dict() | tokens, is_kept=True, is_preview=_is_preview(request))
    shown.full_clean()
    shown.ask_origin()
    for sentence in form.non_field_errors():
        shown.add_error(None, str(sentence))
    context: dict[str, object] = {
        "form": shown,
        "kept": kept,
        "texts": texts,
        "preview": preview,
        "format": WORDS.get(preview.format, preview.format),
        "roles_form": roles_form if preview.columns else None,
        "legend_form": legend_form if preview.legend else None,
    }
    status = 422 if shown.errors or roles_form.errors else 200
    return render(request, TEMPLATE, context, status=status)
