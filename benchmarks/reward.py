"""Reward models from whole rankings against TRL's RewardTrainer on every pair, in one run on one
machine.

usage: python benchmarks/reward.py [--quick] [--model DIR]      (the last line is JSON; writes
benchmarks/results/reward.json)

Each measurement runs in its own process, to measure its peak memory. The machine may be busy, so
the two alternate and medians are compared: ours, theirs, ours, theirs. --quick leaves out the last
one, and the last two of the real rankings. Both train all weights of SmolLM2-135M in float32 with
AdamW, with one optimizer step per ranking; TRL accumulates its pairs for that step. One pair warms
up before the clock starts.
"""

import argparse
import itertools
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402

# (responses per ranking, number of rankings, with --quick)
SIZES = {"k4": (4, 4, 2), "k9": (9, 2, 1)}
N_REAL = (12, 2)
TURNS = ("ours", "trl", "ours", "trl")
QUICK_TURNS = {"k4": TURNS[:3], "k9": TURNS[:3], "oasst": TURNS[:2]}


def main() -> None:
    options = arguments()
    if options.side:
        print(json.dumps(measure(options)))
        return
    found: dict[str, object] = {"quick": options.quick}
    started = time.monotonic()
    memory = {}
    for case in ("k4", "k9", "oasst"):
        runs: dict[str, list[dict[str, float]]] = {"trl": [], "ours": []}
        for side in QUICK_TURNS[case] if options.quick else TURNS:
            runs[side].append(child(options, side, case))
        seconds = {
            side: statistics.median(run["seconds"] for run in taken) for side, taken in runs.items()
        }
        peak = {
            side: statistics.median(run["peak_gb"] for run in taken) for side, taken in runs.items()
        }
        found[f"{case}_speedup"] = round(seconds["trl"] / seconds["ours"], 2)
        found[f"{case}_seconds"] = {side: round(value, 2) for side, value in seconds.items()}
        memory[case] = round(peak["ours"] / peak["trl"], 3)
    found |= child(options, "errors", "oasst")
    found |= {"peak_memory_ratio": statistics.median(memory.values()), "peak_memory_ratios": memory}
    found |= {"seconds": round(time.monotonic() - started)}
    found |= {"cores": os.cpu_count(), "commit": command_line.commit()}
    command_line.keep("reward", found, is_quick=options.quick)


def arguments() -> argparse.Namespace:
    parser = command_line.parser(__doc__, quick="fewer rankings; under six minutes")
    command_line.add_model(parser)
    command_line.add_data(parser)
    parser.add_argument("--side", choices=("trl", "ours", "errors"), help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=("k4", "k9", "oasst"), help=argparse.SUPPRESS)
    return command_line.parsed_with_model(parser)


