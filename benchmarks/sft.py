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
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "PASSIVE",  # as in a run's process
}
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402

SIDES = ("trl", "ours", "packed")
N_ROWS, N_ROWS_QUICK, TURNS = 128, 64, 2
LONGEST = 512
BATCH, ACCUMULATION, RATE, RANK, ALPHA = 8, 4, 5e-4, 16, 32

Measured = dict[str, Any]
Turn = dict[str, str]


def main() -> None:
    options = arguments()
    if options.side:
        print(json.dumps(measure(options)))
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        options.home = Path(folder)
        n_rows = write_rows(options)
        runs: dict[str, list[Measured]] = {side: [] for side in SIDES}
        for side in SIDES * (1 if options.quick else TURNS):
            runs[side].append(child(options, side))
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


def arguments() -> argparse.Namespace:
    parser = command_line.parser(__doc__, quick="fewer rows, once")
    command_line.add_model(parser)
    command_line.add_data(parser)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return command_line.parsed_with_model(parser)


def child(options: argparse.Namespace, side: str) -> Measured:
    command = [sys.executable, __file__, "--side", side, "--home", str(options.home)]
    out = subprocess.run(
        [*command, "--model", str(options.model)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HOME": str(options.home / "cache")},
    ).stdout
    found: Measured = json.loads(out.strip().splitlines()[-1])
    print(f"{side:7} {json.dumps(found)}", flush=True)
    return found


# --- demonstrations -------------------------------------------------------------------------------


def write_rows(options: argparse.Namespace) -> int:
    """As a snapshot's train.jsonl, which TRL's script reads too."""
    import transformers  # noqa: PLC0415

    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    rows = []
    for line in (options.data / "oasst_en_100_trees.jsonl").open(encoding="utf-8"):
        for turns in conversations(json.loads(line)["prompt"], []) if line.strip() else ():
            encoded: Any = tokenizer.apply_chat_template(turns, return_dict=True)
            if len(encoded["input_ids"]) <= LONGEST:
                rows.append({"prompt": turns[:-1], "completion": turns[-1:]})
    rows = random.Random(0).sample(rows, N_ROWS_QUICK if options.quick else N_ROWS)
    lines = [json.dumps(row | {"id": number}) + "\n" for number, row in enumerate(rows)]
    (options.home / "rows").mkdir()
    (options.home / "rows" / "train.jsonl").write_text("".join(lines), encoding="utf-8")
    return len(rows)


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

    from benchmarks.fixtures.sft_clock import Clock  # noqa: PLC0415
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
    written = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    sys.argv = ["sft.py", *written]
    sft.main(*sft.make_parser().parse_args_and_config())


def train_ours(options: argparse.Namespace, *, packs: bool) -> None:
    from training.configs import kinds  # noqa: PLC0415
    from training.configs.sft import SftConfig  # noqa: PLC0415
    from training.processes.run_dir import Job, RunFolder, write_job  # noqa: PLC0415
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
    path = Path(tempfile.mkdtemp(dir=options.home))
    job = Job(
        kind="sft",
        run_id=1,
        attempt=1,
        config=kinds.as_json(config),
        model=str(options.model),
        snapshot=str(options.home / "rows"),
        threads=os.cpu_count() or 1,
    )
    write_job(path, job)
    sft.carry_out(job, config, RunFolder(path, 1))


if __name__ == "__main__":
    main()
