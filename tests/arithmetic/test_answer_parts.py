"""A model's text in parts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arithmetic import answer_parts
from arithmetic.answer_parts import CHANNELS, FINAL, KNOWN, THINK, Parts, Stream, Tags

tags = st.sampled_from(KNOWN)
# Texts with the tags' own characters, so that parts of tags occur.
pieces = st.sampled_from(["<think>", "</think>", "<", "/", "think", ">", "[", "\n", " ", "a", "é"])
texts = st.lists(pieces, max_size=14).map("".join)
channel_pieces = st.sampled_from(
    [
        *(
            "<|start|>",
            "assistant",
            "<|channel|>",
            "analysis",
            "final",
            "commentary",
            "<|message|>",
        ),
        *("<|end|>", "<|call|>", "<|return|>", " to=functions.f", " json", '{"x": 1}', "a ", "\n"),
    ]
)
channel_texts = st.lists(channel_pieces, max_size=16).map("".join)
CALLING = '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"x": 1}<|call|>'
CALL_FIRST = ' to=functions.f<|channel|>commentary json<|message|>{"x": 1}<|call|>'
AS_TEXT = '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>'
NEXT = "<|end|><|start|>assistant"
THOUGHT = f"{CHANNELS.opening}Hm.{NEXT}"


def slow_split(text: str, tags: Tags, *, is_opened: bool) -> Parts:
    """Character by character."""
    at = 0
    while at < len(text) and text[at].isspace():
        at += 1
    begins = text[at : at + len(tags.opening)] == tags.opening
    if not begins and not is_opened:
        return Parts(text)
    thinking = ""
    at += len(tags.opening) if begins else 0
    while at < len(text):
        if text[at : at + len(tags.closing)] == tags.closing:
            return Parts(text[at + len(tags.closing) :].lstrip(), thinking.strip(), tags, True)
        thinking += text[at]
        at += 1
    return Parts("", thinking.strip(), tags, False)


@given(texts, tags, st.booleans())
def test_a_text_is_split_as_when_read_by_the_character(
    text: str, tags: Tags, is_opened: bool
) -> None:
    assert answer_parts.split(text, tags, is_opened=is_opened) == slow_split(
        text, tags, is_opened=is_opened
    )


@given(texts, texts, tags)
def test_joined_parts_are_split_again(thinking: str, answer: str, tags: Tags) -> None:
    if not thinking.strip() or tags.closing in thinking or tags.opening in thinking:
        return

    read = answer_parts.split(answer_parts.joined(thinking, answer, tags), tags)

    assert read == Parts(answer.lstrip(), thinking.strip(), tags, True)


@given(texts, tags)
def test_no_word_is_lost(text: str, tags: Tags) -> None:
    parts = answer_parts.split(text, tags)

    written = text.replace(tags.opening, "", 1).replace(tags.closing, "", 1)

    assert parts.answer == text or "".join(written.split()) == "".join(
        f"{parts.thinking}{parts.answer}".split()
    )


@given(st.lists(texts, max_size=5), st.one_of(st.none(), tags), st.booleans())
def test_a_stream_sends_what_the_whole_text_has(
    parts: list[str], tags: Tags | None, is_opened: bool
) -> None:
    is_opened = is_opened and tags is not None
    stream = Stream(tags, is_opened=is_opened)

    sent = [stream.add(part) for part in parts] + [stream.add("", is_last=True)]

    whole = answer_parts.split("".join(parts), tags, is_opened=is_opened)
    assert "".join(part.answer for part in sent) == whole.answer
    assert "".join("".join(part.thinking for part in sent).split()) == "".join(
        whole.thinking.split()
    )


@given(channel_texts, st.integers(1, 7))
def test_a_stream_of_channels_sends_what_the_whole_text_has(text: str, n: int) -> None:
    """In pieces that part the marks of channels too."""
    stream = Stream(CHANNELS)

    sent = [stream.add(text[at : at + n]) for at in range(0, len(text), n)]
    sent.append(stream.add("", is_last=True))

    whole = answer_parts.split(text, CHANNELS)
    assert "".join(part.answer for part in sent) == whole.answer
    assert "".join("".join(part.thinking for part in sent).split()) == "".join(
        whole.thinking.split()
    )


@pytest.mark.parametrize(
    ("text", "thinking", "answer", "is_closed"),
    [
        (f"{CHANNELS.opening}Hm.{NEXT}{FINAL}Yes.<|return|>", "Hm.", "Yes.", True),
        (f"<|start|>assistant{CHANNELS.opening}Hm.{NEXT}{FINAL}Yes.", "Hm.", "Yes.", True),
        (
            f"{CHANNELS.opening}Hm.{NEXT}{CHANNELS.opening}Oh.{NEXT}{FINAL}A",
            "Hm.\n\nOh.",
            "A",
            True,
        ),
        (f"{FINAL}Yes.", "", "Yes.", True),
        (f"{CHANNELS.opening}Hm.", "Hm.", "", False),
        (f"{CHANNELS.opening}Hm.{NEXT}<|channel|>fin", "Hm.", "", False),
        (f"{CHANNELS.opening}Hm.{NEXT}{CALLING}", "Hm.", AS_TEXT, True),
        (f"{CHANNELS.opening}Hm.{NEXT}{CALL_FIRST}", "Hm.", AS_TEXT, True),
        (CALL_FIRST.lstrip(), "", AS_TEXT, True),
        (
            f"<|channel|>commentary<|message|>I look.{NEXT}{CALLING}",
            "",
            f"I look.\n{AS_TEXT}",
            True,
        ),
        (
            CALLING.replace('{"x": 1}', "not JSON"),
            "",
            CALLING.replace('{"x": 1}', "not JSON"),
            True,
        ),
    ],
)
def test_channels_are_the_parts_of_an_answer(
    text: str, thinking: str, answer: str, is_closed: bool
) -> None:
    assert answer_parts.split(text, CHANNELS) == Parts(answer, thinking, CHANNELS, is_closed)


@pytest.mark.parametrize("rest", [f"{FINAL}Yes, <b>.<|return|>", CALLING, CALL_FIRST])
def test_a_mark_that_comes_in_pieces_is_never_sent(rest: str) -> None:
    stream = Stream(CHANNELS)

    sent = [stream.add(character) for character in f"{THOUGHT}{rest}"]
    sent.append(stream.add("", is_last=True))

    assert "".join(part.thinking for part in sent) == "Hm."
    answer = "Yes, <b>." if FINAL in rest else AS_TEXT
    assert "".join(part.answer for part in sent) == answer


def test_what_another_says_in_channels_is_not_taken_for_the_answer() -> None:
    result = '<|start|>functions.f to=assistant<|channel|>commentary<|message|>"rain"<|end|>'

    parts = answer_parts.split(f"{CALLING}{result}", CHANNELS)

    assert parts.answer == f"{AS_TEXT}\n{result}"


def test_the_template_of_gpt_oss_is_known_by_its_channels() -> None:
    template = "{{ '<|end|>' }}{{ '<|start|>assistant<|channel|>final<|message|>' + content }}"

    assert answer_parts.tags_of(template) == CHANNELS


def test_an_unclosed_part_is_all_thinking() -> None:
    assert answer_parts.split("<think>\nSo, first") == Parts("", "So, first", THINK, False)


def test_a_template_may_have_opened_the_part() -> None:
    read = answer_parts.split("Hm.\n</think>\n\nYes.", THINK, is_opened=True)

    assert read == Parts("Yes.", "Hm.", THINK, True)


def test_a_tag_within_an_answer_is_the_answers() -> None:
    text = "Write <think> before and </think> after it."

    assert answer_parts.split(text, THINK) == Parts(text)
    assert answer_parts.split_unknown(text) == Parts(text)


def test_a_server_whose_template_opened_the_part_is_understood() -> None:
    assert answer_parts.split_unknown("Hm.\n</think>\nYes.") == Parts("Yes.", "Hm.", THINK, True)


def test_calls_are_read_as_they_are_written() -> None:
    call = {"name": "weather", "arguments": {"city": "Köln", "days": 2}}
    text = answer_parts.with_calls("I look.", [{"function": call}])

    rest, calls = answer_parts.calls_in(text)

    assert rest == "I look."
    assert calls == [{"id": "call_0", "type": "function", "function": call}]


def test_a_call_that_cannot_be_read_stays_in_the_text() -> None:
    for written in ('{"name": 1}', "not json", '{"name": "a", "arguments": "b"}', "[]", "1"):
        text = f"<tool_call>{json.dumps({'name': 'x', 'arguments': {}})}</tool_call>\n<tool_call>"
        text += f"{written}</tool_call>"

        assert answer_parts.calls_in(text) == (text, [])


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\u0000"', '"\\ud800"', "-Infinity"])
def test_a_call_that_no_database_can_hold_stays_in_the_text(value: str) -> None:
    written = f'{{"name": "f", "arguments": {{"x": {value}}}}}'
    text = f"<tool_call>{written}</tool_call>"
    sent = [{"function": {"name": "f", "arguments": f'{{"x": {value}}}'}}]

    assert answer_parts.calls_in(text) == (text, [])
    rest, calls = answer_parts.calls_of_openai("I look.", sent)
    assert (rest, calls) == (f"I look.\n{json.dumps(sent)}", [])


def test_calls_of_a_server_have_their_arguments_in_a_string() -> None:
    sent = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}]

    rest, calls = answer_parts.calls_of_openai("I look.", sent)

    assert rest == "I look."
    assert answer_parts.as_openai({"role": "assistant", "content": "", "tool_calls": calls}) == {
        "role": "assistant",
        "content": "",
        "tool_calls": sent,
    }
