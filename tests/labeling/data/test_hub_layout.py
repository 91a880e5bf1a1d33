"""Which files of a repository are its rows: the same ones that `datasets` finds."""

import re
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import datasets
import django
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import Refusal
from labeling.data.hub import layout
from labeling.data.hub.globs import Pattern
from labeling.data.hub.layout import NotFound

REPOSITORIES = {
    "shards": [
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet",
        "data/test-00000-of-00001.parquet",
        "README.md",
    ],
    "own split names": [
        "data/harmless-00000-of-00001.parquet",
        "data/train-00000-of-00001.parquet",
    ],
    "folders": ["train/a.jsonl", "train/b.jsonl", "dev/a.jsonl", "notes.txt"],
    "files": ["train.jsonl", "validation.jsonl", "test.jsonl"],
    "files with words": ["my-train-set.csv", "my_eval.csv"],
    "no split": ["rows.jsonl", "more/rows.jsonl"],
    "one file": ["trained_rows.csv"],
    "beside other files": ["train.jsonl", "test.jsonl", "dataset_infos.json", ".gitattributes"],
}
CARDS = {
    "one pattern": "configs:\n- config_name: default\n  data_files: 'data/*.jsonl'\n",
    "a list": "configs:\n- config_name: default\n  data_files:\n  - a.jsonl\n  - data/b.jsonl\n",
    "splits": (
        "configs:\n- config_name: default\n  data_files:\n"
        "  - split: train\n    path: data/*.jsonl\n"
        "  - split: held_out\n    path:\n    - a.jsonl\n"
    ),
    "a folder": "configs:\n- config_name: default\n  data_dir: data\n",
    "any depth": "configs:\n- config_name: default\n  data_files: '**/*.jsonl'\n",
    "the default": (
        "configs:\n- config_name: first\n  data_files: a.jsonl\n"
        "- config_name: second\n  data_files: data/b.jsonl\n  default: true\n"
    ),
}


def lay_out(names: list[str], folder: Path) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "{}" if name.endswith(".json") else '{"prompt": "a"}\n'
        path.write_text("prompt\n" if name.endswith(".csv") else text)
    return folder


def theirs(folder: Path) -> dict[str, set[str]]:
    builder = datasets.load_dataset_builder(str(folder))
    found = builder.config.data_files
    return {
        str(split): {Path(file).relative_to(folder.resolve()).as_posix() for file in files}
        for split, files in found.items()
    }


def ours(names: list[str], card: str = "") -> dict[str, set[str]]:
    read = layout.read_card(f"---\n{card}\n---\n")
    splits = ("train", "validation", "test", "harmless", "held_out")
    found = {}
    for split in splits:
        try:
            found[split] = set(layout.data_files(names, read, split=split))
        except NotFound:
            continue
    return found


@pytest.mark.parametrize("names", REPOSITORIES.values(), ids=REPOSITORIES)
def test_splits_are_found_by_names(names: list[str], tmp_path: Path) -> None:
    expected = theirs(lay_out([name for name in names if name != "README.md"], tmp_path))
    # A note is no row; `datasets` opens only files of one kind, too.
    expected = {split: {n for n in files if n != "notes.txt"} for split, files in expected.items()}

    assert ours(names) == expected


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_configurations_of_a_card_come_first(card: str, tmp_path: Path) -> None:
    names = ["a.jsonl", "data/b.jsonl", "data/c.jsonl", "data/deep/d.jsonl"]
    folder = lay_out(names, tmp_path)
    (folder / "README.md").write_text(f"---\n{card}\n---\n")

    assert ours([*names, "README.md"], card) == theirs(folder)


def test_a_configuration_or_split_that_is_not_there_is_answered_with_those_that_are() -> None:
    card = layout.read_card(
        "---\nconfigs:\n- config_name: en\n  data_files: en.jsonl\n"
        "- config_name: de\n  data_files: de.jsonl\n---\n"
    )
    names = ["en.jsonl", "de.jsonl"]

    with pytest.raises(NotFound, match=r"several configurations. Choose one of: en, de"):
        layout.data_files(names, card)
    with pytest.raises(NotFound, match=r"no configuration “fr”. It has: en, de"):
        layout.data_files(names, card, config="fr")
    with pytest.raises(NotFound, match=r"no split “test”. It has: train"):
        layout.data_files(names, card, config="de", split="test")
    with pytest.raises(NotFound, match="no files that can be imported"):
        layout.data_files(["a.png", "b.wav"], layout.read_card(""))
    assert layout.data_files(names, card, config="de") == ["de.jsonl"]


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("license: cc-by-4.0", "CC-BY-4.0"),
        ("license: apache-2.0", "Apache-2.0"),
        ("license:\n- mit\n- cc-by-nc-4.0", "MIT AND CC-BY-NC-4.0"),
        ("license: other", ""),
        ("license: openrail", "openrail"),
        ("pretty_name: x", ""),
        ("license: [", ""),
    ],
)
def test_a_licence_is_read_from_the_card(said: str, licence: str) -> None:
    assert layout.read_card(f"---\n{said}\n---\n\n# Title\n").licence == licence


# --- cards of strangers ---------------------------------------------------------------------------

