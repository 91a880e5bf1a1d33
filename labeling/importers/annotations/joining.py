"""Answers that stand on several lines of a table: the ranks of several responses, or the answers to
several questions, of one rater about one item.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labeling.importers.drafts import Found, ImportDraft, ImportProblem, Reply


@dataclass(frozen=True)
class Line:
    draft: ImportDraft
    rater: str


def joined(lines: Iterator[Line | ImportProblem], *, is_ranking: bool) -> Found:
    """One draft for the lines of one rater about one item: the ranks of several responses, or the
    answers to several questions. A second answer to the same question begins another draft.
    """
    lots: dict[tuple[object, ...], list[list[ImportDraft]]] = {}
    for line in lines:
        if isinstance(line, ImportProblem):
            yield line
            continue
        draft = line.draft
        assert draft.answer is not None
        if draft.replies[0].is_typed:  # nothing was judged
            yield draft
            continue
        about = draft.answer.item or tuple(message["content"] for message in draft.messages)
        reply = draft.replies[0]
        key = (line.rater, about, *(() if is_ranking else (reply.text, reply.author)))
        open_lots = lots.setdefault(key, [[]])
        fitting = next((lot for lot in open_lots if _fits(lot, draft, is_ranking)), None)
        if fitting is None:
            fitting = []
            open_lots.append(fitting)
        fitting.append(draft)
    for many in lots.values():
        for lot in many:
            yield _ranking(lot) if is_ranking else _ratings(lot)


def _fits(lot: Sequence[ImportDraft], draft: ImportDraft, is_ranking: bool) -> bool:
    if is_ranking:
        shown_already = {(other.replies[0].text, other.replies[0].author) for other in lot}
        return (draft.replies[0].text, draft.replies[0].author) not in shown_already
    return not any(_asked(other) & _asked(draft) for other in lot)


def _asked(draft: ImportDraft) -> set[str]:
    ratings = draft.answer.ratings if draft.answer else ()
    return {name for rating in ratings for name in rating}


def _ranking(lot: Sequence[ImportDraft]) -> ImportDraft:
    first = lot[0]
    assert first.answer is not None
    ranks = sorted({draft.replies[0].rank for draft in lot if draft.replies[0].rank is not None})
    replies = tuple(
        replace(
            draft.replies[0],
            rank=None if draft.replies[0].rank is None else ranks.index(draft.replies[0].rank) + 1,
        )
        for draft in lot
    )
    ratings = tuple(
        dict(draft.answer.ratings[0]) if draft.answer and draft.answer.ratings else {}
        for draft in lot
    )
    return replace(
        first,
        replies=(*replies, *_typed(lot)),
        is_compared=sum(reply.rank is not None for reply in replies) > 1,
        answer=replace(first.answer, ratings=ratings if any(ratings) else ()),
    )


def _ratings(lot: Sequence[ImportDraft]) -> ImportDraft:
    first = lot[0]
    assert first.answer is not None
    together: dict[str, object] = {}
    for draft in lot:
        for rating in draft.answer.ratings if draft.answer else ():
            together |= rating
    return replace(
        first,
        replies=(first.replies[0], *_typed(lot)),
        answer=replace(first.answer, ratings=(together,)),
    )


def _typed(lot: Sequence[ImportDraft]) -> tuple[Reply, ...]:
    """What the rater typed beside what they judged, each text once: no demonstration if it is none
    on one of the lines.
    """
    texts: dict[tuple[str, str], Reply] = {}
    for draft in lot:
        for reply in draft.replies[1:]:
            key = (reply.text, reply.author)
            if key not in texts or not reply.is_human:
                texts[key] = reply
    return tuple(texts.values())
