"""A draft as one line of text, with everything that an import stores of it."""

from labeling.importers.drafts import ImportDraft, Reply

_SIDES = {"system": "S", "user": "U", "assistant": "A"}


def line_of(draft: ImportDraft) -> str:
    """“U prompt | + demonstration | - response | 1 ranked first”, each with what is known of it."""
    turns = [f"{_SIDES[turn['role']]} {turn['content']}" for turn in draft.messages]
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
    words = [_mark(draft, reply), reply.text.replace("\n", " / ")]
    if reply.author:
        words.append(f"[{reply.author}]")
    words += [f"{name}={value}" for name, value in sorted(marks.items())]
    return " ".join(words)


def _mark(draft: ImportDraft, reply: Reply) -> str:
    if reply.is_human:
        return "+"
    return str(reply.rank) if draft.is_compared and reply.rank else "-"
