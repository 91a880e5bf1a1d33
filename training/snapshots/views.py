"""The list of snapshots, the form for a new one, and a snapshot's card and rows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from labeling.models import Prompt
from pages import list_pages
from training import access as training_access
from training.configs import kinds
from training.models import Curation, Snapshot
from training.snapshots import forms, selectors, services
from training.snapshots import rows as snapshots_rows
from training.snapshots.curation import selectors as curation_selectors
from training.snapshots.curation import services as curation_services
from training.snapshots.curation.views import ledger_page

SNAPSHOTS_PER_PAGE = 30
ROWS_PER_PAGE = 20
_OF_TEXT = ("name", "documents", "licence", "min_characters")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("kind", "")
    page = list_pages.shown(request, selectors.snapshots(kind=kind), size=SNAPSHOTS_PER_PAGE)
    return render(
        request,
        "training/snapshots/snapshots.html",
        {
            "page": page,
            "kind": kind,
            "kinds": Snapshot.Kind.choices,
            "curations": curation_selectors.open_curations(),
        },
    )


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("kind", "")
    kind = asked if asked in dict(selectors.CREATABLE) else Snapshot.Kind.DEMONSTRATIONS.value
    form: forms.SnapshotForm | forms.TextForm
    if kind == Snapshot.Kind.TEXT:
        form = forms.TextForm(request.POST or None, request.FILES or None)
    else:
        named = ("best_of", "revised_in", "best_voted_in", "campaigns")
        initial = {name: request.GET.getlist(name) for name in named}
        if splits := request.GET.getlist("split"):
            initial["splits"] = splits
        form = forms.SnapshotForm(
            request.POST or None, kind=kind, now=timezone.now(), initial=initial
        )
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data.get("recipe"):
            return redirect("curation", _curation(request, form, kind).pk)
        try:
            snapshot = _create(request, form, kind)
        except services.UnableToCreate as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("snapshot", snapshot.pk)
    context = {"form": form, "kind": kind, "kinds": selectors.CREATABLE}
    return render(
        request, "training/snapshots/snapshot_new.html", context, status=422 if form.errors else 200
    )


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """?verify reads the files and checks the fingerprint."""
    snapshot = training_access.snapshot(user=request.user, pk=pk)
    context = {
        "snapshot": snapshot,
        "card": selectors.card(snapshot=snapshot),
        "suites": selectors.suites_in(snapshot=snapshot),
        "filters": selectors.filters_in_words(snapshot=snapshot),
        "weights": selectors.weights(snapshot=snapshot),
        "shares": selectors.shares(snapshot=snapshot),
        "curation": curation_selectors.summary_of_snapshot(snapshot=snapshot),
        "runs": selectors.runs_on(snapshot=snapshot),
        **_offered_runs(snapshot),
        "is_verified": "verify" in request.GET,
        "is_intact": "verify" in request.GET and selectors.is_intact(snapshot=snapshot),
    }
    return render(request, "training/snapshots/snapshot.html", context)


def _offered_runs(snapshot: Snapshot) -> dict[str, object]:
    """The kinds of run that take it. A benchmark chooses suites and makes their snapshot itself."""
    if snapshot.kind == Snapshot.Kind.SUITES:
        return {"run_kind": "", "other_runs": []}
    run_kind = kinds.default_kind_for(snapshot.kind)
    return {
        "run_kind": run_kind,
        "run_button": kinds.KINDS[run_kind].snapshot_button,
        "other_runs": [
            (kind, about.menu)
            for kind, about in kinds.KINDS.items()
            if snapshot.kind in about.snapshots and kind != run_kind
        ],
    }


@require_GET
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows as a run reads them, with their judgments."""
    snapshot = training_access.snapshot(user=request.user, pk=pk)
    splits = [(split, n) for split, n in selectors.splits(snapshot=snapshot) if n]
    asked = request.GET.get("split", "")
    split = asked if asked in dict(splits) else next((split for split, _n in splits), "train")
    page = list_pages.shown(request, range(dict(splits).get(split, 0)), size=ROWS_PER_PAGE)
    frozen = snapshots_rows.frozen_rows(
        snapshot=snapshot, split=split, skip=max(0, page.start_index() - 1), n=ROWS_PER_PAGE
    )
    context = {
        "snapshot": snapshot,
        "splits": [(name, Prompt.Split(name).label, n) for name, n in splits],
        "split": split,
        "page": page,
        "rows": frozen,
        "is_admin": training_access.researcher(request.user).is_admin,
    }
    return render(request, "training/snapshots/snapshot_rows.html", context)


@require_GET
def ledger(request: HttpRequest, pk: int) -> HttpResponse:
    """What the recipe of a snapshot removed or changed. ?rule= shows one rule's. A snapshot without
    a recipe has no ledger: its own page opens.
    """
    snapshot = training_access.snapshot(user=request.user, pk=pk)
    summary = curation_selectors.summary_of_snapshot(snapshot=snapshot)
    if summary is None:
        return redirect("snapshot", pk)
    context = {"snapshot": snapshot, **ledger_page(request, snapshot, summary)}
    return render(request, "training/snapshots/snapshot_ledger.html", context)


def _curation(
    request: HttpRequest, form: forms.SnapshotForm | forms.TextForm, kind: str
) -> Curation:
    return curation_services.start_curation(
        name=form.cleaned_data["name"],
        kind=kind,
        recipe=form.cleaned_data["recipe"],
        filters=form.filters_as_json(),
        upload=form.cleaned_data.get("file"),
        makes_snapshot="preview" not in request.POST,
        by=training_access.researcher(request.user),
        now=timezone.now(),
    )


def _create(request: HttpRequest, form: forms.SnapshotForm | forms.TextForm, kind: str) -> Snapshot:
    cleaned, by, now = form.cleaned_data, training_access.researcher(request.user), timezone.now()
    if isinstance(form, forms.TextForm):
        about = {name: cleaned[name] for name in _OF_TEXT}
        return services.create_text_snapshot(**about, by=by, now=now)
    return services.create_snapshot(
        kind=kind, name=cleaned["name"], filters=form.filters(), by=by, now=now
    )
