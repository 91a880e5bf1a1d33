"""Creates, edits and retires single prompts. labeling.data.imports.services handles files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from arithmetic.chats import Message, Tool
from jobs import guard
from labeling.access import visible
from labeling.data.sources import source_of_person
from labeling.models import Campaign, Case, Item, Prompt, Response
from labeling.queue import items
from labeling.queue.cases import services as cases_services
from labeling.splits import places

BATCH = 1_000


class UnableToEdit(Refusal):
    """Raised when a prompt is no longer the newest version, or an edit changes nothing; the text
    says what to do.
    """


@dataclass(frozen=True)
class Edited:
    """The new version, and how many items were added for it."""

    prompt: Prompt
    n_items: int


def create_prompt(
    *,
    messages: Sequence[Message],
    tools: Sequence[Tool] = (),
    category: str,
    language: str,
    split: str = "",
    licence: str,
    constraints: Sequence[str] = (),
    sensitive: Sequence[str] = (),
    by: User,
    now: datetime,
) -> Prompt:
    """Create a prompt whose source is the person who wrote it. Without a `split`, its text decides.
    Raises splits.places.UnableToPlace.
    """
    with transaction.atomic():
        place = places.place_of(messages=messages, tools=tools, wanted=split)
        prompt = Prompt(
            messages=list(messages),
            tools=list(tools),
            source=source_of_person(person=by, now=now),
            origin="typed in",
            licence=licence,
            category=category,
            language=language,
            constraints=list(constraints),
            sensitive=list(dict.fromkeys(sensitive)),
            created_at=now,
        )
        place.store(prompt)
        audit_log.record(by, "create", prompt, now=now)
    return prompt


def edit_prompt(
    *,
    prompt: Prompt,
    messages: Sequence[Message],
    category: str,
    language: str,
    constraints: Sequence[str] | None = None,
    keeps_responses: bool,
    by: User,
    now: datetime,
) -> Edited:
    """Create the next version of a prompt in the same split and cluster, and retire the old one.
    Raises UnableToEdit.

    Existing judgments stay with the old version. Items of running campaigns that still need
    judgments are added again with the new version; comparisons only if the responses are copied
    (`keeps_responses`). Raters who had skipped the old version may get the new one. Open cases of
    the prompt are settled.
    """
    kept = prompt.constraints if constraints is None else list(constraints)
    before = (prompt.messages, prompt.category, prompt.language, prompt.constraints)
    if (list(messages), category, language, kept) == before:
        raise UnableToEdit(_("Nothing has changed. Change the text, or go back."))
    with transaction.atomic():
        try:
            place = places.place_of_version(messages=messages, tools=prompt.tools, before=prompt)
        except places.UnableToPlace as problem:
            raise UnableToEdit(problem.sentence) from problem
        _retire(prompt, now=now)
        edited = Prompt(
            messages=list(messages),
            tools=prompt.tools,
            source=prompt.source,
            origin=prompt.origin,
            licence=prompt.licence,
            category=category,
            language=language,
            sensitive=prompt.sensitive,
            constraints=kept,
            version=prompt.version + 1,
            supersedes=prompt,
            created_at=now,
        )
        place.store(edited)
        if keeps_responses:
            _copy_responses(old=prompt, new=edited, now=now)
        n_items = items.reissue(old=prompt, new=edited, now=now)
        _end_work(prompt, outcome=Case.Outcome.EDITED, by=by, now=now)
        after = {"version": edited.version, "n_items": n_items, "keeps_responses": keeps_responses}
        audit_log.record(
            by, "new_version", edited, before={"prompt": prompt.pk}, after=after, now=now
        )
    return Edited(edited, n_items)


def retire_prompt(*, prompt: Prompt, by: User, now: datetime) -> None:
    """No new campaign uses the prompt, and current ones stop handing it out. Existing judgments
    stay. Raises UnableToEdit when it is retired already.
    """
    with transaction.atomic():
        _retire(prompt, now=now)
        _end_work(prompt, outcome=Case.Outcome.RETIRED, by=by, now=now)
        audit_log.record(by, "retire", prompt, after={"retired_at": now.isoformat()}, now=now)


def _retire(prompt: Prompt, *, now: datetime) -> None:
    if not guard.update_one(Prompt.objects.filter(pk=prompt.pk, retired_at=None), retired_at=now):
        raise UnableToEdit(_("This prompt is retired. Use its newest version."))


def _end_work(prompt: Prompt, *, outcome: str, by: User, now: datetime) -> None:
    open_items = Item.objects.filter(prompt=prompt).exclude(campaign__state=Campaign.State.CLOSED)
    items.hold(item_ids=list(open_items.values_list("pk", flat=True)), now=now)
    cases_services.settle_all(prompt_id=prompt.pk, outcome=outcome, by=by, now=now)


def _copy_responses(*, old: Prompt, new: Prompt, now: datetime) -> None:
    Response.objects.bulk_create(
        (
            Response(
                prompt=new,
                source_id=response.source_id,
                text=response.text,
                **response.parts,
                number=response.number,
                sampling=response.sampling,
                licence=response.licence,
                marks=response.marks,
                is_ended=response.is_ended,
                created_at=now,
            )
            for response in visible(old.responses.all()).iterator(chunk_size=BATCH)
        ),
        batch_size=BATCH,
    )
