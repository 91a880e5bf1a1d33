"""Marks kinds of upsetting content in a prompt, so that only raters who agreed to them get it."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from labeling.models import Prompt
from labeling.people.content_settings.services import valid_kinds
from labeling.queue.claiming import order


def mark_upsetting(*, prompt: Prompt, kinds: Iterable[str], by: User, now: datetime) -> None:
    """Set the kinds. The text does not change, so there is no new version, and raters who hold the
    prompt keep it.
    """
    new_kinds = valid_kinds(kinds=kinds)
    with transaction.atomic():
        before = Prompt.objects.select_for_update().get(pk=prompt.pk).sensitive
        if new_kinds == before:
            return
        Prompt.objects.filter(pk=prompt.pk).update(sensitive=new_kinds)
        order.restart_campaigns_with(prompt)
        audit_log.record(
            by,
            "mark_upsetting",
            prompt,
            before={"kinds": before},
            after={"kinds": new_kinds},
            now=now,
        )
    prompt.sensitive = new_kinds
