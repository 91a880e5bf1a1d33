"""What an open desk page sends during work: drafts, and heartbeats that extend the lease."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from labeling import access as labeling_access
from labeling.desk import access as desk_access
from labeling.desk import posted_page
from labeling.desk import work as desk_work
from labeling.desk.forms import answer_fields
from labeling.desk.judgments import correct
from labeling.desk.judgments import rows as judgments_rows
from labeling.models import Draft
from labeling.queue import slots

BIGGEST_DRAFT = 2_000_000


@require_POST
def draft(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    """Saves a draft. The body is JSON: {"revision": int, "fields": {name: [text, …]}, "record": the
    page's measurements, "version": of the answer being corrected, or 0}.
    """
    return posted_draft(request, desk_access.work(user=request.user, lease=lease))


def posted_draft(request: HttpRequest, work: desk_work.Work) -> JsonResponse:
    """Saves the draft that a page of `work` has sent."""
    if len(request.body) > BIGGEST_DRAFT:
        return JsonResponse(
            {"error": _("The draft is too long to save here. It is still in this browser.")},
            status=413,
        )
    try:
        raw = json.loads(request.body)
        content = posted_page.PageInput.of_json(raw).as_draft
    except (ValueError, RecursionError):
        return JsonResponse({"error": _("This draft could not be read.")}, status=400)
    if work.rater.withdrawn_at is not None:
        return JsonResponse({"error": judgments_rows.withdrawn_sentence()}, status=409)
    now = timezone.now()
    if (
        save(work, content, version=answer_fields.version(str(raw.get("version", 0))), now=now)
        is None
    ):
        return JsonResponse({"is_stored": True})
    return JsonResponse({"saved": timezone.localtime(now).strftime("%H:%M:%S")})


def save(
    work: desk_work.Work, content: Mapping[str, object], *, version: int, now: dt.datetime
) -> Draft | None:
    if version:
        return correct.draft_correction(
            lease=work.lease, rater=work.rater, version=version, content=content, now=now
        )
    return slots.save_draft(item=work.item, rater=work.rater, content=content, now=now)


@require_POST
def heartbeat(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    now = timezone.now()
    expires_at = slots.heartbeat(
        lease=lease, rater=labeling_access.rater(user=request.user), now=now
    )
    if expires_at is None:
        is_stored = (
            desk_access.work(user=request.user, lease=lease).lease_state
            == desk_work.LeaseState.STORED
        )
        return JsonResponse({"is_gone": True, "is_stored": is_stored})
    return JsonResponse({"expires_in_s": int((expires_at - now).total_seconds())})


def keep_typed(request: HttpRequest, work: desk_work.Work) -> None:
    """Saves the posted answer as a draft. Nothing is saved when nothing was ever typed."""
    typed = posted_page.PageInput.of_post(request.POST)
    version = answer_fields.version(request.POST.get("version", ""))
    if version:
        save(work, typed.as_draft, version=version, now=timezone.now())
    elif work.is_open and (typed.has_words or work.draft is not None):
        slots.save_draft(
            item=work.item, rater=work.rater, content=typed.as_draft, now=timezone.now()
        )


def keep_late(request: HttpRequest, work: desk_work.Work) -> list[str]:
    """Saves the answer posted under a lease that has ended as a draft, for when the item comes
    back. Returns the texts that are not saved: those of a rater who has withdrawn, or whose answer
    is stored.
    """
    typed = posted_page.PageInput.of_post(request.POST)
    is_stored = work.lease_state == desk_work.LeaseState.STORED
    if is_stored or work.rater.withdrawn_at is not None:
        return answer_fields.written(typed.fields)
    if typed.has_words:
        slots.save_draft(
            item=work.item, rater=work.rater, content=typed.as_draft, now=timezone.now()
        )
    return []
