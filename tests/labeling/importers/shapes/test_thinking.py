"""What a model thought before it answered comes in apart from the answer."""

from typing import Any

import pytest

from arithmetic import answer_parts
from labeling.importers.drafts import ImportDraft, ImportProblem
from tests.labeling.importers.parsed import (
    answered,
    assistant,
    found,
    only_draft,
    only_problem,
    rows,
    user,
)

ASKED = user("What is 2 + 2?")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_the_keys_of_servers_and_data_sets_are_read(key: str) -> None:
    row = {"messages": [ASKED, {**assistant("4"), key: "Add them."}]}

    [reply] = only_draft(rows(row)).replies

    assert (reply.text, reply.reasoning_content) == ("4", "Add them.")


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, assistant("<think>\nAdd them.\n</think>\n\n4")]},
        {"prompt": "What is 2 + 2?", "response": "<think>Add them.</think>4"},
        {"prompt": "What is 2 + 2?", "responses": ["<think>Add them.</think> 4"]},
        {"prompt": "What is 2 + 2?", "responses": [{"text": "4", "reasoning": "Add them."}]},
        {"instruction": "What is 2 + 2?", "output": "<thinking>Add them.</thinking>4"},
    ],
)
def test_a_head_in_tags_is_taken_apart(row: dict[str, Any]) -> None:
    file_format = "alpaca" if "instruction" in row else "jsonl"

    [reply] = only_draft(rows(row), file_format).replies

    assert (reply.text, reply.reasoning_content) == ("4", "Add them.")


def test_both_texts_of_a_pair_are_taken_apart() -> None:
    row = {
        "prompt": "What is 2 + 2?",
        "chosen": "<think>Add them.</think>4",
        "rejected": "<think>Guess.</think>5",
    }

    replies = only_draft(rows(row), "hf").replies

    assert [(r.text, r.reasoning_content) for r in replies] == [("4", "Add them."), ("5", "Guess.")]


def test_an_earlier_turn_keeps_its_thinking_apart() -> None:
    row = {"messages": [ASKED, assistant("<think>Add.</think>4"), user("And 3 + 3?")]}

    draft = only_draft(rows(row))

    assert draft.messages[1] == {**assistant("4"), "reasoning_content": "Add."}


def test_empty_thinking_is_none() -> None:
    [reply] = only_draft(
        rows({"prompt": "Hi", "response": "<think>\n\n</think>\n\nHello."})
    ).replies

    assert (reply.text, reply.reasoning_content) == ("Hello.", "")


def test_a_table_of_answers_is_taken_apart_too() -> None:
    table = b"item,prompt,response,rater,helpful\n1,Hi,<think>Greet.</think>Hello.,ann,5\n"

    [draft] = [entry for entry in answered(table) if isinstance(entry, ImportDraft)]

    assert [(r.text, r.reasoning_content) for r in draft.replies] == [("Hello.", "Greet.")]


def test_tags_elsewhere_in_a_text_stay() -> None:
    text = "Write <think> before </think>."

    [reply] = only_draft(rows({"prompt": "Hi", "response": text})).replies

    assert (reply.text, reply.reasoning_content) == (text, "")


def test_what_a_user_writes_in_tags_stays() -> None:
    asked = user("<think>What is that?</think>")

    assert only_draft(rows({"messages": [asked]})).messages == (asked,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<think>Add them, so 4", "never closes it"),
        ("<think>Add them.</think>\n", "nothing after </think>"),
    ],
)
def test_thinking_without_an_answer_names_the_line(text: str, words: str) -> None:
    content = rows({"prompt": "Hi"}, {"prompt": "What is 2 + 2?", "response": text})

    [draft, problem] = found(content)

    assert isinstance(draft, ImportDraft)
    assert isinstance(problem, ImportProblem)
    assert problem.line == 2
    assert words in problem.sentence


def test_thinking_counts_toward_the_limit_of_a_text() -> None:
    row = {"messages": [ASKED, {**assistant("4"), "reasoning_content": "x" * 199_999}]}

    assert "with its thinking and tool calls" in only_problem(rows(row)).sentence


@pytest.mark.parametrize("thought", [7, ["Add"], {"steps": []}])
def test_thinking_that_is_no_text_gets_a_sentence(thought: object) -> None:
    row = {"messages": [ASKED, {**assistant("4"), "reasoning_content": thought}]}

    assert "reasoning_content` is" in only_problem(rows(row)).sentence


def test_thinking_that_only_a_server_can_read_is_named() -> None:
    blocks = [
        {"type": "redacted_thinking", "data": "EmwKAhgB"},
        {"type": "thinking", "thinking": "Add them.", "signature": "EqoBCkgI"},
        {"type": "text", "text": "4"},
    ]

    [note, draft] = found(rows({"messages": [ASKED, {"role": "assistant", "content": blocks}]}))

    assert isinstance(note, ImportProblem)
    assert "messages[].content[].redacted_thinking" in note.sentence
    assert "messages[].content[].signature" in note.sentence
    assert isinstance(draft, ImportDraft)
    assert draft.replies[0].reasoning_content == "Add them."


@pytest.mark.parametrize("tags", answer_parts.KNOWN, ids=lambda tags: tags.opening)
def test_the_tags_are_those_that_models_are_known_by(tags: answer_parts.Tags) -> None:
    """The same as where a model's own text is split."""
    text = f"{tags.opening}Greet.{tags.closing}Hello."

    [reply] = only_draft(rows({"prompt": "Hi", "response": text})).replies

    assert (reply.reasoning_content, reply.text) == ("Greet.", "Hello.")
