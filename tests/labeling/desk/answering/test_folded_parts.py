"""Thinking and tool calls on the pages of raters: folded, and thinking only if the campaign says
so.
"""

import pytest

from arithmetic.chats import Message, ToolCall
from labeling.models import Campaign, Demonstration, Prompt, Rater, Response
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, start

CALL: ToolCall = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": {"city": "<b>Ulm</b>"}},
}
CHAT: list[Message] = [
    {"role": "user", "content": "What is the weather in Ulm?"},
    {
        "role": "assistant",
        "content": "",
        "reasoning_content": "quiet-thought-7q",
        "tool_calls": [CALL],
    },
    {"role": "tool", "content": "Rain <script>alert(1)</script>", "name": "get_weather"},
]
TOOL = {"type": "function", "function": {"name": "get_weather"}}


@pytest.fixture
def campaign(comparison_campaign: Campaign) -> Campaign:
    Prompt.objects.update(messages=CHAT, tools=[TOOL])
    Response.objects.update(reasoning_content="loud thought 7q", tool_calls=[CALL])
    return comparison_campaign


def test_calls_results_and_tools_are_folded_and_escaped(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = page_of(client.get(start(client, campaign)))

    assert "1 tool may be called" in page
    assert "Result of get_weather" in page
    assert page.count("Calls get_weather") == 5, "one in the prompt, and one in each response"
    assert "&lt;b&gt;Ulm&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert page.count('<details class="disclosure folded"') == 7
    assert '<details class="disclosure folded" open' not in page


def test_the_question_stays_in_sight_above_the_calls_that_followed_it(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = page_of(client.get(start(client, campaign)))

    in_sight = page.partition("desk-prompt-last")[2]
    question = in_sight.index("What is the weather in Ulm?")
    assert question < in_sight.index("Calls get_weather") < in_sight.index("Result of get_weather")


def test_thinking_is_not_sent_to_raters_unless_the_campaign_says_so(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, campaign)

    assert "thought" not in page_of(client.get(address))

    Campaign.objects.update(shows_thinking=True)
    page = page_of(client.get(address))

    assert page.count("Thinking (3 words)") == 4
    assert "Thinking (1 word)" in page
    assert "quiet-thought-7q" in page


def test_an_answer_that_is_read_again_has_the_same_parts(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, campaign)
    client.post(address + "submit", comparison(step="stop"))

    page = page_of(client.get(address))

    assert page.count("Calls get_weather") == 5
    assert "thought" not in page


def test_an_edit_keeps_the_calls_of_its_original_and_not_its_thinking(
    rosa: Rater, campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    edit = comparison(step="stop", edit_of="B", edit="Better by far.")
    client.post(start(client, campaign) + "submit", edit)

    written = Demonstration.objects.select_related("response").get()
    assert written.response is not None
    assert written.tool_calls == written.response.tool_calls == [CALL]
    assert written.reasoning_content == written.response.reasoning_content == ""
