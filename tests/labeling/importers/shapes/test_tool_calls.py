"""Tool calls, results and tools: OpenAI's, Anthropic's and TRL's shapes."""

import json
from typing import Any

import pytest

from labeling.importers.drafts import ImportDraft, ImportProblem
from tests.labeling.importers.parsed import found, only_draft, only_problem, rows, user

ASKED = user("What is the weather in Ulm?")
FUNCTION = {"name": "get_weather", "arguments": {"city": "Ulm"}}
CALL = {"id": "call_1", "type": "function", "function": FUNCTION}
AS_SENT = {**CALL, "function": {**FUNCTION, "arguments": '{"city": "Ulm"}'}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [AS_SENT]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "Rain, 9 °C"}
ANSWER = {"role": "assistant", "content": "It rains."}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def chat(*messages: Any, **columns: Any) -> bytes:
    return rows({"messages": list(messages), **columns})


def test_calls_and_results_of_openai_belong_to_the_prompt() -> None:
    draft = only_draft(chat(ASKED, CALLING, RESULT, ANSWER, tools=[TOOL]))

    assert draft.messages == (
        ASKED,
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "Rain, 9 °C", "tool_call_id": "call_1"},
    )
    assert [reply.text for reply in draft.replies] == ["It rains."]
    assert draft.tools == (TOOL,)


def test_a_call_may_be_the_answer() -> None:
    [reply] = only_draft(chat(ASKED, CALLING)).replies

    assert (reply.text, reply.tool_calls) == ("", (CALL,))


def test_a_result_may_be_what_is_answered() -> None:
    draft = only_draft(chat(ASKED, CALLING, RESULT))

    assert draft.messages[-1]["role"] == "tool"
    assert draft.replies == ()


def test_calls_of_older_files_and_their_results_are_read() -> None:
    older = {"role": "assistant", "content": None, "function_call": AS_SENT["function"]}
    result = {"role": "function", "name": "get_weather", "content": "Rain"}

    draft = only_draft(chat(ASKED, older, result, ANSWER, functions=[TOOL["function"]]))

    assert draft.messages[1].get("tool_calls") == [{**CALL, "id": ""}]
    assert draft.messages[2] == {"role": "tool", "content": "Rain", "name": "get_weather"}
    assert draft.tools == (TOOL,)


def test_blocks_of_anthropic_become_the_same_messages() -> None:
    use = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Ulm"}}
    thinking = {"type": "thinking", "thinking": "Look it up."}
    said = {"type": "text", "text": "One moment."}
    parts = [{"type": "text", "text": "Rain, 9 °C"}]
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": parts}
    tool = {"name": "get_weather", "description": "The weather.", "input_schema": SCHEMA}

    draft = only_draft(
        chat(
            ASKED,
            {"role": "assistant", "content": [thinking, said, use]},
            {"role": "user", "content": [result, {"type": "text", "text": "And tomorrow?"}]},
            ANSWER,
            tools=[tool],
        )
    )

    assert draft.messages == (
        ASKED,
        {
            "role": "assistant",
            "content": "One moment.",
            "reasoning_content": "Look it up.",
            "tool_calls": [CALL],
        },
        {"role": "tool", "content": "Rain, 9 °C", "tool_call_id": "call_1"},
        user("And tomorrow?"),
    )
    function = {"name": "get_weather", "description": "The weather.", "parameters": SCHEMA}
    assert draft.tools == ({"type": "function", "function": function},)


def test_calls_of_trl_have_no_ids_and_tools_may_be_json() -> None:
    calling = {"role": "assistant", "tool_calls": [{"type": "function", "function": FUNCTION}]}
    result = {"role": "tool", "name": "get_weather", "content": "Rain"}

    draft = only_draft(chat(ASKED, calling, result, ANSWER, tools=json.dumps([TOOL])))

    assert draft.messages[1].get("tool_calls") == [{**CALL, "id": ""}]
    assert draft.tools == (TOOL,)


def test_an_agents_completion_of_several_messages_ends_in_the_answer() -> None:
    draft = only_draft(rows({"prompt": [ASKED], "completion": [CALLING, RESULT, ANSWER]}), "hf")

    assert [message["role"] for message in draft.messages] == ["user", "assistant", "tool"]
    assert [reply.text for reply in draft.replies] == ["It rains."]


def test_calls_are_compared_as_answers() -> None:
    other = {**AS_SENT, "function": {"name": "get_weather", "arguments": '{"city": "Bonn"}'}}
    rejected = {**CALLING, "tool_calls": [other]}

    draft = only_draft(rows({"prompt": [ASKED], "chosen": [CALLING], "rejected": [rejected]}), "hf")

    cities = [reply.tool_calls[0]["function"]["arguments"]["city"] for reply in draft.replies]
    assert cities == ["Ulm", "Bonn"]
    assert [reply.rank for reply in draft.replies] == [1, 2]


