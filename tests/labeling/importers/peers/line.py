"""A draft as one line of text, with everything that an import stores of it."""

from arithmetic.chats import Message
from labeling.importers.drafts import ImportDraft, Reply

_SIDES = {"system": "S", "user": "U", "assistant": "A", "tool": "T"}


def line_of(draft: ImportDraft) -> str:
    """“U prompt | + demonstration | - response | 1 ranked first”, each with what is known of it."""
    turns = [" ".join([_SIDES[turn["role"]], *_said(turn)]) for turn in draft.messages]
    answer = draft.answer
    parts = [*turns, *(_reply(draft, place) for place in range(len(draft.replies)))]
    if draft.worker:
        parts.append(f"by {draft.worker}")
    if answer is not None and answer.is_all_bad:
        parts.append("all bad")
    if answer is not None and answer.strength:
        parts.append(f"strength {answer.strength}")
    return " | ".join(parts)


def _reply(draft: ImportDraft, place: int) -> str:
    reply = draft.replies[place]
    ratings = draft.answer.ratings if draft.answer else ()
    marks = {**reply.marks, **(ratings[place] if place < len(ratings) else {})}
    words = [_mark(draft, reply), *_said(reply.turn)]
    if reply.author:
        words.append(f"[{reply.author}]")
    words += [f"{name}={value}" for name, value in sorted(marks.items())]
    return " ".join(words)


def _said(turn: Message) -> list[str]:
    """The text, then what was thought and called."""
    words = [turn["content"].replace("\n", " / ")] if turn["content"] else []
    if "reasoning_content" in turn:
        words.append(f"thinks {turn['reasoning_content']}")
    for call in turn.get("tool_calls", []):
        words.append(f"calls {call['function']['name']}{call['function']['arguments']}")
    return words


def _mark(draft: ImportDraft, reply: Reply) -> str:
    if reply.is_human:
        return "+"
    return str(reply.rank) if draft.is_compared and reply.rank else "-"
