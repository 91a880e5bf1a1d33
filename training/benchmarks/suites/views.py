"""The list of suites, the page that uploads one, and a suite with its items."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.shell.requests import MemberRequest
from pages import list_pages
from training import access as training_access
from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites import drafts, selectors, services, shipped_suites
from training.benchmarks.suites.drafts import SuiteDraft
from training.benchmarks.suites.formats.reading import Reading
from training.benchmarks.suites.forms import SuiteForm
from training.configs import kinds
from training.models import Suite

SUITES_PER_PAGE = 50
ITEMS_PER_PAGE = 20
N_PREVIEWED = 5
BENCHMARK = "benchmark"


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    shown = request.GET.get("area", "")
    page = list_pages.shown(request, selectors.suites(shown=shown), size=SUITES_PER_PAGE)
    context = {
        "page": page,
        "shown": shown,
        "areas": Suite.Area.choices,
        "retired": selectors.RETIRED,
        "n_missing": len(shipped_suites.missing()),
    }
    return render(request, "training/suites/suites.html", context)


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Reads the files; shows their problems or what would be stored; stores it once that was
    shown. For htmx only the part below the form.
    """
    form = SuiteForm(request.POST or None, request.FILES or None)
    if request.method == "GET":
        return render(request, "training/suites/suite_new.html", {"form": form})
    reading = form.reading() if form.is_valid() else None
    problem = ""
    if reading and reading.draft and request.POST.get("checked") == drafts.digest(reading.draft):
        try:
            suite = services.create_suite(
                draft=reading.draft,
                by=training_access.researcher(request.user),
                now=timezone.now(),
            )
        except services.UnableToStore as refused:
            problem = refused.sentence
        else:
            url = reverse("suite", args=[suite.pk])
            return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
    return _checked(request, form, reading, problem)


def _checked(
    request: MemberRequest, form: SuiteForm, reading: Reading | None, problem: str
) -> HttpResponse:
    draft = reading.draft if reading else None
    context = {
        "form": form,
        "reading": reading,
        "draft": draft,
        "items": draft.items[:N_PREVIEWED] if draft else [],
        "checked": drafts.digest(draft) if draft else "",
        "problem": problem,
        **(_words_of(draft) if draft else {}),
    }
    part = "training/suites/_check.html" if request.htmx else "training/suites/suite_new.html"
    return render(request, part, context, status=200 if draft and not problem else 422)


def _words_of(suite: Suite | SuiteDraft) -> dict[str, object]:
    scorer = SCORERS.get(suite.scorer)
    return {
        "kind_label": Suite.Kind(suite.kind).label,
        "area_label": Suite.Area(suite.area).label,
        "scorer_words": gettext(scorer.words) if scorer else "",
        "rules": suite.options.get("rules", {}),
    }


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    suite = training_access.suite(user=request.user, pk=pk)
    page = list_pages.shown(request, suite.items.order_by("position"), size=ITEMS_PER_PAGE)
    context = {
        "suite": suite,
        "page": page,
        "versions": selectors.versions(suite=suite),
        "can_run": BENCHMARK in kinds.KINDS and suite.retired_at is None,
        **_words_of(suite),
    }
    return render(request, "training/suites/suite.html", context)


@require_http_methods(["GET", "POST"])
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for confirmation first."""
    suite = training_access.suite(user=request.user, pk=pk)
    if request.method == "GET":
        return render(request, "training/suites/suite_retire.html", {"suite": suite})
    by = training_access.researcher(request.user)
    services.retire_suite(suite=suite, by=by, now=timezone.now())
    return redirect("suite", pk)


@require_POST
def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    suite = training_access.suite(user=request.user, pk=pk)
    by = training_access.researcher(request.user)
    services.bring_back_suite(suite=suite, by=by, now=timezone.now())
    return redirect("suite", pk)


@require_POST
def load_shipped(request: HttpRequest) -> HttpResponse:
    """Stores the suites that come with the product."""
    by = training_access.researcher(request.user)
    n = len(shipped_suites.load(by=by, now=timezone.now()))
    messages.success(request, ngettext("%(n)d suite added.", "%(n)d suites added.", n) % {"n": n})
    return redirect("suites")
