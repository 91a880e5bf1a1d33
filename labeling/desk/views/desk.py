"""The rater's desk: the list of campaigns, and the page of one item with its side panels."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arithmetic import days
from labeling import access as labeling_access
from labeling.desk import access as desk_access
from labeling.desk import open_campaigns, pages, posted_page, why_this_item
from labeling.desk import progress as desk_progress
from labeling.desk import words as desk_words
from labeling.desk import work as desk_work
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.next_item import next_address
from labeling.desk.texts import reading
from labeling.desk.views import answering
from labeling.models import Campaign
from labeling.people.crowd import selectors as crowd_selectors


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    midnight = days.last_midnight(now, timezone.get_current_timezone())
    rater = labeling_access.rater(user=request.user)
    campaigns = open_campaigns.open_campaigns(rater=rater, since=midnight, now=now)
    skills = why_this_item.skills_of(
        rater=rater, pools=[campaign.campaign.pool for campaign in campaigns]
    )
    lines = [desk_words.campaign_line(campaign, skills, now=now) for campaign in campaigns]
    today = desk_work.tally(rater=rater, since=midnight)
    reasons = {line.why for line in lines}
    context = {
        "campaigns": lines,
        "shared_why": reasons.pop() if len(reasons) == 1 else "",
        "today_words": desk_words.tally_words(today, nothing=_("No answers yet today")),
        "undo": desk_work.undoable(rater=rater, last_at=today.last_at, now=now),
        "person": pages.person_key(rater),
        "visit": crowd_selectors.visit_at_work(rater=rater),
    }
    return render(request, "labeling/desk/desk.html", context)


@require_http_methods(["GET", "POST"])
def next_item(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """POST claims the next item. GET shows the item held, or the button that claims one, because a
    GET never writes.
    """
    rater = labeling_access.rater(user=request.user)
    campaign = desk_access.campaign_to_work_in(rater=rater, pk=campaign_id)
    if request.method == "POST":
        return redirect(next_address(request, campaign=campaign, rater=rater))
    lease = desk_work.lease_held(rater=rater, campaign=campaign)
    if lease is not None:
        return redirect("desk_item", lease)
    return render(request, "labeling/desk/next.html", {"campaign": campaign})


@require_GET
def item(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = desk_access.work(user=request.user, lease=lease)
    if not work.is_open:
        return gone(request, work)
    if work.campaign.about.talks:
        return redirect("conversation", lease)
    return answering.page(request, work, posted_page.PageInput.of_draft(work.draft))


def gone(
    request: HttpRequest, work: desk_work.Work, *, why: str = "", unsaved: Sequence[str] = ()
) -> HttpResponse:
    """Explains what happened to a lease that is no longer open, and `why` nothing can be done.
    `unsaved`: what was written and is stored nowhere.
    """
    judgment = desk_work.judgment_under(work=work)
    if judgment is not None:
        at = timezone.localtime(judgment.submitted_at)
        context = {
            "heading": _("Saved"),
            "sentence": (
                _("You submitted this answer on %(day)s at %(time)s.")
                % {
                    "day": at.strftime("%Y-%m-%d"),
                    "time": at.strftime("%H:%M"),
                }
            ),
            "why": why,
            "unsaved": unsaved,
            "campaign": judgment.campaign,
            "stored": reading.stored_answer(work=work, judgment=judgment),
            "correct": (
                judgment.lease
                if judgment.campaign
                and judgment.campaign.state == Campaign.State.OPEN
                and work.rater.withdrawn_at is None
                and not work.item.is_turn
                else None
            ),
        }
        return render(request, "labeling/desk/gone.html", context, status=409 if why else 200)
    context = {
        "heading": _("No longer reserved for you"),
        "sentence": _(
            "You skipped or released this item. What you typed is saved as a draft and reappears if"
            " the item comes back to you."
        ),
        "campaign": work.campaign,
        "unsaved": unsaved,
    }
    if work.rater.withdrawn_at is not None:
        context["sentence"] = judgments_rows.withdrawn_sentence()
    return render(request, "labeling/desk/gone.html", context, status=410)


@require_GET
def guideline(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """The guideline version of this item."""
    return answering.guideline(request, desk_access.work(user=request.user, lease=lease).version)


@require_GET
def diff(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    return answering.diff(request, desk_access.work(user=request.user, lease=lease))


@require_POST
def preview(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    desk_access.work(user=request.user, lease=lease)
    return answering.written_text(request)


@require_GET
def progress(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    """What the open page shows in its top line: a request of its own, so that submits stay fast."""
    work = desk_access.work(user=request.user, lease=lease)
    current = desk_progress.progress(rater=work.rater, campaign=work.campaign, now=timezone.now())
    return JsonResponse(asdict(current))
