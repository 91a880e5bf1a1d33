"""What curation buys: a small model trained from random weights on raw text and on the same text
after curation, for equally many tokens.

    python benchmarks/pretraining.py [--quick] [--seeds 3] [--data DIR]

The last line is JSON; it is also written to benchmarks/results/pretraining.json.

Clean text is what people and models wrote: Open-Assistant messages, LLMFAO answers and dialogues of
HH-RLHF. Two fifths of the raw text, by characters, is planted rubbish: copies and near-copies of
that text, other languages, repetition, boilerplate, and the items of a suite, each a few times. The
curated text is what curation.rules.child leaves of it with the recipe for text but for the rules
about web pages, since this text is from chats. A run of kind “pretrain” trains on each, for one
epoch of the same number of rows, in a process of its own.

    loss_ratio      held-out loss after training on curated text, divided by that on raw text; the
                    mean over seeds. A seed draws the rubbish, the rows and the weights.
    loss_ratios     one per seed
    held_out_loss   per side, the mean over seeds. The held-out text is clean text about other
                    prompts; neither side was trained on it, and it did not go through the recipe.
    suite_score     per side: share of items that the model finds likelier than the same item with
                    other nouns, verbs and adjectives, over all seeds, with Wilson's 95 % interval.
                    Chance is 0.5. The raw text contains the items.
    rubbish_left    share of planted documents that the recipe kept, most of them a copy in place of
                    its original
    clean_removed   share of clean documents that it removed, among them true near-duplicates
    tokens          that each side was trained on, per seed
"""

import argparse
import gzip
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fixtures import command_line  # noqa: E402
from benchmarks.fixtures import vocabulary as words_of  # noqa: E402
from benchmarks.fixtures.corpus import Corpus  # noqa: E402
from training.configs import kinds  # noqa: E402
from training.configs.pretrain import PretrainConfig  # noqa: E402
from training.processes import run_dir  # noqa: E402
from training.processes.run_dir import Job  # noqa: E402
from training.snapshots.curation.rules import child, cleaning, recipe  # noqa: E402
from training.snapshots.curation.rules.contamination import Item  # noqa: E402
from training.snapshots.curation.rules.documents import Document  # noqa: E402
from training.snapshots.curation.rules.quality import (  # noqa: E402
    C4Quality,
    FineWebQuality,
    GopherQuality,
    Length,
)

SIDES = ("raw", "curated")
RUBBISH = 0.4
SHORTEST = 200
"""Characters of a clean document: a greeting teaches nothing."""
HELD_OUT = 0.1
N_ITEMS, TIMES_EACH, ITEMS_A_PAGE = 100, 20, 10
ROW = 256
OF_WEB_PAGES = (Length, GopherQuality, FineWebQuality, C4Quality)
QUICK_CHARACTERS = 700_000
TINY: dict[str, Any] = {
    "vocab_size": 4096,
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": ROW,
    "tie_word_embeddings": True,
}

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    if options.run:
        _carry_out(Path(options.run))
        return
    if options.score:
        print(json.dumps(_n_preferred(*map(Path, options.score))))
        return
    started = time.monotonic()
    seeds = range(1 if options.quick else options.seeds)
    with tempfile.TemporaryDirectory() as name:
        rounds = [_round(Path(name) / str(seed), seed, options) for seed in seeds]
    found = _summary(rounds) | {
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "load": round(os.getloadavg()[0], 1),
    }
    command_line.keep("pretraining", found, is_quick=options.quick)


def _options() -> argparse.Namespace:
    parser = command_line.parser(__doc__, quick="one seed, a third of the text")
    parser.add_argument("--seeds", type=int, default=3)
    command_line.add_data(parser)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--score", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _round(folder: Path, seed: int, options: argparse.Namespace) -> Figures:
    rng = random.Random(seed)
    clean, held_out = _clean_texts(options.data, rng)
    if options.quick:
        clean = _first(clean, QUICK_CHARACTERS)
    corpus = Corpus(seed=seed)
    items = corpus.items[:N_ITEMS]
    raw = [
        *((text, True) for text in clean),
        *((text, False) for text in _rubbish(corpus, items, clean)),
    ]
    rng.shuffle(raw)
    kept = _curated(folder / "curation", [text for text, _is_clean in raw], items)
    base = _base_model(folder / "base", [text for text, _is_clean in raw])
    texts = {"raw": [text for text, _is_clean in raw], "curated": [text for _, text in kept]}
    for side in SIDES:
        _write_snapshot(folder / side, texts[side], held_out)
    n_rows = min(_n_rows(base, texts[side]) for side in SIDES)
    pairs = [{"text": item, "other": _with_other_words(item, rng)} for item in items]
    _write_rows(folder / "items.jsonl", pairs)
    numbers = {number for number, _text in kept}
    n_clean = sum(is_clean for _text, is_clean in raw)
    n_clean_kept = sum(is_clean for n, (_text, is_clean) in enumerate(raw) if n in numbers)
    found: Figures = {
        "tokens": n_rows * ROW,
        "n_items": len(items),
        "rubbish_left": (len(numbers) - n_clean_kept) / (len(raw) - n_clean),
        "clean_removed": 1 - n_clean_kept / n_clean,
        "loss": {},
        "right": {},
    }
    for side in SIDES:
        metrics, model = _trained(folder, side, base, n_rows, seed)
        found["loss"][side] = metrics["held_out_loss_after"]
        found["right"][side] = _in_a_process("--score", str(model), str(folder / "items.jsonl"))
    print(json.dumps({"seed": seed, **found}), file=sys.stderr, flush=True)
    return found


