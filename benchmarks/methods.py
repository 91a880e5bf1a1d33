"""Which method learns a preference best in the same processor time? The same hidden rule, judged
by the same raters, on the same machine.

usage: python benchmarks/methods.py [--quick] [--seconds N] [--methods dpo kto …] [--folder DIR]
(the last line is JSON; writes benchmarks/results/)

The rule is that of hidden_preference.py: raters like to be addressed, and one ranking in ten is
random. The first model answers each prompt a few times, and raters rank the answers. From these
rankings each method learns for the same number of processor seconds, loading included, and is then
stopped, so that other work on the machine gives none an advantage:
sft on the best response of each ranking, dpo on all pairs, kto on the best as good and the worst as
bad, and those that sample (ppo, rloo, grpo) with a reward model, whose own seconds are said apart.

Measured on held-out prompts with the rule without errors: how often the method's response beats one
of the first model, with a 95 % interval over prompts, and the KL to the first model in nats per
response, estimated on the method's own responses. DIR keeps the runs, and a second start continues.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from arithmetic import intervals  # noqa: E402
from benchmarks import hidden_preference as hidden  # noqa: E402
from benchmarks.fixtures import command_line  # noqa: E402
from training.configs import kinds  # noqa: E402
from training.processes import run_dir  # noqa: E402
from training.trainer import data  # noqa: E402
from training.trainer.modeling import loading, logprobs  # noqa: E402

SAMPLING = ("ppo", "rloo", "grpo")
METHODS = [kind for kind in ("sft", "dpo", "kto", *SAMPLING) if kind in kinds.KINDS]
N_COMPARED, N_EXAM, N_WATCHED, N_EACH = 4, 60, 16, 2
ENDLESS: dict[str, Any] = {
    "n_epochs": 100,
    "n_episodes": 1_000_000,
    "schedule": "constant",
    "warmup": 0,
    "max_rows": None,
    "max_held_out_rows": 40,
    "max_held_out_prompts": 8,
    "evaluate_every": 0,
    "checkpoint_every": 0,
    "keeps_state": "never",
    "max_tokens": hidden.LONGEST_PROMPT + hidden.LONGEST_RESPONSE + 8,
    "max_new_tokens": hidden.LONGEST_RESPONSE,
    "max_prompt_tokens": hidden.LONGEST_PROMPT,
}
"""A run takes those that its kind has. A warm-up is a share of the steps, which are endless."""
Row = dict[str, Any]


def main() -> None:
    options = arguments()
    started, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="preferably-methods-") as scratch:
        folder = options.folder.absolute() if options.folder else Path(scratch)
        rows = experiment(options, folder)
    found = {
        "rows": rows,
        "processor_seconds_each": options.seconds,
        "n_practice_prompts": options.n_prompts,
        "n_exam_prompts": n_exam(options),
        "cores": os.cpu_count(),
        "load_before_and_after": [round(load, 1), round(os.getloadavg()[0], 1)],
        "seconds": round(time.monotonic() - started),
        "commit": command_line.commit(),
    }
    command_line.keep("methods", found, is_quick=options.quick)


def arguments() -> argparse.Namespace:
    parser = command_line.parser(
        __doc__, quick="few prompts, a few seconds each: shows that it runs, proves nothing"
    )
    parser.add_argument("--folder", type=Path, help="keep the runs here, and go on from them")
    parser.add_argument("--seconds", type=int, default=360, help="of a processor, for each method")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument(
        "--presets", nargs="+", choices=list(kinds.PRESETS["dpo"]), default=["small"]
    )
    parser.add_argument("--n-prompts", type=int, default=120, help="that raters are asked about")
    parser.add_argument("--seed", type=int, default=1)
    command_line.add_model(parser)
    command_line.add_data(parser)
    options = command_line.parsed_with_model(parser)
    if options.quick:
        options.seconds, options.n_prompts = min(options.seconds, 20), 12
    return options


def n_exam(options: argparse.Namespace) -> int:
    return 6 if options.quick else N_EXAM


def experiment(options: argparse.Namespace, folder: Path) -> list[Row]:
    draw = random.Random(options.seed)
    prompts = hidden.read_prompts(options, draw)
    exam, watched = (
        prompts[: n_exam(options)],
        prompts[N_EXAM:][: 4 if options.quick else N_WATCHED],
    )
    practice = prompts[N_EXAM + N_WATCHED :][: options.n_prompts]
    first = options.model
    sampling = {
        "max_new_tokens": hidden.LONGEST_RESPONSE,
        "batch_size": 48,
        "temperature": 1.0,
        "top_p": 1.0,
    }
    asked = hidden.snapshot(folder / "asked", train=practice + watched)
    written = hidden.responses(
        hidden.run(
            folder / "sample", "sample", first, asked, sampling | {"n_responses": N_COMPARED}
        )
    )
    judged = hidden.judgments(practice, written, draw), hidden.judgments(watched, written, draw)
    if not all(map(best, judged)):
        raise SystemExit(
            "No answer addresses its reader, so no ranking is decided. Ask more prompts."
        )
    lessons = {
        "dpo": hidden.snapshot(folder / "rankings", train=judged[0], validation=judged[1]),
        "kto": hidden.snapshot(
            folder / "verdicts", train=ends(judged[0]), validation=ends(judged[1])
        ),
        "sft": hidden.snapshot(folder / "best", train=best(judged[0]), validation=best(judged[1])),
    }
    practised = hidden.snapshot(folder / "practice", train=practice, validation=watched)
    paper = hidden.snapshot(folder / "paper", train=exam)
    papers = sampling | {"n_responses": N_EACH}
    of_first = hidden.responses(hidden.run(folder / "exam", "sample", first, paper, papers))
    rows = []
    for preset in options.presets:
        for method in options.methods:
            reward = None
            if method in SAMPLING:
                reward = folder / f"reward-{preset}"
                learn(reward, "reward", preset, first, lessons["dpo"], options.seconds)
            run = folder / f"{method}-{preset}"
            lesson = lessons.get(method, practised)
            learn(run, method, preset, first, lesson, options.seconds, reward)
            own = hidden.responses(
                hidden.run(folder / f"exam-{run.name}", "sample", run / "model", paper, papers)
            )
            rows.append(
                {"method": method, "preset": preset}
                | compared(exam, of_first, own)
                | {"kl": round(kl(exam, own, run / "model", first), 2)}
                | {"seconds": round(hidden.result(run)["seconds"])}
                | ({"reward_seconds": round(hidden.result(reward)["seconds"])} if reward else {})
            )
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def learn(
    folder: Path,
    kind: str,
    preset: str,
    model: Path,
    rows: Path,
    seconds: float,
    reward: Path | None = None,
) -> None:
    """Trains in a child process, and asks it to stop once it has used this much processor time."""
    if (folder / run_dir.RESULT).exists():
        return
    usual = kinds.PRESETS[kind][preset]
    own = {name: value for name, value in ENDLESS.items() if hasattr(usual, name)}
    job = run_dir.Job(
        kind,
        1,
        1,
        kinds.as_json(replace(usual, **own)),
        str(model),
        str(rows),
        reward_model=str(reward / "model") if reward else None,
        threads=os.cpu_count() or 1,
    )
    run_dir.write_job(folder, job)
    with (folder / "log.txt").open("ab") as log:
        command = [sys.executable, "-m", "training.trainer", str(folder)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        while child.poll() is None:
            if processor_seconds(child.pid) > seconds:
                run_dir.request_stop(folder)
            time.sleep(0.5)
    if child.returncode:
        raise SystemExit(f"{kind} failed; see {folder / 'log.txt'}.")


def processor_seconds(pid: int) -> float:
    """Of all its threads so far, from Linux's /proc; 0 once it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- what each method learns from -----------------------------------------------------------------


