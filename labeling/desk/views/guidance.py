"""Guidelines for raters: the list, the page with what changed, and "I have read this"."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from labeling import access as labeling_access
from labeling.desk import access as desk_access
from labeling.desk.next_item import next_address
from labeling.guidelines import rating_form
from labeling.guidelines import selectors as guidelines_selectors
from labeling.guidelines import services as guidelines_services
from labeling.models import GuidelineVersion
from pages import render as pages_render


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    rater = labeling_access.rater(user=request.user)
    return render(
        request,
        "labeling/desk/guidance/guidelines.html",
        {"guidelines": guidelines_selectors.guidelines_of(rater=rater)},
    )


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The current guideline. `for` is a campaign that opens once the rater has read it."""
    rater = labeling_access.rater_or_none(user=request.user)
    guideline = desk_access.my_guideline(user=request.user, rater=rater, pk=pk)
    latest = guidelines_selectors.latest_version(guideline=guideline)
    before = guidelines_selectors.last_read(rater=rater, latest=latest)
    waiting = request.GET.get("for", "")
    is_asked = rater is not None and waiting.isdecimal()
    context = {
        "version": latest,
        "html": pages_render.markdown(latest.text),
        "questions": rating_form.parse(latest.form).questions,
        "changes": guidelines_selectors.changes_since(before=before, latest=latest)
        if before
        else None,
        "campaign": (
            desk_access.campaign_to_work_in(rater=rater, pk=int(waiting[:12]))
            if rater and is_asked
            else None
        ),
    }
    return render(request, "labeling/desk/guidance/guideline_page.html", context)


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Records "I have read this" and goes on to the waiting item. The form names the version, which
    may not be the latest any more.
    """
    rater = labeling_access.rater(user=request.user)
    guideline = desk_access.my_guideline(user=request.user, rater=rater, pk=pk)
    posted = {name: request.POST.get(name, "") for name in ("version", "campaign")}
    number = int(posted["version"][:9]) if posted["version"].isdecimal() else 0
    version = get_object_or_404(GuidelineVersion, guideline=guideline, number=number)
    guidelines_services.acknowledge(version=version, rater=rater, now=timezone.now())
    if not posted["campaign"].isdecimal():
        return redirect("my_guideline", pk)
    campaign = desk_access.campaign_to_work_in(rater=rater, pk=int(posted["campaign"][:12]))
    return redirect(next_address(request, campaign=campaign, rater=rater))
