"""GPU nodes: what there is, what each does, and whether it takes runs; and the line in front of
them.
"""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from training import access as training_access
from training.nodes import services
from training.runs import placement, run_queue
from training.runs import selectors as runs_selectors

RUNS_PER_PAGE = 20


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The page, or to htmx what changes on it."""
    now = timezone.now()
    page = Paginator(placement.in_line(), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nodes": placement.nodes(now=now),
        "page": page,
        "line": placement.line(runs=page, now=now),
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
    """Puts a waiting run at the head of the line. Who reads further down stays there: there may be
    more to bring forward.
    """
    run = training_access.run(user=request.user, pk=pk)
    priority = placement.highest_priority() + 1
    if not run_queue.set_priority(
        run=run, priority=priority, by=training_access.researcher(request.user), now=timezone.now()
    ):
        messages.info(request, _("The run is no longer queued."))
    else:
        messages.success(request, _("“%(name)s” is now first in the queue.") % {"name": run.name})
    return redirect(_address(request.POST.get("page")))


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """One place forward or back in line, and to the page that the run stands on then: who moved it
    once may do so again.
    """
    run = training_access.run(user=request.user, pk=pk)
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
    """Of this page of the line."""
    is_further = page is not None and page.isdecimal() and page != "1"
    return reverse("nodes", query={"page": page} if is_further else None)
