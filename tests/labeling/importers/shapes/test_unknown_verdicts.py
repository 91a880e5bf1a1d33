"""A row that its file calls bad, in whatever column, gives no demonstration."""

import io
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft
from tests.labeling.importers.parsed import answered, assistant, found, node, rows, tree, user

REWRITTEN = "Hello, how are you? I am glad to hear from you after such a long time away."
WRITTEN: dict[str, dict[str, Any]] = {
    "response": {"prompt": "Hi", "response": "Hello"},
    "messages": {"messages": [user("Hi"), assistant("Hello")]},
    "text": {"text": "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello"},
    "completion": {"prompt": "Hi", "completion": "Hello"},
    "chat": {"prompt": [user("Hi")], "completion": [assistant("Hello")]},
    "output": {"instruction": "Hi", "output": "Hello"},
    "sharegpt": {"conversations": [user("Hi"), assistant("Hello")]},
    "turns": {"turns": [user("Hi"), assistant("Hello")]},
    "export": {
        "prompt": [user("Hi")],
        "completion": [assistant("Hello")],
        "judgment": 3,
        "rater": "r",
        "submitted_at": "2026-03-02T12:00:00+00:00",
    },
    "prodigy": {"text": "Hi", "user_input": "Hello", "answer": "accept", "_annotator_id": "ann"},
    "prodigy, choice": {
        "text": "Hi",
        "options": [{"id": "a", "text": "Ho"}, {"id": "b", "text": "Hey"}],
        "accept": ["b"],
        "user_input": "Hello",
        "answer": "accept",
    },
    "table": {"prompt": "Hi", "rater": "ann", "rewrite": REWRITTEN},
    "table of ratings": {
        "prompt": "Hi",
        "response": "Hey",
        "rater": "ann",
        "fluency": 4,
        "correction": REWRITTEN,
    },
    "table of pairs": {
        "prompt": "Hi",
        "response_a": "Hey",
        "response_b": "Ho",
        "rater": "ann",
        "winner": "A",
        "rewrite": REWRITTEN,
    },
}
"""A row of every shape in which an answer can become a demonstration."""
NAMED_SO = (
    "is_safe isSafe toxicity harmless is_correct correctness accepted rejected approval preferred"
    " vote votes upvotes thumbs feedback userFeedback status rank rating stars quality_grade reward"
    " verdict judgement review_result flagged spam valid good bad helpful refusal passed Label"
    " model model_name modelId generator generated synthetic author bot llm engine generated_by"
    " gpt_version human_preference ISCORRECT thumbsup accept.reason annotation_quality"
)
MODELS_OF_RESPONSE = ("model", "model_name", "modelId", "generator", "bot", "engine")
SAYS_BAD = [
    *(False, -1, "-1", "false", "False", "no", "reject", "Rejected", "REJECT", "not accepted"),
    *(
        "bad",
        "thumbs_down",
        "thumbs-down",
        "Thumbs down",
        "👎",
        "❌",
        "downvote",
        "dislike",
        "fail",
    ),
    *(
        "unsafe",
        "not safe",
        "toxic",
        "harmful",
        "incorrect",
        "wrong",
        "negative",
        "spam",
        "discard",
    ),
    *("-3", -0.5, 0, 0.02, "refused"),
]
SAYS_A_MODEL = [
    *("gpt-4", "gpt-3.5-turbo", "claude-2", "Llama-2-7b-chat", "meta-llama/Llama-3.1-8B-Instruct"),
    *(
        "mistralai/Mistral-7B",
        "ChatGPT",
        "text-davinci-003",
        "qwen2.5-72b",
        "my-own-13b",
        "o3-mini",
    ),
]


def demonstrations(row: dict[str, Any]) -> list[str]:
    content = rows(row)
    is_table = "rater" in row and not {"judgment", "answer"} & row.keys()
    return [
        reply.text
        for draft in (answered(content) if is_table else found(content, kind(row)))
        if isinstance(draft, ImportDraft)
        for reply in draft.replies
        if reply.is_human
    ]


def kind(row: dict[str, Any]) -> str:
    return formats.guess_format(io.BytesIO(rows(row)))


places = st.sampled_from(sorted(WRITTEN))
meaningless = st.from_regex(r"[xz]{2,4}(_[qv]{1,3})?", fullmatch=True)


@pytest.mark.parametrize("place", WRITTEN)
def test_each_row_alone_is_a_demonstration(place: str) -> None:
    text = REWRITTEN if place.startswith("table") else "Hello"

    assert demonstrations(WRITTEN[place]) == [text]


