"""Stores suites, retires them, and freezes them for benchmark runs."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from training.benchmarks.suites import freeze as suites_freeze
from training.benchmarks.suites.drafts import SuiteDraft
from training.models import Snapshot, Suite, SuiteItem
from training.snapshots import services as snapshots_services
from training.snapshots.freeze import FrozenFolder

_BATCH = 1000


class UnableToStore(Refusal):
    """The version of this suite is stored already."""


def create_suite(
    *, draft: SuiteDraft, by: User | None, now: datetime, is_shipped: bool = False
) -> Suite:
    """Stores a suite with its items, all or nothing. Raises UnableToStore if its version is
    stored already.
    """
    with transaction.atomic():
        suite, is_new = Suite.objects.get_or_create(
            slug=draft.slug, version=draft.version, defaults=_columns(draft, by, now, is_shipped)
        )
        if not is_new:
            raise UnableToStore(
                _(
                    "“%(slug)s” %(version)s already exists, and suites never change. Give the"
                    " new one another version."
                )
                % {"slug": draft.slug, "version": draft.version}
            )
        SuiteItem.objects.bulk_create(
            (
                SuiteItem(
                    suite=suite,
                    position=position,
                    key=item.key,
                    category=item.category,
                    cluster=item.cluster,
                    prompt=list(item.prompt),
                    content=dict(item.content),
                )
                for position, item in enumerate(draft.items)
            ),
            batch_size=_BATCH,
        )
        after = {"id": suite.slug, "version": suite.version, "items_hash": suite.items_hash}
        audit_log.record(by, "create", suite, after=after, now=now)
    return suite


def retire_suite(*, suite: Suite, by: User, now: datetime) -> None:
    """New runs are no longer offered it; its scores stay. Changes nothing if it is retired."""
    with transaction.atomic():
        changed = Suite.objects.filter(pk=suite.pk, retired_at=None).update(retired_at=now)
        if changed:
            audit_log.record(by, "retire", suite, now=now)


def bring_back_suite(*, suite: Suite, by: User, now: datetime) -> None:
    """New runs are offered it again. Changes nothing if it is not retired."""
    with transaction.atomic():
        retired = Suite.objects.filter(pk=suite.pk, retired_at__isnull=False)
        if retired.update(retired_at=None):
            audit_log.record(by, "bring_back", suite, now=now)


def suites_snapshot(*, suites: Iterable[Suite], by: User | None, now: datetime) -> Snapshot:
    """The snapshot of these suites, in the order of their ids. Suites never change, so one that
    was made before is taken again. Raises snapshots.services.UnableToCreate.
    """
    chosen = sorted({suite.pk: suite for suite in suites}.values(), key=lambda suite: suite.pk)
    if not chosen:
        raise snapshots_services.UnableToCreate(_("Choose at least one suite."))
    filters = suites_freeze.filters_of(chosen)
    made = Snapshot.objects.filter(kind=Snapshot.Kind.SUITES, filters=filters).order_by("-pk")
    return made.first() or _new_snapshot(chosen, filters, by, now)


def _new_snapshot(
    suites: list[Suite], filters: dict[str, object], by: User | None, now: datetime
) -> Snapshot:
    def freeze(folder: Path) -> FrozenFolder:
        return suites_freeze.freeze(suites=suites, folder=folder)

    return snapshots_services.create_frozen(
        kind=Snapshot.Kind.SUITES,
        name=_snapshot_name(suites),
        filters=filters,
        freeze=freeze,
        by=by,
        now=now,
    )


def _snapshot_name(suites: list[Suite]) -> str:
    words = ", ".join(str(suite) for suite in suites)
    limit = Snapshot._meta.get_field("name").max_length or 0
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _columns(
    draft: SuiteDraft, by: User | None, now: datetime, is_shipped: bool
) -> dict[str, object]:
    return {
        "name": draft.name,
        "kind": draft.kind,
        "area": draft.area,
        "scorer": draft.scorer,
        "about": draft.about,
        "licence": draft.licence,
        "origin": draft.origin,
        "options": dict(draft.options),
        "items_hash": draft.items_hash,
        "n_items": len(draft.items),
        "is_shipped": is_shipped,
        "created_by": by,
        "created_at": now,
    }
