"""The entries of the side navigation, grouped by kind of work. config.permissions decides who sees
which.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Place:
    """A link in the navigation. `names` are prefixes of the URL names for which it is marked as
    current.
    """

    label: Promise
    url_name: str
    icon: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    label: Promise
    url: str
    icon: str
    is_current: bool
    is_exact: bool


@dataclass(frozen=True)
class Group:
    title: Promise
    links: list[Link]


PLACES: tuple[tuple[Promise, tuple[Place, ...]], ...] = (
    (
        _("Work"),
        (
            Place(
                _("Desk"),
                "desk",
                "desk",
                (
                    "desk",
                    "desk_next",
                    "desk_item",
                    "desk_submit",
                    "desk_skip",
                    "desk_guideline",
                    "onboarding",
                ),
            ),
            Place(_("My work"), "my_work", "clock", ("my_work", "my_care", "my_skills", "help")),
            Place(_("My pay"), "my_pay", "pay", ("my_pay",)),
            Place(_("Guidelines"), "my_guidelines", "guideline", ("my_guideline",)),
        ),
    ),
    (
        _("Collect"),
        (
            Place(_("Campaigns"), "campaigns", "campaign", ("campaign", "export")),
            Place(
                _("Raters"),
                "people",
                "people",
                (
                    "people",
                    "person",
                    "pool",
                    "rater",
                    "roster",
                    "withdrawal",
                    "invitation",
                    "pay",
                    "step_",
                    "attempt",
                ),
            ),
            Place(_("Quality"), "quality", "quality", ("quality",)),
            Place(_("Guidelines"), "guidelines_manage", "guideline", ("guideline",)),
            Place(_("Prompts"), "prompts", "prompt", ("prompt", "import")),
            Place(_("Queues"), "queues", "inbox", ("queue", "question", "appeal")),
            Place(_("Audit log"), "audit", "log", ("audit",)),
            Place(_("Webhooks"), "webhooks", "export", ("webhook",)),
        ),
    ),
    (
        _("Train"),
        (
            Place(_("Runs"), "runs", "run", ("run",)),
            Place(_("Models"), "models", "model", ("model", "lineage")),
            Place(_("Snapshots"), "snapshots", "snapshot", ("snapshot",)),
            Place(_("Schedules"), "schedules", "clock", ("schedule", "chain")),
            Place(_("Nodes"), "nodes", "node", ("node",)),
            Place(_("Storage"), "storage", "storage", ("storage",)),
        ),
    ),
)


def groups_for(*, current: str, may_open: frozenset[str]) -> list[Group]:
    """The groups that have at least one link. `current` is the page's URL name; `may_open` holds
    the URL names this person may open.
    """
    groups = [
        (title, [_link(place, current) for place in places if place.url_name in may_open])
        for title, places in PLACES
    ]
    return [Group(title, links) for title, links in groups if links]


def _link(place: Place, current: str) -> Link:
    return Link(
        label=place.label,
        url=reverse(place.url_name),
        icon=place.icon,
        is_current=current.startswith(place.names),
        is_exact=current == place.url_name,
    )
