"""The columns of exported rows: those they share, what fills them, and what each means."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from arithmetic import chats
from arithmetic.chats import Tool
from labeling.data.exports.rows import (
    AnswerParts,
    ComparisonRow,
    DemonstrationRow,
    licence_expression,
)

Record = dict[str, Any]

ABOUT = (
    ("judgment", pa.int64()),
    ("prompt_id", pa.int64()),
    ("rater", pa.string()),
    ("split", pa.string()),
    ("category", pa.string()),
    ("language", pa.string()),
    ("licence", pa.string()),
    ("prompt_licence", pa.string()),
    ("prompt_source", pa.string()),
    ("is_extra", pa.bool_()),
    ("is_edit", pa.bool_()),
    ("submitted_at", pa.string()),
    ("item", pa.int64()),
    ("campaign", pa.int64()),
    ("guideline", pa.string()),
    ("active_s", pa.float64()),
    ("warnings", pa.list_(pa.string())),
    ("is_repeat", pa.bool_()),
)
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
TOOLS = "tools"
"""TRL's column, in rows whose prompt has tools."""
WRITTEN = (("response_licence", pa.string()), ("response_source", pa.string()))
PAIR = tuple(
    (f"{side}_{about}", pa.string())
    for side in ("chosen", "rejected")
    for about in ("licence", "source")
)
CHATS = ("prompt", "completion", "messages", "chosen", "rejected", "a", "b")
"""Columns with a list of messages."""
ANSWERS = (*ABOUT, *WRITTEN, ("turn", pa.int64()))


def about(row: DemonstrationRow | ComparisonRow) -> Record:
    return tools_of(row.tools) | {
        "judgment": row.judgment_id,
        "prompt_id": row.prompt_id,
        "rater": row.rater_alias,
        "split": row.split,
        "category": row.category,
        "language": row.language,
        "licence": licence_expression(row.licences),
        "prompt_licence": row.licence,
        "prompt_source": row.prompt_source,
        "is_extra": row.is_extra,
        "is_edit": row.is_edit,
        "submitted_at": row.submitted_at.isoformat(),
        "item": row.item_id,
        "campaign": row.campaign_id,
        "guideline": row.guideline,
        "active_s": row.active_s,
        "warnings": list(row.warnings),
        "is_repeat": row.is_repeat,
    }


def tools_of(described: Sequence[Tool]) -> Record:
    """TRL's column of tools; nothing for a prompt without any."""
    return {TOOLS: list(described)} if described else {}


def parts_of(answer: AnswerParts) -> Record:
    """What an answer has besides its text, as keys of an object with `text`."""
    turn = answer.turn_of("")[0]
    return {name: turn[name] for name in ("reasoning_content", "tool_calls") if name in turn}


def has_parts(record: Record) -> bool:
    """Whether a row holds more than texts: thinking, tool calls or tools."""
    if TOOLS in record:
        return True
    lists = (record[name] for name in CHATS if isinstance(record.get(name), list))
    turns = (turn for chat in lists for turn in chat)
    answers = record.get("responses") or ()
    return any(map(chats.parts_of, turns)) or any(
        "reasoning_content" in answer or "tool_calls" in answer for answer in answers
    )


def written(row: DemonstrationRow) -> Record:
    return {"response_licence": row.response_licence, "response_source": row.source_name}


# --- meanings, in English, as hubs expect ---------------------------------------------------------

