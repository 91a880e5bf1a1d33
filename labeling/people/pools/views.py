"""Pages of pools: the list, a new one, and its raters."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.models import Pool, Rater
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import selectors, services
from labeling.people.pools.forms import PoolForm, RatersForm
from pages import list_pages

POOLS_PER_PAGE = 50
MEMBERS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    page = list_pages.shown(request, Pool.objects.order_by("name"), size=POOLS_PER_PAGE)
    return render(
        request,
        "labeling/people/pools/pools.html",
        {"page": page, "rows": selectors.pool_rows(pools=page)},
    )


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        pool = services.create_pool(**form.arguments, by=request.user, now=timezone.now())
        return redirect("pool", pool.pk)
    return render(request, "labeling/people/pools/pool_edit.html", {"form": form})


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    return _page(request, pool, RatersForm(queryset=selectors.raters_outside(pool=pool)))


@require_http_methods(["GET", "POST"])
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    form = PoolForm(request.POST or None, instance=pool)
    if request.method == "POST" and form.is_valid():
        services.edit_pool(pool=pool, **form.arguments, by=request.user, now=timezone.now())
        return redirect("pool", pk)
    return render(request, "labeling/people/pools/pool_edit.html", {"form": form, "pool": pool})


@require_POST
def pause(request: MemberRequest, pk: int) -> HttpResponse:
    """Pauses the pool, or only the selected raters."""
    return _pause_or_resume(request, pk, is_pause=True)


@require_POST
def resume(request: MemberRequest, pk: int) -> HttpResponse:
    return _pause_or_resume(request, pk, is_pause=False)


def _pause_or_resume(request: MemberRequest, pk: int, *, is_pause: bool) -> HttpResponse:
    pool, now = labeling_access.pool(user=request.user, pk=pk), timezone.now()
    if "ticked" in request.POST:
        form = RatersForm(
            request.POST,
            queryset=Rater.people.filter(memberships__pool=pool, memberships__is_active=True),
        )
        raters = form.cleaned_data["raters"] if form.is_valid() else []
        act = accounts_services.pause_raters if is_pause else accounts_services.resume_raters
        n = act(pool=pool, raters=raters, by=request.user, now=now)
        paused = ngettext("%(n)d rater paused.", "%(n)d raters paused.", n)
        resumed = ngettext("%(n)d rater resumed.", "%(n)d raters resumed.", n)
        messages.success(request, (paused if is_pause else resumed) % {"n": n})
    elif is_pause and services.pause_pool(pool=pool, by=request.user, now=now):
        messages.success(
            request, _("Paused. Raters in this pool get no items until you resume it.")
        )
    elif not is_pause and services.resume_pool(pool=pool, by=request.user, now=now):
        messages.success(request, _("Resumed. Raters in this pool get items again."))
    return redirect("pool", pk)


@require_POST
def add(request: MemberRequest, pk: int) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    form = RatersForm(request.POST, queryset=selectors.raters_outside(pool=pool))
    if form.is_valid():
        try:
            n = services.add_raters(
                pool=pool, raters=form.cleaned_data["raters"], by=request.user, now=timezone.now()
            )
        except services.UnableToAddRaters as problem:
            messages.warning(request, problem.sentence)
        else:
            messages.success(
                request, ngettext("%(n)d rater added.", "%(n)d raters added.", n) % {"n": n}
            )
        return redirect("pool", pk)
    return _page(request, pool, form, status=422)


@require_POST
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    form = RatersForm(
        request.POST,
        queryset=Rater.people.filter(memberships__pool=pool, memberships__is_active=True),
    )
    if form.is_valid():
        n = services.remove_raters(
            pool=pool, raters=form.cleaned_data["raters"], by=request.user, now=timezone.now()
        )
        messages.success(
            request, ngettext("%(n)d rater removed.", "%(n)d raters removed.", n) % {"n": n}
        )
    else:
        messages.warning(request, _("Select at least one rater. No one was removed."))
    return redirect("pool", pk)


def _page(
    request: HttpRequest, pool: Pool, outside: RatersForm, *, status: int = 200
) -> HttpResponse:
    page = list_pages.shown(request, selectors.pool_members(pool=pool), size=MEMBERS_PER_PAGE)
    context = {
        "pool": pool,
        "page": page,
        "rows": selectors.member_rows(memberships=page),
        "outside": outside,
        "campaigns": pool.campaigns.order_by("name"),
    }
    return render(request, "labeling/people/pools/pool.html", context, status=status)
