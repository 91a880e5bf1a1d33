"""The prompt of a turn: the conversation so far, and the rater's next message."""

from datetime import datetime

from arithmetic import chats
from arithmetic.chats import Message
from labeling.desk.judgments import rows
from labeling.models import Conversation, Prompt
from labeling.splits import places

ORIGIN = "conversation"


def history_of(conversation: Conversation) -> list[Message]:
    """The messages so far: what the rater wrote, and the answers that went on. All sources read the
    same no matter who answered. What models thought is left out.
    """
    last = (
        conversation.turns.filter(chosen__isnull=False)
        .select_related("prompt", "chosen")
        .order_by("-number")
        .first()
    )
    if last is not None and last.chosen is not None:
        answer = chats.answer(last.chosen.text, tool_calls=last.chosen.tool_calls)
        return [*last.prompt.messages, answer]
    return [message for message in conversation.item.prompt.messages if message["role"] == "system"]


def as_sent(text: str) -> str:
    """PostgreSQL stores no NUL character."""
    return text.replace("\0", "")


def prompt_of_turn(text: str, *, conversation: Conversation, now: datetime) -> Prompt:
    """Stored as any other prompt. It stays in the split of its conversation, so that no history is
    in two splits. Raises splits.places.UnableToPlace.
    """
    opening = conversation.item.prompt
    message: Message = {"role": "user", "content": as_sent(text)}
    messages = [*history_of(conversation), message]
    place = places.place_of_version(messages=messages, before=_placed_like(conversation))
    prompt = Prompt(
        messages=messages,
        source=rows.source_of_rater(rater=conversation.rater, now=now),
        origin=ORIGIN,
        licence=opening.licence,
        category=opening.category,
        language=opening.language,
        sensitive=opening.sensitive,
        created_at=now,
    )
    return place.store(prompt)


def _placed_like(conversation: Conversation) -> Prompt:
    """The topic of a free opening shares its split with what is written about it."""
    first = conversation.turns.select_related("prompt").order_by("number").first()
    return first.prompt if first is not None else conversation.item.prompt
