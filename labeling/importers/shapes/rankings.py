"""This site's own export of rankings: a prompt, its responses with ranks, and the rater."""

from typing import Any

from django.utils.translation import gettext as _

from labeling.importers.drafts import (
    ImportDraft,
    Reply,
    Unusable,
    conversation,
    ends_with_user,
    licence_of,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.shapes import reading
from labeling.importers.shapes.reading import Row

MAX_WORKER = 40


def _draft(line: int, row: Row) -> ImportDraft:
    prompt, responses = row.get("prompt"), row.get("responses")
    if not isinstance(responses, list):
        raise Unusable(_("`responses` is not a list. Fix or remove this line."))
    messages = (
        ends_with_user(conversation(prompt, "prompt"), "prompt")
        if isinstance(prompt, list)
        else one_prompt(prompt, "prompt")
    )
    replies = tuple(_reply(one, f"responses[{n}]") for n, one in enumerate(responses))
    n_ranked = sum(reply.rank is not None for reply in replies)
    worker = row.get("rater")
    return ImportDraft(
        line,
        messages,
        replies,
        is_compared=n_ranked > 1,
        worker=shown(worker)[:MAX_WORKER] if isinstance(worker, str) else "",
    )


def _reply(one: Any, name: str) -> Reply:
    if not isinstance(one, dict):
        raise Unusable(_("`%(name)s` is not an object with a `text`.") % {"name": name})
    rank = one.get("rank")
    if rank is not None and (not isinstance(rank, int) or isinstance(rank, bool) or rank < 1):
        raise Unusable(
            _("`%(name)s.rank` must be a number from 1 (best), or null.") % {"name": name}
        )
    return Reply(
        response_text(one.get("text"), f"{name}.text"),
        rank,
        author=reading.author_of(one, "source", "model"),
        licence=licence_of(one),
    )


_INNER = {
    "responses": {"text", "rank", "source", "model", "position", "response", "licence", "license"}
}
read = reading.each(_draft, ("prompt", "responses", "rater"), inner=_INNER)
