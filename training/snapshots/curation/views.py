"""Pages of curations: a recipe's preview, its ledger, and what was restored from it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from pages import edit_conflicts, list_pages
from training import access as training_access
from training.models import Curation, Snapshot
from training.snapshots.curation import (
    ratings,
    recipes,
    rule_words,
    selectors,
    services,
    verdicts,
)
from training.snapshots.curation.forms import RateForm
from training.snapshots.curation.ledger import Summary

ENTRIES_PER_PAGE = 20


def ledger_page(
    request: HttpRequest, source: Curation | Snapshot, summary: Summary
) -> dict[str, object]:
    """The context of _ledger.html: the rows that ?rule= and ?page= ask for."""
    counts = dict(summary.rules)
    asked = request.GET.get("rule", "")
    rule = asked if asked in counts else ""
    n = counts[rule].total if rule else summary.n_entries
    page = list_pages.shown(request, range(n), size=ENTRIES_PER_PAGE)
    skip = max(0, page.start_index() - 1)
    return {
        "summary": summary,
        "recipe": source.filters["recipe"],
        "rule": rule,
        "page": page,
        "entries": selectors.entries(source=source, rule=rule, skip=skip, n=ENTRIES_PER_PAGE),
    }


@require_GET
def detail(request: MemberRequest, pk: int) -> HttpResponse:
    """The preview; for htmx only the part that changes while the recipe runs."""
    curation = training_access.curation(user=request.user, pk=pk)
    if curation.snapshot and curation.state == Curation.State.DONE and not request.htmx:
        return redirect("snapshot", curation.snapshot.pk)
    return _page(request, curation)


def _page(request: MemberRequest, curation: Curation, problem: str = "") -> HttpResponse:
    summary = selectors.summary_of_curation(curation=curation)
    is_ready = curation.state == Curation.State.READY and summary is not None
    context: dict[str, Any] = {
        "curation": curation,
        "is_over": curation.state not in (Curation.State.QUEUED, Curation.State.RUNNING),
        "share": curation.n_read / curation.n_documents if curation.n_documents else None,
        "problem": problem,
    }
    if is_ready and summary is not None:
        context |= ledger_page(request, curation, summary)
        context["is_outdated"] = selectors.is_outdated(curation=curation)
        measured = ratings.measured(recipe=summary.recipe)
        context["verdict"] = verdicts.of_preview(summary, measured, curation_id=curation.pk)
        context["can_be_rated"] = bool(context["rule"]) and ratings.can_be_rated(context["rule"])
    name = "_curation.html" if request.htmx else "curation.html"
    status = 409 if problem else 200
    return render(request, f"training/snapshots/curation/{name}", context, status=status)


@require_POST
def snapshot(request: MemberRequest, pk: int) -> HttpResponse:
    """Makes the snapshot of what a preview kept."""
    curation = training_access.curation(user=request.user, pk=pk)
    seen = (curation.state, curation.account.get("fingerprint"))
    if edit_conflicts.has_changed(request.POST, *seen):
        return _page(request, curation, edit_conflicts.nothing_done())
    return _acted(request, pk, services.make_snapshot) or redirect("curation", pk)


@require_POST
def update(request: MemberRequest, pk: int) -> HttpResponse:
    """Makes the preview again, with what was restored."""
    return _acted(request, pk, services.update_preview) or redirect("curation", pk)


@require_POST
def discard(request: MemberRequest, pk: int) -> HttpResponse:
    return _acted(request, pk, services.discard_curation) or redirect("snapshots")


def _acted(request: MemberRequest, pk: int, act: Callable[..., object]) -> HttpResponse | None:
    """Calls the service; the page with its sentence if it refuses."""
    curation = training_access.curation(user=request.user, pk=pk)
    by, now = training_access.researcher(request.user), timezone.now()
    try:
        act(curation=curation, by=by, now=now)
    except services.UnableToCurate as problem:
        return _page(request, curation, problem.sentence)
    return None


@require_POST
def restore_of_curation(request: MemberRequest, pk: int) -> HttpResponse:
    curation = training_access.curation(user=request.user, pk=pk)
    _restore(request, curation)
    return _back(request, "curation", pk)


@require_POST
def restore_of_snapshot(request: MemberRequest, pk: int) -> HttpResponse:
    snapshot = training_access.snapshot(user=request.user, pk=pk)
    _restore(request, snapshot)
    return _back(request, "snapshot_ledger", pk)


def _restore(request: MemberRequest, source: Curation | Snapshot) -> None:
    """Restores the document that is posted, or undoes that."""
    by, now = training_access.researcher(request.user), timezone.now()
    document = request.POST.get("document", "")
    if "undo" in request.POST:
        recipe = str(source.filters.get("recipe", ""))
        services.undo_restore(recipe=recipe, document=document, by=by, now=now)
        return
    try:
        services.restore_document(source=source, document=document, by=by, now=now)
    except services.UnableToCurate as problem:
        messages.error(request, problem.sentence)


def _back(request: MemberRequest, name: str, pk: int) -> HttpResponse:
    """To the same rows of the ledger."""
    answer = redirect(name, pk)
    query = request.GET.urlencode()
    if query:
        answer["Location"] += f"?{query}"
    return answer


@require_http_methods(["GET", "POST"])
def rate(request: MemberRequest, pk: int) -> HttpResponse:
    """Sends a sample of what ?rule= removed to raters."""
    curation = training_access.curation(user=request.user, pk=pk)
    rule = request.GET.get("rule", "")
    if not rule_words.is_rule(rule):
        raise Http404
    form = RateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, now = training_access.researcher(request.user), timezone.now()
        try:
            ratings.send_to_raters(
                curation=curation, rule=rule, **form.cleaned_data, by=by, now=now
            )
        except ratings.UnableToRate as problem:
            form.add_error(None, problem.sentence)
        else:
            messages.success(request, _("The documents were sent to raters."))
            return redirect("curation_recipe", curation.filters["recipe"])
    return render(
        request,
        "training/snapshots/curation/rate.html",
        {"curation": curation, "rule": rule, "form": form},
        status=422 if form.errors else 200,
    )


@require_GET
def recipe(request: MemberRequest, name: str) -> HttpResponse:
    """A recipe's rules with their thresholds, and what people restored from it."""
    training_access.researcher(request.user)
    if name not in recipes.NAMES:
        raise Http404
    context = {
        "name": name,
        "words": recipes.WORDS[name],
        "rules": recipes.rules_in_words(name=name),
        "restored": selectors.restored(recipe=name),
        "measured": ratings.measured(recipe=name),
    }
    return render(request, "training/snapshots/curation/recipe.html", context)


@require_POST
def undo(request: MemberRequest, name: str) -> HttpResponse:
    by, now = training_access.researcher(request.user), timezone.now()
    document = request.POST.get("document", "")
    services.undo_restore(recipe=name, document=document, by=by, now=now)
    return redirect("curation_recipe", name)
