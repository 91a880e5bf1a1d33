"""Every write about retention: pins, and deleting weights and states that nobody needs."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs import guard
from training.models import Run, TrainedModel
from training.storage import disk_usage, store
from training.storage.selectors import (
    Holding,
    is_extended,
    overview,
    state_of,
    why_kept,
    why_not_given_up,
)

logger = logging.getLogger(__name__)


class UnableToGiveUp(Refusal):
    """The state is still needed or pinned; the text says what to do first."""


@dataclass(frozen=True)
class Freed:
    """The result. `n_kept`: needed again in the meantime, or the store did not answer."""

    n_bytes: int = 0
    n_done: int = 0
    n_kept: int = 0


def pin_run(*, run: Run, by: User, now: datetime) -> bool:
    """Its state is kept whatever happens. False when it is pinned already."""
    return _pin(run, now, "pin", by, now)


def unpin_run(*, run: Run, by: User, now: datetime) -> bool:
    return _pin(run, None, "unpin", by, now)


def pin_model(*, model: TrainedModel, by: User, now: datetime) -> bool:
    """Its weights are kept whatever happens. False when it is pinned already, or has no weights."""
    return _pin(model, now, "pin", by, now)


def unpin_model(*, model: TrainedModel, by: User, now: datetime) -> bool:
    return _pin(model, None, "unpin", by, now)


def give_up_run(*, run: Run, by: User, now: datetime) -> int:
    """Deletes for good what a failed, lost or stopped run could resume from. Returns the number of
    bytes. Raises UnableToGiveUp.
    """
    seen = state_of(run=run)
    n_bytes = seen.without_logs if seen else 0
    with transaction.atomic():
        stored = Run.objects.select_for_update().get(pk=run.pk)
        if problem := why_not_given_up(run=stored):
            raise UnableToGiveUp(problem)
        _mark_freed(stored, n_bytes, by, now)
    try:
        _remove_state(run.pk, seen.unregistered if seen else ())
    except store.StoreUnavailable as problem:
        # The row says that it was freed, so the storage page offers the leftovers.
        logger.warning(
            "The state of run %s was not removed: the artifact store is away (%s).", run.pk, problem
        )
    return n_bytes


def free(
    *, keys: Collection[str], by: User | None, now: datetime, made_before: datetime | None = None
) -> Freed:
    """Frees these holdings if they are still freeable. Each is checked again, and gets an entry in
    the audit log.
    """
    chosen = [
        holding for holding in overview(made_before=made_before).freeable if holding.key in keys
    ]
    done = [holding for holding in chosen if _free_holding(holding, by, now)]
    return Freed(sum(holding.freed for holding in done), len(done), len(keys) - len(done))


def free_old(*, now: datetime) -> Freed:
    """Frees what is freeable and older than PREFERABLY_KEEP_DAYS; nothing if that is 0."""
    if not settings.KEEP_DAYS:
        return Freed()
    made_before = now - timedelta(days=settings.KEEP_DAYS)
    freeable: Sequence[Holding] = overview(made_before=made_before).freeable
    return free(
        keys={holding.key for holding in freeable}, by=None, now=now, made_before=made_before
    )


def remove_freed_files() -> None:
    """Removes files of this machine whose rows were freed from another machine."""
    states = disk_usage.runs_with_local_state()
    gone = Q(freed_at__isnull=False) | Q(outcome=Run.Outcome.SUCCEEDED, kept_step=None)
    for pk in Run.objects.filter(gone, pk__in=states, state=Run.State.FINISHED).values_list(
        "pk", flat=True
    ):
        disk_usage.free_local_state(pk)
    for location in TrainedModel.objects.filter(
        run__isnull=False, freed_at__isnull=False
    ).values_list("location", flat=True):
        disk_usage.free_local_copy(location)


def remove_old_run_folders(*, now: datetime) -> None:
    """Removes this machine's folders of runs that ended PREFERABLY_KEEP_LOGS_DAYS ago and have
    nothing to continue from; nothing if that is 0. What the pages of runs show stays.
    """
    if not settings.KEEP_LOGS_DAYS:
        return
    ended_before = now - timedelta(days=settings.KEEP_LOGS_DAYS)
    has_no_state = Q(freed_at__isnull=False) | Q(outcome=Run.Outcome.SUCCEEDED, kept_step=None)
    old = Run.objects.filter(
        has_no_state,
        pk__in=disk_usage.local_runs(),
        state=Run.State.FINISHED,
        finished_at__lt=ended_before,
        pinned_at=None,
    )
    for pk in old.values_list("pk", flat=True):
        disk_usage.remove_run_folder(pk)


def _pin(
    row: Run | TrainedModel, pinned_at: datetime | None, action: str, by: User, now: datetime
) -> bool:
    rows = type(row)._default_manager.filter(
        pk=row.pk, freed_at=None, pinned_at__isnull=pinned_at is not None
    )
    with transaction.atomic():
        is_changed = guard.update_one(rows, pinned_at=pinned_at)
        if is_changed:
            audit_log.record(by, action, row, now=now)
    return is_changed


def _free_holding(holding: Holding, by: User | None, now: datetime) -> bool:
    """Updates the row first, so that no run starts from files about to be deleted. Files left by an
    outage are offered again.
    """
    try:
        return (
            _free_model(holding, by, now)
            if holding.what == "model"
            else _free_run(holding, by, now)
        )
    except store.StoreUnavailable as problem:
        logger.warning("%s was not freed: the artifact store is away (%s).", holding.name, problem)
        return False


def _free_model(holding: Holding, by: User | None, now: datetime) -> bool:
    with transaction.atomic():
        model = TrainedModel.objects.select_for_update().get(pk=holding.pk)
        if why_kept(model=model):
            return False
        TrainedModel.objects.filter(pk=model.pk).update(freed_at=now)
        audit_log.record(by, "free", model, before={"bytes": holding.freed}, now=now)
    disk_usage.free_model(model.location)
    return True


def _free_run(holding: Holding, by: User | None, now: datetime) -> bool:
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=holding.pk)
        if run.state != Run.State.FINISHED or run.pinned_at is not None or is_extended(run=run):
            return False
        _mark_freed(run, holding.freed, by, now)
    _remove_state(run.pk, holding.unregistered)
    return True


def _mark_freed(run: Run, n_bytes: int, by: User | None, now: datetime) -> None:
    Run.objects.filter(pk=run.pk).update(kept_step=None, freed_at=now)
    audit_log.record(
        by, "free", run, before={"bytes": n_bytes, "kept_step": run.kept_step}, now=now
    )


def _remove_state(run_id: int, unregistered: Sequence[str]) -> None:
    """Also removes models that an attempt left and that were never registered. Raises
    store.StoreUnavailable.
    """
    disk_usage.free_state(run_id)
    for location in unregistered:
        disk_usage.free_model(location)