def test_equal_calls_are_no_preference() -> None:
    row = {"prompt": [ASKED], "chosen": [CALLING], "rejected": [CALLING]}

    assert "there is no preference" in only_problem(rows(row), "hf").sentence


def test_tools_beside_openais_preferences_are_read() -> None:
    row = {
        "input": {"messages": [ASKED], "tools": [TOOL]},
        "preferred_output": [CALLING],
        "non_preferred_output": [ANSWER],
    }

    draft = only_draft(rows(row), "hf")

    assert draft.tools == (TOOL,)
    assert [bool(reply.tool_calls) for reply in draft.replies] == [True, False]


def test_turns_of_sharegpt_with_calls_are_read() -> None:
    turns = [
        {"from": "human", "value": "What is the weather in Ulm?"},
        {"from": "function_call", "value": json.dumps(FUNCTION)},
        {"from": "observation", "value": "Rain"},
        {"from": "gpt", "value": "It rains."},
    ]

    draft = only_draft(rows({"conversations": turns}), "sharegpt")

    assert draft.messages[1].get("tool_calls") == [{**CALL, "id": ""}]
    assert draft.messages[2] == {"role": "tool", "content": "Rain"}


def called(**changes: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{**AS_SENT, **changes}]}


def with_arguments(arguments: object) -> dict[str, Any]:
    return called(function={"name": "get_weather", "arguments": arguments})


DEEP: dict[str, Any] = {}
for _level in range(60):
    DEEP = {"in": DEEP}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([ASKED, with_arguments("{not json")], "is not JSON"),
        ([ASKED, with_arguments("[1]")], "are a list, but must be an object"),
        ([ASKED, with_arguments(7)], "are a number, but must be an object"),
        ([ASKED, with_arguments(DEEP)], "nested more than 50 levels"),
        ([ASKED, with_arguments("[" * 100_000)], "is not JSON"),
        ([ASKED, with_arguments({"city": "a\0b"})], "invalid character"),
        ([ASKED, with_arguments({"city": "x" * 200_001})], "the limit is 200000"),
        ([ASKED, with_arguments({"n": float("nan")})], "JSON cannot hold"),
        ([ASKED, called(function={"name": 7, "arguments": {}})], "has no name"),
        ([ASKED, called(function={"name": "a\0b", "arguments": {}})], "invalid character"),
        ([ASKED, called(function="get_weather")], "is not a call of a function"),
        ([ASKED, called(type="custom")], "another kind of tool"),
        ([ASKED, called(id=["call_1"])], "must be a text of at most 256"),
        ([ASKED, {"role": "assistant", "tool_calls": "all"}], "is text, but must be a list"),
        ([ASKED, {"role": "assistant", "tool_calls": []}], "content` is missing"),
        ([ASKED, {"role": "user", "content": "Hi", "tool_calls": [AS_SENT]}], "Only an assistant"),
        ([ASKED, CALLING, {**RESULT, "tool_call_id": "call_9"}], "the call “call_9”"),
        ([ASKED, ANSWER, RESULT], "the message before it calls none"),
        ([RESULT, ANSWER], "the message before it calls none"),
        ([ASKED, CALLING, {**RESULT, "content": {"rain": True}}], "is an object, but must be text"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "is an image. Only text"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "is a sound. Only text"),
        ([{"role": "user", "content": [{"type": "hologram"}]}], "unknown type “hologram”"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(messages: list[Any], words: str) -> None:
    problem = only_problem(chat(*messages))

    assert words in problem.sentence
    assert problem.line == 1


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ([{"type": "function", "function": {"name": 3}}], "has no name"),
        ("[{not json", "is not JSON"),
        ([{"name": "f"}, {"function": "g"}], "does not describe a function"),
        ([{"name": "f", "description": "a\0b"}], "invalid character"),
        ([{"name": "f", "description": "x" * 200_001}], "more than 200000 characters"),
    ],
)
def test_tools_that_cannot_be_read_get_a_sentence(tools: object, words: str) -> None:
    assert words in only_problem(chat(ASKED, tools=tools)).sentence


def test_a_column_of_this_name_with_something_else_is_named() -> None:
    entries = found(chat(ASKED, tools=["hammer", "nails"]))

    assert [type(entry) for entry in entries] == [ImportProblem, ImportDraft]
    assert "tools is not imported" in str(entries[0])
