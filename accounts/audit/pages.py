"""Which page shows each object in the audit log, for people who may open it."""

from collections import defaultdict
from collections.abc import Iterable

from django.apps import apps
from django.urls import reverse

from accounts import access as accounts_access
from accounts.models import AuditEvent

# Object type → its page, and the columns that fill the page's URL.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "accounts.apitoken": ("person", ("user_id",)),
    "accounts.user": ("person", ("pk",)),
    "accounts.webhook": ("webhook", ("pk",)),
    "labeling.adjudication": ("campaign_review_item", ("item__campaign_id", "item_id")),
    "labeling.campaign": ("campaign", ("pk",)),
    "labeling.case": ("queue", ("queue",)),
    "labeling.crowdlink": ("pool_crowd", ("campaign__pool_id",)),
    "labeling.gold": ("campaign_gold", ("uses__campaign_id",)),
    "labeling.guideline": ("guideline_history", ("pk",)),
    "labeling.import": ("import_detail", ("pk",)),
    "labeling.invitation": ("invitations", ("pool_id",)),
    "labeling.itemquestion": ("questions", ()),
    "labeling.judgment": ("campaign_item", ("campaign_id", "item_id")),
    "labeling.judgmentreview": (
        "campaign_review_item",
        ("judgment__campaign_id", "judgment__item_id"),
    ),
    "labeling.onboardingstep": ("pool_onboarding", ("pool_id",)),
    "labeling.paydispute": ("pay_rater", ("rater_id",)),
    "labeling.pool": ("pool", ("pk",)),
    "labeling.prolificbonusbatch": ("crowd_prolific_bonus", ("study__link_id",)),
    "labeling.prolificstudy": ("crowd_prolific", ("link_id",)),
    "labeling.prolificsubmission": ("prolific_submission", ("pk",)),
    "labeling.prompt": ("prompt", ("pk",)),
    "labeling.rater": ("rater", ("pk",)),
    "labeling.setaside": ("campaign_review_item", ("judgment__campaign_id", "judgment__item_id")),
    "labeling.stepattempt": ("attempt", ("pk",)),
    "training.chain": ("chain", ("pk",)),
    "training.curation": ("curation", ("pk",)),
    "training.judge": ("campaign_judges", ("campaign_id",)),
    "training.node": ("nodes", ()),
    "training.restoreddocument": ("curation_recipe", ("recipe",)),
    "training.run": ("run", ("pk",)),
    "training.schedule": ("schedule", ("pk",)),
    "training.snapshot": ("snapshot", ("pk",)),
    "training.trainedmodel": ("model", ("pk",)),
}


def addresses(*, events: Iterable[AuditEvent], roles: frozenset[str]) -> dict[tuple[str, int], str]:
    """(type, id) → URL, for objects that still exist and whose page is open to these roles. One
    query per type.
    """
    ids: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.target_type in PAGES and event.target_id is not None:
            ids[event.target_type].add(event.target_id)
    return {
        (name, pk): address
        for name, ids_of_type in ids.items()
        if accounts_access.may_open(PAGES[name][0], roles)
        for pk, address in _addresses(name, ids_of_type)
    }


def _addresses(name: str, ids: set[int]) -> Iterable[tuple[int, str]]:
    page, columns = PAGES[name]
    links = (
        apps.get_model(name)._base_manager.filter(pk__in=ids).order_by().values_list("pk", *columns)
    )
    for pk, *parts in links:
        if None not in parts:
            yield pk, reverse(page, args=parts)
