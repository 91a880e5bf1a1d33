"""What a person decides about a model: its stage, its card, its licence and notes."""

from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from training.models import TrainedModel


def change_model(
    *,
    model: TrainedModel,
    stage: str | None = None,
    licence: str | None = None,
    notes: str | None = None,
    card: str | None = None,
    by: User,
    now: datetime,
) -> bool:
    """What is None stays. False when nothing is different.

    The licence of its source follows: later responses go out under the new one.
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
        TrainedModel.objects.filter(pk=model.pk).update(**changes)
        if "licence" in changes and model.source is not None:
            model.source.licence = changes["licence"]
            model.source.save(update_fields=["licence"])
        audit_log.record(
            by=by, action="change", target=model, before=before, after=changes, now=now
        )
    return True
