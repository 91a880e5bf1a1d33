"""A scorecard from public suites: what SmolLM2 answers, and what the scorers say.

usage: python benchmarks/scorecard.py [--quick] [--model DIR] [--items N]    (the last line is JSON)

XSTest (450 items), SimpleSafetyTests (100), LLMBar (100), 200 items with choices (the category of
an MT-bench question, the type of an XSTest prompt) and 20 two-turn questions of MT-bench. A child
process answers them as a supervisor starts it, at temperature 0. `seconds` is from the files to the
scores; `peak_gb` is the most memory that the child held. With --quick answers have at most 64 new
tokens, else 256. The line is also written to benchmarks/results/scorecard.json, except with
--items, which takes at most N items of each suite.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"PREFERABLY_MODE": "test", "DATABASE_URL": "sqlite://:memory:"}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402

django.setup()

from training import configs  # noqa: E402
from training.benchmarks.scoring import scorers  # noqa: E402
from training.benchmarks.scoring.answers import Answer, Item  # noqa: E402
from training.benchmarks.suites import freeze  # noqa: E402
from training.benchmarks.suites.drafts import ItemDraft, SuiteDraft  # noqa: E402
from training.benchmarks.suites.formats import reading  # noqa: E402
from training.benchmarks.suites.formats.uploads import SuiteFile  # noqa: E402
from training.configs.evaluation.benchmark import BenchmarkConfig  # noqa: E402
from training.models import Suite, SuiteItem  # noqa: E402
from training.processes import run_dir  # noqa: E402
from training.processes.run_dir import Job  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "scorecard.json"
FILES = {
    "xstest_prompts.csv": "CC-BY-4.0",
    "simple_safety_tests.csv": "CC-BY-4.0",
    "llmbar_natural.json": "MIT",
    "mt_bench_questions.jsonl": "Apache-2.0",
}
N_CHOICE, N_MT_BENCH = 200, 20
N_CHOICES = 4
LONG_ENOUGH = 4096
"""No item of these suites is longer, in tokens."""
SCORERS = {
    "refusal": ("refusal", "refusal_strings"),
    "likelihood": ("likelihood", "likelihood_by_length"),
    "preferred": ("preferred",),
}
"""By the suite's own scorer. MT-bench needs a reward model or people, so it has no score here."""


def main() -> None:
    options = arguments()
    began = time.monotonic()
    suites = read_suites(options.data)
    with tempfile.TemporaryDirectory(prefix="scorecard-") as scratch:
        snapshot, folder = Path(scratch) / "snapshot", Path(scratch) / "run"
        rows = write_snapshot(suites, snapshot)
        config = BenchmarkConfig(
            max_new_tokens=64 if options.quick else 256,
            max_items=options.items,
            max_tokens=LONG_ENOUGH,
        )
        metrics = answer(options.model, snapshot, folder, config)
        answers = {row["item"]: row for row in run_dir.read_lines(folder / run_dir.ANSWERS)}
    found = {
        "seconds": 0,
        "peak_gb": metrics["peak_memory_gb"],
        "n_answers": sum(not row["missing"] for row in answers.values()),
        "n_missing": sum(bool(row["missing"]) for row in answers.values()),
        "scores": {
            suite.slug: scores(suite, [row for row in rows if row["suite"] == number], answers)
            for number, suite in enumerate(suites, start=1)
        },
        "max_new_tokens": config.max_new_tokens,
        "items_per_s": round(metrics["items_per_s"], 2),
        "model": options.model.name,
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "commit": commit(),
    }
    found["seconds"] = round(time.monotonic() - began)
    if options.items is None:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        name = "quick" if options.quick else "full"
        RESULTS.write_text(json.dumps(kept | {name: found}, indent=1) + "\n")
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="at most 64 new tokens an answer")
    parser.add_argument("--items", type=int, help="at most this many of each suite, to try it")
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
    options = parser.parse_args()
    options.model = options.model.absolute()
    if not (options.model / "config.json").exists():
        subprocess.run(
            [sys.executable, "-m", "training.trainer.demo_model", str(options.model)],
            check=True,
            cwd=ROOT,
        )
    return options


# --- the suites -----------------------------------------------------------------------------------


def read_suites(data: Path) -> list[SuiteDraft]:
    """The public files through the readers of the product, and one suite made of two of them."""
    read = {name: read_public(data / name, licence) for name, licence in FILES.items()}
    xstest, mt_bench = read["xstest_prompts.csv"], read["mt_bench_questions.jsonl"]
    choices = choice_suite(mt_bench.items, xstest.items)
    read["mt_bench_questions.jsonl"] = with_items(mt_bench, spread(mt_bench.items, N_MT_BENCH))
    return [*read.values(), choices]


