"""Responses from transformers' `generate` or a vLLM server, for every kind of run except PPO."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from arithmetic import answer_parts, chats
from arithmetic.chats import ToolCall
from training.processes.run_dir import RunFolder
from training.processes.run_lines import shown_prompt
from training.trainer import data, parallel
from training.trainer.data import Prompt
from training.trainer.modeling import loading, reward_head
from training.trainer.modeling.chat_template import Message, Tools
from training.trainer.sample import response_parts
from training.trainer.sample.rollout_server import RolloutServer
from training.trainer.sample.thinking_budget import ThinkingBudget


@dataclass(frozen=True)
class GeneratedResponse:
    """`text` is the answer alone; `ids` are all that was written, with the end of turn, if any.
    `n_thinking` of them are before the answer.
    """

    text: str
    ids: list[int]
    is_ended: bool
    thinking: str = ""
    n_thinking: int = 0
    tool_calls: Sequence[ToolCall] = ()

    @property
    def has_answer(self) -> bool:
        return bool(self.text.strip() or self.tool_calls)

    @property
    def n_answer(self) -> int:
        """How many tokens the answer has, with the end of turn."""
        return len(self.ids) - self.n_thinking

    def turn(self, *, with_thinking: bool = False) -> Message:
        """The response as a message."""
        thinking = self.thinking if with_thinking else ""
        return dict(chats.answer(self.text, thinking, self.tool_calls))

    def parts(self) -> dict[str, object]:
        """What it has besides its text, as a line of responses.jsonl has it."""
        parts: dict[str, object] = {}
        if self.thinking:
            parts["reasoning_content"] = self.thinking
        if self.tool_calls:
            parts["tool_calls"] = list(self.tool_calls)
        return parts


def config_for(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_new_tokens: int,
    temperature: float,
    top_p: float,
    n_responses: int = 1,
) -> GenerationConfig:
    """These settings, and the ends of turn from the model's folder and the tokenizer. Use them
    within `unadvised`.
    """
    drawn = {"temperature": temperature, "top_p": top_p, "top_k": 0} if temperature > 0 else {}
    return GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=temperature > 0,
        num_return_sequences=n_responses,
        eos_token_id=sorted(loading.ends_of_turn(model, tokenizer)),
        pad_token_id=tokenizer.pad_token_id,
        **drawn,
    )


@contextmanager
def unadvised(model: PreTrainedModel) -> Iterator[None]:
    """Ignores the generation settings in the model's folder (a repetition penalty, a top-k), which
    would change what is measured.
    """
    advice = model.generation_config
    model.generation_config = GenerationConfig()
    try:
        yield
    finally:
        model.generation_config = advice


def until_end(tokens: list[int], ends: set[int]) -> tuple[list[int], bool]:
    """(the tokens before the first end of turn, whether there was one). What follows an end is
    padding.
    """
    for index, token in enumerate(tokens):
        if token in ends:
            return tokens[:index], True
    return tokens, False


def read(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], *, is_ended: bool, tools: Tools = ()
) -> GeneratedResponse:
    """The parts of what a model wrote, which `is_ended` by its last token. Calls are looked for
    where there are `tools` to call.
    """
    written = ids[:-1] if is_ended else ids
    parts = response_parts.split(tokenizer, written)
    text, calls = answer_parts.calls_in(parts.answer) if tools else (parts.answer, [])
    n_thinking = response_parts.n_thinking(tokenizer, written, parts)
    return GeneratedResponse(text, ids, is_ended, parts.thinking, n_thinking, calls)


@torch.no_grad()
def responses(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    settings: GenerationConfig,
    *,
    batch_size: int,
    seed: int,
    is_shared: bool = False,
    server: RolloutServer | None = None,
    max_thinking_tokens: int = 0,
) -> list[GeneratedResponse]:
    """One response to each prompt, in order, reproducible by seed. The random state is restored.
    `is_shared`: the processes share the batches, whose seeds stay the same; a collective call, as
    it is with a server. `max_thinking_tokens`: see thinking_budget.
    """
    if server is not None:
        server.take(model)
        return _served(server, tokenizer, prompts, settings, seed)
    budget = ThinkingBudget(tokenizer, settings, max_thinking_tokens)
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index].input_ids))
    batches = data.batches(order, batch_size)
    written: dict[int, GeneratedResponse] = {}
    was_training = model.training
    model.eval()
    with (
        unadvised(model),
        torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []),
    ):
        for number, batch in parallel.own_part(batches) if is_shared else enumerate(batches):
            torch.manual_seed(seed + number)
            out = budget.responses(
                partial(drawn, model, tokenizer), [prompts[index].input_ids for index in batch]
            )
            for index, tokens in zip(batch, out, strict=True):
                written[index] = response_of(tokenizer, prompts[index], tokens, settings)
    model.train(was_training)
    return (
        parallel.gathered(written)
        if is_shared
        else [written[index] for index in range(len(prompts))]
    )


def drawn(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    settings: GenerationConfig,
) -> list[list[int]]:
    """Token ids from transformers' `generate`, as many in a row to each prompt as the settings say,
    padded after their end. Use it within `unadvised`.
    """
    ids, mask = data.padded(prompts, tokenizer.pad_token_id, side="left")
    ids, mask = ids.to(model.device), mask.to(model.device)  # (P, T)
    written = model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
    tokens: list[list[int]] = written[:, ids.shape[1] :].tolist()  # (P·K, N)
    return tokens


def asked(
    server: RolloutServer,
    prompts: Sequence[list[int]],
    settings: GenerationConfig,
    *,
    seed: int | None = None,
) -> list[list[int]]:
    """Token ids of the server's responses, as many in a row to each prompt as the settings say. A
    collective call.
    """
    n_each = settings.num_return_sequences
    written = server.drawn(
        [prompt for prompt in prompts for _number in range(n_each)],
        n_each=n_each,
        max_new_tokens=settings.max_new_tokens,
        ends=settings.eos_token_id,
        temperature=settings.temperature if settings.do_sample else 0.0,
        top_p=settings.top_p if settings.do_sample else 1.0,
        seed=seed,
    )
    return [ids for ids, _logprobs in written]


def _served(
    server: RolloutServer,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    settings: GenerationConfig,
    seed: int,
) -> list[GeneratedResponse]:
    own = parallel.own_part(prompts)
    written = asked(server, [prompt.input_ids for _number, prompt in own], settings, seed=seed)
    return parallel.gathered(
        {
            number: response_of(tokenizer, prompt, tokens, settings)
            for (number, prompt), tokens in zip(own, written, strict=True)
        }
    )


def response_of(
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    tokens: list[int],
    settings: GenerationConfig,
) -> GeneratedResponse:
    kept, is_ended = until_end(tokens, set(settings.eos_token_id))
    whole = [*kept, tokens[len(kept)]] if is_ended else kept
    return read(tokenizer, whole, is_ended=is_ended, tools=prompt.tools)


def judged_ids(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    answer: GeneratedResponse,
) -> list[int]:
    """What a reward model with the same tokens reads: a response as it was written, or its answer
    as in training, if there is thinking before it that the model was not trained on.
    """
    if not answer.n_thinking or reward_head.reads_thinking(model):
        return prompt.input_ids + answer.ids
    return prompt.input_ids + data.response_ids(
        tokenizer,
        prompt.messages,
        prompt.input_ids,
        answer.turn(),
        tools=prompt.tools,
        is_ended=answer.is_ended,
    )


def show(
    folder: RunFolder,
    step: int,
    prompts: Sequence[Prompt],
    written: Sequence[GeneratedResponse],
    scores: Sequence[Mapping[str, object]],
    n_shown: int,
) -> None:
    """The first `n_shown`, for the run's page."""
    for prompt, answer, score in list(zip(prompts, written, scores, strict=True))[:n_shown]:
        folder.append_sample(
            step,
            shown_prompt(prompt.messages),
            answer_parts.whole(answer.turn(with_thinking=True)),
            {**score, "is_ended": answer.is_ended},
        )
