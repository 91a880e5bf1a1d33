"""The entries of the side navigation, grouped by kind of work. config.permissions decides who sees
which.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class NavigationEntry:
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


ENTRIES: tuple[tuple[Promise, tuple[NavigationEntry, ...]], ...] = (
    (
        _("Work"),
        (
            NavigationEntry(
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
            NavigationEntry(
                _("My work"),
                "my_work",
                "clock",
                ("my_work", "my_care", "my_skills", "my_data", "my_withdrawal", "help"),
            ),
            NavigationEntry(_("My pay"), "my_pay", "pay", ("my_pay",)),
            NavigationEntry(_("Guidelines"), "my_guidelines", "guideline", ("my_guideline",)),
        ),
    ),
    (
        _("Collect"),
        (
            NavigationEntry(
                _("Campaigns"),
                "campaigns",
                "campaign",
                ("campaign", "export", "answers", "red_teaming"),
            ),
            NavigationEntry(
                _("Raters"),
                "people",
                "people",
                (
                    "crowd_prolific",
                    "people",
                    "person",
                    "pool",
                    "prolific",
                    "rater",
                    "roster",
                    "withdrawal",
                    "invitation",
                    "pay",
                    "step_",
                    "attempt",
                ),
            ),
            NavigationEntry(_("Quality"), "quality", "quality", ("quality",)),
            NavigationEntry(_("Guidelines"), "guidelines_manage", "guideline", ("guideline",)),
            NavigationEntry(_("Prompts"), "prompts", "prompt", ("prompt", "import")),
            NavigationEntry(_("Queues"), "queues", "inbox", ("queue", "question", "appeal")),
            NavigationEntry(_("Audit log"), "audit", "log", ("audit",)),
            NavigationEntry(_("Webhooks"), "webhooks", "export", ("webhook",)),
            NavigationEntry(_("Operations"), "operations", "pulse", ("operations",)),
        ),
    ),
    (
        _("Train"),
        (
            NavigationEntry(_("Runs"), "runs", "run", ("run",)),
            NavigationEntry(_("Models"), "models", "model", ("model", "lineage")),
            NavigationEntry(_("Snapshots"), "snapshots", "snapshot", ("snapshot",)),
            NavigationEntry(_("Suites"), "suites", "suite", ("suite",)),
            NavigationEntry(_("Schedules"), "schedules", "clock", ("schedule", "chain")),
            NavigationEntry(_("Nodes"), "nodes", "node", ("node",)),
            NavigationEntry(_("Storage"), "storage", "storage", ("storage",)),
        ),
    ),
)


def groups_for(*, current: str, may_open: frozenset[str]) -> list[Group]:
    """The groups that have at least one link. `current` is the page's URL name; `may_open` holds
    the URL names this person may open.
    """
    groups = [
        (title, [_link(entry, current) for entry in entries if entry.url_name in may_open])
        for title, entries in ENTRIES
    ]
    return [Group(title, links) for title, links in groups if links]


def _link(entry: NavigationEntry, current: str) -> Link:
    return Link(
        label=entry.label,
        url=reverse(entry.url_name),
        icon=entry.icon,
        is_current=current.startswith(entry.names),
        is_exact=current == entry.url_name,
    )