def by_rank(ranking: Row) -> list[Row]:
    return sorted(ranking["responses"], key=lambda response: response["rank"])


def best(rankings: list[Row]) -> list[Row]:
    """The best response of each decided ranking as a demonstration."""
    return [taught(row, by_rank(row)[0]) for row in rankings if is_decided(row)]


def ends(rankings: list[Row]) -> list[Row]:
    """The best as good, the worst as bad, as in the snapshot of good and bad responses."""
    return [
        taught(row, response) | {"label": response["rank"] == 1}
        for row in rankings
        if is_decided(row)
        for response in row["responses"]
        if response["rank"] in (1, by_rank(row)[-1]["rank"])
    ]


def is_decided(ranking: Row) -> bool:
    return len({response["rank"] for response in ranking["responses"]}) > 1


def taught(ranking: Row, response: Row) -> Row:
    return {
        "id": f"{ranking['id']}-{response['response']}",
        "prompt": ranking["prompt"],
        "completion": [{"role": "assistant", "content": response["text"]}],
        "is_ended": response["is_ended"],
    }


# --- how good it is -------------------------------------------------------------------------------


def compared(exam: list[Row], of_first: dict[Any, list[Row]], own: dict[Any, list[Row]]) -> Row:
    """Every response against every one of the first model to the same prompt, by the rule."""
    scores, prompts = [], []
    for number, prompt in enumerate(exam):
        key = prompt["prompt_id"]
        for row in own[key]:
            for other in of_first[key]:
                mine, theirs = hidden.liking(row["text"]), hidden.liking(other["text"])
                scores.append(1.0 if mine > theirs else 0.5 if mine == theirs else 0.0)
                prompts.append(number)
    ends = intervals.of_votes(scores, prompts)
    return {
        "win_rate": round(fmean(scores), 3),
        "win_rate_interval": hidden.rounded(*ends) if ends else None,
    }


@torch.no_grad()
def kl(exam: list[Row], own: dict[Any, list[Row]], model: Path, first: Path) -> float:
    """The mean of log π − log π₀ over the model's own responses, in nats per response."""
    sums = []
    tokenizer = loading.load_tokenizer(str(first))
    sequences = []
    for prompt in exam:
        ids = data.prompt_ids(tokenizer, prompt["prompt"])
        for row in own[prompt["prompt_id"]]:
            text, is_ended = row["text"], row["is_ended"]
            response = data.response_ids(tokenizer, prompt["prompt"], ids, text, is_ended=is_ended)
            sequences.append((ids, response))
    for path in (model, first):
        policy = loading.load_policy(str(path), tokenizer, torch.float32).eval()
        sums.append(
            [
                logp
                for batch in data.batches(sequences, 16)
                for logp in logprobs.of_responses(policy, batch, torch.float32)
            ]
        )
    return fmean(new - old for new, old in zip(*sums, strict=True))


if __name__ == "__main__":
    main()
