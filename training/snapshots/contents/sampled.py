"""Rows made of models' responses, which a reward model has scored or raters have ranked."""

from typing import TypedDict

from labeling.data.exports.rows import ScoredRow, VotedRow
from training.snapshots.contents.parts import answer_parts, with_tools
from training.snapshots.contents.snapshot_card import Row


class Where(TypedDict):
    """Which responses: their source, their numbers in it, and whose scores count."""

    source: int
    numbers: range
    scorer: int


def why_left_out(row: ScoredRow) -> str:
    """Empty if it can be learned from."""
    if not row.text.strip() and not row.tool_calls:
        return "empty response"
    if isinstance(row, VotedRow) and row.is_held_out and row.split != "test":
        return "held-out raters on a prompt that trains"
    if isinstance(row, VotedRow) and not row.is_clear:
        return "no response clearly preferred"
    return ""


def best(row: ScoredRow) -> Row:
    """A response as a demonstration."""
    content = {
        "id": f"response-{row.response_id}",
        "prompt": row.messages,
        "completion": row.turn_of(row.text),
        "is_ended": row.is_ended,
        "response": row.response_id,
        "score": row.score,
        "cluster": row.cluster,
        "source": row.source_name,
    }
    if row.revision:
        content["revision"] = row.revision
    return _row(content, row)


def pair(best: ScoredRow, worst: ScoredRow) -> Row:
    """Two responses as a comparison that nobody made: it has no judgment and no rater."""
    content = {
        "id": f"responses-{best.response_id}-{worst.response_id}",
        "prompt": best.messages,
        "prompt_id": best.prompt_id,
        "responses": [
            {
                "text": row.text,
                "rank": rank,
                "response": row.response_id,
                "source": row.source_name,
                "is_ended": row.is_ended,
                **answer_parts(row),
            }
            for rank, row in enumerate((best, worst), start=1)
        ],
        "score": best.score - worst.score,
        "weight": 1.0,
        "category": best.category,
        "cluster": best.cluster,
    }
    if best.revision:
        content["revision"] = best.revision
    return _row(content, best, worst)


def _row(content: dict[str, object], *rows: ScoredRow) -> Row:
    first = rows[0]
    return Row(
        first.split,
        with_tools(content, first),
        None,
        first.cluster,
        set().union(*(row.licences for row in rows)),
        first.category,
        sources=tuple(row.source_name for row in rows),
        n_pairs=len(rows) - 1,
        voters=first.judgment_ids if isinstance(first, VotedRow) else (),
    )
