"""Models on this node that answer the items of a benchmark run: a language model, or a reward
model.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from jinja2 import TemplateError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.configs.evaluation.benchmark import CHOICE, READ, WRITTEN, BenchmarkConfig
from training.processes.completions import Sampling
from training.processes.run_dir import Job
from training.processes.run_lines import AnswerLine
from training.trainer import data
from training.trainer.data import Prompt
from training.trainer.evaluation import items, likelihood
from training.trainer.evaluation.items import Item, NoAnswer
from training.trainer.modeling import loading, precision
from training.trainer.modeling.chat_template import Message
from training.trainer.reward import scoring
from training.trainer.reward.scoring import TextJudge
from training.trainer.sample import generation

NO_ANSWER = (
    "It was still thinking when its tokens ended. Allow longer thinking, or longer responses."
)
"""Why there is no answer to score: an empty one would be read as a refusal."""
_NEXT_TURN = "\n\nUser:"
PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}"
    "{% for message in messages %}"
    "{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if not loop.last or add_generation_prompt %}{{ '\n\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""How a conversation is written for a model without a chat template: as in a script."""


T = TypeVar("T")


class Answerer(Protocol):
    """Answers items of one kind at a time."""

    is_shared: bool
    """whether several processes share the batches"""

    def answer(self, batch: Sequence[Item]) -> list[AnswerLine]:
        """A row of answers.jsonl for each item, in order."""

    def check(self) -> None:
        """Raises AnticipatedFailure if it is no use to go on. Called once a batch is stored."""


class WithContext(Protocol):
    """A model that reads at most `max_tokens` at once."""

    max_tokens: int

    def n_tokens(self, item: Item) -> int:
        """The fewest tokens that answering the item takes. Raises NoAnswer if it has no answer for
        another reason.
        """


@dataclass
class _Reading:
    """An item as token ids. `texts` are what may follow its prompt."""

    item: Item
    prompt: list[int]
    texts: list[list[int]]

    @property
    def n_tokens(self) -> int:
        return len(self.prompt) + max(map(len, self.texts))


@dataclass
class _Conversation:
    """An item that is being answered in writing."""

    item: Item
    messages: list[Message]
    texts: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    is_ended: bool = True
    missing: str = ""


