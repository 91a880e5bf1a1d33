"""Responses from transformers' `generate`, for every kind of run except PPO."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from pages import plain_text
from training.processes.run_dir import RunFolder
from training.trainer import data, parallel
from training.trainer.data import Prompt
from training.trainer.modeling import loading


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
) -> list[GeneratedResponse]:
    """One response to each prompt, in order, reproducible by seed. The random state is restored.
    `is_shared`: the processes share the batches, whose seeds stay the same; a collective call.
    """
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
                kept, is_ended = until_end(tokens, set(settings.eos_token_id))
                whole = [*kept, tokens[len(kept)]] if is_ended else kept
                written[index] = GeneratedResponse(readable(tokenizer, kept), whole, is_ended)
    model.train(was_training)
    return (
        parallel.gathered(written)
        if is_shared
        else [written[index] for index in range(len(prompts))]
    )


def show(
    folder: RunFolder,
    step: int,
    prompts: Sequence[Prompt],
    written: Sequence[GeneratedResponse],
    scores: Sequence[dict[str, Any]],
    n_shown: int,
) -> None:
    """The first `n_shown`, for the run's page."""
    for prompt, answer, score in list(zip(prompts, written, scores, strict=True))[:n_shown]:
        folder.append_sample(
            step, data.shown(prompt.messages), answer.text, score | {"is_ended": answer.is_ended}
        )
