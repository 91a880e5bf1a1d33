"""The door in: responses that a model wrote, and campaigns opened on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.models import Response, Source


@dataclass(frozen=True)
class NewResponse:
    """A response to store."""

    prompt_id: int
    text: str
    number: int
    sampling: dict[str, Any]
    is_ended: bool | None


def source_for_model(*, name: str, licence: str) -> Source:
    return Source.objects.create(name=name, kind=Source.Kind.MODEL, licence=licence)


def store_responses(*, source: Source, rows: Iterable[NewResponse], now: datetime) -> int:
    made = Response.objects.bulk_create(
        [
            Response(prompt_id=row.prompt_id, source=source, text=row.text, number=row.number, sampling=row.sampling, is_ended=row.is_ended)
            for row in rows
        ],
        ignore_conflicts=True,
    )
    return len(made)
