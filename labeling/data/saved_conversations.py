"""What comes of a conversation with a model outside any campaign: prompts, and demonstrations by
the person who had it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts import audit_log
from accounts.models import User
from labeling.access import visible
from labeling.data.prompts.services import Message, create_prompt
from labeling.importers import curation
from labeling.models import Demonstration, Judgment, Prompt, Rater, Response, Source

ORIGIN = "tried a model"


def keep_prompt(
    *,
    messages: Sequence[Message],
    category: str,
    language: str,
    split: str,
    licence: str,
    by: User,
    now: datetime,
) -> Prompt:
    """A prompt by this person, or the one with the same words that is there already."""
    same = Prompt.objects.filter(messages_sha256=curation.fingerprint(messages), retired_at=None)
    with transaction.atomic():
        return visible(same).order_by("pk").first() or create_prompt(
            messages=messages,
            category=category,
            language=language,
            split=split,
            licence=licence,
            by=by,
            now=now,
        )


def keep_demonstration(
    *,
    prompt: Prompt,
    text: str,
    written: str,
    source: Source,
    sampling: dict[str, Any],
    is_ended: bool | None,
    by: User,
    now: datetime,
) -> Judgment:
    """What a model of `source` has `written` becomes its response; `text`, mended or not, what this
    person shows as right.

    Kept twice, it is there once.
    """
    with transaction.atomic():
        rater = _rater_of(by, now)
        before = Judgment.objects.filter(
            rater=rater, prompt=prompt, campaign=None, demonstration__text=text
        ).first()
        if before is not None:
            return before
        response = _response(prompt, source, written, now, sampling=sampling, is_ended=is_ended)
        judgment = Judgment.objects.create(
            kind=Judgment.Kind.DEMONSTRATION,
            rater=rater,
            prompt=prompt,
            presentation={"kept_from": response.pk, "source": source.name},
            submitted_at=now,
        )
        mended = None
        if text.strip() != written.strip():
            person, _is_new = Source.objects.get_or_create(
                name=by.email,
                defaults={"kind": Source.Kind.PERSON, "person": by, "created_at": now},
            )
            mended = _response(prompt, person, text, now)
        Demonstration.objects.create(
            judgment=judgment, text=text, edit_of=response if mended else None, response=mended
        )
        audit_log.record(
            by=by,
            action="keep",
            target=judgment,
            after={"prompt": prompt.pk, "source": source.name},
            now=now,
        )
    return judgment


def _rater_of(person: User, now: datetime) -> Rater:
    """Who has no desk judges as a rater without a login, whose alias says nothing."""
    own = Rater.objects.filter(user=person).first()
    if own is not None:
        return own
    defaults = {"origin": ORIGIN, "created_at": now}
    rater, _is_new = Rater.objects.get_or_create(alias=f"tried-{person.pk}", defaults=defaults)
    return rater


def _response(prompt: Prompt, source: Source, text: str, now: datetime, **about: Any) -> Response:
    """The same words of the same source are there once."""
    own = Response.objects.filter(prompt=prompt, source=source)
    same = own.filter(text=text).first()
    if same is not None:
        return same
    last = own.aggregate(last=Max("number"))["last"]
    return Response.objects.create(
        prompt=prompt,
        source=source,
        text=text,
        number=0 if last is None else last + 1,
        created_at=now,
        **about,
    )
