"""Does a preference that only raters know reach the policy? Raters who like to be addressed, a
reward model, PPO, best of N.

usage: python benchmarks/hidden_preference.py [--quick] [--folder DIR] [--preset NAME]   (the last
line is JSON; writes benchmarks/results/)

Simulated raters prefer the response that addresses its reader more often (you, your, yours; counted
up to three times), and make an error in one ranking out of ten. The reward model sees rankings but
not the rule. Everything runs through the trainer's own command, with one folder per run, as on a
node. DIR keeps the folders, and a second start continues after the last finished run.

Measured on held-out prompts, with the rule without errors: the reward model on pairs of the first
model's responses; PPO's response and the best of N under the same reward model, each against a
response of the first model.
"""

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

import torch  # noqa: E402  # offline first

from arithmetic import intervals  # noqa: E402
from benchmarks.fixtures import command_line  # noqa: E402
from training.configs import kinds  # noqa: E402
from training.processes import run_dir  # noqa: E402
from training.trainer import data  # noqa: E402
from training.trainer.modeling import (  # noqa: E402
    loading,
    reward_head,
)
from training.trainer.ppo.formulas import best_of_n_kl  # noqa: E402

ADDRESS = re.compile(r"\b(you|your|yours|you're|you'll|you've)\b", re.IGNORECASE)
MOST_COUNTED, ERROR_RATE = 3, 0.10
LONGEST_PROMPT, LONGEST_RESPONSE = 96, 32
N_EXAM, N_WATCHED = 120, 24
N_COMPARED, BEST_OF, N_EPISODES = 9, 16, 768
REWARD = {
    "method": "lora",
    "learning_rate": 5e-4,
    "n_epochs": 2,
    "batch_size": 2,
    "accumulation": 1,
    "max_tokens": LONGEST_PROMPT + LONGEST_RESPONSE + 8,
    "checkpoint_every": 0,
}
SHORT_PPO: dict[str, Any] = {
    "n_episodes": N_EPISODES,
    "batch_size": 16,
    "learning_rate": 5e-5,
    "value_learning_rate": 1e-4,
    "warmup_steps": 3,
    "max_new_tokens": LONGEST_RESPONSE,
    "max_prompt_tokens": LONGEST_PROMPT,
    "row_tokens": 512,
    "missing_end": "keep",  # 32 tokens end few responses
    "ended_floor": 0.0,
    "max_held_out_prompts": N_WATCHED,
    "evaluate_every": 2,
    "checkpoint_every": 2,
}
"""What differs from the preset: short responses and few of them, so a higher rate. The run may
drift several nats in a few rollouts, so it looks after every second.
"""
Row = dict[str, Any]


def main() -> None:
    options = arguments()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="preferably-hidden-") as scratch:
        found = experiment(options, options.folder.absolute() if options.folder else Path(scratch))
    found |= {
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "cores": os.cpu_count(),
        "commit": command_line.commit(),
    }
    command_line.keep("hidden_preference", found, is_quick=options.quick)


def arguments() -> argparse.Namespace:
    parser = command_line.parser(
        __doc__, quick="few prompts and episodes: shows that it runs, proves nothing"
    )
    parser.add_argument(
        "--folder", type=Path, help="keep the runs here, and go on from those that have finished"
    )
    command_line.add_model(parser)
    command_line.add_data(parser)
    parser.add_argument("--preset", choices=list(kinds.PRESETS["ppo"]), default="balanced")
    parser.add_argument("--seed", type=int, default=1)
    return command_line.parsed_with_model(parser)


