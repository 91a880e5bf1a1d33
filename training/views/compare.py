"""Runs side by side, and what people say about a run."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from training import access, configs, run_charts, selectors, services


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Up to six runs, named in the address: ?run=3&run=7. With ?words= others are looked for."""
    access.researcher(request.user)
    asked = [int(pk) for pk in request.GET.getlist("run") if pk.isdigit()]
    words = request.GET.get("words", "").strip()
    runs = selectors.runs_compared(pks=asked)
    context = {
        "runs": runs,
        "charts": run_charts.overlaid(
            [configs.KINDS[kind] for kind in dict.fromkeys(run.kind for run in runs)],
            [(run.name, selectors.curves(run=run)) for run in runs],
        ),
        "settings": selectors.settings_compared(runs=runs),
        "measures": selectors.measures_compared(runs=runs),
        "samples": selectors.samples_compared(runs=runs),
        "words": words,
        "offered": selectors.runs_to_compare(beside=runs, words=words),
        "is_full": len(runs) >= selectors.N_COMPARED,
    }
    return render(request, "training/compare.html", context)


@require_POST
def describe(request: HttpRequest, pk: int) -> HttpResponse:
    run = access.run(user=request.user, pk=pk)
    tags = [tag.strip()[:40] for tag in request.POST.get("tags", "").split(",") if tag.strip()]
    remarks = request.POST.get("remarks", "").strip()[:5000]
    services.describe_run(
        run=run,
        tags=tags[:12],
        remarks=remarks,
        by=access.researcher(request.user),
        now=timezone.now(),
    )
    return redirect("run", pk)
