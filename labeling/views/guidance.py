"""Guidelines for those who work by them: the list, the page with what changed, and "I have read
this".
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from labeling import access, rating_form, services
from labeling.models import GuidelineVersion
from labeling.selectors import guidance
from labeling.views.onward import next_address
from pages import render as texts


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    rater = access.rater(user=request.user)
    return render(
        request,
        "labeling/desk/guidelines.html",
        {"guidelines": guidance.guidelines_of(rater=rater)},
    )


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The guideline as it stands. With `for`, a campaign that waits until the rater has read it."""
    rater = access.rater_or_none(user=request.user)
    guideline = access.my_guideline(user=request.user, rater=rater, pk=pk)
    latest = guidance.latest_version(guideline=guideline)
    before = guidance.last_read(rater=rater, latest=latest)
    waiting = request.GET.get("for", "")
    is_asked = rater is not None and waiting.isdecimal()
    context = {
        "version": latest,
        "html": texts.markdown(latest.text),
        "questions": rating_form.parse(latest.form).questions,
        "changes": guidance.changes_since(before=before, latest=latest) if before else None,
        "campaign": (
            access.campaign_to_work_in(rater=rater, pk=int(waiting[:12]))
            if rater and is_asked
            else None
        ),
    }
    return render(request, "labeling/desk/guideline_page.html", context)


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """ "I have read this": on to the item that waited. The form names the version, which may not be
    the latest any more.
    """
    rater = access.rater(user=request.user)
    guideline = access.my_guideline(user=request.user, rater=rater, pk=pk)
    posted = {name: request.POST.get(name, "") for name in ("version", "campaign")}
    number = int(posted["version"][:9]) if posted["version"].isdecimal() else 0
    version = get_object_or_404(GuidelineVersion, guideline=guideline, number=number)
    services.acknowledge(version=version, rater=rater, now=timezone.now())
    if not posted["campaign"].isdecimal():
        return redirect("my_guideline", pk)
    campaign = access.campaign_to_work_in(rater=rater, pk=int(posted["campaign"][:12]))
    return redirect(next_address(request, campaign=campaign, rater=rater))
