"""Upsetting content: which raters have agreed to see which kinds, and which prompts have them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from labeling import queue
from labeling.models import Prompt, Rater


def accept_upsetting(*, rater: Rater, kinds: Iterable[str], now: datetime) -> None:
    """The kinds of upsetting content that the rater agrees to from now on; none of the others is
    handed to them.
    """
    wanted = _known(kinds)
    with transaction.atomic():
        before = Rater.objects.select_for_update().get(pk=rater.pk).accepts
        if wanted == before:
            return
        Rater.objects.filter(pk=rater.pk).update(accepts=wanted)
        queue.restart_rater(rater)
        audit.record(
            by=rater.user,
            action="accept_upsetting",
            target=rater,
            before={"kinds": before},
            after={"kinds": wanted},
            now=now,
        )
    rater.accepts = wanted


def mark_upsetting(*, prompt: Prompt, kinds: Iterable[str], by: User, now: datetime) -> None:
    """What may upset in this prompt. Its text stays, so it is no new version; who holds it keeps
    it.
    """
    wanted = _known(kinds)
    with transaction.atomic():
        before = Prompt.objects.select_for_update().get(pk=prompt.pk).sensitive
        if wanted == before:
            return
        Prompt.objects.filter(pk=prompt.pk).update(sensitive=wanted)
        queue.restart_campaigns_with(prompt)
        audit.record(
            by=by,
            action="mark_upsetting",
            target=prompt,
            before={"kinds": before},
            after={"kinds": wanted},
            now=now,
        )
    prompt.sensitive = wanted


def _known(kinds: Iterable[str]) -> list[str]:
    """In one order, each once."""
    asked = set(kinds)
    return [kind for kind in Prompt.Upset.values if kind in asked]
