"""Prompts and their responses as token ids, many at once: the same ids as `data.prompt_ids` and
`data.response_ids` give one by one, at less than half the time.

A prompt is tokenised once, and not again with each of its responses. Its text is cut before its
last special token, such as `<|im_start|>`: a tokenizer splits a text at special tokens before
anything else, so the parts have the ids of the whole. This is measured for each tokenizer, and one
for which it is not so tokenises whole conversations.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerBase

from training.trainer import data
from training.trainer.modeling import chat_template
from training.trainer.modeling.chat_template import Message, Tools

_PROBES: tuple[list[Message], ...] = (
    [{"role": "user", "content": "Why is the sky blue?"}],
    [
        {"role": "user", "content": " Two\n\nlines "},
        {"role": "assistant", "content": "Ça va… 12,345"},
        {"role": "user", "content": "日本語 👩‍👩‍👧"},
    ],
)
_PROBED_TEXTS = ("Yes.", " yes", "\nyes\n", "ſ 1 000", "  two  spaces  ", "日本 é", "<b>x</b>", "")


@dataclass(frozen=True)
class Conversation:
    """A prompt with several responses, and those of them that their model did not end. Each is
    named by its text, or by its key in `parts` if it has more than a text.
    """

    prompt: list[Message]
    texts: Sequence[str]
    cut_off: frozenset[str] = frozenset()
    tools: Tools = ()
    parts: Mapping[str, Message] = field(default_factory=dict)

    def turn(self, text: str) -> Message:
        """The response as a message."""
        return self.parts.get(text) or {"role": "assistant", "content": text}


@dataclass(frozen=True)
class Answers:
    prompt: list[int]
    responses: list[list[int]]
    """in the order of the conversation's texts"""


class AnswerTokenizer:
    """Use one for many conversations: it measures its tokenizer once."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer

    def read(self, conversations: Sequence[Conversation]) -> list[Answers]:
        if not self.can_cut:
            return [self._one_by_one(conversation) for conversation in conversations]
        return self._cut(conversations)

    @cached_property
    def can_cut(self) -> bool:
        """Whether the parts have the ids of the whole."""
        if not self._tokenizer.is_fast or self._special is None:
            return False
        probes = [Conversation(prompt, _PROBED_TEXTS) for prompt in _PROBES]
        return self._cut(probes) == [self._one_by_one(probe) for probe in probes]

    @cached_property
    def _special(self) -> re.Pattern[str] | None:
        """The special tokens that take no spaces beside them."""
        special = [
            token.content
            for token in self._tokenizer.added_tokens_decoder.values()
            if token.special and not (token.lstrip or token.rstrip or token.single_word)
        ]
        return re.compile("|".join(map(re.escape, special))) if special else None

    def _one_by_one(self, conversation: Conversation) -> Answers:
        prompt = data.prompt_ids(self._tokenizer, conversation.prompt, conversation.tools)
        return Answers(
            prompt,
            [
                data.response_ids(
                    self._tokenizer,
                    conversation.prompt,
                    prompt,
                    conversation.turn(text),
                    tools=conversation.tools,
                    is_ended=text not in conversation.cut_off,
                )
                for text in conversation.texts
            ],
        )

    def _cut(self, conversations: Sequence[Conversation]) -> list[Answers]:
        parts = [self._parts(conversation) for conversation in conversations]
        ids = iter(self._ids(part for its in parts for part in its or ()))
        answers = []
        for conversation, its in zip(conversations, parts, strict=True):
            if its is None:
                answers.append(self._one_by_one(conversation))
                continue
            start, end, *whole = (next(ids) for _part in its)
            answers.append(self._answers(conversation, start, end, whole))
        return answers

    def _answers(
        self,
        conversation: Conversation,
        start: list[int],
        end: list[int],
        whole: Iterable[list[int]],
    ) -> Answers:
        """`start` is what all share; `end` and `whole` are what follows, of the prompt and of the
        prompt with each of its responses.
        """
        responses = [
            data.response_of(self._tokenizer, end, ids, is_ended=text not in conversation.cut_off)
            for text, ids in zip(conversation.texts, whole, strict=True)
        ]
        return Answers(start + end, responses)

    def _parts(self, conversation: Conversation) -> list[str] | None:
        """The texts to tokenise: what all share, and what follows it in the prompt and in the
        prompt with each of its responses. None if they share no special token.
        """
        assert self._special is not None
        tools = conversation.tools
        prompt = chat_template.as_text(
            self._tokenizer, conversation.prompt, tools, add_generation_prompt=True
        )
        whole = [
            chat_template.as_text(
                self._tokenizer, [*conversation.prompt, conversation.turn(text)], tools
            )
            for text in conversation.texts
        ]
        starts = [match.start() for match in self._special.finditer(prompt)]
        at = starts[-1] if starts else 0
        if not at or not all(text.startswith(prompt[:at]) for text in whole):
            return None
        return [prompt[:at], prompt[at:], *(text[at:] for text in whole)]

    def _ids(self, texts: Iterable[str]) -> list[list[int]]:
        listed = list(texts)
        if not listed:
            return []
        read: Any = self._tokenizer(
            listed,
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,  # a prompt longer than the model reads is cut later
        )
        return list(read["input_ids"])
