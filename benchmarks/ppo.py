"""PPO here against the last PPOTrainer that TRL shipped (1.12.0), in one run on one machine.

usage: python benchmarks/ppo.py [--quick] [--model DIR]      (the last line is JSON; also
written to benchmarks/results/ppo.json)

Both start from SmolLM2-135M with random reward and value heads, use the same prompts of at most 128
tokens and sample 48 new tokens: 8 episodes per rollout in micro-batches of 4, one minibatch, full
fine-tuning in float32. Both sample all 48 tokens: TRL always does, and ours gets an end token that
is never drawn. TRL 1.12.0 is installed into a separate folder (build/trl-1.12), with the same
torch. Measurements alternate, each in its own process with one rollout to warm up. Ratios are of
medians. Without --quick, four inner epochs are compared too.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
}
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "ppo.json"
YARDSTICK = ROOT / "build" / "trl-1.12"
LENGTH, BATCH, MICRO, N_PROMPTS = 48, 8, 4, 64


def main() -> None:
    options = arguments()
    if options.side:
        print(json.dumps(measure(options)))
        return
    ensure_yardstick()
    started = time.monotonic()
    runs: dict[str, list[dict[str, float]]] = {}
    has_bfloat16 = native_bfloat16()
    turn = ["trl", "full"] + ["autocast"] * (has_bfloat16 and not options.quick)
    sides = turn * 2 + ["lora"]
    sides += ["autocast"] * (has_bfloat16 and options.quick)
    sides += [] if options.quick else ["trl4", "full4"]
    for side in sides:
        runs.setdefault(side, []).append(child(options, side))
    rate = {
        side: statistics.median(run["episodes_per_s"] for run in found)
        for side, found in runs.items()
    }
    peak = {
        side: statistics.median(run["peak_gb"] for run in found) for side, found in runs.items()
    }
    cpu = {
        side: statistics.median(run["cpu_s_per_episode"] for run in found)
        for side, found in runs.items()
    }
    found = {
        "episodes_per_s_ratio": round(rate["full"] / rate["trl"], 2),
        "peak_memory_ratio": round(peak["full"] / peak["trl"], 2),
        "lora_peak_memory_ratio": round(peak["lora"] / peak["trl"], 2),
        "episodes_per_s_ratio_bf16": (
            round(rate["autocast"] / rate["trl"], 2) if "autocast" in rate else None
        ),
        "episodes_per_s_ratio_4_inner_epochs": (
            round(rate["full4"] / rate["trl4"], 2) if "full4" in rate else None
        ),
        "episodes_per_s": {side: round(value, 3) for side, value in rate.items()},
        "peak_gb": {side: round(value, 2) for side, value in peak.items()},
        "cpu_s_ratio": round(cpu["trl"] / cpu["full"], 2),
        "cpu_s_per_episode": {side: round(value, 2) for side, value in cpu.items()},
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "cores": os.cpu_count(),
        "commit": (
            subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
            ).stdout.strip()
        ),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(
        json.dumps(kept | {"quick" if options.quick else "full": found}, indent=1) + "\n"
    )
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one rollout a measurement; under six minutes"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=ROOT / "build" / "smollm2",
        help="made from the packaged weights if absent",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("PREFERABLY_DATA", ROOT / "../shared/data")),
    )
    parser.add_argument(
        "--episodes", type=int, default=16, help="a measurement, after one rollout to warm up"
    )
    parser.add_argument(
        "--side",
        choices=("trl", "trl4", "full", "full4", "lora", "autocast"),
        help=argparse.SUPPRESS,
    )
    options = parser.parse_args()
    options.episodes = BATCH if options.quick else options.episodes
    if not (options.model / "config.json").exists():
        subprocess.run(
            [sys.executable, "-m", "training.trainer.demo_model", str(options.model)],
            check=True,
            cwd=ROOT,
        )
    return options


def ensure_yardstick() -> None:
    if not (YARDSTICK / "trl").exists():
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-deps",
                "--target",
                str(YARDSTICK),
                "trl==1.12.0",
            ],
            check=True,
        )


def child(options: argparse.Namespace, side: str) -> dict[str, float]:
    path = [str(YARDSTICK)] if side.startswith("trl") else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*path, str(ROOT)])}
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--model",
        str(options.model),
        "--data",
        str(options.data),
    ]
    command += ["--episodes", str(options.episodes)] + ["--quick"] * options.quick
    out = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout
    found = json.loads(out.strip().splitlines()[-1])
    print(f"{side:9} {json.dumps(found)}", flush=True)
    return found


def native_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def measure(options: argparse.Namespace) -> dict[str, float]:
    seconds, cpu_s, n = (
        train_trl(options) if options.side.startswith("trl") else train_ours(options)
    )
    return {
        "episodes": n,
        "seconds": round(seconds, 1),
        "episodes_per_s": n / seconds,
        "cpu_s_per_episode": cpu_s / n,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
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


def train_ours(options: argparse.Namespace) -> tuple[float, float, int]:
    import peft  # noqa: PLC0415  # the parent measures memory and stays without torch
    import torch  # noqa: PLC0415
    from accelerate import Accelerator  # noqa: PLC0415

    from training.configs.ppo import PpoConfig  # noqa: PLC0415
    from training.trainer.modeling import loading  # noqa: PLC0415
    from training.trainer.ppo import trainer as ppo_trainer  # noqa: PLC0415
    from training.trainer.ppo.roles import Roles  # noqa: PLC0415

    torch.manual_seed(0)
    tokenizer = loading.load_tokenizer(str(options.model))
    texts = prompts(options, tokenizer)
    is_lora = options.side == "lora"
    dtype = torch.bfloat16 if is_lora else torch.float32
    policy: torch.nn.Module = loading.load_policy(str(options.model), tokenizer, dtype)
    value: torch.nn.Module = loading.load_reward(str(options.model), tokenizer, dtype)
    if is_lora:
        lora: dict[str, Any] = {"r": 16, "lora_alpha": 32, "target_modules": "all-linear"}
        policy = peft.get_peft_model(policy, peft.LoraConfig(task_type="CAUSAL_LM", **lora))
        value = peft.get_peft_model(
            value, peft.LoraConfig(task_type="SEQ_CLS", modules_to_save=["score"], **lora)
        )
        models = Roles(policy, None, None, value)
    else:
        reference = loading.load_policy(str(options.model), tokenizer, torch.float32)
        models = Roles(
            policy,
            reference,
            loading.load_reward(str(options.model), tokenizer, torch.bfloat16),
            value,
        )
    config = PpoConfig(
        method="lora" if is_lora else "full",
        n_episodes=options.episodes + BATCH,  # the first rollout warms up
        batch_size=BATCH,
        n_inner_epochs=4 if options.side == "full4" else 1,
        max_new_tokens=LENGTH,
        row_tokens=MICRO * (128 + LENGTH),
        learning_rate=1e-6,
        value_learning_rate=1e-6,
        warmup_steps=0,
        missing_end="keep",
        kl_coef=0.05,
        ended_floor=0.0,
    )
    accelerator = Accelerator(
        mixed_precision="bf16" if options.side == "autocast" else "no", cpu=True
    )
    trainer = ppo_trainer.PpoTrainer(
        models,
        tokenizer,
        config,
        prompts=texts,
        accelerator=accelerator,
        rollout_autocast=torch.bfloat16 if native_bfloat16() else None,
    )
    trainer.sampler.ends = frozenset({len(tokenizer) - 1})
    ends, cpu = [], []
    for report in trainer.steps():
        assert report.metrics["response_tokens"] == LENGTH
        ends.append(time.monotonic())
        cpu.append(time.process_time())
    return ends[-1] - ends[0], cpu[-1] - cpu[0], options.episodes


def train_trl(options: argparse.Namespace) -> tuple[float, float, int]:
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    from datasets import Dataset  # noqa: PLC0415
    from trl.experimental.ppo import PPOConfig, PPOTrainer  # noqa: PLC0415

    torch.manual_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model, padding_side="left")
    tokenizer.pad_token = "<|endoftext|>"
    heads = transformers.AutoModelForSequenceClassification
    load = lambda kind, **more: kind.from_pretrained(options.model, dtype=torch.float32, **more)  # noqa: E731
    policy, reference = (load(transformers.AutoModelForCausalLM) for _ in range(2))
    reward, value = (load(heads, num_labels=1) for _ in range(2))
    for model in (policy, reference, reward, value):
        model.config.pad_token_id = tokenizer.pad_token_id
    data = Dataset.from_list([{"input_ids": ids} for ids in prompts(options, tokenizer)])
    args = PPOConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=MICRO,
        gradient_accumulation_steps=BATCH // MICRO,
        num_ppo_epochs=4 if options.side == "trl4" else 1,
        num_mini_batches=1,
        total_episodes=options.episodes + BATCH,
        response_length=LENGTH,
        local_rollout_forward_batch_size=BATCH,
        report_to="none",
        use_cpu=True,
        bf16=False,
        num_sample_generations=0,
        save_strategy="no",
        stop_token="eos",
        missing_eos_penalty=1.0,
        learning_rate=1e-6,
        gradient_checkpointing=False,
    )
    trainer = PPOTrainer(
        args=args,
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=reward,
        value_model=value,
        train_dataset=data,
        eval_dataset=data,
    )

    class Clock(transformers.TrainerCallback):
        ends: list[float] = []
        cpu: list[float] = []

        def on_step_end(self, *args: object, **kwargs: object) -> None:
            self.ends.append(time.monotonic())
            self.cpu.append(time.process_time())

    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    return (
        clock.ends[-1] - clock.ends[0],
        clock.cpu[-1] - clock.cpu[0],
        (len(clock.ends) - 1) * BATCH,
    )


if __name__ == "__main__":
    main()
