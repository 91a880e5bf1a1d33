"""Models on their way to a hub: a row each, claimed by a worker that has the token."""

import re
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from training.models import Publication, TrainedModel
from training.processes import doorbell

HEART_STOPS_AFTER = timedelta(minutes=2)
_REPOSITORY = re.compile(r"[\w][\w.-]{0,95}/[\w][\w.-]{0,95}")


class UnableToPublish(Refusal):
    """The model cannot go out so; the text says what to change."""


def publish_model(
    *, model: TrainedModel, repository: str, is_private: bool, by: User, now: datetime
) -> Publication:
    """Queued, and rung for on commit; the beat rings for one that no worker takes. Raises
    UnableToPublish.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise UnableToPublish(
            _("“%(name)s” is not a valid repository name. Write it as owner/name.")
            % {"name": repository}
        )
    if not model.licence:
        raise UnableToPublish(
            _("The model has no licence. Add one first: the model is published under it.")
        )
    with transaction.atomic():
        TrainedModel.objects.select_for_update().get(pk=model.pk)
        if _going(now).filter(model=model).exists():
            raise UnableToPublish(_("It is already being published."))
        forgotten = Publication.objects.filter(model=model, state=Publication.State.QUEUED)
        forgotten.update(
            state=Publication.State.FAILED,
            error=_("No worker took it, so it was requested again."),
            ended_at=now,
        )
        publication = Publication.objects.create(
            model=model, repository=repository, is_private=is_private, created_by=by, created_at=now
        )
        audit_log.record(
            by=by,
            action="publish",
            target=model,
            after={"repository": repository, "is_private": is_private},
            now=now,
        )
        transaction.on_commit(partial(doorbell.ring_publication, publication.pk))
    return publication


def claim_publication(*, publication_id: int, now: datetime) -> Publication | None:
    """None when it is not waiting, or another worker has it."""
    mine = _without_worker(now).filter(pk=publication_id)
    if (
        mine.update(
            state=Publication.State.RUNNING, attempt=F("attempt") + 1, heartbeat_at=now, error=""
        )
        != 1
    ):
        return None
    return Publication.objects.select_related("model").get(pk=publication_id)


def ring_publications(*, now: datetime) -> int:
    """Rings for those that no worker has or whose worker died, unless rings wait too; how many."""
    if doorbell.n_waiting(doorbell.MODELS_QUEUE):
        return 0
    waiting = list(_without_worker(now).order_by("pk").values_list("pk", flat=True))
    for publication_id in waiting:
        doorbell.ring_publication(publication_id)
    return len(waiting)


def beat_publication(
    *, publication: Publication, bytes_total: int, bytes_sent: int, now: datetime
) -> bool:
    """False when another attempt has it."""
    return (
        _mine(publication).update(bytes_total=bytes_total, bytes_sent=bytes_sent, heartbeat_at=now)
        == 1
    )


def end_publication(
    *, publication: Publication, address: str = "", error: str = "", now: datetime
) -> bool:
    """Done, or failed with a sentence."""
    state = Publication.State.FAILED if error else Publication.State.DONE
    return _mine(publication).update(state=state, address=address, error=error, ended_at=now) == 1


def _mine(publication: Publication) -> QuerySet[Publication]:
    return Publication.objects.filter(
        pk=publication.pk, attempt=publication.attempt, state=Publication.State.RUNNING
    )


def _going(now: datetime) -> QuerySet[Publication]:
    """Waiting for a worker, for a while, or with one that lives."""
    queued = Q(_is_recent("created_at", now), state=Publication.State.QUEUED)
    return Publication.objects.filter(
        queued | Q(_is_recent("heartbeat_at", now), state=Publication.State.RUNNING)
    )


def _without_worker(now: datetime) -> QuerySet[Publication]:
    silent = Q(~_is_recent("heartbeat_at", now), state=Publication.State.RUNNING)
    return Publication.objects.filter(Q(state=Publication.State.QUEUED) | silent)


def _is_recent(field: str, now: datetime) -> Q:
    """A time in the future is not: a clock was set back since, and nobody would take over until it
    is there again.
    """
    return Q(**{f"{field}__range": (now - HEART_STOPS_AFTER, now + HEART_STOPS_AFTER)})
