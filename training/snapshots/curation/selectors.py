"""Read queries of curations, for pages and the beat."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from labeling.models import Source
from training.models import Curation, RestoredDocument, Snapshot
from training.snapshots.curation import ledger
from training.snapshots.curation.ledger import Entry, Summary
from training.snapshots.curation.services import folder_of

N_EXAMPLES = 3


@dataclass(frozen=True)
class ShownEntry:
    """A row of the ledger on a page."""

    entry: Entry
    is_restored: bool
    source: str
    """as people know it"""


def open_curations() -> QuerySet[Curation]:
    """Those that run, wait, or have a preview to decide about, newest first."""
    over = (Curation.State.DONE, Curation.State.DISCARDED)
    return Curation.objects.exclude(state__in=over).select_related("created_by").order_by("-pk")


def summary_of_curation(*, curation: Curation) -> Summary | None:
    return ledger.summary(curation.account) if curation.account else None


def summary_of_snapshot(*, snapshot: Snapshot) -> Summary | None:
    """None if the snapshot was not curated by a recipe."""
    about = snapshot.card.get("curation")
    return ledger.summary(about) if about else None


def entries(
    *, source: Curation | Snapshot, rule: str, skip: int, n: int
) -> list[ShownEntry] | None:
    """Rows of the ledger, of one rule or of all (""); None if the files are not on this machine."""
    folder = (
        folder_of(curation=source)
        if isinstance(source, Curation)
        else Path(settings.SNAPSHOTS_DIR) / source.folder
    )
    try:
        listed = ledger.entries(folder, rule=rule, skip=skip, n=n)
    except OSError:
        return None
    restored = set(
        RestoredDocument.objects.filter(
            recipe=source.filters.get("recipe", ""), document__in=[entry.id for entry in listed]
        ).values_list("document", flat=True)
    )
    known = _known_sources(listed)
    return [
        ShownEntry(entry, entry.is_removed and entry.id in restored, known[entry.source])
        for entry in listed
    ]


def _known_sources(listed: Iterable[Entry]) -> dict[str, str]:
    """By what the ledger says: models have their registered names."""
    parts = {entry.source: entry.source.split(", ") for entry in listed}
    named = Source.objects.filter(name__in={name for names in parts.values() for name in names})
    known = {source.name: source.known_as for source in named.select_related("trained_model")}
    return {
        said: ", ".join(known.get(name, name) for name in names) for said, names in parts.items()
    }


def restored(*, recipe: str) -> QuerySet[RestoredDocument]:
    """What was restored from a recipe, the newest first."""
    documents = RestoredDocument.objects.filter(recipe=recipe).select_related("restored_by")
    return documents.order_by("-restored_at", "-pk")


def is_outdated(*, curation: Curation) -> bool:
    """Whether documents were restored, or a restoration undone, since the preview."""
    name = curation.filters["recipe"]
    now = set(RestoredDocument.objects.filter(recipe=name).values_list("document", flat=True))
    return now != set(curation.recipe["restored"])
