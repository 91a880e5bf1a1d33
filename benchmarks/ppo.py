"""PPO here against the last PPOTrainer that TRL shipped (1.12.0), in one run on one machine.

usage: python benchmarks/ppo.py [--quick] [--model DIR]      (the last line is JSON; also
written to benchmarks/results/ppo.json)

Both start from SmolLM2-135M with random reward and value heads, use the same prompts of at most 128
tokens and sample 48 new tokens: 8 episodes per rollout in micro-batches of 4, one minibatch, full
fine-tuning. Both sample all 48 tokens: TRL always does, and ours gets an end token that is never
drawn. TRL 1.12.0 is installed into a separate folder (build/trl-1.12), with the same torch.

fp32_ratio              episodes a second, everything in float32 on both sides: policy, reference,
                        value and reward model, and the rollouts
fp32_ratio_4_epochs     the same with four inner epochs
best_ratio              each side in its faster precision: float32, or mixed bfloat16 where the
                        processor is fast at it, with frozen models in bfloat16 (not our reference)
mfu                     ours in float32: the operations that a step's passes need, by what a large
                        float32 product reaches on the same cores at the same time

Each has a twin …_cpu in processor seconds, for a machine that is busy with other work. Measurements
alternate, each in its own process with one rollout to warm up. Ratios are of medians. With --quick,
each side is measured once, and four epochs without a warm-up.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from benchmarks.fixtures.model_flops import Seconds

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # as in a run's process
}
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402

YARDSTICK = ROOT / "build" / "trl-1.12"
LENGTH, BATCH, MICRO, N_PROMPTS = 48, 8, 4, 64
SIDES = ("trl", "full", "trl_bf16", "full_bf16", "trl4", "full4", "lora")
TURNS = 2

Measured = dict[str, Any]


def main() -> None:
    options = arguments()
    if options.side:
        print(json.dumps(measure(options)))
        return
    ensure_yardstick()
    started = time.monotonic()
    processor = child(options, "processor")
    runs: dict[str, list[Measured]] = {}
    for side in turns(options, has_bfloat16=processor["is_bfloat16_fast"]):
        runs.setdefault(side, []).append(child(options, side))
    found = figures(runs) | {
        "processor": processor,
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "load": round(os.getloadavg()[0], 1),
        "commit": command_line.commit(),
    }
    command_line.keep("ppo", found, is_quick=options.quick)


def turns(options: argparse.Namespace, *, has_bfloat16: bool) -> Iterator[str]:
    sides = [side for side in SIDES if has_bfloat16 or not side.endswith("bf16")]
    for turn in range(1 if options.quick else TURNS):
        yield from (side for side in sides if turn == 0 or side != "lora")


def figures(runs: dict[str, list[Measured]]) -> Measured:
    def median(name: str) -> dict[str, float]:
        return {side: statistics.median(run[name] for run in taken) for side, taken in runs.items()}

    seconds, cpu = median("s_per_episode"), median("cpu_s_per_episode")
    peak = median("peak_gb")
    ours = {
        name: statistics.median(run[name] for run in runs["full"]) for name in ("mfu", "mfu_cpu")
    }
    return {
        "fp32_ratio": ratio(seconds, "trl", "full"),
        "fp32_ratio_cpu": ratio(cpu, "trl", "full"),
        "fp32_ratio_4_epochs": ratio(seconds, "trl4", "full4"),
        "fp32_ratio_4_epochs_cpu": ratio(cpu, "trl4", "full4"),
        "best_ratio": best_ratio(seconds),
        "best_ratio_cpu": best_ratio(cpu),
        "memory_ratio": ratio(peak, "full", "trl"),
        "lora_memory_ratio": ratio(peak, "lora", "trl"),
        **{name: round(value, 2) for name, value in ours.items()},
        "mfu_by_part": runs["full"][-1]["mfu_by_part"],
        "share_by_part": runs["full"][-1]["share_by_part"],
        "peak_gb": {side: round(value, 2) for side, value in peak.items()},
        "s_per_episode": {side: round(value, 2) for side, value in seconds.items()},
        "cpu_s_per_episode": {side: round(value, 2) for side, value in cpu.items()},
    }


def ratio(values: dict[str, float], above: str, below: str) -> float:
    return round(values[above] / values[below], 2)


def best_ratio(seconds: dict[str, float]) -> float:
    """Of each side's faster precision, among those measured."""
    theirs, ours = (
        min(seconds[name] for name in (side, f"{side}_bf16") if name in seconds)
        for side in ("trl", "full")
    )
    return round(theirs / ours, 2)


def arguments() -> argparse.Namespace:
    parser = command_line.parser(__doc__, quick="one rollout a measurement")
    command_line.add_model(parser)
    command_line.add_data(parser)
    parser.add_argument("--side", choices=(*SIDES, "processor"), help=argparse.SUPPRESS)
    return command_line.parsed_with_model(parser)


