"""The audit log: who changed which object, with the values before and after."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access as accounts_access
from accounts.audit import pages, words
from accounts.audit.forms import AuditFilter
from accounts.models import AuditEvent
from accounts.people import selectors as people_selectors
from arithmetic import days
from pages import list_pages

EVENTS_PER_PAGE = 50


@dataclass(frozen=True)
class Change:
    """One value that changed, in words; None where it did not exist."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class EventRow:
    event: AuditEvent
    action: str
    target: str
    url: str
    changes: list[Change]


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    types = [(name, words.of_type(name)) for name in people_selectors.audited_types()]
    actions = [(name, words.of_action(name)) for name in people_selectors.audited_actions()]
    form = AuditFilter(request.GET or None, actions=actions, target_types=types)
    filters = _filters(form) if form.is_bound and form.is_valid() else {}
    page = list_pages.shown(request, people_selectors.events(**filters), size=EVENTS_PER_PAGE)
    addresses = pages.addresses(events=page, roles=accounts_access.roles_of(request.user))
    rows = [
        _row(event, addresses.get((event.target_type, event.target_id or 0), "")) for event in page
    ]
    return render(
        request,
        "accounts/audit/audit.html",
        {"form": form, "page": page, "rows": rows, "is_filtered": bool(filters)},
    )


def _filters(form: AuditFilter) -> dict[str, Any]:
    """Turns days into times in the reader's time zone; the day `until` is included."""
    filters = {name: value for name, value in form.cleaned_data.items() if value not in ("", None)}
    if "since" in filters:
        filters["since"] = days.midnight(filters["since"], timezone.get_current_timezone())
    if "until" in filters:
        filters["until"] = days.end_of(filters["until"], timezone.get_current_timezone())
    return filters


def _row(event: AuditEvent, url: str) -> EventRow:
    names = [*event.before, *(name for name in event.after if name not in event.before)]
    return EventRow(
        event=event,
        action=words.of_action(event.action),
        target=f"{words.of_type(event.target_type)} {event.target_id or ''}".strip(),
        url=url,
        changes=[
            Change(
                words.of_name(event.target_type, name),
                words.of_value(event.target_type, name, event.before.get(name)),
                words.of_value(event.target_type, name, event.after.get(name)),
            )
            for name in names
            if (event.before.get(name), event.after.get(name)) != (None, None)
        ],
    )
