"""Every part of a conversation is written, by each of the chat templates that TRL keeps of public
models.
"""

from pathlib import Path
from typing import Any

import pytest
import trl
from transformers import PreTrainedTokenizerFast

from arithmetic import answer_parts
from tests.trainer import tiny
from training.trainer import data
from training.trainer.modeling import chat_template

FOLDER = Path(trl.__file__).parent / "chat_templates"
IMAGES = {"idefics3", "smolvlm", "llava_next"}
"""Their templates take lists of texts and images, and no plain text."""
TEMPLATES = sorted(
    path.stem
    for path in FOLDER.glob("*.jinja")
    if not path.stem.endswith("_training") and path.stem not in IMAGES
)
CALL = {
    "id": "abcdefgh1",
    "type": "function",
    "function": {"name": "weather", "arguments": {"city": "Oslo"}},
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Looks out of the window",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
ASKED: list[dict[str, Any]] = [
    {"role": "user", "content": "How is it there?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "Rain since noon", "tool_call_id": "abcdefgh1", "name": "weather"},
]
ANSWER = {"role": "assistant", "content": "It rains.", "reasoning_content": "They said noon."}
WORDS = ("weather", "Oslo", "Looks out of the window", "Rain since noon", "They said noon.")


def tokenizer_of(name: str) -> PreTrainedTokenizerFast:
    tokenizer = tiny.build_tokenizer()
    tokenizer.chat_template = (FOLDER / f"{name}.jinja").read_text(encoding="utf-8")
    return tokenizer


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_part_is_lost_by_any_template(name: str) -> None:
    tokenizer = tokenizer_of(name)

    text = chat_template.as_text(tokenizer, [*ASKED, ANSWER], TOOLS)

    assert [word for word in (*WORDS, "It rains.") if word not in text] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_call_at_the_end_of_an_answer_is_not_lost_either(name: str) -> None:
    tokenizer = tokenizer_of(name)
    turn = ASKED[1] | {"reasoning_content": "They said noon."}

    text = chat_template.as_text(tokenizer, [ASKED[0], turn], TOOLS)

    assert [word for word in ("weather", "Oslo", "They said noon.") if word not in text] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_several_calls_of_an_answer_are_written_with_their_results(name: str) -> None:
    """Where a template writes one call of a message, each is followed by its own result."""
    tokenizer = tokenizer_of(name)
    rome = {"name": "weather", "arguments": {"city": "Rome"}}
    calls = [CALL, {"id": "abcdefgh2", "type": "function", "function": rome}]
    results = [
        ASKED[2],
        {"role": "tool", "content": "Sun", "tool_call_id": "abcdefgh2", "name": "weather"},
    ]
    messages = [ASKED[0], ASKED[1] | {"tool_calls": calls}, *results, ANSWER]

    text = chat_template.as_text(tokenizer, messages, TOOLS)
    at_the_end = chat_template.as_text(tokenizer, messages[:2], TOOLS)

    places = [text.index(word) for word in ("Oslo", "Rain since noon", "Rome", "Sun", "It rains.")]
    if not chat_template.support(tokenizer).several_calls:
        assert places == sorted(places) or name not in ("gptoss", "llama3_1", "llama3_2")
    assert "Oslo" in at_the_end
    assert "Rome" in at_the_end


@pytest.mark.parametrize("name", TEMPLATES)
def test_plain_text_is_written_as_the_template_alone_does(name: str) -> None:
    tokenizer = tokenizer_of(name)
    messages = [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "Blue."}]
    if chat_template.thinking_of(tokenizer).is_left_open:
        messages = messages[:1]

    written: Any = tokenizer.apply_chat_template(messages, return_dict=True)

    assert chat_template.ids(tokenizer, messages) == written["input_ids"]


@pytest.mark.parametrize(
    "name", ["deepseek_r1_distill", "qwen3", "qwen3_5_think", "llama3", "gptoss"]
)
def test_an_answer_continues_its_prompt_and_is_split_into_its_parts_again(name: str) -> None:
    tokenizer = tokenizer_of(name)
    how = chat_template.thinking_of(tokenizer)

    for thinking in ("They said noon.", ""):
        answer = ANSWER | {"reasoning_content": thinking}
        prompt = chat_template.as_text(tokenizer, ASKED[:1], add_generation_prompt=True)
        whole = chat_template.as_text(tokenizer, [ASKED[0], answer])
        ended = whole.removeprefix(prompt)
        parts = answer_parts.split(ended, how.tags, is_opened=how.is_opened)

        assert whole.startswith(prompt)
        assert parts.thinking == thinking
        assert parts.answer.startswith("It rains.")


def test_what_a_model_thinks_is_learned_though_its_template_drops_it() -> None:
    tokenizer = tokenizer_of("deepseek_r1_distill")
    row = {"prompt": ASKED[:1], "completion": [ANSWER]}

    (example,) = data.demonstrations(tokenizer, [row], 500).examples

    learned = [token for token in example.labels if token != data.IGNORED]
    assert str(tokenizer.decode(learned)).startswith("They said noon.\n</think>\n\nIt rains.")


def test_gpt_oss_learns_an_answer_after_the_prompt_that_it_is_asked_with() -> None:
    """Its template drops the thinking before a call as soon as an answer follows."""
    tokenizer = tokenizer_of("gptoss")
    calling = ASKED[1] | {"reasoning_content": "Look outside."}
    prompt = [ASKED[0], calling, ASKED[2]]
    row = {"prompt": prompt, "completion": [ANSWER], "tools": TOOLS}

    (example,) = data.demonstrations(tokenizer, [row], 5000).examples

    asked = data.prompt_ids(tokenizer, prompt, TOOLS)
    learned = [token for token in example.labels if token != data.IGNORED]
    assert "analysis<|message|>Look outside.<|end|>" in str(tokenizer.decode(asked))
    assert example.input_ids[: len(asked)] == asked
    assert tokenizer.decode(learned) == (
        "<|channel|>analysis<|message|>They said noon.<|end|><|start|>assistant"
        "<|channel|>final<|message|>It rains.<|return|>"
    )


def test_what_is_said_beside_a_call_is_not_thinking_in_channels() -> None:
    tokenizer = tokenizer_of("gptoss")
    said = "<|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
    calling = ASKED[1] | {"content": "I look."}

    alone = chat_template.as_text(tokenizer, [ASKED[0], calling], TOOLS)
    thought = calling | {"reasoning_content": "Look outside."}
    after = chat_template.as_text(tokenizer, [ASKED[0], thought], TOOLS)

    assert f"{said}<|start|>assistant to=functions.weather<|channel|>" in alone
    assert f"analysis<|message|>Look outside.<|end|>{said}<|start|>assistant to=" in after


def test_a_template_that_takes_no_system_message_gets_tools_in_the_first_turn() -> None:
    tokenizer = tokenizer_of("gemma")

    text = chat_template.as_text(tokenizer, ASKED[:1], TOOLS, add_generation_prompt=True)

    assert not chat_template.support(tokenizer).system
    assert text.index("Looks out of the window") < text.index("How is it there?")