def child(options: argparse.Namespace, side: str, case: str) -> dict[str, float]:
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--case",
        case,
        "--model",
        str(options.model),
        "--data",
        str(options.data),
    ]
    out = subprocess.run(
        command + ["--quick"] * options.quick, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found = json.loads(out.strip().splitlines()[-1])
    print(f"{case:6} {side:7} {json.dumps(found)}", flush=True)
    return found


def measure(options: argparse.Namespace) -> dict[str, float]:
    import torch  # noqa: PLC0415  # the parent measures memory and stays without it

    torch.manual_seed(0)
    rankings = real_rankings(options) if options.case == "oasst" else made_rankings(options)
    if options.side == "errors":
        return errors(options, rankings[:2])
    seconds = (
        train_ours(options, rankings) if options.side == "ours" else train_trl(options, rankings)
    )
    return {"seconds": seconds, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


# --- rankings: (prompt ids, response ids best first) ----------------------------------------------

Ranking = tuple[list[int], list[list[int]]]


def made_rankings(options: argparse.Namespace) -> list[Ranking]:
    """Prompts and responses of 128 random token ids each. The ids do not affect the cost."""
    k, full, quick = SIZES[options.case]
    draw = random.Random(0)
    tokens = lambda: [draw.randrange(100, 40_000) for _ in range(128)]  # noqa: E731
    return [
        (tokens(), [tokens() for _ in range(k)]) for _ in range(quick if options.quick else full)
    ]


def real_rankings(options: argparse.Namespace) -> list[Ranking]:
    """Replies from the Open-Assistant trees that volunteers ranked; K = 2 to 9, at most 512
    tokens.
    """
    from training.trainer.modeling import loading  # noqa: PLC0415
    from training.trainer.reward.rankings import read  # noqa: PLC0415

    tokenizer = loading.load_tokenizer(str(options.model))
    trees = (
        json.loads(line)
        for line in (options.data / "oasst_en_100_trees.jsonl").open(encoding="utf-8")
        if line.strip()
    )
    rankings = itertools.chain.from_iterable(ranked(tree["prompt"], []) for tree in trees)
    rows = [
        {
            "prompt": prompt,
            "responses": [{"text": text, "rank": rank} for rank, text in enumerate(texts)],
        }
        for prompt, texts in rankings
    ]
    whole = [read(tokenizer, [row], 512) for row in rows]
    found = [
        (r.rows[0]["prompt_ids"], r.rows[0]["response_ids"])
        for r in whole
        if r.rows and not r.n_cut and not r.n_left_out
    ]
    return random.Random(1).sample(found, N_REAL[options.quick])


def ranked(
    node: dict[str, Any], history: list[dict[str, str]]
) -> Iterator[tuple[list[dict[str, str]], list[str]]]:
    history = [
        *history,
        {"role": "user" if node["role"] == "prompter" else "assistant", "content": node["text"]},
    ]
    replies = [reply for reply in node.get("replies", []) if not reply.get("deleted")]
    order = sorted(
        (r for r in replies if r["role"] == "assistant" and r.get("rank") is not None),
        key=lambda r: r["rank"],
    )
    here = [(history, [reply["text"] for reply in order])] if len(order) >= 2 else []
    return itertools.chain(here, *(ranked(reply, history) for reply in replies))


# --- the two sides --------------------------------------------------------------------------------


def train_ours(options: argparse.Namespace, rankings: list[Ranking]) -> float:
    from training.trainer.reward import trainer as ranking_trainer  # noqa: PLC0415
    from training.trainer.reward.rankings import ranking_row  # noqa: PLC0415

    model, tokenizer = load(options)

    def trainer(rankings: list[Ranking]) -> Any:
        rows = [
            ranking_row(prompt, responses, [{"ranks": list(range(1, len(responses) + 1))}])
            for prompt, responses in rankings
        ]
        args = ranking_trainer.RankingArguments(
            per_device_train_batch_size=1, **common(len(rankings))
        )
        return ranking_trainer.RankingTrainer(
            model, args, processing_class=tokenizer, train_dataset=rows
        )

    return timed(trainer, rankings)


def train_trl(options: argparse.Namespace, rankings: list[Ranking]) -> float:
    import datasets  # noqa: PLC0415
    from trl.trainer.reward_config import RewardConfig  # noqa: PLC0415
    from trl.trainer.reward_trainer import RewardTrainer  # noqa: PLC0415

    model, tokenizer = load(options)

    def trainer(rankings: list[Ranking]) -> Any:
        groups = [
            [(p + r[i], p + r[j]) for i, j in itertools.combinations(range(len(r)), 2)]
            for p, r in rankings
        ]
        pairs = list(itertools.chain.from_iterable(groups))
        if (
            options.case == "oasst"
        ):  # unequal K: batches span rankings, with as many optimizer steps as ours
            batch, accumulation = 2, max(1, round(len(pairs) / 2 / len(groups)))
        else:
            batch, accumulation = 6, max(1, len(groups[0]) // 6)
        rows = [{"chosen_ids": chosen, "rejected_ids": rejected} for chosen, rejected in pairs]
        args = RewardConfig(
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
            max_length=None,
            **common(-(-len(rows) // (batch * accumulation))),
        )
        data = datasets.Dataset.from_list(rows)
        return RewardTrainer(model=model, args=args, train_dataset=data, processing_class=tokenizer)

    return timed(trainer, rankings)


def common(n_steps: int) -> dict[str, Any]:
    return {
        "output_dir": tempfile.mkdtemp(),
        "max_steps": n_steps,
        "learning_rate": 9e-6,
        "report_to": "none",
        "logging_steps": 1000,
        "save_strategy": "no",
        "use_cpu": True,
        "bf16": False,
        "activation_checkpointing": False,
        "disable_tqdm": True,
    }


def timed(trainer: Callable[[list[Ranking]], Any], rankings: list[Ranking]) -> float:
    """Seconds from the start of training to the end of its last optimizer step, after one warm-up
    pair.
    """
    import transformers  # noqa: PLC0415

    class Clock(transformers.TrainerCallback):
        begin = end = 0.0

        def on_train_begin(self, *args: object, **kwargs: object) -> None:
            self.begin = time.monotonic()

        def on_step_end(self, *args: object, **kwargs: object) -> None:
            self.end = time.monotonic()

    prompt, responses = rankings[0]
    trainer([(prompt, responses[:2])]).train()
    clock, measured = Clock(), trainer(rankings)
    measured.add_callback(clock)
    measured.train()
    return clock.end - clock.begin


def load(options: argparse.Namespace) -> tuple[Any, Any]:
    import torch  # noqa: PLC0415

    from training.trainer.modeling import loading  # noqa: PLC0415

    tokenizer = loading.load_tokenizer(str(options.model))
    torch.manual_seed(0)
    return loading.load_reward(str(options.model), tokenizer, torch.float32), tokenizer


def errors(options: argparse.Namespace, rankings: list[Ranking]) -> dict[str, float]:
    """The largest difference in loss and gradient between one packed pass and TRL's loss over the
    same pairs, in float32.
    """
    import torch  # noqa: PLC0415

    from training.trainer.modeling import packed_attention  # noqa: PLC0415
    from training.trainer.reward import (  # noqa: PLC0415
        batches,
        formulas,
    )
    from training.trainer.reward.rankings import ranking_row  # noqa: PLC0415

    model, tokenizer = load(options)
    packed_attention.use(model)
    rows = [ranking_row(p, r, [{"ranks": list(range(1, len(r) + 1))}]) for p, r in rankings]
    batch = batches.RankingCollator(tokenizer.pad_token_id)(rows)
    loss = formulas.ranking_loss(
        batches.rewards_of(model, batch), batch["pairs"], n_prompts=len(rows), per="pair"
    )
    loss.backward()
    ours = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    pairs = [
        (p + r[i], p + r[j])
        for p, r in rankings
        for i, j in itertools.combinations(range(len(r)), 2)
    ]
    total = 0.0
    for chosen, rejected in pairs:
        scores = [model(input_ids=torch.tensor([ids])).logits[0, 0] for ids in (chosen, rejected)]
        part = -torch.nn.functional.logsigmoid(scores[0] - scores[1]) / len(pairs)
        part.backward()
        total += float(part.detach())
    worst = max(
        float((mine - p.grad).abs().max()) for mine, p in zip(ours, model.parameters(), strict=True)
    )
    return {"max_loss_error": abs(float(loss.detach()) - total), "max_grad_error": worst}


if __name__ == "__main__":
    main()