def read_public(path: Path, licence: str) -> SuiteDraft:
    found = reading.read(
        [SuiteFile(path.name, path.read_bytes())], asked={"licence": licence, "version": "1"}
    )
    if found.draft is None:
        sys.exit("\n".join(problem.sentence for problem in found.problems))
    return found.draft


def choice_suite(questions: Sequence[ItemDraft], prompts: Sequence[ItemDraft]) -> SuiteDraft:
    """Which category is it? The right one stands in each place equally often."""
    asked = [("To which category does this question belong?", item) for item in questions] + [
        ("What kind of request is this?", item)
        for item in spread(prompts, N_CHOICE - len(questions))
    ]
    kinds = {
        words: sorted({readable(item.category) for own, item in asked if own == words})
        for words, _item in asked
    }
    items = [
        choice_item(number, words, item, kinds[words]) for number, (words, item) in enumerate(asked)
    ]
    return SuiteDraft(
        slug="categories",
        version="1",
        name="Categories",
        kind="choice",
        area="capability",
        scorer="likelihood",
        licence="Apache-2.0",
        items=tuple(items),
        items_hash="",
    )


def choice_item(number: int, words: str, item: ItemDraft, kinds: Sequence[str]) -> ItemDraft:
    right = readable(item.category)
    place = kinds.index(right)
    others = [kinds[(place + step) % len(kinds)] for step in range(1, N_CHOICES)]
    answer = number % N_CHOICES
    asked = f"{words}\n\n{item.prompt[0]['content']}"
    return ItemDraft(
        key=f"category-{number}",
        prompt=({"role": "user", "content": asked},),
        content={"choices": [*others[:answer], right, *others[answer:]], "answer": answer},
    )


def readable(category: str) -> str:
    return category.replace("contrast_", "").replace("_", " ")


def spread(items: Sequence[ItemDraft], n: int) -> list[ItemDraft]:
    return [items[(2 * place + 1) * len(items) // (2 * n)] for place in range(n)]


def with_items(suite: SuiteDraft, items: Sequence[ItemDraft]) -> SuiteDraft:
    return SuiteDraft(**{**vars(suite), "items": tuple(items)})


def write_snapshot(suites: Sequence[SuiteDraft], path: Path) -> list[dict[str, Any]]:
    """As a node fetches it. Ids of rows are their numbers, since nothing is in a database."""
    rows: list[dict[str, Any]] = []
    for number, draft in enumerate(suites, start=1):
        suite = Suite(pk=number, kind=draft.kind, options=dict(draft.options))
        for item in draft.items:
            stored = SuiteItem(
                pk=len(rows) + 1, key=item.key, prompt=list(item.prompt), content=dict(item.content)
            )
            rows.append(freeze.row_of(suite, stored))
    path.mkdir()
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (path / "test.jsonl").write_text(text, encoding="utf-8")
    return rows


# --- answers and scores ---------------------------------------------------------------------------


def answer(model: Path, snapshot: Path, folder: Path, config: BenchmarkConfig) -> dict[str, Any]:
    """The metrics of the run."""
    job = Job(
        kind="benchmark",
        run_id=1,
        attempt=1,
        config=configs.as_json(config),
        model=str(model),
        snapshot=str(snapshot),
        threads=len(os.sched_getaffinity(0)),
    )
    run_dir.write_job(folder, job)
    command = [sys.executable, "-m", "training.trainer", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
    result = run_dir.read_result(folder)
    assert result is not None
    return result.metrics


def scores(
    suite: SuiteDraft, rows: Sequence[dict[str, Any]], answers: dict[int, dict[str, Any]]
) -> dict[str, float]:
    """Mean score by scorer, of the items that have an answer."""
    answered = [row for row in rows if row["item"] in answers]
    answered = [row for row in answered if not answers[row["item"]]["missing"]]
    found = {}
    for name in SCORERS.get(suite.scorer, ()):
        values = [score(name, row, answers[row["item"]]) for row in answered]
        known = [value for value in values if value is not None]
        if known:
            found[name] = round(fmean(known), 3)
    return found


def score(name: str, row: dict[str, Any], given: dict[str, Any]) -> float | None:
    item = Item(kind=row["kind"], prompt=row["prompt"], content=row, options=row["options"])
    said = Answer(
        text=given["text"],
        follow_ups=given["follow_ups"],
        values=given["values"],
        is_ended=given["is_ended"],
    )
    found = scorers.SCORERS[name].score(item, said)
    return None if found is None else found.value


def commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
    ).stdout.strip()


if __name__ == "__main__":
    main()
