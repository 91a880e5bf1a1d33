"""Stores which kinds of upsetting content a rater agrees to see."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit_log
from labeling.models import Prompt, Rater
from labeling.queue.claiming import order


def accept_upsetting(*, rater: Rater, kinds: Iterable[str], now: datetime) -> None:
    """Set the kinds of upsetting content that the rater agrees to see from now on. They get no
    items of other kinds.
    """
    new_kinds = valid_kinds(kinds=kinds)
    with transaction.atomic():
        before = Rater.people.select_for_update().get(pk=rater.pk).accepts
        if new_kinds == before:
            return
        Rater.people.filter(pk=rater.pk).update(accepts=new_kinds)
        order.restart_rater(rater)
        audit_log.record(
            rater.user,
            "accept_upsetting",
            rater,
            before={"kinds": before},
            after={"kinds": new_kinds},
            now=now,
        )
    rater.accepts = new_kinds


def valid_kinds(*, kinds: Iterable[str]) -> list[str]:
    """Valid kinds, without duplicates, in a fixed order."""
    asked = set(kinds)
    return [kind for kind in Prompt.Upset.values if kind in asked]
