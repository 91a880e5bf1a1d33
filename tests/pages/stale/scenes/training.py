"""Researchers with curations, and with answers to score or to send to raters."""

from django.utils import timezone

from tests.pages.stale.scenes.cast import researcher
from tests.pages.stale.walk import Scene, Stage, adds_to
from tests.training.benchmarks.attacks import rows as attack_rows
from tests.training.snapshots.curating import documents, text_of, upload_of
from training.models import Curation, SuiteScore
from training.snapshots.curation import selectors as curation_selectors
from training.snapshots.curation import services as curation_services
from training.snapshots.pretraining.documents import Document

SCENES: list[Scene] = []
scene = adds_to(SCENES)


def started(*given: Document, recipe: str, makes_snapshot: bool = False) -> Curation:
    """A curation that a worker has done."""
    curation = curation_services.start_curation(
        name="web text",
        kind="text",
        recipe=recipe,
        filters={"licence": "CC0-1.0", "min_characters": 10},
        upload=upload_of(*given),
        makes_snapshot=makes_snapshot,
        by=researcher(),
        now=timezone.now(),
    )
    curation_services.CURATIONS.run(curation.pk, clock=timezone.now)
    curation.refresh_from_db()
    assert curation.state == ("done" if makes_snapshot else "ready"), curation.error
    return curation


def curated(*, makes_snapshot: bool) -> Curation:
    """Two documents are removed as copies, and one of them is restored."""
    copy = Document(text_of(5).upper(), "s")
    curation = started(*documents(), copy, recipe="light", makes_snapshot=makes_snapshot)
    source = curation.snapshot or curation
    copies = curation_selectors.entries(source=source, rule="exact_duplicate", skip=0, n=5) or []
    curation_services.restore_document(
        source=source, document=copies[0].entry.id, by=researcher(), now=timezone.now()
    )
    return curation


@scene
def a_preview_of_a_recipe() -> Stage:
    pk = curated(makes_snapshot=False).pk
    rate = f"/curations/{pk}/rate/?rule=exact_duplicate"
    pages = [f"/curations/{pk}/?rule=exact_duplicate", rate, "/recipes/light/"]
    return Stage(researcher(), pages)


@scene
def a_snapshot_with_a_ledger() -> Stage:
    snapshot = curated(makes_snapshot=True).snapshot
    assert snapshot is not None
    page = f"/snapshots/{snapshot.pk}/ledger/?rule=exact_duplicate"
    return Stage(researcher(), [page])


@scene
def answers_to_a_suite() -> Stage:
    score = SuiteScore.objects.order_by("pk")[0]
    goals = attack_rows.goals()
    run = attack_rows.attacked(goals, researcher(), attack_rows.lines(goals, attack_rows.a_third))
    pages = [
        f"/runs/{score.run_id}/suites/{score.suite_id}/",
        f"/runs/{run.pk}/suites/{goals.pk}/raters/",
        f"/runs/{run.pk}/attacks/raters/",
    ]
    return Stage(researcher(), pages, is_one_act=True)
