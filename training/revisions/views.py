"""The form that sends a share of a run's revisions to raters."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from labeling.models import Guideline, Pool
from pages.numbers import grouped
from training import access as training_access
from training.revisions import draw, services
from training.revisions.forms import AskForm


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    if services.why_not(run=run):
        raise Http404
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            check = services.ask_raters(
                run=run,
                terms=form.terms(),
                by=training_access.researcher(request.user),
                now=timezone.now(),
            )
        except services.UnableToAsk as refused:
            form.add_error(None, refused.sentence)
        else:
            sent = ngettext(
                "%(n)s revision sent to raters.", "%(n)s revisions sent to raters.", check.n_asked
            )
            messages.success(request, sent % {"n": grouped(check.n_asked)})
            return redirect("run", pk)
    context = {
        "run": run,
        "form": form,
        "n_revised": len(draw.pairs(run)),
        "lacks_raters": not (Pool.objects.exists() and Guideline.objects.exists()),
    }
    return render(
        request, "training/revisions/ask.html", context, status=422 if form.is_bound else 200
    )
