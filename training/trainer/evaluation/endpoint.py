"""A model on another server that answers the items of a benchmark run, through its
OpenAI-compatible API.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2

from arithmetic import plain_text
from training.configs.evaluation.benchmark import CHOICE, READ, BenchmarkConfig
from training.processes import completions
from training.processes.completions import CompletionFailed, Sampling
from training.processes.run_dir import AnticipatedFailure, Job
from training.processes.run_lines import AnswerLine
from training.trainer.evaluation import answerers, items
from training.trainer.evaluation.items import Item
from training.trainer.modeling.chat_template import Message
from training.trainer.reward.scoring import TextJudge
from training.trainer.sample import remote

MAX_FAILURES_IN_A_ROW = 20
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REASON_LENGTH = 300


class UnableToAnswer(AnticipatedFailure):
    """The server answers nothing any more."""


@contextmanager
def answering(job: Job, config: BenchmarkConfig, judge: TextJudge | None) -> Iterator["Endpoint"]:
    with completions.client() as client, ThreadPoolExecutor(remote.MAX_AT_ONCE) as pool:
        yield Endpoint(job, config, judge, client, pool)


class Endpoint:
    """Writes answers. It gives no likelihoods, so it names a choice by its letter."""

    is_shared = False

    def __init__(
        self,
        job: Job,
        config: BenchmarkConfig,
        judge: TextJudge | None,
        client: httpx2.Client,
        pool: ThreadPoolExecutor,
    ) -> None:
        self.server = remote.server_of(job)
        self.config, self.judge, self.client, self.pool = config, judge, client, pool
        self.n_failed, self.last_failure = 0, ""

    def answer(self, batch: Sequence[Item]) -> list[AnswerLine]:
        rows = list(self.pool.map(self._answer, batch))
        for row in rows:
            self.n_failed = self.n_failed + 1 if row["missing"] else 0
            self.last_failure = row["missing"] or self.last_failure
        return (
            rows if self.judge is None else answerers.judged(self.judge, batch, rows, self.config)
        )

    def check(self) -> None:
        """Raises UnableToAnswer if the last items all have no answer."""
        if self.n_failed >= MAX_FAILURES_IN_A_ROW:
            raise UnableToAnswer(
                f"{self.server.name} gave no answer to {self.n_failed} items in a row:"
                f" {self.last_failure} Resume the run when it does: the answers so far are saved."
            )

    def _answer(self, item: Item) -> AnswerLine:
        if item.kind in READ:
            return items.answer(item, missing="An external model gives no likelihoods.")
        texts: list[str] = []
        thought: list[str] = []
        is_ended: list[bool | None] = []
        sampling = self._sampling(item)
        missing = ""
        for _turn in range(1 + len(item.later_turns)):
            try:
                piece = remote.complete_with_text(
                    self.client, self.server, _messages(item, texts), sampling
                )
            except CompletionFailed as problem:
                missing = str(problem)[:_REASON_LENGTH]
                break
            texts.append(plain_text.storable(piece.text))
            thought.append(plain_text.storable(piece.thinking))
            is_ended.append(piece.is_ended)
        first, *later = texts or [""]
        return items.answer(
            item,
            text=first,
            follow_ups=later,
            values=items.thinking(thought),
            sampling=sampling.as_json(),
            is_ended=None if None in is_ended or not is_ended else all(is_ended),
            missing=missing,
        )

    def _sampling(self, item: Item) -> Sampling:
        """Each item has its own seed: for the same seed, a server returns the same response."""
        named = f"{self.config.seed}:{item.name}"
        digest = hashlib.sha256(named.encode()).digest()
        seed = int.from_bytes(digest[:4], "big") % remote.LARGEST_SEED
        config = self.config
        return Sampling(
            config.temperature, 1.0, config.max_new_tokens, seed, config.max_thinking_tokens
        )


def _messages(item: Item, answers: Sequence[str]) -> list[Message]:
    messages = items.conversation(item, answers)
    if item.kind == CHOICE:
        last = messages[-1]
        messages[-1] = last | {"content": with_choices(last["content"], item.texts)}
    return messages


def with_choices(prompt: str, choices: Sequence[str]) -> str:
    """The prompt with its choices by letter, unless it shows them all already."""
    if all(choice in prompt for choice in choices):
        return prompt
    listed = "\n".join(
        f"{letter}) {choice}" for letter, choice in zip(_LETTERS, choices, strict=False)
    )
    return f"{prompt}\n\n{listed}\n\nAnswer with the letter of one choice."
