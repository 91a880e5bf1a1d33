"""Read queries of imports, for the pages and the beat."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from labeling.data.imports import previews
from labeling.data.imports.forms import WORDS
from labeling.models import Campaign, Import, Prompt


@dataclass(frozen=True)
class Count:
    """How many rows of one kind an import brought."""

    name: str
    n: int


@dataclass(frozen=True)
class ImportReport:
    """What a page shows about one import. `share` (0 to 1) is of its bytes; None while nothing is
    known.
    """

    batch: Import
    format: str
    """what the file was read as, in words; empty while nobody has looked"""
    share: float | None
    counts: list[Count]
    problems: list[dict[str, object]]
    n_problems: int
    n_unlisted: int
    is_finished: bool
    is_empty: bool
    can_publish: bool
    can_discard: bool
    is_compared: bool
    """whether it brought comparisons, so that there is agreement to show"""
    campaigns: list[Campaign]
    """those that hold its answers"""


# In the order of the page; labeling.data.imports.rows.COUNTED has the same names.
COUNTED = {
    "prompts": _("prompts"),
    "responses": _("responses"),
    "demonstrations": _("demonstrations"),
    "comparisons": _("comparisons"),
    "duplicates": _("duplicate prompts"),
    "repeated_judgments": _("existing judgments"),
}


def import_list(*, state: str = "") -> QuerySet[Import]:
    """Newest first, without their (possibly long) problems."""
    listed = Import.objects.select_related("source", "created_by").prefetch_related("campaigns")
    imports = listed.defer("problems").order_by("-pk")
    return imports.filter(state=state) if state else imports


def started_import(*, token: str, by: User) -> Import | None:
    """The import that started with the file that a form names."""
    path = previews.imported_as(token=token, by=by)
    return Import.objects.filter(path=str(path), created_by=by).first() if path else None


def import_report(*, batch: Import) -> ImportReport:
    n_problems = batch.counts.get("problems", 0)
    return ImportReport(
        batch=batch,
        format=str(WORDS.get(batch.format, batch.format)) if batch.format else "",
        share=share_read(batch),
        counts=[
            Count(str(name), batch.counts[key])
            for key, name in COUNTED.items()
            # Each answer to a prompt counts its prompt as known.
            if batch.counts.get(key) and not (key == "duplicates" and batch.annotations)
        ],
        problems=batch.problems,
        n_problems=n_problems,
        n_unlisted=max(0, n_problems - sum(row.get("n_lines", 1) for row in batch.problems)),
        is_finished=batch.state not in (Import.State.QUEUED, Import.State.RUNNING),
        is_empty=not batch.counts.get("prompts"),
        can_publish=is_publishable(batch),
        can_discard=batch.state != Import.State.DISCARDED,
        is_compared=batch.state == Import.State.PUBLISHED and bool(batch.counts.get("comparisons")),
        campaigns=list(Campaign.objects.filter(import_batch=batch).order_by("pk")),
    )


def share_read(batch: Import) -> float | None:
    """How much of its file was read, from 0 to 1; None while nothing is known."""
    return min(1.0, batch.bytes_read / batch.bytes_total) if batch.bytes_total else None


def is_publishable(batch: Import) -> bool:
    """A strict import with problems may be published after all; one that was not read to its end
    may not.
    """
    return batch.state == Import.State.REFUSED and not batch.error


def uncleared_import_ids(*, now: datetime) -> list[int]:
    """Discarded imports that still have prompts or campaigns in the tables."""
    has_prompts = Exists(Prompt.objects.filter(import_batch=OuterRef("pk")))
    has_campaigns = Exists(Campaign.every.filter(import_batch=OuterRef("pk")))
    return list(
        Import.objects.filter(has_prompts | has_campaigns, state=Import.State.DISCARDED)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
