"""Responses from transformers' `generate` or a vLLM server, for every kind of run except PPO."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from arithmetic import plain_text
from training.processes.run_dir import RunFolder
from training.trainer import data, parallel
from training.trainer.data import Prompt
from training.trainer.modeling import loading
from training.trainer.sample.rollout_server import RolloutServer


@dataclass(frozen=True)
class GeneratedResponse:
    """`ids` include the end of turn, if any."""

    text: str
    ids: list[int]
    is_ended: bool


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


def readable(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """PostgreSQL stores no NUL, and a byte-level model can write one."""
    return plain_text.storable(str(tokenizer.decode(list(tokens), skip_special_tokens=True)))


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
) -> list[GeneratedResponse]:
    """One response to each prompt, in order, reproducible by seed. The random state is restored.
    `is_shared`: the processes share the batches, whose seeds stay the same; a collective call, as
    it is with a server.
    """
    if server is not None:
        server.take(model)
        return _served(server, tokenizer, prompts, settings, seed)
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
            ids, mask = data.padded(
                [prompts[index].input_ids for index in batch], tokenizer.pad_token_id, side="left"
            )
            ids, mask = ids.to(model.device), mask.to(model.device)  # (B, T)
            out = model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)[
                :, ids.shape[1] :
            ]
            for index, tokens in zip(batch, out.tolist(), strict=True):
                written[index] = _response(tokenizer, tokens, settings)
    model.train(was_training)
    return (
        parallel.gathered(written)
        if is_shared
        else [written[index] for index in range(len(prompts))]
    )


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
    return server.responses(
        [prompt for prompt in prompts for _number in range(n_each)],
        n_each=n_each,
        max_new_tokens=settings.max_new_tokens,
        ends=settings.eos_token_id,
        temperature=settings.temperature if settings.do_sample else 0.0,
        top_p=settings.top_p if settings.do_sample else 1.0,
        seed=seed,
    )


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
            number: _response(tokenizer, tokens, settings)
            for (number, _prompt), tokens in zip(own, written, strict=True)
        }
    )


def _response(
    tokenizer: PreTrainedTokenizerBase, tokens: list[int], settings: GenerationConfig
) -> GeneratedResponse:
    kept, is_ended = until_end(tokens, set(settings.eos_token_id))
    whole = [*kept, tokens[len(kept)]] if is_ended else kept
    return GeneratedResponse(readable(tokenizer, kept), whole, is_ended)


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
            step, data.shown(prompt.messages), answer.text, {**score, "is_ended": answer.is_ended}
        )
