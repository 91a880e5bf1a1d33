"""Open-Assistant message trees: user turns become prompts with their history, and the replies to
them answers.
"""

from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from labeling.importers.drafts import (
    Found,
    ImportDraft,
    ImportProblem,
    Message,
    Reply,
    Unusable,
    labels,
    shown,
    text_of,
)
from labeling.importers.lines import json_values

_ROLES = {"prompter": "user", "assistant": "assistant"}


def read(stream: BinaryIO) -> Found:
    for found in json_values(stream):
        if isinstance(found, ImportProblem):
            yield found
        elif not isinstance(found.value, dict) or not isinstance(found.value.get("prompt"), dict):
            yield ImportProblem(
                found.line,
                _(
                    "This is not a message tree: `prompt` with its `replies` is missing. Remove"
                    " this line."
                ),
            )
        else:
            yield from _tree(found.line, found.value)


def _tree(line: int, tree: dict[str, Any]) -> Found:
    root = tree["prompt"]
    name = tree.get("message_tree_id") or root.get("message_id")
    group = name if isinstance(name, str) and name else f"line {line}"
    # An explicit stack: a hostile tree may be deeper than Python's recursion limit.
    waiting: list[tuple[Any, tuple[Message, ...]]] = [(root, ())]
    while waiting:
        node, history = waiting.pop()
        if isinstance(node, dict) and node.get("deleted") is True:
            continue
        try:
            messages = (*history, _message(node, history))
            replies = _replies(node)
        except Unusable as error:
            yield ImportProblem(line, error.sentence)
            continue
        if messages[-1]["role"] == "user":
            yield from _prompt(line, node, messages, replies, group)
        # Reversed, since the last one pushed is visited first.
        waiting.extend((reply, messages) for reply in reversed(replies))


def _prompt(
    line: int, node: dict[str, Any], messages: tuple[Message, ...], replies: list[Any], group: str
) -> Found:
    answers: list[tuple[Any, Reply]] = []
    for node_reply in replies:
        # Problems with a reply are reported when the reply itself is visited.
        text = node_reply.get("text") if isinstance(node_reply, dict) else None
        if (
            not isinstance(node_reply, dict)
            or node_reply.get("role") != "assistant"
            or node_reply.get("deleted") is True
        ):
            continue
        try:
            answer = Reply(text_of(text, "text"), is_human=node_reply.get("synthetic") is not True)
        except Unusable:
            continue
        # The same text twice is one answer; the first rank counts.
        if all(answer.text.strip() != other.text.strip() for _rank, other in answers):
            answers.append((node_reply.get("rank"), answer))
    ranked, problem = _ranked(line, answers)
    if problem:
        yield problem
    _category, language, problems = labels(line, {"language": node.get("lang")})
    yield from problems
    is_compared = sum(reply.rank is not None for reply in ranked) >= 2
    yield ImportDraft(
        line, messages, ranked, is_compared=is_compared, group=group, language=language
    )


def _ranked(
    line: int, answers: list[tuple[Any, Reply]]
) -> tuple[tuple[Reply, ...], ImportProblem | None]:
    """Ranks renumbered from 1 without gaps, equal ones tied; unranked replies stay unranked."""
    given = [rank for rank, _reply in answers if rank is not None]
    if any(isinstance(rank, bool) or not isinstance(rank, int) for rank in given):
        sentence = _(
            "A `rank` is not a whole number, so its sibling replies are not compared. Fix it."
        )
        return tuple(reply for _rank, reply in answers), ImportProblem(line, sentence)
    place = {rank: i for i, rank in enumerate(sorted(set(given)), start=1)}
    return (
        tuple(Reply(reply.text, place.get(rank), reply.is_human) for rank, reply in answers),
        None,
    )


def _message(node: Any, history: tuple[Message, ...]) -> Message:
    if not isinstance(node, dict):
        raise Unusable(
            _("A reply in the tree is not a message. Fix it; everything below it is ignored.")
        )
    given = node.get("role")
    role = _ROLES.get(given) if isinstance(given, str) else None
    if role is None:
        raise Unusable(
            _("Unknown role “%(role)s”. Use prompter or assistant; everything below it is ignored.")
            % {"role": shown(given)}
        )
    if not history and role == "assistant":
        raise Unusable(_("The tree starts with a reply that has no prompt. Remove this line."))
    if history and history[-1]["role"] == role:
        raise Unusable(
            _(
                "Two messages from the same side follow each other in the tree. Merge them;"
                " everything below is ignored."
            )
        )
    return {"role": role, "content": text_of(node.get("text"), "text")}


def _replies(node: dict[str, Any]) -> list[Any]:
    replies = node.get("replies") or []
    if not isinstance(replies, list):
        raise Unusable(_("`replies` is not a list. Fix it; this message is ignored."))
    return replies
