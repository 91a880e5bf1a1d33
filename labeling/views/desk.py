"""The rater's desk: choosing a campaign, and the page of one item with what stands beside it."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling import access, desk_answers, desk_pages, desk_reading, desk_words
from labeling.models import Campaign
from labeling.selectors import crowd, grounds
from labeling.selectors import desk as selectors
from labeling.views import answering
from labeling.views.onward import next_address
from pages import days


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rater = access.rater(user=request.user)
    found = selectors.open_campaigns(rater=rater, since=days.last_midnight(now), now=now)
    skills = grounds.skills_of(rater=rater, pools=[each.campaign.pool for each in found])
    lines = [desk_words.campaign_line(each, skills, now=now) for each in found]
    today = selectors.tally(rater=rater, since=days.last_midnight(now))
    context = {
        "campaigns": lines,
        "today_words": desk_words.tally_words(today, nothing=_("Nothing judged today yet")),
        "undo": selectors.undoable(rater=rater, last_at=today.last_at, now=now),
        "person": desk_pages.person_key(rater),
        "visit": crowd.visit_at_work(rater=rater),
    }
    return render(request, "labeling/desk/desk.html", context)


@require_http_methods(["GET", "POST"])
def next_item(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """POST takes the next item; GET shows the one already held, or the button that takes one:
    reading never writes.
    """
    rater = access.rater(user=request.user)
    campaign = access.campaign_to_work_in(rater=rater, pk=campaign_id)
    if request.method == "POST":
        return redirect(next_address(request, campaign=campaign, rater=rater))
    lease = selectors.lease_held(rater=rater, campaign=campaign)
    if lease is not None:
        return redirect("desk_item", lease)
    return render(request, "labeling/desk/next.html", {"campaign": campaign})


@require_GET
def item(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = access.work(user=request.user, lease=lease)
    if not work.is_open:
        return gone(request, work)
    return answering.page(request, work, desk_answers.Typed.of_draft(work.draft))


def gone(request: HttpRequest, work: selectors.Work) -> HttpResponse:
    """What became of a lease that is no longer open."""
    judgment = selectors.judgment_under(work=work)
    if judgment is not None:
        at = timezone.localtime(judgment.submitted_at)
        context = {
            "heading": _("Stored"),
            "sentence": (
                _("You submitted this answer on %(day)s at %(time)s.")
                % {
                    "day": at.strftime("%Y-%m-%d"),
                    "time": at.strftime("%H:%M"),
                }
            ),
            "campaign": judgment.campaign,
            "given": desk_reading.given(work=work, judgment=judgment),
            "correct": (
                judgment.lease
                if judgment.campaign and judgment.campaign.state == Campaign.State.OPEN
                else None
            ),
        }
        return render(request, "labeling/desk/gone.html", context)
    context = {
        "heading": _("No longer yours"),
        "sentence": _(
            "You skipped this item or gave it back. What you typed is kept as a draft and comes"
            " back if the item does."
        ),
        "campaign": work.campaign,
    }
    return render(request, "labeling/desk/gone.html", context, status=410)


@require_GET
def guideline(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """The instructions for this piece of work."""
    return answering.guideline(request, access.work(user=request.user, lease=lease).version)


@require_GET
def diff(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    return answering.diff(request, access.work(user=request.user, lease=lease))


@require_POST
def preview(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    access.work(user=request.user, lease=lease)
    return answering.written_text(request)
