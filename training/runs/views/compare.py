"""The page that compares runs."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from arithmetic import plain_text
from training import access as training_access
from training.models import Run
from training.results import charts
from training.runs.views import comparing


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Compares up to six runs, named in the URL: ?run=3&run=7. The first is the baseline;
    ?order=age makes it the oldest. ?words= searches for more runs to add.
    """
    training_access.researcher(request.user)
    asked = [
        pk for pk in map(plain_text.whole_number, request.GET.getlist("run")) if pk is not None
    ]
    words = request.GET.get("words", "").strip()
    runs = comparing.runs_compared(pks=asked)
    if request.GET.get("order") == "age":
        runs.sort(key=lambda run: run.pk)
    overlay = charts.overlay(comparing.curves_compared(runs))
    measures = comparing.measures_compared(runs=runs)
    context = {
        "runs": runs,
        "chosen": list(_chosen(runs)),
        "verdict": comparing.verdict(runs),
        "chart_groups": overlay.groups,
        "charted_alone": overlay.alone if len(runs) > 1 else [],
        "settings": comparing.settings_compared(runs=runs),
        "measures": [row for row in measures if row.differs or len(runs) == 1],
        "same_measures": [row for row in measures if not row.differs and len(runs) > 1],
        "samples": comparing.samples_compared(runs=runs),
        "words": words,
        "offered": comparing.runs_to_compare(beside=runs, words=words),
        "query": _query(runs),
        "is_full": len(runs) >= comparing.N_COMPARED,
    }
    if request.headers.get("HX-Target") == "offered":
        return render(request, "training/runs/compare/_compare_offered.html", context)
    return render(request, "training/runs/compare/compare.html", context)


def _query(runs: Sequence[Run]) -> str:
    return urlencode([("run", run.pk) for run in runs])


def _chosen(runs: Sequence[Run]) -> Iterator[tuple[int, Run, str, str]]:
    """Each with its number, the query without it, and the query with it as the baseline."""
    for number, run in enumerate(runs, 1):
        others = [other for other in runs if other != run]
        yield number, run, _query(others), _query([run, *others])
