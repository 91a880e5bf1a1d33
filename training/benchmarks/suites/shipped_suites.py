"""The suites that come with the product, in our own words: a folder each, below `shipped/`."""

from datetime import datetime
from functools import cache
from pathlib import Path

from accounts.models import User
from training.benchmarks.suites import services
from training.benchmarks.suites.drafts import SuiteDraft
from training.benchmarks.suites.formats import reading
from training.benchmarks.suites.formats.uploads import SuiteFile
from training.models import Suite

FOLDER = Path(__file__).parent / "shipped"


@cache
def drafts() -> tuple[SuiteDraft, ...]:
    return tuple(_draft(path) for path in sorted(FOLDER.iterdir()) if path.is_dir())


def _draft(folder: Path) -> SuiteDraft:
    files = [SuiteFile(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
    result = reading.read(files)
    if result.draft is None:  # a test reads them all
        raise ValueError(f"{folder.name}: {result.problems[0].sentence}")
    return result.draft


def missing() -> list[SuiteDraft]:
    """Those that are not stored yet."""
    stored = set(Suite.objects.filter(is_shipped=True).values_list("slug", "version"))
    return [draft for draft in drafts() if (draft.slug, draft.version) not in stored]


def load(*, by: User | None, now: datetime) -> list[Suite]:
    """Stores those that are missing; returns them. One whose id and version a team has taken for a
    suite of its own is passed over. Stored ones take the names of this release: a name is a label,
    and items and scores stay what they are.
    """
    for draft in drafts():
        Suite.objects.filter(is_shipped=True, slug=draft.slug, version=draft.version).update(
            name=draft.name
        )
    taken = set(Suite.objects.values_list("slug", "version"))
    return [
        services.create_suite(draft=draft, by=by, now=now, is_shipped=True)
        for draft in missing()
        if (draft.slug, draft.version) not in taken
    ]
