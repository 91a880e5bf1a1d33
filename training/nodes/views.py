"""The page of GPU nodes, and the queue of runs in front of them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pages import edit_conflicts, list_pages
from training import access as training_access
from training.nodes import services
from training.runs import placement, run_queue
from training.runs import selectors as runs_selectors

RUNS_PER_PAGE = 20


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The page; for htmx only the live part."""
    now = timezone.now()
    page = list_pages.shown(request, placement.queued_runs(), size=RUNS_PER_PAGE)
    context = {
        "nodes": placement.nodes(now=now),
        "page": page,
        "queue": placement.queue_with_reasons(runs=page, now=now),
    }
    is_fragment = request.headers.get("HX-Target") == "nodes"
    return render(
        request,
        "training/nodes/_nodes_live.html" if is_fragment else "training/nodes/nodes.html",
        context,
    )


@require_POST
def drain(request: HttpRequest, pk: int) -> HttpResponse:
    node = training_access.node(user=request.user, pk=pk)
    services.drain_node(node=node, by=training_access.researcher(request.user), now=timezone.now())
    return redirect(_address(request.POST.get("page")))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    node = training_access.node(user=request.user, pk=pk)
    services.resume_node(node=node, by=training_access.researcher(request.user), now=timezone.now())
    return redirect(_address(request.POST.get("page")))


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    node = training_access.node(user=request.user, pk=pk)
    services.forget_node(node=node, by=training_access.researcher(request.user), now=timezone.now())
    return redirect(_address(request.POST.get("page")))


@require_POST
def first(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves a queued run to the front. The response stays on the same page of the queue, where
    there may be more to move.
    """
    run = training_access.run(user=request.user, pk=pk)
    priority = placement.highest_priority() + 1
    is_first = runs_selectors.queued_run_ids()[:1] == [pk]
    if not is_first and not run_queue.set_priority(
        run=run, priority=priority, by=training_access.researcher(request.user), now=timezone.now()
    ):
        messages.info(request, _("The run is no longer queued."))
    else:
        messages.success(request, _("“%(name)s” is now first in the queue.") % {"name": run.name})
    return redirect(_address(request.POST.get("page")))


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves a queued run by one place, from the place that the page showed. The response shows the
    page of the queue that the run is on now, so that it can be moved again.
    """
    run = training_access.run(user=request.user, pk=pk)
    queue = runs_selectors.queued_run_ids()
    if pk in queue and edit_conflicts.has_changed(request.POST, queue.index(pk) + 1):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return redirect(_address(request.POST.get("page")))
    places = 1 if request.POST.get("places") == "1" else -1
    page = request.POST.get("page")
    if not run_queue.move_run(
        run=run, places=places, by=training_access.researcher(request.user), now=timezone.now()
    ):
        messages.info(request, _("The run cannot move any further, or is no longer queued."))
    elif run.pk in (waiting := runs_selectors.queued_run_ids()):
        page = str(waiting.index(run.pk) // RUNS_PER_PAGE + 1)
    return redirect(_address(page))


def _address(page: str | None) -> str:
    """The URL of this page of the queue."""
    is_further = page is not None and page.isdecimal() and page != "1"
    return reverse("nodes", query={"page": page} if is_further else None)