@given(
    place=places,
    name=st.sampled_from(NAMED_SO.split()),
    value=st.sampled_from([*SAYS_BAD, *SAYS_A_MODEL, 4, 17, "so-so", "B", [False], {"x": 2}]),
)
@example(place="response", name="rank", value=4)
@example(place="turns", name="score", value=1)
@example(place="completion", name="labels", value=[False])
@example(place="completion", name="score_chosen", value=1)
@example(place="table", name="is_safe", value=False)
@example(place="table", name="vote", value=-1)
@example(place="prodigy", name="status", value="rejected")
def test_a_column_named_as_a_verdict_or_an_author_gives_no_demonstration(
    place: str, name: str, value: Any
) -> None:
    assume(place != "table of ratings" or name not in MODELS_OF_RESPONSE)

    assert demonstrations(WRITTEN[place] | {name: value}) == []


@pytest.mark.parametrize("name", MODELS_OF_RESPONSE)
def test_a_model_beside_a_response_and_its_correction_wrote_the_response(name: str) -> None:
    assert demonstrations(WRITTEN["table of ratings"] | {name: "gpt-4"}) == [REWRITTEN]


@given(place=places, name=meaningless, value=st.sampled_from([*SAYS_BAD, *SAYS_A_MODEL]))
def test_a_column_that_says_bad_under_any_name_gives_no_demonstration(
    place: str, name: str, value: Any
) -> None:
    for nested in (value, [value], {"x": value}, [{"x": {"y": value}}]):
        assert demonstrations(WRITTEN[place] | {name: nested}) == []


@given(name=st.sampled_from(NAMED_SO.split()), value=st.sampled_from([*SAYS_BAD, *SAYS_A_MODEL]))
def test_a_message_that_says_bad_gives_no_demonstration(name: str, value: Any) -> None:
    for place in ("messages", "sharegpt", "turns"):
        column = next(iter(WRITTEN[place]))
        marked = [user("Hi"), assistant("Hello") | {name: value}]

        assert demonstrations({column: marked}) == []


@pytest.mark.parametrize(
    ("label", "is_good"), [(True, True), ("accept", True), (False, False), ("so-so", False)]
)
def test_a_typed_text_keeps_what_somebody_chose_as_good_or_bad(label: Any, is_good: bool) -> None:
    content = rows(WRITTEN["prodigy"] | {"is_safe": label, "helpfulness": 4})

    [draft] = formats.read(io.BytesIO(content), "prodigy", {"label": "is_safe"})

    assert isinstance(draft, ImportDraft)
    [reply] = draft.replies
    assert (reply.is_human, dict(reply.marks)["helpfulness"]) == (is_good, 4)


@pytest.mark.parametrize(
    "field",
    [{"accepted": False}, {"model_name": "gpt-4"}, {"xyz": "thumbs_down"}, {"synthetic": "True"}],
)
def test_a_reply_in_a_tree_that_says_bad_gives_no_demonstration(field: dict[str, Any]) -> None:
    nested = tree(node("prompter", "Hi", node("assistant", "Hello") | field))
    flat = rows(
        {"message_id": "a", "parent_id": None, "role": "prompter", "text": "Hi"},
        {"message_id": "b", "parent_id": "a", "role": "assistant", "text": "Hello"} | field,
    )

    for content, file_format in ((nested, "openassistant"), (flat, "oasst_flat")):
        [draft] = [one for one in found(content, file_format) if isinstance(one, ImportDraft)]
        assert [reply.is_human for reply in draft.replies] == [False]


@pytest.mark.parametrize(
    "field",
    [
        {"id": 1},
        {"prompt_id": "a17"},
        {"index": 0},
        {"n_tokens": 1},
        {"source": "forum"},
        {"created_at": "2026-01-02"},
        {"year": -44},
        {"topic": "Rivers of Germany"},
        {"accepted": None},
        {"feedback": ""},
    ],
)
def test_a_column_that_says_neither_leaves_the_demonstration(field: dict[str, Any]) -> None:
    assert demonstrations(WRITTEN["response"] | field) == ["Hello"]


def test_the_report_says_once_which_column_it_is_and_what_to_do() -> None:
    bad = WRITTEN["response"] | {"is_safe": False}

    problems = [str(one) for one in found(rows(bad, bad)) if not isinstance(one, ImportDraft)]

    [said] = [problem for problem in problems if "not as demonstrations" in problem]
    assert said.startswith("Line 1: is_safe may say whether the answer is good or who wrote it")
    assert "Choose it as “Good or bad” or “Model” under Columns" in said


@pytest.mark.parametrize(
    ("heading", "value", "is_good"),
    [
        ("is_safe", True, True),
        ("is_safe", False, False),
        ("toxic", True, False),
        ("toxic", False, True),
        ("toxic", "rejected", False),
        ("feedback", "thumbs_up", True),
        ("answer", "accept", True),
        ("answer", "reject", False),
        ("rank", 4, False),
    ],
)
def test_a_column_that_somebody_calls_good_or_bad_is_believed(
    heading: str, value: Any, is_good: bool
) -> None:
    content = rows(WRITTEN["response"] | {heading: value})

    [draft] = formats.read(io.BytesIO(content), "jsonl", {"label": heading})

    assert isinstance(draft, ImportDraft)
    assert [reply.is_human for reply in draft.replies] == [is_good]
