"""Which files of a dataset repository are its rows, found as `datasets.load_dataset` does: by the
configurations in its card, else by names. Pure: names in, names out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import yaml
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.data.hub.globs import Pattern
from labeling.importers.files import plain_yaml

CARD = "README.md"
_MAX_DEPTH = 60
"""`dataset_info` describes columns of columns."""
_MAX_PATTERNS = 200
_MAX_NAMES = 100_000
_MAX_NAME = 1000
_MAX_WORK = 20_000_000
"""Characters that are compared with patterns: about ten seconds."""
_FRONT = re.compile(r"\A---[ \t\r]*\n(.*?)\n---[ \t\r]*(\n|\Z)", re.DOTALL)
_IGNORED = {
    *(CARD, "config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json"),
    "dummy_data.zip",
}
_KINDS = {
    ".parquet": "parquet",
    ".jsonl": "json",
    ".json": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".xlsx": "xlsx",
}
_PACKED = (".gz", ".zip")
_KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_BETWEEN = "[-._ 0-9]"
_SHARD = re.compile(r"data/([^/]+)-\d{5}-of-\d{5}[^/]*\.[^/]*")
_SPDX = {
    name.lower(): name
    for name in (
        *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "GPL-3.0", "ODbL-1.0"),
        *("CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *("CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"),
        *("CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "ODC-By-1.0"),
    )
} | {"odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0"}
_UNSAID = ("other", "unknown")


class NotFound(Refusal):
    """There is no such dataset, configuration or split; the sentence says what there is."""


@dataclass(frozen=True)
class HubCard:
    """What a card's front matter says."""

    licence: str
    """an SPDX identifier where the hub's name is one; empty if it says none"""
    configs: Sequence[Mapping[str, object]]


def read_card(text: str) -> HubCard:
    """Of a card that cannot be parsed, nothing. Raises NotFound if it is made to do harm."""
    front = _FRONT.match(text)
    try:
        fields = _fields(front[1] if front else "", ("license", "configs"))
    except plain_yaml.BROKEN:
        return HubCard("", ())
    except plain_yaml.NotPlain as problem:
        sentence = _("The card of the dataset can't be read, line %(line)d: %(why)s")
        # the mark above the front matter is a line too
        numbers = {"line": problem.line + 1, "why": problem.sentence}
        raise NotFound(sentence % numbers) from problem
    configs = fields.get("configs")
    entries = (
        [entry for entry in configs if isinstance(entry, dict)] if isinstance(configs, list) else []
    )
    return HubCard(_licence(fields.get("license")), entries)


@dataclass(frozen=True)
class ReadCard:
    card: HubCard
    refusal: str = ""


def card_or_refusal(*, text: str) -> ReadCard:
    """In a child."""
    try:
        return ReadCard(read_card(text))
    except NotFound as refusal:
        return ReadCard(HubCard("", ()), refusal.sentence)


def _fields(text: str, names: Sequence[str]) -> dict[str, object]:
    node = plain_yaml.compose(text, max_depth=_MAX_DEPTH, with_aliases=True)
    if not isinstance(node, yaml.MappingNode):
        return {}
    wanted = [(key.value, child) for key, child in node.value if key.value in names]
    return {name: plain_yaml.value(child) for name, child in wanted}


def _licence(value: object) -> str:
    names = value if isinstance(value, list) else [value]
    known = [name for name in names if isinstance(name, str) and name.lower() not in _UNSAID]
    return " AND ".join(_SPDX.get(name.lower(), name) for name in known)[:64]


def data_files(
    names: Iterable[str], card: HubCard, *, config: str = "", split: str = ""
) -> list[str]:
    """The files of a split, or of all splits of a configuration. Raises NotFound."""
    usable = [name for name in _readable(names) if _is_data(name)]
    chosen = _config(card, config)
    splits = _splits(_below(usable, str(chosen.get("data_dir") or "")), chosen.get("data_files"))
    by_split = {name: _of_one_kind(files) for name, files in splits.items()}
    by_split = {name: files for name, files in by_split.items() if files}
    if not by_split:
        raise NotFound(
            _("The dataset has no files that can be imported: Parquet, JSON, CSV, text or XLSX.")
        )
    if split and split not in by_split:
        sentence = _("The dataset has no split “%(name)s”. It has: %(names)s.")
        raise NotFound(sentence % {"name": split, "names": ", ".join(by_split)})
    wanted = [split] if split else list(by_split)
    return list(dict.fromkeys(file for name in wanted for file in by_split[name]))


def _readable(names: Iterable[str]) -> list[str]:
    """Sorted. Raises NotFound if there are too many, or one is too long."""
    ordered = sorted(names)
    if len(ordered) > _MAX_NAMES:
        sentence = _(
            "The dataset has %(n)d files; the limit is %(limit)d. Download those that you need and"
            " import them."
        )
        raise NotFound(sentence % {"n": len(ordered), "limit": _MAX_NAMES})
    if max(map(len, ordered), default=0) > _MAX_NAME:
        sentence = _(
            "The dataset has a file whose name is longer than %(n)d characters. Download the files"
            " that you need and import them."
        )
        raise NotFound(sentence % {"n": _MAX_NAME})
    return ordered


