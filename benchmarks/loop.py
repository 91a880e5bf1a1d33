"""Does `make loop` end with a better model, and is its gate right?

usage: python benchmarks/loop.py [--seeds 10] [--first 1] [--data FILE]

Runs scripts/loop.py once per seed, one after the other, each in a site of its own: SmolLM2, six
simulated raters, best of n. Every seed draws other responses and other mistakes of the raters. With
--first 5 it goes on after four seeds that were run before. The last line is JSON, also in
benchmarks/results/loop.json, and is about all of them:

- `win_rate_low_above_half`: loops whose new model wins more than half of the votes on fresh prompts
  by the lower end of the 95 % interval.
- `gate_right`: loops whose gate promoted a model that raters who never erred prefer to the first
  one, or kept back one that they do not.
- `win_rates`: value, low and high of each loop. `seconds`: of each loop, and `load` at its end.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "loop.json"
HALF = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="number of loops")
    parser.add_argument("--first", type=int, default=1, help="seed of the first one")
    parser.add_argument("--data", type=Path, help="file of prompts; default: the demo's")
    arguments = parser.parse_args()
    loops = stored(arguments.first - 1)
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        loops.append(one_loop(seed, arguments.data))
        print(f"seed {seed}: {json.dumps(loops[-1])}", flush=True)
        line = summary(loops)
        RESULTS.write_text(json.dumps(line | {"each": loops}, indent=1) + "\n")
    print(json.dumps(line))


def stored(n: int) -> list[dict[str, Any]]:
    """The loops of the first n seeds, from an earlier start."""
    if not n:
        return []
    loops: list[dict[str, Any]] = json.loads(RESULTS.read_text())["each"][:n]
    if len(loops) < n:
        raise SystemExit(f"{RESULTS} has only {len(loops)} loops: --first {len(loops) + 1}")
    return loops


def one_loop(seed: int, data: Path | None) -> dict[str, Any]:
    """The last line of a loop."""
    command = [sys.executable, str(ROOT / "scripts" / "loop.py"), "--seed", str(seed)]
    command += ["--data", str(data)] if data else []
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    line: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return line | {"load": round(os.getloadavg()[0], 1), "commit": command_line.commit()}


def summary(loops: list[dict[str, Any]]) -> dict[str, Any]:
    rates = [(loop["win_rate"], loop["win_rate_low"], loop["win_rate_high"]) for loop in loops]
    is_shown = [low is not None and low > HALF for _rate, low, _high in rates]
    right = [(loop["gate"] == "passed") == ((loop["true_win_rate"] or 0) > HALF) for loop in loops]
    return {
        "loops": len(loops),
        "win_rate_low_above_half": sum(is_shown),
        "gate_right": sum(right),
        "win_rates": rates,
        "true_win_rates": [loop["true_win_rate"] for loop in loops],
        "agreement": [loop["agreement"] for loop in loops],
        "seconds": [loop["seconds"] for loop in loops],
        "load": [loop["load"] for loop in loops],
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
