"""A model's text in parts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arithmetic import answer_parts
from arithmetic.answer_parts import KNOWN, THINK, Parts, Stream, Tags

tags = st.sampled_from(KNOWN)
# Texts with the tags' own characters, so that parts of tags occur.
pieces = st.sampled_from(["<think>", "</think>", "<", "/", "think", ">", "[", "\n", " ", "a", "é"])
texts = st.lists(pieces, max_size=14).map("".join)


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
