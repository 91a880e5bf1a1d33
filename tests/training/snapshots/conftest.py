"""A folder for uploads, and a curation that a worker has run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from tests.training.conftest import NOW
from tests.training.snapshots.curating import documents, upload_of
from training.models import Curation
from training.snapshots.curation import services
from training.snapshots.pretraining.documents import Document


@pytest.fixture(autouse=True)
def own_uploads(settings: LazySettings, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"


@pytest.fixture
def start(noor: User) -> Callable[..., Curation]:
    """Starts a curation, and runs it as a worker does."""

    def started(
        *given: Document,
        makes_snapshot: bool = False,
        runs: bool = True,
        recipe: str = "light",
        **changes: Any,
    ) -> Curation:
        curation = services.start_curation(
            name="web text",
            kind="text",
            recipe=recipe,
            filters={"licence": "CC0-1.0", "min_characters": 10} | changes,
            upload=upload_of(*(given or documents())),
            makes_snapshot=makes_snapshot,
            by=noor,
            now=NOW,
        )
        if runs:
            services.CURATIONS.run(curation.pk, clock=lambda: NOW)
            curation.refresh_from_db()
        return curation

    return started