def _summary(rounds: Sequence[Figures]) -> Figures:
    ratios = [found["loss"]["curated"] / found["loss"]["raw"] for found in rounds]
    n = sum(found["n_items"] for found in rounds)
    return {
        "loss_ratio": round(statistics.mean(ratios), 4),
        "loss_ratios": [round(ratio, 4) for ratio in ratios],
        "held_out_loss": {
            side: round(statistics.mean(found["loss"][side] for found in rounds), 3)
            for side in SIDES
        },
        "suite_score": {
            side: _share_with_interval(sum(found["right"][side] for found in rounds), n)
            for side in SIDES
        },
        "rubbish_left": round(statistics.mean(found["rubbish_left"] for found in rounds), 4),
        "clean_removed": round(statistics.mean(found["clean_removed"] for found in rounds), 4),
        "tokens": [found["tokens"] for found in rounds],
    }


def _share_with_interval(n_right: int, n: int) -> dict[str, float]:
    from scipy.stats import binomtest  # noqa: PLC0415

    interval = binomtest(n_right, n).proportion_ci(method="wilson")
    return {
        "share": round(n_right / n, 3),
        "low": round(float(interval.low), 3),
        "high": round(float(interval.high), 3),
    }


# --- text -----------------------------------------------------------------------------------------