class LanguageModel:
    """Reads choices and responses by their likelihood, and writes answers."""

    is_shared = True

    def __init__(self, job: Job, config: BenchmarkConfig) -> None:
        dtype = precision.dtype(config.dtype)
        self.config = config
        self.tokenizer = loading.load_tokenizer(
            job.model, padding_side="left", plain_template=PLAIN_TEMPLATE
        )
        self.is_plain = self.tokenizer.chat_template == PLAIN_TEMPLATE
        self.model = loading.load_policy(job.model, self.tokenizer, dtype).eval()
        self.max_tokens = _max_tokens(self.model, config)
        self.judge = TextJudge(job.reward_model, dtype) if job.reward_model else None
        self.settings = generation.config_for(
            self.model,
            self.tokenizer,
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
            top_p=1.0,
        )

    def check(self) -> None:
        """It always answers."""

    def answer(self, batch: Sequence[Item]) -> list[AnswerLine]:
        if batch[0].kind in WRITTEN:
            return self._write(batch)
        return _answered(batch, self._read, self._by_likelihood)

    def n_tokens(self, item: Item) -> int:
        """Of an item with later turns: as if each answer but the last were empty."""
        if item.kind not in WRITTEN:
            return self._read(item).n_tokens
        prompt = _templated(lambda: data.prompt_ids(self.tokenizer, item.messages))
        turn_ids = [self.tokenizer(text)["input_ids"] for text in item.later_turns]
        return len(prompt) + sum(map(len, turn_ids)) + self.config.max_written_tokens

    def _read(self, item: Item) -> _Reading:
        if item.kind != CHOICE and item.kind not in READ:
            raise NoAnswer(f"This run answers no items of the kind {item.kind}.")
        # Without the end of turn: a choice may be the start of a longer answer.
        return _reading(self.tokenizer, item, is_ended=False)

    def _by_likelihood(self, readings: Sequence[_Reading]) -> list[AnswerLine]:
        likelihoods = likelihood.log_likelihoods(
            self.model,
            int(self.tokenizer.pad_token_id or 0),
            [reading.prompt for reading in readings],
            [reading.texts for reading in readings],
        )
        return [_likely(reading, sums) for reading, sums in zip(readings, likelihoods, strict=True)]

    def _write(self, batch: Sequence[Item]) -> list[AnswerLine]:
        talks = [_Conversation(item, list(item.messages)) for item in batch]
        for turn in range(1 + max(len(item.later_turns) for item in batch)):
            self._write_turn(talks, turn)
        rows = [self._row(talk) for talk in talks]
        return rows if self.judge is None else judged(self.judge, batch, rows, self.config)

    def _write_turn(self, talks: Sequence[_Conversation], turn: int) -> None:
        prompts, asked = [], []
        for talk in talks:
            if talk.missing or turn > len(talk.item.later_turns):
                continue
            if turn:
                message = {"role": "user", "content": talk.item.later_turns[turn - 1]}
                talk.messages.append(message)
            try:
                prompts.append(self._prompt(talk))
            except NoAnswer as problem:
                talk.missing = str(problem)
            else:
                asked.append(talk)
        if not asked:
            return
        written = generation.responses(
            self.model,
            self.tokenizer,
            prompts,
            self.settings,
            batch_size=len(prompts),
            seed=_seed(self.config.seed, asked, turn),
            max_thinking_tokens=self.config.max_thinking_tokens,
        )
        for talk, response in zip(asked, written, strict=True):
            if response.thinking and not response.has_answer:
                talk.missing = NO_ANSWER
            text, is_ended = self._until_next_turn(response)
            talk.texts.append(text)
            talk.thinking.append(response.thinking)
            talk.is_ended = talk.is_ended and is_ended
            talk.messages.append({"role": "assistant", "content": text})

    def _prompt(self, talk: _Conversation) -> Prompt:
        ids = _templated(lambda: data.prompt_ids(self.tokenizer, talk.messages))
        if len(ids) + self.config.max_written_tokens > self.max_tokens:
            raise NoAnswer(
                f"With the answers before it, longer than {self.max_tokens} tokens, the most that"
                " this run reads at once."
            )
        return Prompt(talk.item.pk, talk.messages, ids)

    def _until_next_turn(self, response: generation.GeneratedResponse) -> tuple[str, bool]:
        """Without a chat template, a model may go on with the user's next turn."""
        if not self.is_plain:
            return response.text, response.is_ended
        text, next_turn, _rest = response.text.partition(_NEXT_TURN)
        return text.strip(), response.is_ended or bool(next_turn)

    def _row(self, talk: _Conversation) -> AnswerLine:
        config = self.config
        sampling = Sampling(
            config.temperature,
            1.0,
            config.max_new_tokens,
            config.seed,
            config.max_thinking_tokens,
        )
        first, *later = talk.texts or [""]
        return items.answer(
            talk.item,
            text=first,
            follow_ups=later,
            values=items.thinking(talk.thinking),
            sampling=sampling.as_json(),
            is_ended=talk.is_ended if talk.texts else None,
            missing=talk.missing,
        )


