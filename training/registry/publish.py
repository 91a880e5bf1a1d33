"""Publishing models and exports to a hub: one row each, claimed by a worker that has the token."""

import re
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Model, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs.messages import MODELS
from jobs.protocol import Kind, recent
from labeling.data import export_files
from labeling.models import Export
from training.models import Publication, TrainedModel
from training.registry import selectors as registry_selectors

_REPOSITORY = re.compile(r"[\w][\w.-]{0,95}/[\w][\w.-]{0,95}")


class UnableToPublish(Refusal):
    """The model cannot be published; the text says what to change."""


PUBLICATIONS = Kind(
    Publication,
    task="training.registry.tasks.publish_model",
    limit=None,
    queue=MODELS,
    silent_after=timedelta(minutes=2),
    crashed=gettext_lazy("The worker was lost."),
    refusals=(UnableToPublish,),
)


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
        row = locked.get(pk=model.pk)
        if row.freed_at is not None:
            raise UnableToPublish(
                _("The weights of “%(name)s” were deleted to free space.") % {"name": row}
            )
        if registry_selectors.is_still_training(model=row):
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
    """Queues an export as a dataset, like `publish_model`. Raises UnableToPublish."""
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
    is_new = recent("created_at", now=now, within=PUBLICATIONS.silent_after)
    is_active = Q(is_new, state=Publication.State.QUEUED) | PUBLICATIONS.is_live(now=now)
    if Publication.objects.filter(is_active, **same).exists():
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
        by,
        "publish",
        target,
        after={"repository": publication.repository, "is_private": publication.is_private},
        now=now,
    )
    PUBLICATIONS.wake_on_commit(publication.pk)
    return publication