def experiment(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The experiment: first model, its responses, their rankings, reward model, PPO; then the
    measurement.
    """
    draw = random.Random(options.seed)
    n_exam, n_watched, n_practice, n_episodes = (
        (8, 4, 16, 16) if options.quick else (N_EXAM, N_WATCHED, 10_000, N_EPISODES)
    )
    prompts = read_prompts(options, draw)
    exam, watched, practice = (
        prompts[:n_exam],
        prompts[N_EXAM:][:n_watched],
        prompts[N_EXAM + N_WATCHED :][:n_practice],
    )
    sampling = {"max_new_tokens": LONGEST_RESPONSE, "batch_size": 72, "top_p": 1.0}
    first = options.model.absolute()

    lesson = snapshot(folder / "lesson", train=practice + watched)
    sampled = responses(
        run(folder / "sample", "sample", first, lesson, sampling | {"n_responses": N_COMPARED})
    )
    judged = judgments(practice, sampled, draw)
    rankings = snapshot(
        folder / "rankings", train=judged, validation=judgments(watched, sampled, draw)
    )
    reward = run(folder / "reward", "reward", first, rankings, REWARD)

    rollouts = snapshot(folder / "rollouts", train=practice, validation=watched)
    preset = kinds.PRESETS["ppo"][options.preset]
    settings = kinds.as_json(replace(preset, **SHORT_PPO | {"n_episodes": n_episodes}))
    ppo = run(folder / "ppo", "ppo", first, rollouts, settings, reward_model=reward / "model")

    paper = snapshot(folder / "exam", train=exam)
    of_first = responses(
        run(folder / "exam-first", "sample", first, paper, sampling | {"n_responses": 1 + BEST_OF})
    )
    of_ppo = responses(
        run(folder / "exam-ppo", "sample", ppo / "model", paper, sampling | {"n_responses": 1})
    )
    rewards = score(reward / "model", exam, of_first)
    return measures(exam, of_first, of_ppo, rewards) | {
        "n_judged_prompts": len(judged),
        "n_practice_prompts": len(practice),
        "n_decided_pairs": result(reward)["n_train_pairs"],
        "preset": options.preset,
        "n_episodes": result(ppo)["n_episodes"],
        "kept_step": result(ppo)["kept_step"],
        "ppo_reward": [round(result(ppo)[name], 3) for name in ("reward_before", "reward_after")],
        "kl_at_kept": round(result(ppo)["kl_after"], 2),
        "log_loss_ratio": log_loss_ratio(ppo),
        "seconds_of": {
            name: round(result(folder / name)["seconds"]) for name in ("sample", "reward", "ppo")
        },
    }


def measures(
    exam: list[Row], of_first: dict[Any, list[Row]], of_ppo: dict[Any, list[Row]], rewards: Any
) -> dict[str, Any]:
    """Measures everything with the rule without errors. A tie in the rule is half a win, and is
    not used as a pair for the reward model.
    """
    right = pairs = 0
    wins: dict[str, list[float]] = {"ppo": [], "best_of_n": []}
    counts: dict[str, list[int]] = {"first": [], "ppo": [], "best_of_n": []}
    for prompt in exam:
        key = prompt["prompt_id"]
        opponent, *pool = of_first[key]
        liked = [liking(row["text"]) for row in pool]
        given = rewards[key][1:]
        for one, other in itertools.combinations(range(N_COMPARED), 2):
            if liked[one] != liked[other]:
                pairs += 1
                right += (given[one] > given[other]) == (liked[one] > liked[other])
        chosen = {
            "ppo": liking(of_ppo[key][0]["text"]),
            "best_of_n": liked[max(range(len(pool)), key=given.__getitem__)],
        }
        mine = liking(opponent["text"])
        counts["first"].append(mine)
        for name, value in chosen.items():
            counts[name].append(value)
            wins[name].append(1.0 if value > mine else 0.5 if value == mine else 0.0)
    low, high = intervals.wilson(right, pairs)
    found: dict[str, Any] = {
        "reward_accuracy": round(right / max(pairs, 1), 3),
        "reward_accuracy_interval": rounded(low, high),
    }
    found |= {
        "n_exam_pairs": pairs,
        "n_exam_prompts": len(exam),
        "best_of": BEST_OF,
        "best_of_n_kl": round(best_of_n_kl(BEST_OF), 2),
    }
    for name, won in wins.items():
        found[f"{name}_win_rate"] = round(sum(won) / len(won), 3)
        found[f"{name}_win_rate_interval"] = rounded(*intervals.wilson(sum(won), len(won)))
    return found | {
        "mean_addresses": {name: round(sum(n) / len(n), 2) for name, n in counts.items()}
    }


def rounded(*values: float) -> list[float]:
    return [round(value, 3) for value in values]


# --- people ---------------------------------------------------------------------------------------


def liking(text: str) -> int:
    """The hidden preference: how often a response addresses the reader, up to three times."""
    return min(len(ADDRESS.findall(text)), MOST_COUNTED)


def judgments(prompts: list[Row], written: dict[Any, list[Row]], draw: random.Random) -> list[Row]:
    """One rater's ranking of each prompt's responses. One in ten is random."""
    rows = []
    for prompt in prompts:
        answers = written[prompt["prompt_id"]]
        liked = [liking(row["text"]) for row in answers]
        if draw.random() < ERROR_RATE:
            draw.shuffle(liked)
        order = sorted(set(liked), reverse=True)
        ranked = [
            {
                "text": row["text"],
                "rank": 1 + order.index(value),
                "response": place,
                "is_ended": row["is_ended"],
            }
            for place, (row, value) in enumerate(zip(answers, liked, strict=True))
        ]
        number = prompt["prompt_id"]
        rows.append(
            {
                "id": f"judgment-{number}",
                "prompt": prompt["prompt"],
                "responses": ranked,
                "judgment": number,
                "weight": 1.0,
            }
        )
    return rows


# --- runs -----------------------------------------------------------------------------------------


def run(
    folder: Path,
    kind: str,
    model: Path,
    rows: Path,
    config: dict[str, Any],
    reward_model: Path | None = None,
) -> Path:
    """Runs the trainer's command once, as a node does. A finished run is not repeated."""
    if not (folder / run_dir.RESULT).exists():
        print(f"{kind}: {folder.name}", file=sys.stderr, flush=True)
        of_reward = str(reward_model) if reward_model else None
        job = run_dir.Job(
            kind,
            1,
            1,
            config,
            str(model),
            str(rows),
            reward_model=of_reward,
            threads=os.cpu_count() or 1,
        )
        run_dir.write_job(folder, job)
        with (folder / "log.txt").open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "training.trainer", str(folder)],
                check=True,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
    return folder


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / run_dir.RESULT).read_text())["metrics"]
    return found