def ensure_yardstick() -> None:
    if not (YARDSTICK / "trl").exists():
        target = ["--no-deps", "--target", str(YARDSTICK)]
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", *target, "trl==1.12.0"], check=True
        )


def child(options: argparse.Namespace, side: str) -> Measured:
    path = [str(YARDSTICK)] if side.startswith("trl") else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*path, str(ROOT)])}
    command = [sys.executable, __file__, "--side", side]
    command += ["--model", str(options.model), "--data", str(options.data)]
    out = subprocess.run(
        command + ["--quick"] * options.quick,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ).stdout
    found: Measured = json.loads(out.strip().splitlines()[-1])
    print(f"{side:9} {json.dumps(found)}", flush=True)
    return found


# --- one side, in a process of its own ------------------------------------------------------------


def measure(options: argparse.Namespace) -> Measured:
    if options.side == "processor":
        return processor_figures()
    n_warm_up, n_measured = plan(options)
    train = train_trl if options.side.startswith("trl") else train_ours
    times, more = train(options, n_warm_up + n_measured)
    took, n_episodes = times[-1] - times[n_warm_up], n_measured * BATCH
    return {
        "s_per_episode": took.wall / n_episodes,
        "cpu_s_per_episode": took.cpu / n_episodes,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        **more,
    }


def plan(options: argparse.Namespace) -> tuple[int, int]:
    """(rollouts to warm up, rollouts to measure). Four epochs warm up themselves."""
    if options.quick:
        return (0 if options.side.endswith("4") else 1), 1
    return 1, 2


def processor_figures() -> Measured:
    from training.trainer.modeling import precision  # noqa: PLC0415  # the parent has no torch

    lines = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":")[1].strip() for line in lines.splitlines() if "model name" in line]
    return {
        "name": names[0] if names else "unknown",
        "cores": os.cpu_count(),
        "bfloat16_speedup": round(precision.bfloat16_speedup(), 2),
        "is_bfloat16_fast": precision.is_bfloat16_fast(),
    }


def prompts(options: argparse.Namespace, tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Real conversations from the trees that end with a person's turn, at most 128 tokens."""
    found: list[list[int]] = []
    for line in (options.data / "oasst_en_100_trees.jsonl").open(encoding="utf-8"):
        if line.strip():
            walk(json.loads(line)["prompt"], [], tokenizer, found)
    return found[:N_PROMPTS]


def walk(
    node: dict, history: list[dict], tokenizer: "PreTrainedTokenizerBase", found: list[list[int]]
) -> None:
    history = [
        *history,
        {"role": "user" if node["role"] == "prompter" else "assistant", "content": node["text"]},
    ]
    replies = [reply for reply in node.get("replies", []) if not reply.get("deleted")]
    if len([r for r in replies if r["role"] == "assistant" and r.get("rank") is not None]) >= 2:
        encoded: Any = tokenizer.apply_chat_template(
            history, add_generation_prompt=True, return_dict=True
        )
        ids: list[int] = encoded["input_ids"]
        if len(ids) <= 128:
            found.append(ids)
    for reply in replies:
        walk(reply, history, tokenizer, found)


def train_trl(options: argparse.Namespace, n_steps: int) -> tuple[list["Seconds"], Measured]:
    import transformers  # noqa: PLC0415

    from benchmarks.fixtures.ppo import trl_ppo  # noqa: PLC0415

    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    times = trl_ppo.train(
        options.model,
        prompts(options, tokenizer),
        n_steps=n_steps,
        n_epochs=4 if options.side == "trl4" else 1,
        batch=BATCH,
        micro=MICRO,
        length=LENGTH,
        is_bfloat16=options.side == "trl_bf16",
    )
    return times, {}


def train_ours(options: argparse.Namespace, n_steps: int) -> tuple[list["Seconds"], Measured]:
    from benchmarks.fixtures.ppo import our_ppo  # noqa: PLC0415
    from training.trainer.modeling import precision  # noqa: PLC0415

    is_lora = options.side == "lora"
    trainer = our_ppo.trainer(
        options.model,
        lambda tokenizer: prompts(options, tokenizer),
        method="lora" if is_lora else "full",
        is_bfloat16=precision.is_bfloat16_fast() if is_lora else options.side == "full_bf16",
        n_episodes=n_steps * BATCH,
        n_inner_epochs=4 if options.side == "full4" else 1,
        batch_size=BATCH,
        row_tokens=MICRO * (128 + LENGTH),
        max_new_tokens=LENGTH,
    )
    return our_ppo.train(trainer, LENGTH)


if __name__ == "__main__":
    main()
