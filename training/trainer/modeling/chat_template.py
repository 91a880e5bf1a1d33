"""Conversations as a chat template writes them: with tools, calls of tools, and thinking.

What a template writes is measured. What it leaves out is put where every template writes it, so
that a model learns it and its prompts have it: tools into the system message, calls into the
answer's text as JSON between <tool_call> tags, what a tool returned into a user message, and the
thinking of the last answer before its text. Several calls become a message each where a template
writes one, with its result after it. Where a prompt ends within the thinking, an answer
without any gets an empty part, as it would be sampled. Thinking in earlier answers is left to the
template: most drop it there on purpose. gpt-oss's drops that of earlier calls too as soon as an
answer follows, so the answer is written after its prompt as it was asked.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from arithmetic import answer_parts, chats
from arithmetic.answer_parts import CHANNELS, THINK, Tags
from training.processes.run_dir import RunFolder

Message = dict[str, Any]
"""As arithmetic.chats.Message has it."""
Tools = Sequence[Mapping[str, Any]]

_MARK = "qzxjv"
"""A word that is in no template."""
_KEPT_TEMPLATES = 16
_ABOUT_TOOLS = (
    "You may call one or more functions. Write each call as JSON with its “name” and “arguments”"
    " between <tool_call> and </tool_call>. The functions:"
)


THINKING = "reasoning_content"
_BESIDE_CALL = f"{_MARK}beside"
_RESULT = "<tool_response>"
_COMMENTARY = "<|channel|>commentary<|message|>"
WHERE = {
    "tools": "the tools are in the system message",
    "tool_calls": "calls of tools are in the text of an answer, as JSON between <tool_call> tags",
    THINKING: "thinking is between its tags before the answer",
}
"""Where parts of a conversation are that the template does not write."""
# As the keys of a row are written; within a text, their quotation marks would be escaped.
_NAMED = {part: f'"{part}":'.encode() for part in WHERE}


@dataclass(frozen=True)
class Support:
    """Which parts of a conversation a chat template writes."""

    system: bool
    tools: bool
    tool_calls: bool
    several_calls: bool
    text_beside_calls: bool
    tool_results: bool
    thinking: bool


@dataclass(frozen=True)
class Thinking:
    """How a model of this tokenizer thinks: `tags` if its template names some, whether the template
    writes the first of them in a prompt, whether it leaves both out of an answer without thinking
    all the same, the special tokens that the tags consist of, and the other special tokens.
    """

    tags: Tags | None
    is_opened: bool = False
    is_left_open: bool = False
    tokens: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()


def has_parts(messages: Sequence[Message], tools: Tools = ()) -> bool:
    """Whether there is more than plain text."""
    return bool(tools) or any(
        message["role"] == "tool" or any(message.get(part) for part in chats.PARTS)
        for message in messages
    )


def as_text(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    tools: Tools = (),
    *,
    add_generation_prompt: bool = False,
) -> str:
    """The conversation with all of its parts."""
    if _is_plain(tokenizer, messages, tools):
        return _rendered(tokenizer, messages, add_generation_prompt=add_generation_prompt)
    is_answer = messages[-1]["role"] == "assistant" and len(messages) > 1
    if is_answer and thinking_of(tokenizer).tags == CHANNELS:
        prompt = as_text(tokenizer, messages[:-1], tools, add_generation_prompt=True)
        asked = as_text(tokenizer, [_user("")], add_generation_prompt=True)
        return prompt + _written(tokenizer, [_user(""), messages[-1]]).removeprefix(asked)
    return _written(tokenizer, messages, tools, add_generation_prompt=add_generation_prompt)


def _written(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    tools: Tools = (),
    *,
    add_generation_prompt: bool = False,
) -> str:
    its, how = support(tokenizer), thinking_of(tokenizer)
    fitting = _with_results_merged(
        [_fitting(message, its, how.tags) for message in _one_call_each(messages, its)]
    )
    if tools and not its.tools:
        fitting = _with_tools(fitting, tools, its)
    last, own = fitting[-1], list(tools) if tools and its.tools else None
    thinking = str(last.get(THINKING, ""))
    is_written = its.thinking if thinking else not how.is_left_open
    if last["role"] != "assistant" or is_written:
        text = _rendered(tokenizer, fitting, own, add_generation_prompt=add_generation_prompt)
        return _with_commentary(text) if how.tags == CHANNELS else text
    whole = answer_parts.joined(thinking, last["content"], how.tags or THINK, may_be_empty=True)
    # Some templates cut off what is before a closing tag, so the text comes in afterwards.
    marked = {name: part for name, part in last.items() if name != THINKING}
    marked["content"] = _MARK
    text = _rendered(
        tokenizer, [*fitting[:-1], marked], own, add_generation_prompt=add_generation_prompt
    )
    return text.replace(answer_parts.FINAL + _MARK, whole).replace(_MARK, whole)


def ids(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    tools: Tools = (),
    *,
    add_generation_prompt: bool = False,
) -> list[int]:
    """The same as token ids."""
    if not _is_plain(tokenizer, messages, tools):
        text = as_text(tokenizer, messages, tools, add_generation_prompt=add_generation_prompt)
        read: Any = tokenizer(text, add_special_tokens=False, verbose=False)
        return list(read["input_ids"])
    written: Any = tokenizer.apply_chat_template(
        list(messages), add_generation_prompt=add_generation_prompt, return_dict=True
    )
    return list(written["input_ids"])


def _is_plain(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], tools: Tools
) -> bool:
    """Whether the template writes it all."""
    if has_parts(messages, tools):
        return False
    return messages[-1]["role"] != "assistant" or not thinking_of(tokenizer).is_left_open


def support(tokenizer: PreTrainedTokenizerBase) -> Support:
    return _support(tokenizer, str(tokenizer.chat_template))


def _why_elsewhere(tokenizer: PreTrainedTokenizerBase, parts: Collection[str]) -> str:
    """A sentence, "" if the template writes all of these parts itself."""
    its = support(tokenizer)
    writes = {"tools": its.tools, "tool_calls": its.tool_calls, THINKING: its.thinking}
    where = [WHERE[part] for part in WHERE if part in parts and not writes[part]]
    if not where:
        return ""
    return f"The model's chat template leaves parts of these rows out, so {'; '.join(where)}."


def tell(
    folder: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    snapshot: Path,
    *,
    with_thinking: bool = True,
) -> None:
    """Says what the model's chat template does not write of the rows, and where it stands."""
    names = {part: _NAMED[part] for part in _NAMED if with_thinking or part != THINKING}
    path = snapshot / "train.jsonl"
    if not path.exists():
        return
    with path.open("rb") as lines:
        used = {part for line in lines for part in names if names[part] in line}
    if sentence := _why_elsewhere(tokenizer, used):
        folder.append_note(sentence)


