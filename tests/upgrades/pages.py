"""Every page that each role can open, with the objects of the database at hand."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User, Webhook
from config.api_permissions import API_TABLE
from config.permissions import TABLE
from config.roles import Role
from labeling.models import (
    Campaign,
    Guideline,
    Import,
    Item,
    OnboardingStep,
    Pool,
    Prompt,
    Rater,
    RaterQuality,
    Slot,
    StepAttempt,
)
from training.models import Chain, Run, Schedule, Snapshot, TrainedModel

ANY = 9_999_999
OBJECTS: dict[str, type[models.Model]] = {
    "attempts": StepAttempt,
    "campaigns": Campaign,
    "chains": Chain,
    "guidelines": Guideline,
    "imports": Import,
    "models": TrainedModel,
    "people": User,
    "pools": Pool,
    "prompts": Prompt,
    "raters": Rater,
    "runs": Run,
    "schedules": Schedule,
    "snapshots": Snapshot,
    "steps": OnboardingStep,
    "webhooks": Webhook,
}
"""The word before a number in an address → what the number is of."""
OF_TWO: dict[str, Callable[[], QuerySet[Any, tuple[Any, ...]]]] = {
    "campaign_item": lambda: Item.objects.order_by("pk").values_list("campaign_id", "pk"),
    "campaign_rater": lambda: RaterQuality.objects.order_by("pk").values_list(
        "report__campaign_id", "rater_id"
    ),
    "campaign_review_item": lambda: Item.objects.order_by("pk").values_list("campaign_id", "pk"),
    "desk_item": lambda: Slot.objects.filter(state="leased").order_by("pk").values_list("lease"),
}
"""Pages about other things than one numbered object → what stands in their addresses."""
MOST = 3
"""Pages of a kind that are opened."""
NAMELESS = re.compile(r"<(h1|h2|a|button)\b(?![^>]*aria-label)[^>]*>\s*</\1>")
"""A heading, link or button without a word: its template shows a name that nothing has set."""
FINE = {200, 286, 405}
"""286: nothing more to refresh. 405: only takes a form."""
OUT_OF_PLACE = {
    "api_campaign_agreement": "its report is of an earlier version",
    "api_campaign_bias": "the same",
    "api_campaign_rater_pairs": "the same",
    "api_campaign_rater_quality": "the same",
    "api_model_archive": "no weights",
    "api_nothing": "no such address",
    "api_run_attacks": "none of its runs attacked a model",
    "api_scorecard_compare": "models are chosen",
    "api_snapshot_file": "its files are not here",
    "api_snapshot_rows": "the same",
    "campaign_agreement_part": "a part is chosen",
    "campaign_principles": "its guideline has no principles",
    "campaign_conversations": "none of its campaigns is one of conversations",
    "campaign_preview_diff": "two versions are chosen",
    "crowd_done": "crowd workers only",
    "metrics": "no token and no network may read it",
    "mfa_deactivate_totp": "nobody has turned on two-factor authentication",
    "mfa_download_recovery_codes": "the same",
    "mfa_view_recovery_codes": "the same",
    "run_attacks": "none of its runs attacked a model",
    "run_attacks_raters": "the same",
    "run_revisions_raters": "none of its runs revised answers",
}
"""Pages that have nothing to show here, and why."""


def failures(only: Collection[str]) -> tuple[int, list[str]]:
    """How many pages were opened, and a sentence for each kind that did not answer as it should.
    `only`: names of pages; without one, all.
    """
    n_opened, found = 0, []
    for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER):
        client = Client(raise_request_exception=False)
        client.force_login(person_of(role), backend="accounts.login.sessions.Backend")
        for name in names(role):
            if only and name not in only:
                continue
            pages = {address: client.get(address, follow=True) for address in addresses(name)}
            answers = {address: page.status_code for address, page in pages.items()}
            n_opened += sum(status == 200 for status in answers.values())
            if answers and not _is_fine(answers.values()):
                found.append(f"{name} answers the {role}: {answers}")
            for address, page in pages.items():
                if nameless := _nameless(page):
                    found.append(f"{address} shows the {role} {nameless} without words")
    return n_opened, found


def _nameless(page: HttpResponseBase) -> str:
    if not isinstance(page, HttpResponse) or not page.headers.get("Content-Type", "").startswith(
        "text/html"
    ):
        return ""
    match = NAMELESS.search(page.content.decode())
    return match.group() if match else ""


def _is_fine(statuses: Collection[int]) -> bool:
    """A page may be about some objects only, such as campaigns that compare."""
    return bool(FINE.intersection(statuses)) and max(statuses) < 500


def person_of(role: Role) -> User:
    return User.objects.filter(**{f"is_{role}": True}, is_active=True).order_by("pk")[0]


def names(role: Role) -> Iterator[str]:
    """Of the pages and calls of the API that are open to the role."""
    for name, roles in TABLE.items():
        call = API_TABLE.get(f"GET {name}")
        allowed = call.roles if call else roles
        if allowed & {role, Role.MEMBER, Role.ANYONE} and name not in OUT_OF_PLACE:
            yield name


def addresses(name: str) -> list[str]:
    """Without an argument, or of the first objects that it is about. None of other pages."""
    if name in OF_TWO:
        return [reverse(name, args=row) for row in OF_TWO[name]()[:MOST]]
    with suppress(NoReverseMatch):
        return [reverse(name)]
    with suppress(NoReverseMatch):
        before, _number, after = reverse(name, args=[ANY]).partition(f"{ANY}")
        model = OBJECTS.get(before.rstrip("/").rpartition("/")[2])
        found = model._default_manager.order_by("pk")[:MOST] if model else []
        return [f"{before}{row.pk}{after}" for row in found]
    return []