def log_loss_ratio(folder: Path) -> float:
    """The reference's log-loss on the last rollout's responses to that on the first one's."""
    points = [line for line in run_dir.read_lines(folder / run_dir.PROGRESS) if "values" in line]
    losses = [p["values"]["log_loss"] for p in points if "log_loss" in p["values"]]
    return round(losses[-1] / losses[0], 2)


def snapshot(folder: Path, **splits: Sequence[Row]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def responses(folder: Path) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in run_dir.read_lines(folder / run_dir.RESPONSES):
        found.setdefault(row["prompt_id"], []).append(row)
    return found


@torch.no_grad()
def score(model: Path, exam: list[Row], written: dict[Any, list[Row]]) -> dict[Any, list[float]]:
    """The reward of every response, as PPO computes it."""
    tokenizer = loading.load_tokenizer(str(model))
    reward = loading.load_reward(str(model), tokenizer, torch.float32).eval()
    found = {}
    for prompt in exam:
        ids = data.prompt_ids(tokenizer, prompt["prompt"])
        rows = [
            ids
            + data.response_ids(
                tokenizer, prompt["prompt"], ids, row["text"], is_ended=row["is_ended"]
            )
            for row in written[prompt["prompt_id"]]
        ]
        found[prompt["prompt_id"]] = reward_head.last_token_rewards(
            reward, *data.padded(rows, tokenizer.pad_token_id)
        ).tolist()
    return found


def read_prompts(options: argparse.Namespace, draw: random.Random) -> list[Row]:
    """Real one-turn prompts that fit, shuffled with the seed."""
    tokenizer = loading.load_tokenizer(str(options.model))
    texts = [
        json.loads(line)
        for line in (options.data / "oasst_prompts_en_250.jsonl").open(encoding="utf-8")
    ]
    tasks = [
        json.loads(line)
        for line in (options.data / "self_instruct_seed_tasks.jsonl").open(encoding="utf-8")
    ]
    texts += [f"{task['instruction']}\n{task['instances'][0]['input']}".strip() for task in tasks]
    talks = [
        json.loads(line)
        for line in (options.data / "mt_bench_questions.jsonl").open(encoding="utf-8")
    ]
    texts += [talk["turns"][0] for talk in talks]
    messages = [[{"role": "user", "content": text}] for text in dict.fromkeys(texts)]
    fitting = [
        prompt for prompt in messages if len(data.prompt_ids(tokenizer, prompt)) <= LONGEST_PROMPT
    ]
    draw.shuffle(fitting)
    return [
        {"id": f"prompt-{number}", "prompt": prompt, "prompt_id": number}
        for number, prompt in enumerate(fitting)
    ]


if __name__ == "__main__":
    main()
