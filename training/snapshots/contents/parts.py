"""What rows have besides messages and texts, where they have it: a row without keeps its bytes."""

from labeling.data.exports.rows import AnswerParts, PromptParts


def with_tools(content: dict[str, object], row: PromptParts) -> dict[str, object]:
    """The row with the functions that an answer may call."""
    return content | {"tools": list(row.tools)} if row.tools else content


def answer_parts(answer: AnswerParts) -> dict[str, object]:
    """The thinking of an answer and its calls, beside its text."""
    parts = {
        "reasoning_content": answer.reasoning_content,
        "tool_calls": list(answer.tool_calls),
    }
    return {name: part for name, part in parts.items() if part}
