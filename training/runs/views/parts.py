"""Views beside a run's page: its log, its archive, its tags and remarks, and extending it."""

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from arithmetic import plain_text
from training import access as training_access
from training.runs import run_queue, selectors, services
from training.runs.views import archive as runs_archive
from training.runs.views import next_steps, runs
from training.runs.views.remarks import RemarksForm
from training.snapshots.forms import tags_in


@require_GET
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """The last lines of the trainer's log. ?words= keeps the lines that contain every word."""
    run = training_access.run(user=request.user, pk=pk)
    words = request.GET.get("words", "").strip()
    lines = list(enumerate(run.log_tail.splitlines(), start=1))
    matches = [
        (n, line)
        for n, line in lines
        if all(word in line.lower() for word in words.lower().split())
    ]
    return render(
        request,
        "training/runs/run_log.html",
        {"run": run, "words": words, "lines": matches, "n_lines": len(lines)},
    )


@require_GET
def archive(request: HttpRequest, pk: int) -> FileResponse:
    run = training_access.run(user=request.user, pk=pk)
    return FileResponse(
        runs_archive.download(
            run=run, by=training_access.researcher(request.user), now=timezone.now()
        ),
        as_attachment=True,
        filename=f"run-{run.pk}.zip",
        content_type="application/zip",
    )


@require_POST
def extend(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    try:
        longer = run_queue.extend_run(
            run=run,
            name=_("%(name)s, extended") % {"name": run.name[:180]},
            amount=plain_text.whole_number(request.POST.get("amount", "")) or 0,
            by=training_access.researcher(request.user),
            now=timezone.now(),
        )
    except run_queue.UnableToQueue as problem:
        messages.warning(request, problem.sentence)
        return redirect("run", pk)
    return redirect("run", longer.pk)


@require_POST
def ask_for_comparison(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    if not next_steps.can_ask_for_comparison(run=run):
        raise Http404
    by = training_access.researcher(request.user)
    sources = selectors.sampled_sources(run=run)
    if services.ask_for_comparison(run=run, sources=sources, by=by, now=timezone.now()):
        messages.success(request, _("The admins have a notice that leads them to the campaign."))
    else:
        messages.warning(request, _("Nobody here is an admin, so nobody can be asked."))
    return redirect("run", pk)


@require_POST
def describe(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    form = RemarksForm(request.POST, run=run)
    if not form.is_valid():
        return runs.page(request, run, remarks=form, status=422)
    services.describe_run(
        run=run,
        tags=tags_in(form.cleaned_data["tags"]),
        remarks=form.cleaned_data["remarks"],
        by=training_access.researcher(request.user),
        now=timezone.now(),
    )
    return redirect("run", pk)
