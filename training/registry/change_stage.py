"""Changes to a model by a person: its stage, card, licence and notes."""

from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from training.models import TrainedModel

_APPROVED = TrainedModel.Stage.APPROVED


def change_model(
    *,
    model: TrainedModel,
    stage: str | None = None,
    licence: str | None = None,
    notes: str | None = None,
    card: str | None = None,
    by: User | None,
    now: datetime,
) -> bool:
    """None leaves a value as it is. Returns False if nothing changes. `by` is None when a chain's
    gate approves the model.

    Approving a model makes it the current one of its schedule: the next chain starts from it.
    The licence is copied to the model's source, so that it applies to later responses.
    """
    wanted = {"stage": stage, "licence": licence, "notes": notes, "card": card}
    changes = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(model, name)
    }
    if not changes:
        return False
    with transaction.atomic():
        before = {name: getattr(model, name) for name in changes}
        approved = {"approved_at": now} if changes.get("stage") == _APPROVED else {}
        TrainedModel.objects.filter(pk=model.pk).update(**changes, **approved)
        if "licence" in changes and model.source is not None:
            model.source.licence = changes["licence"]
            model.source.save(update_fields=["licence"])
        audit_log.record(by, "change", model, before=before, after=changes, now=now)
    return True