def thinking_of(tokenizer: PreTrainedTokenizerBase) -> Thinking:
    return _thinking(tokenizer, str(tokenizer.chat_template))


@lru_cache(_KEPT_TEMPLATES)
def _thinking(tokenizer: PreTrainedTokenizerBase, template: str) -> Thinking:
    tags = answer_parts.tags_of(template)
    if tags is None:
        return Thinking(None)
    is_opened = answer_parts.is_opened_by(
        _rendered(tokenizer, [_user("")], add_generation_prompt=True), tags
    )
    answered = _rendered(tokenizer, [_user(""), {"role": "assistant", "content": "Yes."}])
    read: Any = tokenizer([tags.opening, tags.closing], add_special_tokens=False)
    special = _special_tokens(tokenizer)
    tokens = special & {token for tag in read["input_ids"] for token in tag}
    is_left_open = is_opened and tags.closing not in answered
    return Thinking(tags, is_opened, is_left_open, tokens, special - tokens)


def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """All that are left out when ids are read as text: also those without a name such as `eos`."""
    added: Any = tokenizer.added_tokens_decoder
    marked = {number for number, token in added.items() if token.special}
    return frozenset(marked | {*tokenizer.all_special_ids})


@lru_cache(_KEPT_TEMPLATES)
def _support(tokenizer: PreTrainedTokenizerBase, _template: str) -> Support:
    call = {
        "id": "abcdefgh1",  # Mistral's have nine characters
        "type": "function",
        "function": {"name": f"{_MARK}name", "arguments": {"word": f"{_MARK}value"}},
    }
    function = {
        "name": f"{_MARK}name",
        "description": f"{_MARK}about",
        "parameters": {"type": "object", "properties": {f"{_MARK}part": {"type": "string"}}},
    }
    calling = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "content": f"{_MARK}result", "tool_call_id": call["id"], "name": "f"}

    def writes(marks: str, messages: list[Message], tools: Tools | None = None) -> bool:
        try:
            text = _rendered(tokenizer, messages, tools)
        except (TemplateError, TypeError, ValueError, KeyError):
            return False
        return all(f"{_MARK}{mark}" in text for mark in marks.split())

    thought = {"role": "assistant", "content": "Yes.", THINKING: f"{_MARK}thought"}
    other = call | {"function": {"name": f"{_MARK}other", "arguments": {}}}
    two = calling | {"tool_calls": [call, other]}
    beside = calling | {"content": f"{_MARK}beside"}
    calls = writes("name value", [_user("Go."), calling])
    return Support(
        system=writes("order", [{"role": "system", "content": f"{_MARK}order"}, _user("Go.")]),
        tools=writes(
            "name about part", [_user("Go.")], [{"type": "function", "function": function}]
        ),
        tool_calls=calls,
        several_calls=calls and writes("name other", [_user("Go."), two]),
        text_beside_calls=writes("name beside", [_user("Go."), beside]),
        tool_results=calls and writes("result", [_user("Go."), calling, result]),
        thinking=writes("thought", [_user("Go."), thought]),
    )