def _config(card: HubCard, config: str) -> Mapping[str, object]:
    """The configuration by name, else the one that is marked as default, is named so, or is the
    only one.
    """
    by_name = {str(entry.get("config_name", "default")): entry for entry in card.configs}
    if config in by_name:
        return by_name[config]
    if not config or (config == "default" and not by_name):
        usual = [entry for entry in card.configs if entry.get("default") is True]
        usual += [by_name["default"]] if "default" in by_name else []
        if not by_name or usual or len(by_name) == 1:
            return usual[0] if usual else next(iter(by_name.values()), {})
        sentence = _("The dataset has several configurations. Choose one of: %(names)s.")
        raise NotFound(sentence % {"names": ", ".join(by_name)})
    sentence = _("The dataset has no configuration “%(name)s”. It has: %(names)s.")
    raise NotFound(sentence % {"name": config, "names": ", ".join(by_name) or "default"})


def _below(names: Sequence[str], folder: str) -> dict[str, str]:
    """Name below the folder → whole name."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    return {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}


def _splits(names: Mapping[str, str], patterns: object) -> dict[str, list[str]]:
    if patterns is None:
        by_split = _by_name(list(names))
    else:
        wanted = _patterns(patterns)
        _check_work(list(names), [pattern for listed in wanted.values() for pattern in listed])
        by_split = {
            split: [name for name in names if any(pattern.fits(name) for pattern in listed)]
            for split, listed in wanted.items()
        }
    return {split: [names[name] for name in files] for split, files in by_split.items()}


def _check_work(names: Sequence[str], patterns: Sequence[Pattern]) -> None:
    """Raises NotFound if comparing all would take long."""
    if sum(pattern.work(name) for pattern in patterns for name in names) > _MAX_WORK:
        sentence = _(
            "The dataset has %(files)d files, and its card %(patterns)d patterns for them: too"
            " many to compare. Choose another configuration, or download the files and import them."
        )
        raise NotFound(sentence % {"files": len(names), "patterns": len(patterns)})


def _patterns(value: object) -> dict[str, list[Pattern]]:
    """data_files of a card: a pattern, a list of them, or a list of splits with theirs. Raises
    BadPattern, and NotFound if there are too many.
    """
    by_split: dict[str, list[str]] = {}
    for entry in value if isinstance(value, list) else [value]:
        split, paths = ("train", entry) if isinstance(entry, str) else ("", None)
        if isinstance(entry, dict):
            split, paths = str(entry.get("split") or "train"), entry.get("path")
        listed = paths if isinstance(paths, list) else [paths]
        by_split.setdefault(split, []).extend(path for path in listed if isinstance(path, str))
    if sum(map(len, by_split.values())) > _MAX_PATTERNS:
        sentence = _("The card of the dataset names more than %(n)d patterns of files.")
        raise NotFound(sentence % {"n": _MAX_PATTERNS})
    return {split: list(map(Pattern, paths)) for split, paths in by_split.items() if split}


def _by_name(names: Sequence[str]) -> dict[str, list[str]]:
    """Shards below data/, else folders named after splits, else files named after splits, else
    everything is train.
    """
    shards: dict[str, list[str]] = {}
    for name in names:
        if match := _SHARD.fullmatch(name):
            shards.setdefault(match[1], []).append(name)
    if shards:
        usual = [split for split in _KEYWORDS if split in shards]
        return {split: shards[split] for split in [*usual, *sorted(shards.keys() - set(usual))]}
    for says in (_folder_says, _file_says):
        by_split = {
            split: [name for name in names if any(says(name, word) for word in words)]
            for split, words in _KEYWORDS.items()
        }
        if any(by_split.values()):
            return {split: files for split, files in by_split.items() if files}
    return {"train": list(names)}


def _folder_says(name: str, word: str) -> bool:
    pattern = rf"(?:.*{_BETWEEN})?{word}(?:{_BETWEEN}.*)?"
    parts = PurePosixPath(name).parts[:-1]
    return any(re.fullmatch(pattern, part, re.DOTALL) for part in parts)


def _file_says(name: str, word: str) -> bool:
    pattern = rf"(?:.*{_BETWEEN})?{word}{_BETWEEN}.*"
    return re.fullmatch(pattern, PurePosixPath(name).name, re.DOTALL) is not None


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__")) for part in path.parts)
    return path.name not in _IGNORED and not is_hidden and _kind(name) is not None


def _kind(name: str) -> str | None:
    suffixes = PurePosixPath(name.lower()).suffixes
    if suffixes and suffixes[-1] in _PACKED:
        return _KINDS.get(suffixes[-2]) if len(suffixes) > 1 else "packed"
    return _KINDS.get(suffixes[-1]) if suffixes else None


def _of_one_kind(files: Sequence[str]) -> list[str]:
    """Those of the most common kind: a repository may have notes beside its rows."""
    kinds = Counter(_kind(file) for file in files)
    return [file for file in files if _kind(file) == kinds.most_common(1)[0][0]]
