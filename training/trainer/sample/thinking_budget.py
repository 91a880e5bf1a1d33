"""Responses whose thinking has tokens of its own, beside those of the answer.

First all write as many tokens as the thinking may have. Where it is not closed by then, it is
closed with the model's own tag; then the answers are finished (as in Muennighoff 2025, s1, §3.1).
The tag is not drawn from the model, so no policy is trained on such responses.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from transformers import GenerationConfig, PreTrainedTokenizerBase

from arithmetic.answer_parts import CHANNELS, THINK
from training.trainer.modeling import chat_template
from training.trainer.sample import response_parts

Write = Callable[[Sequence[list[int]], GenerationConfig], list[list[int]]]
"""What a model writes to prompts, as many in a row to each as the settings say. Anything may follow
an end of turn.
"""


@dataclass
class ThinkingBudget:
    """With `max_tokens` 0, thinking and answer share the tokens of the settings, and nothing is
    closed.
    """

    tokenizer: PreTrainedTokenizerBase
    settings: GenerationConfig
    max_tokens: int

    def responses(self, write: Write, prompts: Sequence[list[int]]) -> list[list[int]]:
        """Calls `write` twice, also with no prompts: asking a server takes all processes."""
        if not self.max_tokens:
            return write(prompts, self.settings)
        n_each = self.settings.num_return_sequences or 1
        for_thinking = self._with(max(self.max_tokens - len(self._closing), 1), n_each)
        begun = [self._begun(ids) for ids in write(prompts, for_thinking)]
        rooms = [self._room(ids) for ids in begun]
        going_on = [place for place, room in enumerate(rooms) if room > 0]
        unfinished = [prompts[place // n_each] + begun[place] for place in going_on]
        rest = write(unfinished, self._with(max(rooms, default=0) if going_on else 1, 1))
        for place, ids in zip(going_on, rest, strict=True):
            begun[place] += self._until_end(ids[: rooms[place]])
        return [ids[:room] if room < 0 else ids for ids, room in zip(begun, rooms, strict=True)]

    def _begun(self, ids: list[int]) -> list[int]:
        """What is kept of the first tokens; the thinking is over."""
        ids = self._until_end(ids)
        is_over = self._is_ended(ids) or response_parts.split(self.tokenizer, ids).is_closed
        if is_over:
            return ids
        return response_parts.within_thinking(self.tokenizer, ids) + self._closing

    def _room(self, ids: list[int]) -> int:
        """How many tokens the answer may still have; below 0 if it has too many."""
        parts = response_parts.split(self.tokenizer, ids)
        n_answer = len(ids) - response_parts.n_thinking(self.tokenizer, ids, parts)
        room = int(self.settings.max_new_tokens or 1) - n_answer
        return min(room, 0) if self._is_ended(ids) else room

    def _is_ended(self, ids: Sequence[int]) -> bool:
        return bool(ids) and ids[-1] in self._ends

    def _until_end(self, ids: list[int]) -> list[int]:
        """With the end of turn, if there is one."""
        end = next((place for place, token in enumerate(ids) if token in self._ends), len(ids))
        return ids[: end + 1]

    def _with(self, max_new_tokens: int, n_each: int) -> GenerationConfig:
        settings = copy(self.settings)
        settings.max_new_tokens, settings.num_return_sequences = max_new_tokens, n_each
        return settings

    @cached_property
    def _ends(self) -> frozenset[int]:
        ends: Any = self.settings.eos_token_id
        return frozenset(ends)

    @cached_property
    def _closing(self) -> list[int]:
        tags = chat_template.thinking_of(self.tokenizer).tags or THINK
        closing = tags.closing if tags == CHANNELS else f"\n{tags.closing}\n\n"
        read: Any = self.tokenizer(closing, add_special_tokens=False)
        return list(read["input_ids"])
