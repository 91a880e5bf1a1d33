"""Golds from JSON lines: a prompt, its responses and their correct order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from django.utils.translation import gettext as _

from arithmetic import chats
from arithmetic.chats import Message, Tool
from labeling.importers import calls, thinking
from labeling.importers.drafts import (
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    one_prompt,
    response_text,
    text_of,
)
from labeling.importers.files.lines import json_values, unpacked
from labeling.importers.messages import conversation, ends_with_user
from labeling.importers.shapes.chats import reply_in


@dataclass(frozen=True)
class GoldDraft:
    """The ranks of the replies are the right order: 1 is best, equal numbers tie, None is left
    open.
    """

    line: int
    messages: tuple[Message, ...]
    replies: tuple[Reply, ...]
    tools: tuple[Tool, ...] = ()
    note: str = ""


def read_golds(
    stream: BinaryIO, *, n_responses: int, most: int
) -> Iterator[GoldDraft | ImportProblem]:
    """At most `most` golds, each with `n_responses` responses: with another number, raters could
    tell a gold from the campaign's items.
    """
    n = 0
    for gold in json_values(unpacked(stream)):
        if isinstance(gold, ImportProblem):
            yield gold
            continue
        n += 1
        if n > most:
            yield ImportProblem(
                gold.line,
                _("The file has more than %(most)d gold items. Split it into smaller files.")
                % {"most": most},
            )
            return
        try:
            yield _draft(gold.line, gold.value, n_responses)
        except Unusable as error:
            yield ImportProblem(gold.line, error.sentence)


def _draft(line: int, value: object, n_responses: int) -> GoldDraft:
    if not isinstance(value, dict):
        raise Unusable(
            _(
                "This is not an object. Write one JSON object per line, with `prompt`, `responses`"
                " and `ranks`."
            )
        )
    prompt = value.get("prompt")
    messages = (
        conversation(prompt, "prompt") if isinstance(prompt, list) else one_prompt(prompt, "prompt")
    )
    responses = value.get("responses")
    if not isinstance(responses, list) or len(responses) != n_responses:
        raise Unusable(
            _("`responses` must be a list of %(n)d texts, the number this campaign compares.")
            % {"n": n_responses}
        )
    replies = (_reply(entry, f"responses[{place}]") for place, entry in enumerate(responses))
    whole = ImportDraft(
        line,
        ends_with_user(messages, "prompt"),
        tuple(
            replace(reply, rank=rank)
            for reply, rank in zip(replies, _ranks(value, n_responses), strict=True)
        ),
        tools=calls.tools(value.get("tools") or [], "tools"),
    )
    [parted] = thinking.apart(iter([whole]))
    if isinstance(parted, ImportProblem):
        raise Unusable(parted.sentence)
    shown = {chats.answer_key(r.text.strip(), tool_calls=r.tool_calls) for r in parted.replies}
    if len(shown) < n_responses:
        raise Unusable(_("Two of the `responses` are the same text. Fix or remove this line."))
    note = value.get("note")
    text = text_of(note, "note") if note else ""
    return GoldDraft(line, parted.messages, parted.replies, parted.tools, text)


def _reply(entry: object, name: str) -> Reply:
    """A text, or an object with `text`, thinking and tool calls."""
    if isinstance(entry, dict):
        return reply_in(entry, name)
    return Reply(response_text(entry, name))


def _ranks(value: Mapping[str, object], n_responses: int) -> tuple[int | None, ...]:
    ranks = value.get("ranks")
    if not isinstance(ranks, list) or len(ranks) != n_responses:
        raise Unusable(
            _("`ranks` must be a list of %(n)d numbers, one per response.") % {"n": n_responses}
        )
    for rank in ranks:
        if rank is not None and (
            not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= n_responses
        ):
            raise Unusable(
                _(
                    "`ranks` must be numbers from 1 (best) to %(n)d; equal numbers tie, null leaves"
                    " a response unranked."
                )
                % {"n": n_responses}
            )
    if len({rank for rank in ranks if rank is not None}) < 2:
        raise Unusable(
            _(
                "`ranks` does not prefer any response to another, so it can't be used to score"
                " raters."
            )
        )
    return tuple(ranks)
