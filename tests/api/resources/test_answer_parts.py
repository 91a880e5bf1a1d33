"""Thinking, tool calls and tools over HTTP: sent in OpenAI's shape, read as they are stored."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Prompt, Response
from tests.api.test_steering import post
from tests.cast import some_prompts

pytestmark = pytest.mark.django_db
Caller = Callable[..., Client]
FUNCTION = {"name": "get_weather", "arguments": {"city": "Ulm"}}
CALL = {"id": "call_1", "type": "function", "function": FUNCTION}
SENT = {**CALL, "function": {**FUNCTION, "arguments": '{"city": "Ulm"}'}}
ASKED = {"role": "user", "content": "What is the weather in Ulm?"}
RESULT = {"role": "tool", "content": "Rain", "tool_call_id": "call_1"}
TOOL = {"type": "function", "function": {"name": "get_weather"}}


def test_a_prompt_is_created_with_calls_results_and_tools(calling: Caller, alice: User) -> None:
    client = calling(alice)
    calls = {"role": "assistant", "content": "", "tool_calls": [SENT]}

    made = post(client, "prompts", {"messages": [ASKED, calls, RESULT], "tools": [TOOL]})

    assert made.status_code == 201
    stored = [ASKED, {**calls, "tool_calls": [CALL]}, RESULT]
    assert (made.json()["messages"], made.json()["tools"]) == (stored, [TOOL])
    prompt = Prompt.objects.get()
    assert (prompt.messages, prompt.tools) == (stored, [TOOL])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": [ASKED, RESULT]}, "calls none"),
        ({"messages": [{**ASKED, "content": ""}]}, "may not be blank"),
        ({"messages": [ASKED], "tools": [{"function": {"name": 7}}]}, "has no name"),
    ],
)
def test_a_prompt_that_cannot_be_read_gets_a_sentence(
    calling: Caller, alice: User, body: dict[str, Any], words: str
) -> None:
    answer = post(calling(alice), "prompts", body)

    assert answer.status_code in (400, 422)
    assert words in answer.content.decode()


def test_a_response_of_calls_alone_is_stored_once(calling: Caller, alice: User) -> None:
    [prompt] = some_prompts(1)
    client = calling(alice)
    row = {"prompt": prompt.pk, "text": "", "reasoning_content": "Ask.", "tool_calls": [SENT]}
    body = {"source": "LLMs of May", "licence": "MIT", "responses": [row]}

    first, again = post(client, "responses", body), post(client, "responses", body)

    [made] = first.json()["responses"]
    assert again.json()["responses"] == [made]
    assert (made["text"], made["reasoning_content"]) == ("", "Ask.")
    assert made["tool_calls"] == Response.objects.get().tool_calls == [CALL]


def test_a_response_without_text_and_calls_is_refused(calling: Caller, alice: User) -> None:
    [prompt] = some_prompts(1)
    row = {"prompt": prompt.pk, "text": "", "reasoning_content": "Ask."}
    body = {"source": "LLMs of May", "licence": "MIT", "responses": [row]}

    answer = post(calling(alice), "responses", body)

    assert answer.status_code in (400, 422)
    assert "may not be blank" in answer.content.decode()