def _rendered(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    tools: Tools | None = None,
    *,
    add_generation_prompt: bool = False,
) -> str:
    return str(
        tokenizer.apply_chat_template(
            list(messages),
            tools=None if tools is None else [dict(tool) for tool in tools],
            add_generation_prompt=add_generation_prompt,
            tokenize=False,
        )
    )


def _user(content: str) -> Message:
    return {"role": "user", "content": content}


def _one_call_each(messages: Sequence[Message], its: Support) -> Iterator[Message]:
    """Where a template writes one call of a message, a message for each, before its result. An
    answer whose thinking stands in its text stays whole.
    """
    places = iter(range(len(messages)))
    for place in places:
        message = messages[place]
        calls = message.get("tool_calls") or []
        may_part = its.thinking or not message.get(THINKING)
        if len(calls) < 2 or its.several_calls or not (its.tool_calls and may_part):
            yield message
            continue
        results = list(takewhile(lambda turn: turn["role"] == "tool", messages[place + 1 :]))
        list(islice(places, len(results)))  # they come with their calls
        for number, call in enumerate(calls):
            first = message if number == 0 else {"role": "assistant", "content": ""}
            yield first | {"tool_calls": [call]}
            own = [turn for turn in results if turn.get("tool_call_id") == call["id"] != ""]
            unnamed = [turn for turn in results if not turn.get("tool_call_id")]
            answered = own or unnamed[:1]
            results = [turn for turn in results if turn not in answered]
            yield from answered
        yield from results


def _fitting(message: Message, its: Support, tags: Tags | None) -> Message:
    """A message whose parts the template writes."""
    kept = {name: part for name, part in message.items() if part or name in ("role", "content")}
    thinking, calls = kept.get(THINKING, ""), kept.get("tool_calls")
    if tags == CHANNELS and its.tool_calls and calls and kept["content"]:
        # The template would take what is said beside a call for thinking.
        thinking = kept[THINKING] = f"{thinking}{_BESIDE_CALL}{kept['content']}"
        kept["content"] = ""
    has_text = kept["content"] or (thinking and not its.thinking)
    is_written = its.tool_calls and (its.several_calls or len(calls or []) < 2)
    if calls and not (is_written and (its.text_beside_calls or not has_text)):
        kept["content"] = answer_parts.with_calls(kept["content"], kept.pop("tool_calls"))
    if kept["role"] == "tool" and not its.tool_results:
        return _user(f"{_RESULT}\n{kept['content']}\n</tool_response>")
    return kept


def _with_results_merged(messages: Sequence[Message]) -> list[Message]:
    """Results that became user messages in one message: templates refuse two in a row."""
    merged: list[Message] = []
    for message in messages:
        is_result = message["role"] == "user" and message["content"].startswith(_RESULT)
        if is_result and merged and merged[-1]["content"].startswith(_RESULT):
            merged[-1] = _user(f"{merged[-1]['content']}\n{message['content']}")
        else:
            merged.append(message)
    return merged


def _with_commentary(text: str) -> str:
    """What was said beside calls in a channel of its own."""
    text = text.replace(CHANNELS.opening + _BESIDE_CALL, _COMMENTARY)
    return text.replace(_BESIDE_CALL, f"<|end|><|start|>assistant{_COMMENTARY}")


def _with_tools(messages: list[Message], tools: Tools, its: Support) -> list[Message]:
    """In the system message, or before the first one where the template takes no system."""
    listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    about, first = f"{_ABOUT_TOOLS}\n{listed}", messages[0]
    if first["role"] == "system":
        return [first | {"content": f"{first['content']}\n\n{about}"}, *messages[1:]]
    if its.system:
        return [{"role": "system", "content": about}, *messages]
    return [first | {"content": f"{about}\n\n{first['content']}"}, *messages[1:]]
