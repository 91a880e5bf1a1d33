"""What a snapshot of a campaign's answers would hold, before it is created: counted and measured on
the first rows, by the code that freezes them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.models import Campaign
from labeling.quality import campaign_figures
from training.models import Snapshot
from training.snapshots import freeze
from training.snapshots.contents import files, judged
from training.snapshots.contents.filters import Filters, Judges
from training.snapshots.contents.snapshot_card import Row

N_ROWS_READ = 300
"""A snapshot with more rows than this is estimated from the first ones."""


@dataclass(frozen=True)
class ExpectedSnapshot:
    """A snapshot that is not stored, with the first rows of what it would contain."""

    snapshot: Snapshot
    contents: Sequence[dict[str, Any]]
    why_empty: str
    """why there is nothing to train on; "" if there is"""

    @property
    def n_train(self) -> int:
        n: int = self.snapshot.card["splits"].get("train", 0)
        return n


def expected(
    *, campaign: Campaign, kind: str, judges: str = Judges.NONE, now: datetime
) -> ExpectedSnapshot:
    """`kind` is a kind of snapshot, or “votes”: the responses that the campaign's raters prefer."""
    is_voted = kind == "votes"
    filters = (
        Filters(best_voted_in=(campaign.pk,))
        if is_voted
        else Filters.from_json(filters_of(campaign) | {"judges": judges})
    )
    stored_kind = Snapshot.Kind.DEMONSTRATIONS if is_voted else Snapshot.Kind(kind)
    left_out: Counter[str] = Counter()
    rows = freeze.rows_of(kind=stored_kind, filters=filters, left_out=left_out)
    read, is_whole = _first(rows)
    factor = 1.0
    if not is_whole:
        known = campaign_figures.n_answers(campaigns=[campaign.pk], now=now).get(campaign.pk)
        n_sources = campaign.items.count() if is_voted else known.value if known else 0
        n_sources += judged.n_rows(filters)
        n_read = len({row.judgment_id for row in read}) if kind == "unpaired" else len(read)
        factor = max(1.0, n_sources / (n_read + left_out.total()))
    splits = Counter(row.split for row in read)
    n_pairs = sum(row.n_pairs for row in read if row.split == "train")
    prompts = {str(row.content["prompt"]) for row in read}
    snapshot = Snapshot(
        kind=stored_kind,
        n_rows=round(len(read) * factor),
        card={
            "splits": {split: round(n * factor) for split, n in splits.items()},
            "pairs": {"train": round(n_pairs * factor)},
            "prompts": round(len(prompts) * factor),
        },
    )
    contents = [dict(row.content) for row in read]
    return ExpectedSnapshot(snapshot, contents, _why_empty(kind, splits, left_out))


def _first(rows: Iterator[Row]) -> tuple[list[Row], bool]:
    """The first rows, up to one that trains at least; and whether these are all."""
    read, trains = list[Row](), False
    for row in rows:
        read.append(row)
        trains = trains or row.split == "train"
        if trains and len(read) >= N_ROWS_READ:
            return read, False
    return read, True


def filters_of(campaign: Campaign) -> dict[str, object]:
    """This campaign alone. Imported answers are of it only if it was imported itself."""
    return {
        "campaigns": [campaign.pk],
        "includes_imports": campaign.import_batch_id is not None,
    }


def _why_empty(kind: str, splits: Counter[str], left_out: Counter[str]) -> str:
    if splits["train"]:
        return ""
    if splits:
        left_out = left_out + Counter({f"{split} prompt": n for split, n in splits.items()})
    return files.empty_sentence(kind, left_out)