class RewardModel:
    """Scores the responses of pairs, and of several."""

    is_shared = True

    def __init__(self, job: Job, config: BenchmarkConfig) -> None:
        self.config = config
        self.judge = TextJudge(job.model, precision.dtype(config.dtype))
        self.max_tokens = _max_tokens(self.judge.model, config)

    def check(self) -> None:
        """It always answers."""

    def answer(self, batch: Sequence[Item]) -> list[AnswerLine]:
        return _answered(batch, self._read, self._by_reward)

    def n_tokens(self, item: Item) -> int:
        return self._read(item).n_tokens

    def _read(self, item: Item) -> _Reading:
        if item.kind not in READ:
            raise NoAnswer("A reward model writes no answers.")
        return _reading(self.judge.tokenizer, item, is_ended=True)

    def _by_reward(self, readings: Sequence[_Reading]) -> list[AnswerLine]:
        rewards = iter(
            scoring.rewards_of_sequences(
                self.judge.model,
                int(self.judge.tokenizer.pad_token_id or 0),
                [reading.prompt + text for reading in readings for text in reading.texts],
                batch_size=self.config.batch_size,
                dtype=self.judge.dtype,
            )
        )
        return [
            items.judged(reading.item, [next(rewards) for _text in reading.texts], "reward")
            for reading in readings
        ]


def judged(
    judge: TextJudge, batch: Sequence[Item], rows: Sequence[AnswerLine], config: BenchmarkConfig
) -> list[AnswerLine]:
    """The rows, each with the reward of its last answer in its conversation."""
    prompts, last = {}, []
    for item, row in zip(batch, rows, strict=True):
        if row["missing"]:
            continue
        texts = [row["text"], *row["follow_ups"]]
        prompts[item.pk] = items.conversation(item, texts[:-1])
        thought = row["values"].get(items.THINKING, [""])
        last.append(
            {
                "prompt_id": item.pk,
                "text": texts[-1],
                "is_ended": row["is_ended"] is not False,
                "reasoning_content": thought[-1],
            }
        )
    scored = judge.scored(last, prompts, batch_size=config.batch_size)
    rewards = {row["prompt_id"]: row["score"] for row in scored}
    return [
        row | {"values": {**row["values"], "reward": rewards[item.pk]}}
        if item.pk in rewards
        else row
        for item, row in zip(batch, rows, strict=True)
    ]


def _answered(
    batch: Sequence[Item],
    read: Callable[[Item], _Reading],
    answer: Callable[[Sequence[_Reading]], list[AnswerLine]],
) -> list[AnswerLine]:
    rows: dict[int, AnswerLine] = {}
    readings = []
    for item in batch:
        try:
            readings.append(read(item))
        except NoAnswer as problem:
            rows[item.pk] = items.answer(item, missing=str(problem))
    rows |= {row["item"]: row for row in (answer(readings) if readings else [])}
    return [rows[item.pk] for item in batch]


def _reading(tokenizer: PreTrainedTokenizerBase, item: Item, *, is_ended: bool) -> _Reading:
    prompt = _templated(lambda: data.prompt_ids(tokenizer, item.messages))
    texts = _templated(
        lambda: [
            data.response_ids(tokenizer, item.messages, prompt, text, is_ended=is_ended)
            for text in item.texts
        ]
    )
    if not all(texts):
        raise NoAnswer("One of its texts is empty.")
    return _Reading(item, prompt, texts)


def _templated(write: Callable[[], T]) -> T:
    try:
        return write()
    except TemplateError as problem:
        raise NoAnswer(f"The model's chat template refuses the conversation: {problem}") from None


def _likely(reading: _Reading, sums: Sequence[float]) -> AnswerLine:
    n_tokens = [len(text) for text in reading.texts]
    if reading.item.kind != CHOICE:
        means = [total / n for total, n in zip(sums, n_tokens, strict=True)]
        return items.judged(reading.item, means, "likelihood")
    values = {
        "log_likelihoods": list(sums),
        "n_tokens": n_tokens,
        "n_characters": [len(text) for text in reading.item.texts],
    }
    return items.answer(reading.item, values=values)


def _max_tokens(model: PreTrainedModel, config: BenchmarkConfig) -> int:
    context = getattr(model.config, "max_position_embeddings", None)
    return min(config.max_tokens, context or config.max_tokens)


def _seed(seed: int, talks: Sequence[_Conversation], turn: int) -> int:
    """Depends on the items, not on earlier batches, so that a resumed run writes the same."""
    named = f"{seed}:{turn}:{[talk.item.name for talk in talks]}"
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:7], "big")
