"""Rows of responses that somebody called good or bad, by the definition of the exports."""

from collections import Counter
from collections.abc import Iterator

from arithmetic.chats import Message
from labeling.data.exports import trl
from labeling.data.exports.rows import ComparisonRow, DemonstrationRow, MarkedRow
from training.snapshots.contents.parts import with_tools
from training.snapshots.contents.snapshot_card import Row


def of_comparison(
    row: ComparisonRow, weight: float, left_out: Counter[str], *, is_weighed: bool
) -> Iterator[Row]:
    """The best and the worst of a ranking, or a single response by its ratings."""
    responses = {response.response_id: response for response in row.responses}
    for record in trl.as_unpaired(row, left_out):
        response = responses[record["response"]]
        content = {
            "id": f"comparison-{row.judgment_id}{'-edit' if row.is_edit else ''}"
            f"-{response.response_id}",
            "prompt": row.messages,
            "completion": response.turn_of(response.text),
            "label": record["label"],
            "label_from": record["label_from"],
            "is_ended": response.is_ended is not False,
            "response": response.response_id,
            "judgment": row.judgment_id,
            "rater": row.rater_alias,
            "weight": weight,
            "category": row.category,
            "pool": row.pool,
            "cluster": row.cluster,
            "source": response.source_name,
        }
        yield Row(
            row.split,
            with_tools(content, row),
            row.judgment_id,
            row.cluster,
            row.licences,
            row.category,
            sources=(response.source_name,),
            rater=row.rater_alias,
            guideline=row.guideline,
            is_edit=row.is_edit,
            weight=weight if is_weighed else None,
            label=record["label"],
        )


def of_import(row: MarkedRow) -> Row:
    """A response with the label of its file, which is no judgment."""
    content = _content(row, row.turn_of(row.text), label=row.marks["label"])
    own = {
        "id": f"response-{row.response_id}",
        "response": row.response_id,
        "prompt_id": row.prompt_id,
        "cluster": row.cluster,
        "source": row.source_name,
    }
    return Row(
        row.split,
        content | own,
        None,
        row.cluster,
        row.licences,
        row.category,
        sources=(row.source_name,),
        label=row.marks["label"],
    )


def called_good(row: DemonstrationRow) -> Row:
    content = _content(row, row.turn_of(row.response), label=True)
    own = {
        "id": f"demonstration-{row.judgment_id}" + (f"-{row.turn}" if row.turn else ""),
        "judgment": row.judgment_id,
        "cluster": row.cluster,
        "source": row.source_name,
    }
    return Row(
        row.split,
        content | own,
        row.judgment_id,
        row.cluster,
        row.licences,
        row.category,
        sources=(row.source_name,),
        rater=row.rater_alias,
        label=True,
    )


def _content(
    row: MarkedRow | DemonstrationRow, completion: list[Message], *, label: bool
) -> dict[str, object]:
    content = {
        "prompt": row.messages,
        "completion": completion,
        "label": label,
        "label_from": "import",
        "weight": 1.0,
    }
    return with_tools(content, row)
