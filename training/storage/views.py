"""The storage page, and freeing space."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from training import access as training_access
from training.storage import selectors, services


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    training_access.researcher(request.user)
    return render(
        request,
        "training/storage/storage.html",
        {"overview": selectors.overview(), "keep_days": settings.KEEP_DAYS},
    )


@require_http_methods(["GET", "POST"])
def free(request: HttpRequest) -> HttpResponse:
    """GET is a dry run that lists what would be freed; POST frees the chosen items after checking
    again.
    """
    person = training_access.researcher(request.user)
    if request.method == "GET":
        return render(
            request, "training/storage/storage_free.html", {"overview": selectors.overview()}
        )
    done = services.free(keys=set(request.POST.getlist("key")), by=person, now=timezone.now())
    size = filesizeformat(done.n_bytes)
    words = ngettext(
        "Freed %(size)s from %(n)s run or model.",
        "Freed %(size)s from %(n)s runs and models.",
        done.n_done,
    )
    messages.success(request, words % {"size": size, "n": done.n_done})
    if done.n_kept:
        messages.warning(
            request,
            _("%(n)s were kept: they are in use now, or the artifact store did not respond.")
            % {"n": done.n_kept},
        )
    return redirect("storage")


@require_http_methods(["GET", "POST"])
def give_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for confirmation first."""
    run = training_access.run(user=request.user, pk=pk)
    if request.method == "GET":
        if problem := selectors.why_not_given_up(run=run):
            messages.warning(request, problem)
            return redirect("run", pk)
        return render(
            request,
            "training/runs/run_give_up.html",
            {"run": run, "holding": selectors.state_of(run=run)},
        )
    try:
        n_bytes = services.give_up_run(
            run=run, by=training_access.researcher(request.user), now=timezone.now()
        )
    except services.UnableToGiveUp as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(
            request, _("Checkpoints deleted, %(size)s freed.") % {"size": filesizeformat(n_bytes)}
        )
    return redirect("run", pk)


@require_POST
def pin_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    act = services.unpin_run if request.POST.get("unpin") else services.pin_run
    act(run=run, by=training_access.researcher(request.user), now=timezone.now())
    return redirect("run", pk)


@require_POST
def pin_model(request: HttpRequest, pk: int) -> HttpResponse:
    model = training_access.model(user=request.user, pk=pk)
    act = services.unpin_model if request.POST.get("unpin") else services.pin_model
    act(model=model, by=training_access.researcher(request.user), now=timezone.now())
    return redirect("model", pk)
