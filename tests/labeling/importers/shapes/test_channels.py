"""gpt-oss's channels (OpenAI's harmony format) come in as thinking, calls and answer."""

from typing import Any

import pytest

from tests.labeling.importers.parsed import only_draft, only_problem, rows, user

ASKED = user("What is the weather in Ulm?")
THOUGHT = "<|channel|>analysis<|message|>Look.<|end|><|start|>assistant"
CALLED = (
    f"{THOUGHT}<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
    '{"city": "Ulm"}<|call|>'
)
FUNCTION = {"name": "get_weather", "arguments": {"city": "Ulm"}}


def in_channel(channel: str, content: object, **more: str) -> dict[str, Any]:
    return {"role": "assistant", "channel": channel, "content": content, **more}


TURN = [
    in_channel("analysis", [{"type": "text", "text": "Look."}]),
    in_channel("commentary", "I look."),
    in_channel("commentary", '{"city": "Ulm"}', recipient="functions.get_weather"),
]


def test_a_text_in_channels_is_taken_apart() -> None:
    text = f"{THOUGHT}<|channel|>final<|message|>It rains.<|return|>"

    [reply] = only_draft(rows({"prompt": "How is it?", "response": text})).replies

    assert (reply.reasoning_content, reply.text) == ("Look.", "It rains.")


def test_a_call_in_channels_is_the_answer() -> None:
    [reply] = only_draft(rows({"prompt": "How is it?", "response": CALLED})).replies

    assert (reply.reasoning_content, reply.text) == ("Look.", "")
    assert [call["function"] for call in reply.tool_calls] == [FUNCTION]


def test_an_earlier_turn_in_channels_is_taken_apart() -> None:
    calling = {"role": "assistant", "content": CALLED}

    draft = only_draft(rows({"messages": [ASKED, calling, user("And?")]}))

    assert draft.messages[1]["content"] == ""
    assert draft.messages[1]["reasoning_content"] == "Look."
    assert draft.messages[1]["tool_calls"][0]["function"] == FUNCTION


def test_messages_in_channels_are_one_turn() -> None:
    [reply] = only_draft(rows({"messages": [ASKED, *TURN]})).replies

    assert (reply.reasoning_content, reply.text) == ("Look.", "I look.")
    assert [call["function"] for call in reply.tool_calls] == [FUNCTION]


def test_a_result_and_the_answer_after_it_are_turns_of_their_own() -> None:
    result = {
        "role": "tool",
        "name": "functions.get_weather",
        "recipient": "assistant",
        "channel": "commentary",
        "content": "Rain",
    }
    answer = [in_channel("analysis", "Rain, so."), in_channel("final", "It rains.")]

    draft = only_draft(rows({"messages": [ASKED, *TURN, result, *answer]}))

    assert [message["role"] for message in draft.messages] == ["user", "assistant", "tool"]
    assert draft.messages[2] == {"role": "tool", "content": "Rain", "name": "get_weather"}
    [reply] = draft.replies
    assert (reply.reasoning_content, reply.text) == ("Rain, so.", "It rains.")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([in_channel("final", 7)], "content` is"),
        ([in_channel("commentary", "x", recipient="functions.f")], "not JSON"),
        ([in_channel("analysis", "Only thinking.")], "is empty"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(messages: list[Any], words: str) -> None:
    assert words in only_problem(rows({"messages": [ASKED, *messages]})).sentence


def test_a_whole_conversation_in_one_text_is_refused() -> None:
    text = f"<|start|>user<|message|>How is it?<|end|><|start|>assistant{THOUGHT}"

    assert "chat template" in only_problem(rows({"prompt": text})).sentence
