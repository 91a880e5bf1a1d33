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
class NavigationSection:
    """A link to the first of several pages that this person may open. Each of them lists all."""

    label: Promise
    icon: str
    entries: tuple[NavigationEntry, ...]


@dataclass(frozen=True)
class Link:
    label: Promise
    url: str
    icon: str
    is_current: bool
    is_exact: bool
    parts: tuple["Link", ...] = ()
    """the pages of a section"""


@dataclass(frozen=True)
class Group:
    title: Promise
    links: list[Link]


ENTRIES: tuple[tuple[Promise, tuple[NavigationEntry | NavigationSection, ...]], ...] = (
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
            NavigationSection(
                _("Campaigns"),
                "campaign",
                (
                    NavigationEntry(
                        _("Campaigns"),
                        "campaigns",
                        "campaign",
                        ("campaign", "export", "answers", "red_teaming"),
                    ),
                    NavigationEntry(_("Quality"), "quality", "quality", ("quality",)),
                ),
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
            NavigationEntry(_("Guidelines"), "guidelines_manage", "guideline", ("guideline",)),
            NavigationEntry(_("Prompts"), "prompts", "prompt", ("prompt", "import")),
            NavigationEntry(_("Queues"), "queues", "inbox", ("queue", "question", "appeal")),
            NavigationSection(
                _("Settings"),
                "pulse",
                (
                    NavigationEntry(_("Operations"), "operations", "pulse", ("operations",)),
                    NavigationEntry(_("Audit log"), "audit", "log", ("audit",)),
                    NavigationEntry(_("Webhooks"), "webhooks", "export", ("webhook",)),
                ),
            ),
        ),
    ),
    (
        _("Train"),
        (
            NavigationSection(
                _("Lines"),
                "line",
                (
                    NavigationEntry(_("Lines"), "lines", "line", ("lines", "schedule_line")),
                    NavigationEntry(_("Schedules"), "schedules", "clock", ("schedule", "chain")),
                ),
            ),
            NavigationEntry(_("Runs"), "runs", "run", ("run", "train")),
            NavigationSection(
                _("Models"),
                "model",
                (
                    NavigationEntry(_("Models"), "models", "model", ("model", "lineage")),
                    NavigationEntry(_("Suites"), "suites", "suite", ("suite",)),
                ),
            ),
            NavigationEntry(_("Snapshots"), "snapshots", "snapshot", ("snapshot",)),
            NavigationSection(
                _("Machines"),
                "node",
                (
                    NavigationEntry(_("Nodes"), "nodes", "node", ("node",)),
                    NavigationEntry(_("Storage"), "storage", "storage", ("storage",)),
                ),
            ),
        ),
    ),
)


def pages() -> list[tuple[Promise, NavigationEntry]]:
    """Every page of the navigation, with the title of its group."""
    return [(title, page) for title, entries in ENTRIES for entry in entries for page in _of(entry)]


def groups_for(*, current: str, may_open: frozenset[str]) -> list[Group]:
    """The groups that have at least one link. `current` is the page's URL name; `may_open` holds
    the URL names this person may open.
    """
    groups = [
        (title, [link for entry in entries if (link := _link(entry, current, may_open))])
        for title, entries in ENTRIES
    ]
    return [Group(title, links) for title, links in groups if links]


def current_section(groups: list[Group]) -> Link | None:
    """The section of which the current page is one of several."""
    links = [link for group in groups for link in group.links if len(link.parts) > 1]
    return next((link for link in links if any(part.is_exact for part in link.parts)), None)


def _of(entry: NavigationEntry | NavigationSection) -> tuple[NavigationEntry, ...]:
    return entry.entries if isinstance(entry, NavigationSection) else (entry,)


def _link(
    entry: NavigationEntry | NavigationSection, current: str, may_open: frozenset[str]
) -> Link | None:
    """None without a page that this person may open."""
    parts = tuple(
        Link(
            label=page.label,
            url=reverse(page.url_name),
            icon=page.icon,
            is_current=current.startswith(page.names),
            is_exact=current == page.url_name,
        )
        for page in _of(entry)
        if page.url_name in may_open
    )
    if not parts:
        return None
    return Link(
        label=entry.label,
        url=parts[0].url,
        icon=entry.icon,
        is_current=any(part.is_current for part in parts),
        is_exact=parts[0].is_exact,
        parts=parts,
    )
