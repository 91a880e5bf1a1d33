"""GRPO here against TRL's own script, on the same prompts with the same seed.

usage: python benchmarks/grpo.py [--quick] [--model DIR]     (the last line is JSON; also written to
benchmarks/results/grpo.json)

Both train all weights of SmolLM2-135M on prompts of Open-Assistant, four responses each, rewarded
for a word. TRL's side is trl/scripts/grpo.py with its defaults but for these settings: the
same batches, learning rate, lengths, seed and precision, no saving. Ours is the code of a run's
process.

ratio                   TRL's seconds to ours, from the start of training to its last step: the
                        median over pairs, one after the other, in turns first and second
ratio_cpu               the same in processor seconds, for a machine that is busy with other work
ratios                  of each pair; their range is the noise
loss_difference         the largest difference in loss between the two at any step; likewise of the
                        gradient's norm and the reward

With --quick fewer steps and pairs.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402
from benchmarks.fixtures.trl_scripts import sides  # noqa: E402
from benchmarks.fixtures.trl_scripts.sides import Measured  # noqa: E402
from training.configs.online.grpo import GrpoConfig  # noqa: E402

SIDES = ("trl", "ours")
STEPS, STEPS_QUICK = 8, 3
PAIRS, PAIRS_QUICK = 6, 2
LONGEST_PROMPT, NEW_TOKENS = 48, 16
BATCH, RESPONSES, RATE, SEED = 8, 4, 1e-5, 42
COMPARED = ("loss", "grad_norm", "reward")


def main() -> None:
    options = sides.arguments(__doc__, SIDES, quick="fewer steps and pairs")
    if options.side:
        print(json.dumps(measure(options)))
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        options.home = Path(folder)
        write_prompts(options)
        pairs = []
        for number in range(PAIRS_QUICK if options.quick else PAIRS):
            order = SIDES if number % 2 == 0 else SIDES[::-1]
            pairs.append({side: sides.child(options, side) for side in order})
    found = figures(pairs) | {
        "steps": n_steps(options),
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "commit": command_line.commit(),
    }
    command_line.keep("grpo", found, is_quick=options.quick)


def figures(pairs: list[dict[str, Measured]]) -> Measured:
    ratios = [pair["trl"]["wall"] / pair["ours"]["wall"] for pair in pairs]
    of_cpu = [pair["trl"]["cpu"] / pair["ours"]["cpu"] for pair in pairs]
    differences = {
        f"{name}_difference": max(
            abs(one - other)
            for pair in pairs
            for one, other in zip(pair["trl"][name], pair["ours"][name], strict=True)
        )
        for name in COMPARED
    }
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratio_cpu": round(statistics.median(of_cpu), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        **differences,
        "loss": {side: pairs[-1][side]["loss"] for side in SIDES},
        "wall": {
            side: round(statistics.median(pair[side]["wall"] for pair in pairs), 2)
            for side in SIDES
        },
        "precision": pairs[-1]["ours"]["precision"],
    }


def n_steps(options: argparse.Namespace) -> int:
    return STEPS_QUICK if options.quick else STEPS


def write_prompts(options: argparse.Namespace) -> None:
    import transformers  # noqa: PLC0415

    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    rows = []
    for message in sides.trees(options):
        turns = [{"role": "user", "content": message["text"]}]
        encoded: Any = tokenizer.apply_chat_template(turns, return_dict=True)
        if len(encoded["input_ids"]) <= LONGEST_PROMPT:
            rows.append({"prompt": turns})
    sides.write_rows(options.home, rows, n_steps(options) * BATCH // RESPONSES)


# --- one side, in a process of its own ------------------------------------------------------------


def measure(options: argparse.Namespace) -> Measured:
    from transformers import trainer as transformers_trainer  # noqa: PLC0415

    from benchmarks.fixtures.trl_scripts.grpo_clock import StepClock  # noqa: PLC0415
    from training.trainer.modeling import precision  # noqa: PLC0415

    clock = StepClock()
    callbacks: list[Any] = transformers_trainer.DEFAULT_CALLBACKS
    callbacks.append(clock)
    is_bfloat16 = precision.is_bfloat16_fast()
    if options.side == "trl":
        train_trl(options, is_bfloat16=is_bfloat16)
    else:
        train_ours(options)
    took = clock.took
    return {
        "wall": took.wall,
        "cpu": took.cpu,
        "precision": "bfloat16" if is_bfloat16 else "float32",
        **{name: [logs[name] for logs in clock.logs] for name in COMPARED},
    }


def train_trl(options: argparse.Namespace, *, is_bfloat16: bool) -> None:
    from trl.scripts import grpo  # noqa: PLC0415

    settings = {
        "model_name_or_path": options.model,
        "reward_funcs": "benchmarks.fixtures.trl_scripts.grpo_clock.has_word",
        "dtype": "float32",
        "bf16": is_bfloat16,
        "dataset_name": options.home / "rows",
        "output_dir": options.home / "trl",
        "num_train_epochs": 1,
        "per_device_train_batch_size": BATCH,
        "gradient_accumulation_steps": 1,
        "learning_rate": RATE,
        "lr_scheduler_type": "constant",
        "num_generations": RESPONSES,
        "max_completion_length": NEW_TOKENS,
        "beta": 0.0,
        "seed": SEED,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
    }
    sides.run_theirs(grpo, settings)


def train_ours(options: argparse.Namespace) -> None:
    from benchmarks.fixtures.trl_scripts import grpo_clock  # noqa: PLC0415
    from training.trainer.online import grpo  # noqa: PLC0415

    config = GrpoConfig(
        method="full",
        learning_rate=RATE,
        batch_size=BATCH,
        accumulation=1,
        n_responses=RESPONSES,
        max_new_tokens=NEW_TOKENS,
        kl_coef=0.0,
        missing_end_penalty=0.0,
        pattern_weight=1.0,
        pattern=grpo_clock.PATTERN,
        seed=SEED,
        checkpoint_every=0,
        keeps_state="never",
    )
    sides.run_ours(options, config, grpo.carry_out)


if __name__ == "__main__":
    main()
