"""An admin's page of a pool's crowd links."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.models import CrowdLink
from labeling.people.crowd import selectors, services
from labeling.people.crowd.forms import CrowdLinkForm


@require_http_methods(["GET", "POST"])
def index(request: MemberRequest, pk: int) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    form = CrowdLinkForm(request.POST or None, pool=pool)
    if request.method == "POST" and form.is_valid():
        services.create_crowd_link(**form.cleaned_data, by=request.user, now=timezone.now())
        messages.success(request, _("The link is open. Give its URL to the platform."))
        return redirect("pool_crowd", pk)
    rows = [(row, _address(request, row.link)) for row in selectors.link_rows(pool=pool)]
    context = {"pool": pool, "form": form, "rows": rows}
    return render(
        request,
        "labeling/people/crowd/pool_crowd.html",
        context,
        status=422 if form.errors else 200,
    )


@require_POST
def close(request: MemberRequest, pk: int) -> HttpResponse:
    link = labeling_access.crowd_link(user=request.user, pk=pk)
    if services.close_crowd_link(link=link, by=request.user, now=timezone.now()):
        messages.success(
            request, _("This link no longer accepts new visits. Visits in progress continue.")
        )
    return redirect("pool_crowd", link.campaign.pool_id)


def _address(request: MemberRequest, link: CrowdLink) -> str:
    """The URL to give to the platform, which adds the worker's id at the end."""
    page = request.build_absolute_uri(reverse("crowd", args=[link.token]))
    return f"{page}?{link.id_parameter}="
