"""A snapshot's rankings as token ids in Arrow files beside the run: tokenised by several processes
at once, mapped into memory, and read row by row, so that memory does not grow with the rows.
"""

import itertools
import json
import logging
import sys
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow.compute
from datasets import Features, List, Value
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.data import Row
from training.trainer.reward import parts, rankings
from training.trainer.reward.answer_ids import AnswerTokenizer

logger = logging.getLogger(__name__)

AT_ONCE = 64
"""Prompts that are tokenised together."""
SAY_EVERY_S = 10.0
"""How often the log says how far it is. A log that grows is a sign of life for the supervisor."""
_COUNTS = ("n_pairs", "n_ties", "n_left_out", "n_cut")
_IDS = List(Value("int32"))
_ABOUT = {name: Value("string") for name in ("rater", "category", "pool")}
_FEATURES = Features(
    {
        "prompt_ids": _IDS,
        "response_ids": List(_IDS),
        "winner": _IDS,
        "loser": _IDS,
        "weight": List(Value("float64")),
        "margin": List(Value("float64")),
        "about": List(_ABOUT | {"strength": Value("int64")}),
        "of": List(List(Value("int64"))),
        "prompt": Value("string"),
        "sources": List(Value("string")),
        **{name: Value("int64") for name in _COUNTS},
    }
)


@dataclass(frozen=True)
class Reading:
    """How rankings become rows; see `rankings.read`."""

    tokenizer: PreTrainedTokenizerBase
    max_tokens: int
    margin: str = "none"
    rating_margin: float = 0.0
    part: str = parts.ALL
    """which rankings are read; see `parts`"""
    reads_thinking: bool = True


@dataclass(frozen=True)
class Groups:
    """Where the lines of each prompt are in a file: `order` has the lines' offsets, prompt by
    prompt; prompt n has those from `starts[n]` to `starts[n + 1]`.
    """

    order: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1


def read(
    snapshot: Path, split: str, reading: Reading, folder: RunFolder, *, n_processes: int
) -> rankings.Rankings:
    """All raters' rankings of a prompt in one row, in the order of the file. `rows` is a Dataset.

    Raises UnableToRead.
    """
    data.require_folder(snapshot)
    path = snapshot / f"{split}.jsonl"
    groups = grouped(path, reading.part) if folder.is_first_here else None
    stored = data.stored(
        _rows,
        folder,
        split,
        _FEATURES,
        parts=_stretches(len(groups), n_processes) if groups else (0,),
        path=path,
        groups=groups,
        reading=reading,
    )
    sums = {name: pyarrow.compute.sum(stored.data.column(name)).as_py() or 0 for name in _COUNTS}
    useful = np.flatnonzero(stored.data.column("n_pairs").to_numpy())
    return rankings.Rankings(
        rows=stored.select(useful) if len(useful) < len(stored) else stored,
        n_pairs=sums["n_pairs"],
        n_ties=sums["n_ties"],
        n_left_out=sums["n_left_out"],
        n_cut=sums["n_cut"],
    )


def grouped(path: Path, part: str = parts.ALL) -> Groups:
    """The lines of this part of the file by prompt, prompts in the order of their first line.
    Raises UnableToRead if there is none, or one is no comparison.
    """
    offsets, prompts, clusters = array("Q"), array("Q"), array("Q")
    raters: list[str | None] = []
    for offset, line in _lines(path) if path.exists() else ():
        row = json.loads(line)
        data.require([row], "responses")
        offsets.append(offset)
        prompts.append(rankings.prompt_number(row))
        clusters.append(cluster_of(row))
        raters.append(sys.intern(str(row["rater"])) if row.get("rater") else None)
    data.require(offsets[:1], "")
    kept = parts.kept(part, raters, clusters)
    if not kept.any():
        raise data.UnableToRead(
            "All rankings are on one prompt, so they cannot be divided between a reward model and"
            " its watchdog. Collect more, or train without a second reward model."
        )
    _keys, first, which = np.unique(
        np.frombuffer(prompts, dtype=np.uint64)[kept], return_index=True, return_inverse=True
    )
    lines = np.lexsort((np.arange(len(which)), first[which]))
    starts = np.flatnonzero(np.diff(first[which][lines], prepend=-1))
    order = np.frombuffer(offsets, dtype=np.uint64)[kept][lines]
    return Groups(order, np.append(starts, len(lines)))


def cluster_of(row: Row) -> int:
    """A number for the prompt and its near-duplicates."""
    return rankings.hashed(row["cluster"]) if row.get("cluster") else rankings.prompt_number(row)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield offset, line
            offset += len(line)


def _stretches(n: int, n_processes: int) -> list[tuple[int, int]]:
    """Stretches of the prompts, one for each process."""
    n_parts = max(1, min(n_processes, n))
    return list(itertools.pairwise(n * part // n_parts for part in range(n_parts + 1)))


def _rows(
    parts: Sequence[tuple[int, int]], path: Path, groups: Groups, reading: Reading
) -> Iterator[dict[str, object]]:
    """Runs in each of the processes. The one with the first prompts says how far all are."""
    said_at = time.monotonic()
    tokenizer = AnswerTokenizer(reading.tokenizer)
    for begin, end in parts:
        with path.open("rb") as file:
            for first in range(begin, end, AT_ONCE):
                last = min(first + AT_ONCE, end)
                yield from _rows_of(file, groups, range(first, last), tokenizer, reading)
                if begin == 0 and time.monotonic() - said_at > SAY_EVERY_S:
                    said_at = time.monotonic()
                    logger.warning(
                        "Tokenised %.0f %% of %s prompts.", 100 * last / end, len(groups)
                    )


def _row_at(file: BinaryIO, offset: int) -> Row:
    file.seek(offset)
    row: Row = json.loads(file.readline())
    return row


def _rows_of(
    file: BinaryIO,
    groups: Groups,
    numbers: Iterable[int],
    tokenizer: AnswerTokenizer,
    reading: Reading,
) -> Iterator[dict[str, object]]:
    """The rows of the prompts with these numbers, tokenised together."""
    listed = [
        [
            _row_at(file, int(offset))
            for offset in groups.order[groups.starts[number] : groups.starts[number + 1]]
        ]
        for number in numbers
    ]
    if not reading.reads_thinking:
        listed = [list(map(rankings.without_thinking, group)) for group in listed]
    for row, counts in rankings.of_prompts(
        tokenizer, listed, reading.max_tokens, reading.margin, reading.rating_margin
    ):
        about = [
            {name: None if entry.get(name) is None else str(entry[name]) for name in _ABOUT}
            | {"strength": entry.get("strength")}
            for entry in row["about"]
        ]
        yield row | {"about": about} | counts
