"""The audit log: who did what to which object, what it was before and what it is since."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts import selectors
from accounts.forms import AuditFilter
from accounts.models import AuditEvent

EVENTS_PER_PAGE = 50
# Objects with a page of their own; people's numbers are users, raters' are raters.
PAGES = {
    "accounts.user": "person",
    "accounts.webhook": "webhook",
    "labeling.campaign": "campaign",
    "labeling.pool": "pool",
    "labeling.guideline": "guideline_history",
    "labeling.prompt": "prompt",
    "labeling.import": "import_detail",
    "labeling.rater": "rater",
}
# The log keeps codes. One without words here is shown as it is written down.
ACTION_WORDS = {
    "accept_upsetting": _("agree to upsetting content"),
    "accept": _("accept"),
    "add_raters": _("add raters"),
    "add_step": _("add a step"),
    "adjudicate": _("adjudicate"),
    "answer": _("answer"),
    "answer_appeal": _("answer an appeal"),
    "approve": _("approve"),
    "bring_back": _("bring back"),
    "change": _("change"),
    "close": _("close"),
    "create": _("create"),
    "cut": _("cut"),
    "decide": _("decide"),
    "delete": _("delete"),
    "disable": _("disable"),
    "discard": _("discard"),
    "drain": _("drain"),
    "enable": _("enable"),
    "export": _("export"),
    "forget": _("forget"),
    "import": _("import"),
    "import_golds": _("import golds"),
    "invite": _("invite"),
    "keep": _("keep of a conversation"),
    "mark_upsetting": _("mark upsetting content"),
    "new_version": _("new version"),
    "pause": _("pause"),
    "pause_raters": _("pause raters"),
    "pay": _("mark as paid"),
    "publish": _("publish"),
    "queue": _("queue"),
    "readmit": _("readmit"),
    "redeliver": _("send again"),
    "register": _("register"),
    "remove_raters": _("remove raters"),
    "reorder": _("put first"),
    "resend": _("send again"),
    "resume": _("resume"),
    "resume_raters": _("resume raters"),
    "retire": _("retire"),
    "retry": _("retry"),
    "review": _("review"),
    "revoke": _("revoke"),
    "score": _("score"),
    "set_rate": _("set a rate"),
    "skills": _("say what a rater knows"),
    "stop": _("stop"),
    "use_golds": _("use golds"),
    "warn": _("warn"),
    "withdraw": _("withdraw"),
    "state:draft": _("state: draft"),
    "state:open": _("state: open"),
    "state:paused": _("state: paused"),
    "state:closed": _("state: closed"),
}
TYPE_WORDS = {
    "accounts.apitoken": _("API token"),
    "accounts.webhook": _("webhook"),
    "labeling.adjudication": _("adjudication"),
    "labeling.campaign": _("campaign"),
    "labeling.crowdlink": _("crowd link"),
    "labeling.gold": _("gold"),
    "labeling.guideline": _("guideline"),
    "labeling.judgment": _("judgment"),
    "labeling.judgmentreview": _("review"),
    "labeling.import": _("import"),
    "labeling.invitation": _("invitation"),
    "labeling.onboardingstep": _("onboarding step"),
    "labeling.paydispute": _("dispute"),
    "labeling.pool": _("pool"),
    "labeling.prompt": _("prompt"),
    "labeling.itemquestion": _("question"),
    "labeling.rater": _("rater"),
    "labeling.stepattempt": _("attempt"),
    "training.chain": _("chain"),
    "training.node": _("node"),
    "training.run": _("run"),
    "training.schedule": _("schedule"),
    "training.snapshot": _("snapshot"),
    "training.trainedmodel": _("model"),
}


@dataclass(frozen=True)
class Change:
    """One value that an act touched, in words; None where it was not there."""

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
    types = [(name, _type_words(name)) for name in selectors.audited_types()]
    actions = [(name, _action_words(name)) for name in selectors.audited_actions()]
    form = AuditFilter(request.GET or None, actions=actions, target_types=types)
    asked = _asked(form) if form.is_bound and form.is_valid() else {}
    page = Paginator(selectors.events(**asked), EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    rows = [_row(event) for event in page]
    return render(request, "account/audit.html", {"form": form, "page": page, "rows": rows, "is_filtered": bool(asked)})


def _asked(form: AuditFilter) -> dict[str, Any]:
    """Days as the reader's own: `until` counts whole."""
    given = {name: value for name, value in form.cleaned_data.items() if value not in ("", None)}
    if "since" in given:
        given["since"] = _midnight(given["since"])
    if "until" in given:
        given["until"] = _midnight(given["until"] + timedelta(days=1))
    return given


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _row(event: AuditEvent) -> EventRow:
    names = [*event.before, *(name for name in event.after if name not in event.before)]
    return EventRow(
        event=event,
        action=_action_words(event.action),
        target=f"{_type_words(event.target_type)} {event.target_id or ''}".strip(),
        url=_url(event),
        changes=[
            Change(_name_words(name), _value_words(event.before.get(name)), _value_words(event.after.get(name)))
            for name in names
            if (event.before.get(name), event.after.get(name)) != (None, None)
        ],
    )


def _action_words(action: str) -> str:
    """“add raters” for add_raters, “state: open” for state:open."""
    return str(ACTION_WORDS.get(action, action.replace("_", " ").replace(":", ": ")))


def _name_words(name: str) -> str:
    """“held out” for is_held_out, “items” for n_items."""
    return name.removeprefix("is_").removeprefix("n_").replace("_", " ")


def _value_words(value: Any) -> str | None:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "–"
    return None if value is None else str(value)


def _type_words(name: str) -> str:
    """“campaign” for labeling.campaign; a table that is gone keeps its technical name."""
    if name in TYPE_WORDS:
        return str(TYPE_WORDS[name])
    try:
        return str(apps.get_model(name)._meta.verbose_name)
    except (LookupError, ValueError):
        return name


def _url(event: AuditEvent) -> str:
    if event.target_type not in PAGES or event.target_id is None:
        return ""
    return reverse(PAGES[event.target_type], args=[event.target_id])
