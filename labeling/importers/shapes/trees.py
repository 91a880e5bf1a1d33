"""Open-Assistant message trees, nested or as one message per row: user turns become prompts with
their history, and the replies to them answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers import few_values
from labeling.importers.drafts import (
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    labels,
    shown,
    text_of,
)
from labeling.importers.files.lines import Values
from labeling.importers.shapes import reading, verdicts

_ROLES = {"prompter": "user", "assistant": "assistant"}


def read(values: Values) -> Found:
    """Nested trees, one per row."""
    unknown: set[str] = set()
    for value in values:
        if isinstance(value, ImportProblem):
            yield value
        elif not isinstance(value.value, dict) or not isinstance(value.value.get("prompt"), dict):
            yield ImportProblem(
                value.line,
                _(
                    "This is not a message tree: `prompt` with its `replies` is missing. Remove"
                    " this line."
                ),
            )
        else:
            yield from reading.report(value, _OF_TREE, {}, unknown)
            root = value.value["prompt"]
            name = value.value.get("message_tree_id") or root.get("message_id")
            group = name if isinstance(name, str) and name else f"line {value.line}"
            yield from _tree(root, group, {}, value.line)


def read_flat(values: Values) -> Found:
    """Trees given as one message per row, each with the `parent_id` of the message it answers.

    They are rebuilt in memory, because a reply may come long before its parent.
    """
    messages: dict[str, dict[str, Any]] = {}
    places: dict[int, int] = {}
    unknown: set[str] = set()
    for value in values:
        if isinstance(value, ImportProblem):
            yield value
            continue
        row = value.value
        name = row.get("message_id") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name:
            yield ImportProblem(
                value.line, _("`message_id` is missing. Add it or remove the line.")
            )
        elif name in messages:
            yield ImportProblem(
                value.line, _("The message “%(id)s” is there twice.") % {"id": shown(name)}
            )
        else:
            yield from reading.report(value, _EXPLAINED, {}, unknown)
            names = {*_KEPT, *_doubtful(row)}
            kept = {key: row[key] for key in names if row.get(key) is not None}
            messages[name] = node = kept | {"replies": []}
            places[id(node)] = value.line
    roots = []
    for node in messages.values():
        parent = node.get("parent_id")
        if parent in (None, ""):
            roots.append(node)
        elif isinstance(parent, str) and parent in messages:
            messages[parent]["replies"].append(node)
        else:
            sentence = _(
                "The message it answers, “%(id)s”, is not in the file, so this message and the"
                " replies to it are left out."
            )
            yield ImportProblem(places[id(node)], sentence % {"id": shown(parent)})
    for node in _in_circles(roots, messages.values()):
        sentence = _("This message and others answer each other, so they are left out.")
        yield ImportProblem(places[id(node)], sentence)
    for root in roots:
        group = root.get("message_tree_id") or root["message_id"]
        yield from _tree(root, str(group), places, 0)


def _in_circles(
    roots: list[dict[str, Any]], nodes: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """One message of every circle of parents: none of them can be reached from a root."""
    parents = {node["message_id"]: node.get("parent_id") for node in nodes}
    by_id = {node["message_id"]: node for node in nodes}
    done = {root["message_id"] for root in roots}
    circles = []
    for name in parents:
        path: dict[str, None] = {}
        while name in parents and name not in done and name not in path:
            path[name] = None
            name = parents[name]
        if name in path:
            circles.append(by_id[name])
        done.update(path)
    return circles


_KEPT = (
    "message_id",
    "parent_id",
    "message_tree_id",
    "role",
    "text",
    "lang",
    "rank",
    "deleted",
    "synthetic",
    "review_result",
    "model_name",
)
_OF_TREE = {"message_tree_id", "tree_state", "prompt"}
_EXPLAINED = {
    *_KEPT,
    *("replies", "user_id", "created_date", "review_count", "tree_state", "events"),
    *("detoxify", "emojis", "labels"),
}
"""The fields of Open-Assistant's messages. Labels and scores by machine are on every message; what
counts is its reviewers' result.
"""
reading.NAMES.update(_OF_TREE, _EXPLAINED)


def _tree(root: Any, group: str, places: Mapping[int, int], line: int) -> Found:
    """The prompts of one tree. `places` has the lines of nodes that have their own."""
    # An explicit stack: a hostile tree may be deeper than Python's recursion limit.
    waiting: list[tuple[Any, tuple[Message, ...]]] = [(root, ())]
    while waiting:
        node, history = waiting.pop()
        at = places.get(id(node), line)
        if isinstance(node, dict) and _says(node, "deleted"):
            sentence = _("Deleted messages are left out, with the replies to them.")
            yield ImportProblem(at, sentence, is_once=True)
            continue
        try:
            messages = (*history, _message(node, history))
            replies = _replies(node)
        except Unusable as error:
            yield ImportProblem(at, error.sentence)
            continue
        if messages[-1]["role"] == "user":
            yield from _prompt(at, node, messages, replies, group)
        # Reversed, since the last one pushed is visited first.
        waiting.extend((reply, messages) for reply in reversed(replies))


def _prompt(
    line: int,
    node: Mapping[str, object],
    messages: tuple[Message, ...],
    replies: list[object],
    group: str,
) -> Found:
    answers: list[tuple[object, Reply]] = []
    doubtful: set[str] = set()
    for node_reply in replies:
        # Problems with a reply are reported when the reply itself is visited.
        text = node_reply.get("text") if isinstance(node_reply, dict) else None
        if (
            not isinstance(node_reply, dict)
            or node_reply.get("role") != "assistant"
            or _says(node_reply, "deleted")
        ):
            continue
        try:
            answer = Reply(text_of(text, "text"), is_human=_is_good(node_reply))
        except Unusable:
            continue
        if answer.is_human and (names := _doubtful(node_reply)):
            answer, doubtful = replace(answer, is_human=False), doubtful | names
        # The same text twice is one answer; the first rank counts.
        if all(answer.text.strip() != other.text.strip() for _rank, other in answers):
            answers.append((node_reply.get("rank"), answer))
    if doubtful:
        yield ImportProblem(line, reading.no_demonstrations(doubtful), is_once=True, asks=True)
    ranked, problem = _ranked(line, answers)
    if problem:
        yield problem
    _category, language, problems = labels(line, {"language": node.get("lang")})
    yield from problems
    is_compared = sum(reply.rank is not None for reply in ranked) >= 2
    yield ImportDraft(
        line, messages, ranked, is_compared=is_compared, group=group, language=language
    )


def _doubtful(reply: Mapping[str, object]) -> set[str]:
    """Its fields that may say whether it is good, or who wrote it."""
    short = few_values.short_fields(verdicts.own_fields(reply, _EXPLAINED))
    return verdicts.doubtful(reply, _EXPLAINED) | {name for name, _path in short}


def _is_good(reply: Mapping[str, object]) -> bool:
    """Whether a reply was written by a person and not rejected by reviewers."""
    is_rejected = reading.verdict_of(reply.get("review_result")) is False
    return not (_says(reply, "synthetic") or is_rejected or reply.get("model_name"))


def _says(node: Mapping[str, object], name: str) -> bool:
    """Whether a field is true, also as text in a table."""
    return reading.verdict_of(node.get(name)) is True


def _ranked(
    line: int, answers: list[tuple[Any, Reply]]
) -> tuple[tuple[Reply, ...], ImportProblem | None]:
    """Ranks renumbered from 1 without gaps, equal ones tied; unranked replies stay unranked."""
    ranks = [rank for rank, _reply in answers if rank is not None]
    if any(isinstance(rank, bool) or not isinstance(rank, int) for rank in ranks):
        sentence = _(
            "A `rank` is not a whole number, so its sibling replies are not compared. Fix it."
        )
        return tuple(reply for _rank, reply in answers), ImportProblem(line, sentence)
    place = {rank: i for i, rank in enumerate(sorted(set(ranks)), start=1)}
    return (
        tuple(Reply(reply.text, place.get(rank), reply.is_human) for rank, reply in answers),
        None,
    )


def _message(node: object, history: tuple[Message, ...]) -> Message:
    if not isinstance(node, dict):
        raise Unusable(
            _("A reply in the tree is not a message. Fix it; everything below it is ignored.")
        )
    role_name = node.get("role")
    role = _ROLES.get(role_name) if isinstance(role_name, str) else None
    if role is None:
        raise Unusable(
            _("Unknown role “%(role)s”. Use prompter or assistant; everything below it is ignored.")
            % {"role": shown(role_name)}
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


def _replies(node: Mapping[str, object]) -> list[object]:
    replies = node.get("replies") or []
    if not isinstance(replies, list):
        raise Unusable(_("`replies` is not a list. Fix it; this message is ignored."))
    return replies
