"""What an import stores of thinking, tool calls and tools."""

from collections.abc import Callable
from typing import Any

import pytest

from labeling.models import Demonstration, Import, Prompt, Response
from tests.labeling.importers.shapes.test_tool_calls import ANSWER, ASKED, CALL, CALLING, TOOL

pytestmark = pytest.mark.django_db
Bring = Callable[..., Import]
THOUGHT = {**ANSWER, "reasoning_content": "Look at the sky."}


def by_model(*messages: Any, **columns: Any) -> dict[str, Any]:
    return {"messages": list(messages), "model": "m", **columns}


def test_an_answer_is_stored_with_its_thinking_and_calls(bring: Bring) -> None:
    bring(by_model(ASKED, THOUGHT, tools=[TOOL]), by_model(ASKED, CALLING, tools=[TOOL]))

    assert [prompt.tools for prompt in Prompt.objects.all()] == [[TOOL]]
    rows = Response.objects.order_by("pk").values_list("text", "reasoning_content", "tool_calls")
    assert list(rows) == [("It rains.", "Look at the sky.", []), ("", "", [CALL])]


def test_a_demonstration_is_stored_with_them(bring: Bring) -> None:
    bring({"messages": [ASKED, {**THOUGHT, "tool_calls": [CALL]}]}, with_judgments=True)

    written = Demonstration.objects.get()
    assert (written.text, written.reasoning_content) == ("It rains.", "Look at the sky.")
    assert written.tool_calls == [CALL]


def test_the_same_text_after_other_thinking_is_another_answer(bring: Bring) -> None:
    bring(by_model(ASKED, ANSWER), by_model(ASKED, THOUGHT), by_model(ASKED, THOUGHT))

    stored = Response.objects.order_by("pk").values_list("text", "reasoning_content")
    assert list(stored) == [("It rains.", ""), ("It rains.", "Look at the sky.")]


def test_the_same_question_with_other_tools_is_another_prompt_of_the_same_split(
    bring: Bring,
) -> None:
    bring(by_model(ASKED, ANSWER), by_model(ASKED, ANSWER, tools=[TOOL]))

    assert Prompt.objects.count() == 2
    assert Prompt.objects.values("cluster", "split").distinct().count() == 1
