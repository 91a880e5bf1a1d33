"""GPU nodes: what there is, what each does, and whether it takes runs; and the line in front of them."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from training import access, selectors, services

RUNS_PER_PAGE = 20


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The page, or to htmx what changes on it."""
    now = timezone.now()
    page = Paginator(selectors.in_line(), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"nodes": selectors.nodes(now=now), "page": page, "line": selectors.line(runs=page, now=now)}
    is_fragment = request.headers.get("HX-Target") == "nodes"
    return render(request, "training/_nodes_live.html" if is_fragment else "training/nodes.html", context)


@require_POST
def drain(request: HttpRequest, pk: int) -> HttpResponse:
    node = access.node(user=request.user, pk=pk)
    services.drain_node(node=node, by=access.researcher(request.user), now=timezone.now())
    return redirect("nodes")


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    node = access.node(user=request.user, pk=pk)
    services.resume_node(node=node, by=access.researcher(request.user), now=timezone.now())
    return redirect("nodes")


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    node = access.node(user=request.user, pk=pk)
    services.forget_node(node=node, by=access.researcher(request.user), now=timezone.now())
    return redirect("nodes")


@require_POST
def first(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts a waiting run at the head of the line."""
    run = access.run(user=request.user, pk=pk)
    priority = selectors.highest_priority() + 1
    if not services.set_priority(run=run, priority=priority, by=access.researcher(request.user), now=timezone.now()):
        messages.info(request, _("The run waits no more."))
    return redirect("nodes")
