"""The page that compares runs."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from arithmetic import plain_text
from training import access as training_access
from training.configs import kinds
from training.models import Run
from training.results import charts, curves
from training.runs.views import comparing


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Compares up to six runs, named in the URL: ?run=3&run=7. ?words= searches for more runs to
    add.
    """
    training_access.researcher(request.user)
    asked = [
        pk for pk in map(plain_text.whole_number, request.GET.getlist("run")) if pk is not None
    ]
    words = request.GET.get("words", "").strip()
    runs = comparing.runs_compared(pks=asked)
    measures = comparing.measures_compared(runs=runs)
    context = {
        "runs": runs,
        "chosen": [(number, run, _without(runs, run)) for number, run in enumerate(runs, 1)],
        "chart_groups": charts.overlay(
            [
                charts.ComparedRun(run.name, kinds.KINDS[run.kind], curves.curves(run=run))
                for run in runs
            ]
        ),
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
        return render(request, "training/runs/_compare_offered.html", context)
    return render(request, "training/runs/compare.html", context)


def _query(runs: Sequence[Run]) -> str:
    return urlencode([("run", run.pk) for run in runs])


def _without(runs: Sequence[Run], dropped: Run) -> str:
    return _query([run for run in runs if run != dropped])
