"""Saves conversations with a model that were held outside campaigns, as prompts and
demonstrations.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts import audit_log
from accounts.models import User
from arithmetic.chats import Message
from labeling.access import visible
from labeling.data.prompts.services import create_prompt
from labeling.data.sources import source_of_person
from labeling.models import Demonstration, Judgment, Prompt, Rater, Response, Source
from labeling.splits import near_duplicates

ORIGIN = "tried a model"


def save_prompt(
    *,
    messages: Sequence[Message],
    category: str,
    language: str,
    split: str,
    licence: str,
    sensitive: Sequence[str] = (),
    by: User,
    now: datetime,
) -> Prompt:
    """A prompt by this person, or the existing one with the same text. Raises
    labeling.splits.places.UnableToPlace.
    """
    same = Prompt.objects.filter(
        messages_sha256=near_duplicates.fingerprint(messages), retired_at=None
    )
    with transaction.atomic():
        return visible(same).order_by("pk").first() or create_prompt(
            messages=messages,
            category=category,
            language=language,
            split=split,
            licence=licence,
            sensitive=sensitive,
            by=by,
            now=now,
        )


def save_demonstration(
    *,
    prompt: Prompt,
    text: str,
    written: str,
    source: Source,
    sampling: Mapping[str, object],
    is_ended: bool | None,
    by: User,
    now: datetime,
) -> Judgment:
    """Store `written` as a response of the model's `source`, and `text`, edited or not, as this
    person's demonstration.

    Saving the same twice stores it once.
    """
    with transaction.atomic():
        rater = _rater_of(by, now)
        before = Judgment.of_everyone.filter(
            rater=rater, prompt=prompt, campaign=None, demonstration__text=text
        ).first()
        if before is not None:
            return before
        response = _response(prompt, source, written, now, sampling=sampling, is_ended=is_ended)
        judgment = Judgment.of_people.create(
            kind=Judgment.Kind.DEMONSTRATION,
            rater=rater,
            prompt=prompt,
            presentation={"kept_from": response.pk, "source": source.name},
            submitted_at=now,
        )
        edited = None
        if text.strip() != written.strip():
            person = source_of_person(person=by, now=now)
            edited = _response(prompt, person, text, now)
        Demonstration.objects.create(
            judgment=judgment, text=text, edit_of=response if edited else None, response=edited
        )
        audit_log.record(
            by, "keep", judgment, after={"prompt": prompt.pk, "source": source.name}, now=now
        )
    return judgment


def _rater_of(person: User, now: datetime) -> Rater:
    """The person's Rater. Somebody who is not a rater gets one without a login, whose alias says
    nothing about them.
    """
    own = Rater.people.filter(user=person).first()
    if own is not None:
        return own
    defaults = {"origin": ORIGIN, "created_at": now}
    rater, _is_new = Rater.people.get_or_create(alias=f"tried-{person.pk}", defaults=defaults)
    return rater


def _response(
    prompt: Prompt, source: Source, text: str, now: datetime, **about: object
) -> Response:
    """The same text of the same source is stored once."""
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
