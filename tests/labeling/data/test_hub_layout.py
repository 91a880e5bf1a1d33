"""Which files of a repository are its rows: the same ones that `datasets` finds."""

from pathlib import Path

import datasets
import pytest

from labeling.data.hub import layout
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
