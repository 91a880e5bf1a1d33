"""Supervised fine-tuning here against TRL's own script, on the same demonstrations.

usage: python benchmarks/sft.py [--quick] [--model DIR]      (the last line is JSON; also written to
benchmarks/results/sft.json)

Both fine-tune SmolLM2-135M with LoRA for one epoch on Open-Assistant conversations of at most 512
tokens, in the precision that the processor is fast at; the loss covers the last reply. TRL's side
is trl/scripts/sft.py with its defaults but for these settings: the same LoRA, learning rate,
batches and precision, no gradient checkpointing, no saving. Ours is the code of a run's process.

tokens_per_s_ratio      ours to TRL's, both with one demonstration a row: 8 rows a batch, 4 batches
                        a step. Ours sorts the rows of a step by length.
packed_ratio            ours with “Pack rows” to TRL's script as above
packed_gain             ours with “Pack rows” to ours without

Tokens are those of the demonstrations, without padding. Each has a twin …_cpu in processor seconds,
for a machine that is busy with other work. Measurements alternate, each in its own process, and
ratios are of medians. With --quick each side is measured once, on fewer rows.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402
from benchmarks.fixtures.trl_scripts import sides  # noqa: E402
from benchmarks.fixtures.trl_scripts.sides import Measured  # noqa: E402
from training.configs.sft import SftConfig  # noqa: E402

SIDES = ("trl", "ours", "packed")
N_ROWS, N_ROWS_QUICK, TURNS = 128, 64, 2
LONGEST = 512
BATCH, ACCUMULATION, RATE, RANK, ALPHA = 8, 4, 5e-4, 16, 32

Turn = dict[str, str]


def main() -> None:
    options = sides.arguments(__doc__, SIDES, quick="fewer rows, once")
    if options.side:
        print(json.dumps(measure(options)))
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        options.home = Path(folder)
        n_rows = write_rows(options)
        runs: dict[str, list[Measured]] = {side: [] for side in SIDES}
        for side in SIDES * (1 if options.quick else TURNS):
            runs[side].append(sides.child(options, side))
    found = figures(runs) | {
        "rows": n_rows,
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "commit": command_line.commit(),
    }
    command_line.keep("sft", found, is_quick=options.quick)


def figures(runs: dict[str, list[Measured]]) -> Measured:
    def median(name: str) -> dict[str, float]:
        return {side: statistics.median(run[name] for run in taken) for side, taken in runs.items()}

    wall, cpu, peak = median("tokens_per_s"), median("tokens_per_cpu_s"), median("peak_gb")
    found: Measured = {}
    for ending, speed in (("", wall), ("_cpu", cpu)):
        found[f"tokens_per_s_ratio{ending}"] = round(speed["ours"] / speed["trl"], 2)
        found[f"packed_ratio{ending}"] = round(speed["packed"] / speed["trl"], 2)
        found[f"packed_gain{ending}"] = round(speed["packed"] / speed["ours"], 2)
    return found | {
        "tokens_per_s": {side: round(value) for side, value in wall.items()},
        "tokens_per_cpu_s": {side: round(value) for side, value in cpu.items()},
        "peak_gb": {side: round(value, 2) for side, value in peak.items()},
        "loss": {side: taken[-1]["loss"] for side, taken in runs.items()},
        "precision": runs["ours"][-1]["precision"],
    }


# --- demonstrations -------------------------------------------------------------------------------


def write_rows(options: argparse.Namespace) -> int:
    import transformers  # noqa: PLC0415

    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    rows = []
    for message in sides.trees(options):
        for turns in conversations(message, []):
            encoded: Any = tokenizer.apply_chat_template(turns, return_dict=True)
            if len(encoded["input_ids"]) <= LONGEST:
                rows.append({"prompt": turns[:-1], "completion": turns[-1:]})
    n_rows = N_ROWS_QUICK if options.quick else N_ROWS
    sides.write_rows(options.home, rows, n_rows)
    return n_rows


def conversations(node: dict[str, Any], history: list[Turn]) -> Iterator[list[Turn]]:
    """Every conversation of a tree that ends with an assistant's reply."""
    is_reply = node["role"] == "assistant"
    here = [*history, {"role": "assistant" if is_reply else "user", "content": node["text"]}]
    if is_reply:
        yield here
    for reply in node.get("replies", []):
        yield from conversations(reply, here)


# --- one side, in a process of its own ------------------------------------------------------------


def measure(options: argparse.Namespace) -> Measured:
    from transformers import trainer as transformers_trainer  # noqa: PLC0415

    from benchmarks.fixtures.trl_scripts.sft_clock import Clock  # noqa: PLC0415
    from training.trainer.modeling import precision  # noqa: PLC0415

    clock = Clock()
    callbacks: list[Any] = transformers_trainer.DEFAULT_CALLBACKS
    callbacks.append(clock)
    is_bfloat16 = precision.is_bfloat16_fast()
    if options.side == "trl":
        train_trl(options, is_bfloat16=is_bfloat16)
    else:
        train_ours(options, packs=options.side == "packed")
    return clock.figures() | {
        "precision": "bfloat16" if is_bfloat16 else "float32",
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def train_trl(options: argparse.Namespace, *, is_bfloat16: bool) -> None:
    from trl.scripts import sft  # noqa: PLC0415

    settings = {
        "model_name_or_path": options.model,
        "dtype": "bfloat16" if is_bfloat16 else "float32",
        "bf16": is_bfloat16,
        "dataset_name": options.home / "rows",
        "output_dir": options.home / "trl",
        "num_train_epochs": 1,
        "per_device_train_batch_size": BATCH,
        "gradient_accumulation_steps": ACCUMULATION,
        "learning_rate": RATE,
        "max_length": LONGEST,
        "gradient_checkpointing": False,
        "use_peft": True,
        "lora_r": RANK,
        "lora_alpha": ALPHA,
        "lora_dropout": 0.0,
        "lora_target_modules": "all-linear",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "eos_token": "<|im_end|>",
        "disable_tqdm": True,
    }
    sides.run_theirs(sft, settings)


def train_ours(options: argparse.Namespace, *, packs: bool) -> None:
    from training.trainer import sft  # noqa: PLC0415

    config = SftConfig(
        n_epochs=1,
        learning_rate=RATE,
        # A packed row has about as many tokens as two others: the steps are as large.
        batch_size=BATCH // 2 if packs else BATCH,
        accumulation=ACCUMULATION,
        packs=packs,
        max_tokens=LONGEST,
        lora_rank=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        checkpoint_every=0,
        keeps_state="never",
    )
    sides.run_ours(options, config, sft.carry_out)


if __name__ == "__main__":
    main()
