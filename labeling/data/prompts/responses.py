"""Responses from outside: what other models or people have answered to prompts of this site."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from arithmetic import chats
from arithmetic.chats import ToolCall
from labeling.access import visible
from labeling.data import sources
from labeling.models import Prompt, Response, Source
from labeling.votes import counting


class UnableToAdd(Refusal):
    """A response cannot be stored; the text says which and why."""


@dataclass(frozen=True)
class NewText:
    """`model`: whoever wrote it, within the source. An empty licence is that of the source."""

    prompt_id: int
    text: str
    model: str = ""
    licence: str = ""
    sampling: Mapping[str, object] = field(default_factory=dict)
    reasoning_content: str = ""
    tool_calls: Sequence[ToolCall] = ()

    @property
    def key(self) -> str:
        """The same for equal answers."""
        return chats.answer_key(self.text, self.reasoning_content, self.tool_calls)


def responses(*, prompt_id: int | None = None) -> QuerySet[Response]:
    """Responses that may be shown, with their sources; of all prompts without `prompt_id`."""
    queryset = visible(Response.objects.exclude(counting.by_withdrawn())).select_related("source")
    return queryset if prompt_id is None else queryset.filter(prompt=prompt_id)


def add_responses(
    *, texts: Sequence[NewText], source_name: str, licence: str, by: User, now: datetime
) -> list[Response]:
    """Store them, in this order. A text that its source has already given to the prompt is stored
    once. All of them are stored, or none. Raises UnableToAdd and sources.UnableToUseSource.
    """
    with transaction.atomic():
        _refuse_unknown({text.prompt_id for text in texts})
        by_model = _sources(texts, source_name, licence, now)
        of_prompts = Response.objects.filter(
            prompt__in={text.prompt_id for text in texts}, source__in=by_model.values()
        )
        stored = {(text.prompt_id, text.source_id, text.key): text for text in of_prompts}
        last = of_prompts.order_by().values("prompt", "source").annotate(n=Max("number"))
        numbers = {(row["prompt"], row["source"]): row["n"] + 1 for row in last}
        new = []
        for text in texts:
            source = by_model[text.model]
            place = (text.prompt_id, source.pk)
            if (*place, text.key) in stored:
                continue
            response = _response(text, source, numbers.get(place, 0), now)
            numbers[place] = response.number + 1
            stored[*place, text.key] = response
            new.append(response)
        Response.objects.bulk_create(new)
        if new:
            after = {"source": source_name, "licence": licence, "responses": len(new)}
            audit_log.record(by, "add_responses", by_model[""], after=after, now=now)
    return [stored[text.prompt_id, by_model[text.model].pk, text.key] for text in texts]


def _refuse_unknown(prompts: Collection[int]) -> None:
    known = visible(Prompt.objects.filter(pk__in=prompts, retired_at=None))
    if missing := sorted(set(prompts) - set(known.values_list("pk", flat=True))):
        raise UnableToAdd(
            _("There is no prompt %(pk)s, or it is retired. Nothing was stored.")
            % {"pk": missing[0]}
        )


def _sources(texts: Sequence[NewText], name: str, licence: str, now: datetime) -> dict[str, Source]:
    """By model; "" is the source itself. Named as imports name them."""
    by_model = {"": sources.source_of_data(name=name, licence=licence, now=now)}
    for model in sorted({text.model for text in texts} - {""}):
        by_model[model] = sources.source_of_data(
            name=f"{name} / {model}"[:200], licence=licence, now=now
        )
    return by_model


def _response(text: NewText, source: Source, number: int, now: datetime) -> Response:
    return Response(
        prompt_id=text.prompt_id,
        source=source,
        text=text.text,
        reasoning_content=text.reasoning_content,
        tool_calls=list(text.tool_calls),
        number=number,
        licence="" if text.licence == source.licence else text.licence,
        sampling=text.sampling,
        created_at=now,
    )