LAUGHS = "\n".join(
    ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
)
HOSTILE_CARDS = {
    "aliases as a name": f"{LAUGHS}\nconfigs:\n- config_name: *a11\n  data_files: '*'",
    "aliases as patterns": f"{LAUGHS}\nconfigs:\n- data_files: *a11",
    "an alias of itself": "configs: &a\n- config_name: *a",
    "aliases as a licence": f"{LAUGHS}\nlicense: *a11",
    "lists in lists": f"configs: {'[' * 200}{']' * 200}",
    "25 stars": f"configs:\n- data_files: '{'*a' * 25}*b'",
    "20 stars": f"configs:\n- data_files: '{'*a' * 19}*b'",
    "stars of all depths": f"configs:\n- data_files: '{'**/a**' * 5}b'",
    "classes backwards": "configs:\n- data_files: '[z-a]'",
    "an open class": "configs:\n- data_files: 'a['",
    "a pattern without an end": f"configs:\n- data_files: '{'?' * 100_000}'",
    "10,000 patterns": "configs:\n- data_files: [" + "'**/a*b*c', " * 10_000 + "]",
    "a date that is none": "configs:\n- config_name: 2026-99-99\n  data_files: a.png",
    "a mapping as a key": "? {a: b}\n: c\nconfigs:\n- ? [a]\n  : b\n  data_files: a.png",
    "blank lines": "\n" * 500_000 + "configs:\n- data_files: a.png",
}


FEW_NAMES = [
    *(f"{'a' * 60}/{n}.json" for n in range(100)),
    *(f"{'a' * 100}{n}.csv" for n in range(9)),
]
MANY_NAMES = [f"{'a' * 60}/{n}.json" for n in range(50_000)]


def _refusal(card: str, names: list[str]) -> tuple[str, float]:
    """What the layout of files says of a card, and the processor time it took."""
    started = time.process_time()
    try:
        layout.data_files(names, layout.read_card(f"---\n{card}\n---\n"))
    except Refusal as refused:
        return refused.sentence, time.process_time() - started
    return "", time.process_time() - started


def _in_little_time() -> None:
    django.setup()
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3, 4 * 1024**3))


def _in_child(card: str, names: list[str]) -> tuple[str, float]:
    child = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_in_little_time)
    with child as pool:
        return pool.submit(_refusal, card, names).result()


@pytest.mark.slow
@pytest.mark.parametrize("card", HOSTILE_CARDS.values(), ids=HOSTILE_CARDS)
def test_a_hostile_card_ends_in_a_sentence(card: str) -> None:
    sentence, seconds = _in_child(card, FEW_NAMES)

    assert sentence
    assert seconds < 10


SPLITS = "[" + ", ".join(f"'{'**a' * 9}{n}b'" for n in range(200)) + "]"
HOSTILE_REPOSITORIES = {
    "200 patterns": (f"configs:\n- data_files: {SPLITS}", MANY_NAMES, "50000 files, .* 200 patt"),
    "20 stars": (f"configs:\n- data_files: '{'*a' * 19}*b'", MANY_NAMES, "no files that can be"),
    "stars and places": (
        f"configs:\n- data_files: '**a{'?' * 400}c'",
        [f"{'a' * 900}b{n}.csv" for n in range(5_000)],
        "no files that can be",
    ),
    "names of shards": ("", [f"data/{'-00000-of-00000' * 60}/{n}.csv" for n in range(5_000)], ""),
    "names of splits": ("", [f"{'-test' * 190}\n/{n}.csv" for n in range(5_000)], ""),
    "a million files": ("", [f"{n}.csv" for n in range(10**6)], "1000000 files; the limit is"),
    "a long name": ("", ["-test" * 100_000 + "\n.csv"], "longer than 1000 characters"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("card", "names", "said"), HOSTILE_REPOSITORIES.values(), ids=HOSTILE_REPOSITORIES
)
def test_a_hostile_listing_takes_little_time(card: str, names: list[str], said: str) -> None:
    sentence, seconds = _in_child(card, names)

    assert re.search(said, sentence)
    assert seconds < 10


@pytest.mark.slow
def test_a_few_patterns_choose_from_many_files_in_little_time() -> None:
    card = layout.read_card("---\nconfigs:\n- data_files: ['a*/1*.json', '**/2*.json']\n---\n")
    started = time.process_time()

    chosen = layout.data_files(MANY_NAMES, card)

    assert chosen == [name for name in sorted(MANY_NAMES) if name[61] in "12"]
    assert time.process_time() - started < 10


def test_an_alias_that_repeats_a_few_values_is_read() -> None:
    card = "x: &files\n- a.jsonl\nconfigs:\n- config_name: a\n  data_files: *files\n"

    assert ours(["a.jsonl", "b.jsonl"], card) == {"train": {"a.jsonl"}}


@given(
    text=st.lists(st.sampled_from(["*", "**", "**/", "?", "[ab]", "a", "b", "/"]), max_size=6),
    name=st.text("ab/", max_size=8),
)
def test_patterns_match_as_their_regular_expressions(text: list[str], name: str) -> None:
    pattern = "".join(text)
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(
        meanings.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts
    )
    is_inside = name.startswith(f"{pattern.rstrip('/')}/")

    assert Pattern(pattern).fits(name) == bool(re.fullmatch(expression, name) or is_inside)
