"""Prompts that somebody types in. What comes in files is labeling.services.imports."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from labeling import curation
from labeling.models import Prompt, Source

Message = dict[str, str]


def create_prompt(
    *,
    messages: Sequence[Message],
    category: str,
    language: str,
    split: str,
    licence: str,
    by: User,
    now: datetime,
) -> Prompt:
    """A prompt whose source is the person who wrote it."""
    with transaction.atomic():
        source, _is_new = Source.objects.get_or_create(name=by.email, defaults={"kind": Source.Kind.PERSON, "created_at": now})
        prompt = Prompt.objects.create(
            messages=list(messages),
            messages_sha256=curation.fingerprint(messages),
            source=source,
            origin="typed in",
            licence=licence,
            category=category,
            language=language,
            split=split,
            created_at=now,
        )
        audit.record(by=by, action="create", target=prompt, now=now)
    return prompt
