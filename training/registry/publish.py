"""Publishing models and exports to a hub: one row each, claimed by a worker that has the token."""

import re
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.data import export_files
from labeling.models import Export
from training.models import Publication, TrainedModel
from training.processes import doorbell
from training.registry import selectors as registry_selectors

SILENT_AFTER = timedelta(minutes=2)
_REPOSITORY = re.compile(r"[\w][\w.-]{0,95}/[\w][\w.-]{0,95}")


class UnableToPublish(Refusal):
    """The model cannot be published; the text says what to change."""


def publish_model(
    *, model: TrainedModel, repository: str, is_private: bool, by: User, now: datetime
) -> Publication:
    """Queues the model, and rings for a worker on commit; beat rings again if none takes it. Raises
    UnableToPublish.
    """
    _check_repository(repository)
    if not model.licence:
        raise UnableToPublish(
            _("The model has no licence. Add one first: the model is published under it.")
        )
    with transaction.atomic():
        locked = TrainedModel.objects.select_for_update(of=("self",)).select_related("run")
        if registry_selectors.is_still_training(model=locked.get(pk=model.pk)):
            raise UnableToPublish(
                _(
                    "The run of “%(model)s” was resumed. Wait until it ends, or choose another"
                    " model."
                )
                % {"model": model}
            )
        return _queue(
            Publication(model=model, repository=repository, is_private=is_private),
            target=model,
            by=by,
            now=now,
        )


def publish_export(
    *, export: Export, repository: str, is_private: bool, by: User, now: datetime
) -> Publication:
    """Queues an export as a data set, like `publish_model`. Raises UnableToPublish."""
    _check_repository(repository)
    try:
        export_files.file_of(export=export)
    except export_files.UnableToExport as problem:
        raise UnableToPublish(problem.sentence) from problem
    with transaction.atomic():
        locked = Export.objects.select_for_update().get(pk=export.pk)
        return _queue(
            Publication(export=locked, repository=repository, is_private=is_private),
            target=export,
            by=by,
            now=now,
        )


def _check_repository(repository: str) -> None:
    if not _REPOSITORY.fullmatch(repository):
        raise UnableToPublish(
            _("“%(name)s” is not a valid repository name. Write it as owner/name.")
            % {"name": repository}
        )


def _queue(publication: Publication, *, target: Model, by: User, now: datetime) -> Publication:
    same = {"model": publication.model, "export": publication.export}
    if _active(now).filter(**same).exists():
        raise UnableToPublish(_("It is already being published."))
    forgotten = Publication.objects.filter(**same, state=Publication.State.QUEUED)
    forgotten.update(
        state=Publication.State.FAILED,
        error=_("No worker took it, so it was requested again."),
        ended_at=now,
    )
    publication.created_by, publication.created_at = by, now
    publication.save()
    audit_log.record(
        by=by,
        action="publish",
        target=target,
        after={"repository": publication.repository, "is_private": publication.is_private},
        now=now,
    )
    transaction.on_commit(partial(doorbell.ring_publication, publication.pk))
    return publication


def claim_publication(*, publication_id: int, now: datetime) -> Publication | None:
    """None when it is not queued, or another worker has it."""
    mine = _without_worker(now).filter(pk=publication_id)
    if (
        mine.update(
            state=Publication.State.RUNNING, attempt=F("attempt") + 1, heartbeat_at=now, error=""
        )
        != 1
    ):
        return None
    return Publication.objects.select_related("model", "export").get(pk=publication_id)


def ring_publications(*, now: datetime) -> int:
    """Rings for publications without a live worker, unless messages are still waiting. Returns how
    many.
    """
    if doorbell.n_waiting(doorbell.MODELS_QUEUE):
        return 0
    waiting = list(_without_worker(now).order_by("pk").values_list("pk", flat=True))
    for publication_id in waiting:
        doorbell.ring_publication(publication_id)
    return len(waiting)


def record_progress(
    *, publication: Publication, bytes_total: int, bytes_sent: int, now: datetime
) -> bool:
    """Also a heartbeat. False when another attempt has it."""
    return (
        _own_attempt(publication).update(
            bytes_total=bytes_total, bytes_sent=bytes_sent, heartbeat_at=now
        )
        == 1
    )


def end_publication(
    *, publication: Publication, address: str = "", error: str = "", now: datetime
) -> bool:
    """Marks it as done, or as failed with a sentence."""
    state = Publication.State.FAILED if error else Publication.State.DONE
    return (
        _own_attempt(publication).update(state=state, address=address, error=error, ended_at=now)
        == 1
    )


def _own_attempt(publication: Publication) -> QuerySet[Publication]:
    return Publication.objects.filter(
        pk=publication.pk, attempt=publication.attempt, state=Publication.State.RUNNING
    )


def _active(now: datetime) -> QuerySet[Publication]:
    """Queued recently, or with a live worker."""
    queued = Q(_is_recent("created_at", now), state=Publication.State.QUEUED)
    return Publication.objects.filter(
        queued | Q(_is_recent("heartbeat_at", now), state=Publication.State.RUNNING)
    )


def _without_worker(now: datetime) -> QuerySet[Publication]:
    silent = Q(~_is_recent("heartbeat_at", now), state=Publication.State.RUNNING)
    return Publication.objects.filter(Q(state=Publication.State.QUEUED) | silent)


def _is_recent(field: str, now: datetime) -> Q:
    """A time in the future is not recent: the clock was set back, and nobody would take over until
    then.
    """
    return Q(**{f"{field}__range": (now - SILENT_AFTER, now + SILENT_AFTER)})