def _clean_texts(data: Path, rng: random.Random) -> tuple[list[str], list[str]]:
    """For training and held out, split by prompt."""
    by_prompt: dict[str, set[str]] = {}
    for number, tree in enumerate(_rows(data / "oasst_en_100_trees.jsonl")):
        by_prompt[f"oasst-{number}"] = set(_messages(tree["prompt"]))
    with gzip.open(data / "hh_harmless_base_test.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            by_prompt[f"hh-{number}"] = {json.loads(line)["chosen"].strip()}
    for pair in _rows(data / "llmfao_pairs.jsonl"):
        texts = by_prompt.setdefault(f"llmfao-{pair['prompt']}", set())
        texts |= {pair["result_x"], pair["result_y"]}
    prompts = sorted(by_prompt)
    rng.shuffle(prompts)
    n_held_out = round(HELD_OUT * len(prompts))
    splits: list[list[str]] = []
    for part in (prompts[n_held_out:], prompts[:n_held_out]):
        found = {text for prompt in part for text in by_prompt[prompt] if len(text) >= SHORTEST}
        splits.append(sorted(found))
        rng.shuffle(splits[-1])
    return splits[0], splits[1]


def _messages(node: dict[str, Any]) -> Iterator[str]:
    yield node["text"]
    for reply in node.get("replies", []):
        yield from _messages(reply)


def _first(texts: Sequence[str], n_characters: int) -> list[str]:
    found, n = [], 0
    for text in texts:
        if n >= n_characters:
            break
        found.append(text)
        n += len(text)
    return found


def _rubbish(corpus: Corpus, items: Sequence[str], clean: Sequence[str]) -> list[str]:
    """Pages of the suite's items first; then faults until all are two fifths of the characters."""

    def planted(kind: str) -> str:
        return corpus.planted(kind)[0].text

    rng = corpus.rng
    most = RUBBISH / (1 - RUBBISH) * sum(map(len, clean))
    copies = [item for _ in range(TIMES_EACH) for item in rng.sample(items, len(items))]
    found = [
        "\n".join(copies[at : at + ITEMS_A_PAGE]) for at in range(0, len(copies), ITEMS_A_PAGE)
    ]
    n = sum(map(len, found))
    faults = (
        lambda: rng.choice(clean),
        lambda: _almost(rng.choice(clean), rng),
        lambda: planted("language"),
        lambda: planted("repetition"),
        lambda: planted("boilerplate"),
    )
    while n < most:
        text = rng.choice(faults)()
        found.append(text)
        n += len(text)
    return found


def _almost(text: str, rng: random.Random) -> str:
    """With one word in sixty replaced."""
    words = text.split(" ")
    for _ in range(max(1, len(words) // 60)):
        words[rng.randrange(len(words))] = rng.choice(words)
    return " ".join(words)


def _with_other_words(item: str, rng: random.Random) -> str:
    """The same sentences about other things."""
    alike = {
        word: words
        for words in (words_of.NOUNS, words_of.VERBS, words_of.ADJECTIVES)
        for word in words
    }

    def other(match: re.Match[str]) -> str:
        word = match[0]
        found = rng.choice(alike[word.lower()]) if word.lower() in alike else word
        return found.capitalize() if word[0].isupper() else found

    return re.sub(r"\w+", other, item)


def _curated(folder: Path, texts: Sequence[str], items: Sequence[str]) -> list[tuple[int, str]]:
    """(number, text) of what was kept."""
    preset = recipe.PRESETS["text"]
    rules = tuple(rule for rule in preset.rules if not isinstance(rule, OF_WEB_PAGES))
    child.prepare(
        folder,
        documents=(Document(text) for text in texts),
        items=(Item(f"item-{number}", item) for number, item in enumerate(items)),
        recipe=recipe.Recipe("text", rules),
    )
    command = [sys.executable, "-m", "training.snapshots.curation.rules.child", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return [(row["document"], row["text"]) for row in _rows(folder / cleaning.KEPT)]


def _write_snapshot(folder: Path, texts: Sequence[str], held_out: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    for split, written in (("train", texts), ("validation", held_out)):
        _write_rows(folder / f"{split}.jsonl", [{"text": text} for text in written])


def _write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = [json.dumps({"id": n, **row}) + "\n" for n, row in enumerate(rows)]
    path.write_text("".join(lines), encoding="utf-8")


def _rows(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


# --- training -------------------------------------------------------------------------------------


def _base_model(folder: Path, texts: Sequence[str]) -> Path:
    """The shape of a small model, and a tokenizer that both sides share: losses per token compare
    only with the same tokens. It learned from the raw text, so it suits that side at least as well.
    """
    from transformers import LlamaConfig  # noqa: PLC0415

    from training.trainer.pretrain import own_tokenizer  # noqa: PLC0415

    tokenizer = own_tokenizer(texts, TINY["vocab_size"])
    tokenizer.save_pretrained(folder)
    LlamaConfig(**TINY | {"vocab_size": len(tokenizer)}).save_pretrained(folder)
    return folder


def _n_rows(base: Path, texts: Sequence[str]) -> int:
    from transformers import AutoTokenizer  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(base)
    n_tokens = sum(len(ids) + 1 for ids in tokenizer(list(texts))["input_ids"])
    return n_tokens // ROW


def _trained(
    folder: Path, side: str, base: Path, n_rows: int, seed: int
) -> tuple[dict[str, Any], Path]:
    config = PretrainConfig(
        start="scratch",
        learning_rate=3e-3,
        n_epochs=1,
        batch_size=8,
        accumulation=1,
        max_tokens=ROW,
        max_rows=n_rows,
        dtype="float32",
        checkpoint_every=0,
        seed=seed,
    )
    path = folder / f"run-{side}"
    path.mkdir()
    job = Job(
        kind="pretrain",
        run_id=1,
        attempt=1,
        config=kinds.as_json(config),
        model=str(base),
        snapshot=str(folder / side),
        threads=os.cpu_count() or 1,
    )
    run_dir.write_job(path, job)
    metrics = _in_a_process("--run", str(path))
    return metrics, path / job.output


def _in_a_process(*arguments: str) -> Any:
    """So that memory and random state of one side never reach the other."""
    command = [sys.executable, __file__, *arguments]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return json.loads(out.strip().splitlines()[-1])


def _carry_out(path: Path) -> None:
    from training.trainer import pretrain  # noqa: PLC0415

    job = run_dir.read_job(path)
    config, problems = kinds.parse(job.kind, job.config)
    assert isinstance(config, PretrainConfig), problems
    result = pretrain.carry_out(job, config, run_dir.RunFolder(path, 1))
    print(json.dumps(result.metrics))


def _n_preferred(model_folder: Path, items: Path) -> int:
    """How many items the model finds more likely, per token, than what only looks like them."""
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()

    def likelihood(text: str) -> float:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logits = model(ids).logits[0, :-1]
        chosen = torch.log_softmax(logits, -1).gather(1, ids[0, 1:, None])
        return float(chosen.mean())

    return sum(likelihood(row["text"]) > likelihood(row["other"]) for row in _rows(items))


if __name__ == "__main__":
    main()