FIELDS: dict[str, str] = {
    "prompt": "The conversation that was answered; its last turn is the user's.",
    "completion": "The answer.",
    "tools": "The functions that an answer may call, as JSON Schema. Absent if there are none.",
    "messages": "The whole conversation, answers included.",
    "text": "A whole conversation as one text: the question, an empty line, the answer.",
    "chosen": "The response that was ranked higher.",
    "rejected": "The response that was ranked lower.",
    "completions": "The steps of a response, in order.",
    "labels": "Whether each step is right, as the imported file says.",
    "label": "Whether the completion is good (true) or bad (false).",
    "label_from": (
        "What the label comes from: `ranking` (the best and the worst response of a ranking),"
        " `all bad` (the rater found every response bad), or `import` (the file it came from)."
    ),
    "responses": (
        "All responses with their `rank` (1 is best, equal numbers are a tie, null is unranked),"
        " `source`, `licence`, `position` on the page (0 was shown first), and the `ratings` that"
        " were asked for (as JSON text in Parquet)."
    ),
    "a": "The older of two responses.",
    "b": "The newer of two responses.",
    "majority": "The response with more votes: `a`, `b` or `tie`.",
    "consensus": "The most probable verdict when raters are weighted by their reliability.",
    "p": "The probability of `consensus`.",
    "p_a": "The probability that `a` is better.",
    "p_tie": "The probability that they are equally good.",
    "p_b": "The probability that `b` is better.",
    "question": "The name of a question of the rating form.",
    "response_id": "The ID of the response on the site.",
    "question_label": "The question as raters read it.",
    "n_answers": "The number of raters who answered the question.",
    "answer": "The word at the median, or the most frequent category. Null for numbers and ties.",
    "weighted_answer": "The same, with raters weighted by how closely they answer like others.",
    "mean": "The mean answer: yes is 1, no is 0, ordered words count by their place from 1.",
    "mean_low": "The lower end of the 95 % interval of `mean`. Null from a single answer.",
    "mean_high": "The upper end of the 95 % interval of `mean`. Null from a single answer.",
    "median": "The median answer.",
    "spread": "The standard deviation of the answers. Null from a single answer.",
    "weighted_mean": "The mean, with raters weighted by how closely they answer like others.",
    "n_votes": "The number of raters who compared the two.",
    "n_a": "Votes for `a`.",
    "n_tie": "Votes for a tie.",
    "n_b": "Votes for `b`.",
    "strength": "How much better the best is, from 1 (negligible) to 4 (significant).",
    "reason": "Why, in the words of the person who decided. Null if it was not asked.",
    "note": "A note of the reviewer.",
    "is_all_bad": "The rater found no response worth ranking.",
    "judgment": "The ID of the judgment on the site.",
    "prompt_id": "The ID of the prompt on the site.",
    "response": "The ID of the response on the site.",
    "response_a": "The ID of `a` on the site.",
    "response_b": "The ID of `b` on the site.",
    "item": "The ID of what was asked: the prompt with its responses. Equal for all its raters.",
    "rater": "A pseudonym. Equal for all judgments of one person.",
    "split": "train, validation or test. Nearly identical prompts are always in one split.",
    "category": "The use of the prompt, one of InstructGPT's ten.",
    "language": "The code of the prompt's language. Empty if unknown.",
    "licence": "The licences of all texts of the row, as one SPDX expression.",
    "prompt_licence": "The licence of the prompt. Empty if none is stated.",
    "prompt_source": "Where the prompt is from.",
    "response_licence": "The licence of the answer. Empty if it was written on the site.",
    "response_source": "Who wrote the answer: `raters`, an import or a model.",
    "chosen_licence": "The licence of `chosen`. Empty if it was written on the site.",
    "chosen_source": "Who wrote `chosen`.",
    "rejected_licence": "The licence of `rejected`. Empty if it was written on the site.",
    "rejected_source": "Who wrote `rejected`.",
    "licence_a": "The licence of `a`. Empty if it was written on the site.",
    "licence_b": "The licence of `b`. Empty if it was written on the site.",
    "source_a": "Who wrote `a`.",
    "source_b": "Who wrote `b`.",
    "is_extra": "Submitted late, after the item had all the answers it needed.",
    "is_edit": "Made from a response that the rater improved: the edit is preferred to it.",
    "is_repeat": "The rater judged the same before, with the responses in another order.",
    "submitted_at": "When it was submitted.",
    "adjudicated_at": "When the reviewer decided.",
    "campaign": "The ID of the campaign on the site. Null for an imported judgment.",
    "guideline": "The guideline that the rater had, with its version.",
    "active_s": "Seconds in which the rater was active on the page. Null if not measured.",
    "warnings": "Warnings that the rater overruled, such as `faster_than_reading`.",
    "turn": "Which answer of a dialogue this is, from 0.",
}
"""Column → its meaning."""
