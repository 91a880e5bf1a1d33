"""What an answer is made of, and when two are equal."""

from arithmetic import chats
from arithmetic.chats import Message, ToolCall

CALL: ToolCall = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": {"city": "Ulm", "days": 2}},
}


def test_a_plain_answer_is_a_turn_of_role_and_content() -> None:
    assert chats.answer("Rain.") == {"role": "assistant", "content": "Rain."}


def test_thinking_and_tool_calls_are_keys_of_the_turn() -> None:
    assert chats.answer("", "Look it up.", [CALL]) == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "Look it up.",
        "tool_calls": [CALL],
    }


def test_the_key_of_a_plain_answer_is_its_text() -> None:
    assert chats.answer_key("Rain.") == "Rain."


def test_answers_with_other_thinking_or_other_calls_are_not_equal() -> None:
    other: ToolCall = {**CALL, "id": "call_2"}
    keys = {
        chats.answer_key("Rain."),
        chats.answer_key("Rain.", "Clouds."),
        chats.answer_key("Rain.", "Wind."),
        chats.answer_key("Rain.", "", [CALL]),
        chats.answer_key("Rain.", "", [other]),
    }

    assert len(keys) == 5


def test_the_order_of_arguments_makes_no_other_answer() -> None:
    arguments: dict[str, object] = {"days": 2, "city": "Ulm"}
    turned: ToolCall = {**CALL, "function": {"name": "get_weather", "arguments": arguments}}

    assert chats.answer_key("", "", [CALL]) == chats.answer_key("", "", [turned])


def test_a_plain_message_has_no_parts() -> None:
    message: Message = {"role": "user", "content": "Hello"}

    assert chats.parts_of(message) == ""
    assert chats.parts_of({**message, "reasoning_content": ""}) == ""
