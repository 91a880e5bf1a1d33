"""Sampling here against transformers' `generate`, in one process on one machine.

usage: python benchmarks/rollout.py [--quick] [--model DIR]      (the last line is JSON; also
written to benchmarks/results/rollout.json)

SmolLM2-135M in float32 answers the demo's prompts at temperature 1, with at most 128 tokens each
(--quick: 48), 16 at once. `generate` has the same kind of cache, allocated once
(`cache_implementation="static"`, not compiled), and its usual one that grows; both go on with a row
that has ended until the longest one has, and read padded prompts. Turns alternate after one to warm
up, each with a seed of its own; the order within a turn alternates too.

ratio           tokens in a processor second that ours writes, by those of `generate` with a static
                cache. Only tokens up to an end of turn count. The median over turns
ratio_growing   the same by `generate` with its usual cache
ratio_all       the first figure where no row ends early: every token is drawn by both
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from benchmarks.fixtures import command_line  # noqa: E402
from training.trainer.modeling import loading  # noqa: E402
from training.trainer.sample import fixed_cache, generation  # noqa: E402

DEMO = ROOT / "training" / "management" / "demo"
N_AT_ONCE, N_BATCHES, TURNS = 16, 2, 5

Write = Callable[[Sequence[list[int]]], list[list[int]]]


def main() -> None:
    options = command_line.parser(__doc__, quick="shorter responses, fewer turns")
    command_line.add_model(options)
    chosen = command_line.parsed_with_model(options)
    started = time.monotonic()
    found = figures(chosen) | {
        "cores": os.cpu_count(),
        "seconds": round(time.monotonic() - started),
        "load": round(os.getloadavg()[0], 1),
        "commit": command_line.commit(),
    }
    command_line.keep("rollout", found, is_quick=chosen.quick)


@torch.no_grad()
def figures(options: argparse.Namespace) -> dict[str, Any]:
    tokenizer = loading.load_tokenizer(str(options.model))
    model: Any = loading.load_policy(str(options.model), tokenizer, torch.float32)
    model.eval()
    prompts = batches(tokenizer)
    length, n_turns = (48, 3) if options.quick else (128, TURNS)
    ends = frozenset(loading.ends_of_turn(model, tokenizer))
    rates = tokens_a_second(
        prompts,
        {
            "ours": ours(model, length, ends),
            "static": theirs(model, tokenizer, length, ends, cache="static"),
            "growing": theirs(model, tokenizer, length, ends, cache=None),
            "ours_all": ours(model, length, frozenset()),
            "static_all": theirs(model, tokenizer, length, frozenset(), cache="static"),
        },
        ends=ends,
        n_turns=n_turns,
    )
    medians = {side: statistics.median(values) for side, values in rates.items()}
    return {
        "ratio": round(medians["ours"] / medians["static"], 2),
        "ratio_growing": round(medians["ours"] / medians["growing"], 2),
        "ratio_all": round(medians["ours_all"] / medians["static_all"], 2),
        "tokens_a_cpu_second": {side: round(value, 1) for side, value in medians.items()},
        "quick": options.quick,
    }


def batches(tokenizer: Any) -> list[list[list[int]]]:
    lines = itertools.chain.from_iterable(
        (DEMO / name).read_text().splitlines() for name in ("prompts.jsonl", "more_prompts.jsonl")
    )
    conversations = [json.loads(line)["messages"] for line in lines][: N_AT_ONCE * N_BATCHES]
    encoded = [
        tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)[
            "input_ids"
        ]
        for messages in conversations
    ]
    return [encoded[first : first + N_AT_ONCE] for first in range(0, len(encoded), N_AT_ONCE)]


def ours(model: Any, length: int, ends: frozenset[int]) -> Write:
    def write(prompts: Sequence[list[int]]) -> list[list[int]]:
        return fixed_cache.responses(model, prompts, max_new_tokens=length, ends=ends)

    return write


def theirs(
    model: Any, tokenizer: Any, length: int, ends: frozenset[int], *, cache: str | None
) -> Write:
    settings = generation.config_for(
        model, tokenizer, max_new_tokens=length, temperature=1.0, top_p=1.0
    )
    settings.eos_token_id = sorted(ends) or [model.config.vocab_size]  # which is never drawn
    settings.cache_implementation = cache
    settings.disable_compile = True

    def write(prompts: Sequence[list[int]]) -> list[list[int]]:
        with generation.unadvised(model):
            return generation.drawn(model, tokenizer, prompts, settings)

    return write


def tokens_a_second(
    prompts: Sequence[Sequence[list[int]]],
    sides: dict[str, Write],
    *,
    ends: frozenset[int],
    n_turns: int,
) -> dict[str, list[float]]:
    """Of processor time, by side and turn. The sides without ends count every token."""
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(n_turns + 1):
        for side in sorted(sides, reverse=turn % 2 == 1):
            torch.manual_seed(turn)
            started, n_tokens = time.process_time(), 0
            for batch in prompts:
                written = sides[side](batch)
                n_tokens += sum(len(_counted(tokens, side, ends)) for tokens in written)
            if turn:
                rates[side].append(n_tokens / (time.process_time() - started))
                print(f"{side:10} {rates[side][-1]:.1f}", flush=True)
    return rates


def _counted(tokens: list[int], side: str, ends: frozenset[int]) -> list[int]:
    if side.endswith("_all"):
        return tokens
    kept, is_ended = generation.until_end(tokens, set(ends))
    return tokens[: len(kept) + is_ended]


if __name__ == "__main__":
    main()
