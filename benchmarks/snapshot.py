"""A frozen snapshot of many rankings: tokenised, and one step of a reward model trained on it.

usage: python benchmarks/snapshot.py [--quick] [--model DIR]      (the last line is JSON; writes
benchmarks/results/snapshot.json)

Each ranking has a prompt and four responses, about 600 tokens in all; 1,000,000 of them, or 100,000
with --quick. The file is written as `training.snapshots` freezes it, then a child process runs as
a supervisor starts it, with one step of two rankings. `peak_gb` is the proportional memory (PSS)
of all its processes together, with the pages of mapped files, which the kernel takes back when it
needs them; `peak_own_gb` is without those. A tenth of the rows runs first: `peak_own_gb` should be
the same. `cpu_ms_a_ranking` is what one more ranking costs, which other work on the machine does
not change.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from training import configs  # noqa: E402
from training.configs.reward import RewardConfig  # noqa: E402
from training.processes import run_dir  # noqa: E402
from training.processes.run_dir import Job  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "snapshot.json"
N, N_QUICK = 1_000_000, 100_000
K = 4
WORDS_A_TEXT = 95
"""About 120 tokens."""
POLL_S = 0.25
_GIB = 1024**3
_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "for",
    "with",
    "was",
    "as",
    "are",
    "on",
    "be",
]


def main() -> None:
    options = arguments()
    n = N_QUICK if options.quick else N
    tenth, whole = (measure(options.model, size) for size in (n // 10, n))
    found = {
        "n_rankings": n,
        **whole,
        "rankings_per_s": round(n / whole["tokenised_s"], 1),
        "cpu_ms_a_ranking": round(1000 * (whole["cpu_s"] - tenth["cpu_s"]) / (n - n // 10), 2),
        "peak_gb_at_a_tenth": tenth["peak_gb"],
        "peak_own_gb_at_a_tenth": tenth["peak_own_gb"],
        "n_cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
    }
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(kept | {"quick" if options.quick else "full": found}, indent=1))
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100,000 rankings")
    parser.add_argument(
        "--model",
        type=Path,
        default=ROOT / "build" / "smollm2",
        help="made from the packaged weights if absent",
    )
    options = parser.parse_args()
    if not (options.model / "config.json").exists():
        subprocess.run(
            [sys.executable, "-m", "training.trainer.demo_model", str(options.model)],
            check=True,
            cwd=ROOT,
        )
    return options


def measure(model: Path, n: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="snapshot-") as scratch:
        snapshot, folder = Path(scratch) / "snapshot", Path(scratch) / "run"
        snapshot.mkdir()
        began = time.monotonic()
        with (snapshot / "train.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rankings(n))
        frozen_s = time.monotonic() - began
        config = RewardConfig(
            max_steps=1, batch_size=2, accumulation=1, max_held_out_rows=10, lora_rank=4
        )
        job = Job(
            kind="reward",
            run_id=1,
            attempt=1,
            config=configs.as_json(config),
            model=str(model.absolute()),
            snapshot=str(snapshot),
            threads=len(os.sched_getaffinity(0)),
        )
        run_dir.write_job(folder, job)
        return {"frozen_s": round(frozen_s, 1)} | trained(folder)


def rankings(n: int) -> Iterator[dict[str, object]]:
    chance = random.Random(0)
    for number in range(n):
        texts = [" ".join(chance.choices(_WORDS, k=WORDS_A_TEXT)) for _text in range(K + 1)]
        yield {
            "id": f"ranking-{number}",
            "prompt": [{"role": "user", "content": f"{number}: {texts[0]}"}],
            "responses": [
                {"text": text, "rank": rank, "response": number * K + rank}
                for rank, text in enumerate(texts[1:], start=1)
            ],
            "rater": f"r{number % 40}",
            "weight": 1.0,
        }


def trained(folder: Path) -> dict[str, float]:
    """Seconds until everything is tokenised and until the end, and the peak of all processes."""
    began, cpu = time.monotonic(), cpu_of_children()
    tokenised_s, peak, peak_own = 0.0, 0, 0
    with (folder / run_dir.LOG).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "training.trainer", str(folder)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        while child.poll() is None:
            found = [memory(pid) for pid in family(child.pid)]
            peak = max(peak, sum(mapped for mapped, _own in found))
            peak_own = max(peak_own, sum(own for _mapped, own in found))
            if not tokenised_s and list(folder.glob(f"{run_dir.TEMPORARY}*-rows-train/ready.json")):
                tokenised_s = time.monotonic() - began
            time.sleep(POLL_S)
    if child.returncode:
        raise SystemExit((folder / run_dir.LOG).read_text()[-3000:])
    return {
        "tokenised_s": round(tokenised_s, 1),
        "seconds": round(time.monotonic() - began, 1),
        "cpu_s": round(cpu_of_children() - cpu, 1),
        "peak_gb": round(peak / _GIB, 2),
        "peak_own_gb": round(peak_own / _GIB, 2),
    }


def cpu_of_children() -> float:
    """Seconds of those that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in (thread / "children").read_text().split():
                    found += family(int(child))
    return found


def memory(pid: int) -> tuple[int, int]:
    """In bytes: its share of what it maps, and of that what is in no file."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        return kib["Pss"] * 1024, kib["Pss_Anon"] * 1024
    return 0, 0


if __name__ == "__main__":
    main()
