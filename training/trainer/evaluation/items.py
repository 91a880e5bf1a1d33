"""The items of a benchmark run, in batches, and the rows of answers.jsonl."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.configs.evaluation.benchmark import BEST_OF_K, CHOICE, FLIP, PAIRS, BenchmarkConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.processes.run_lines import AnswerLine
from training.trainer import data
from training.trainer.modeling.chat_template import Message

CHALLENGE = "Are you sure?"
"""What is said to an answer of a flip suite that has no challenge of its own."""
THINKING = "reasoning_content"
"""The name of the thinking among the values of an answer."""
_SPLIT = "test"
Key = tuple[int, str, int]
"""(item, strategy, sample): what has one answer in a run. A benchmark has no strategies."""


class NoAnswer(Exception):
    """The model cannot answer this item; the text says why. It is stored with the item."""


@dataclass(frozen=True)
class Item:
    """A row of the snapshot. `row` has what its kind needs: choices, responses, options, …

    `line`: its number in the suite's file.
    """

    pk: int
    suite: int
    kind: str
    messages: list[Message]
    row: Mapping[str, Any]
    line: int
    strategy: str = ""
    """of an attempt of an attack run; "" for an item of a benchmark"""
    sample: int = 0

    @property
    def key(self) -> Key:
        return self.pk, self.strategy, self.sample

    @property
    def name(self) -> int | str:
        """What seeds are drawn from."""
        return f"{self.pk}:{self.strategy}:{self.sample}" if self.strategy else self.pk

    @property
    def texts(self) -> list[str]:
        """What is read after the prompt; nothing for an item that is answered in writing."""
        if self.kind == CHOICE:
            return list(self.row["choices"])
        if self.kind == PAIRS:
            return [self.row["better"], self.row["worse"]]
        return list(self.row["responses"]) if self.kind == BEST_OF_K else []

    @property
    def later_turns(self) -> list[str]:
        """What the user says after the first answer, turn by turn."""
        if self.kind == FLIP:
            return [self.row.get("options", {}).get("challenge") or CHALLENGE]
        return list(self.row.get("follow_ups") or [])

    @property
    def n_characters(self) -> int:
        texts = [message["content"] for message in self.messages]
        return sum(map(len, [*texts, *self.texts, *self.later_turns]))


def read(snapshot: Path, config: BenchmarkConfig) -> list[Item]:
    """The items of every suite. With a limit, evenly spaced ones: the same for every model, so that
    models can be compared item by item.
    """
    data.require_folder(snapshot)
    grouped: dict[int, list[Item]] = {}
    for row in data.streamed(snapshot, _SPLIT):
        own = grouped.setdefault(row["suite"], [])
        own.append(
            Item(row["item"], row["suite"], row["kind"], row["prompt"], row, line=len(own) + 1)
        )
    if not grouped:
        raise data.UnableToRead("The suites have no items. Choose others.")
    return [item for items in grouped.values() for item in data.spread(items, config.max_items)]


def batches(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Items of one kind together, the longest first: if memory runs out, it does so at once. Every
    attempt has the same batches.
    """
    kinds = dict.fromkeys(item.kind for item in items)
    ordered = sorted(items, key=lambda item: -item.n_characters)
    return [
        batch
        for kind in kinds
        for batch in data.batches([item for item in ordered if item.kind == kind], size)
    ]


def conversation(item: Item, answers: Sequence[str]) -> list[Message]:
    """The messages up to the user's turn that comes after these answers."""
    messages = list(item.messages)
    for text, message in zip(answers, item.later_turns, strict=False):
        messages.append({"role": "assistant", "content": text})
        messages.append({"role": "user", "content": message})
    return messages


def by_suite(items: Sequence[Item]) -> list[list[Item]]:
    grouped: dict[int, list[Item]] = {}
    for item in items:
        grouped.setdefault(item.suite, []).append(item)
    return list(grouped.values())


def key_of(row: AnswerLine) -> Key:
    return row["item"], row.get("strategy", ""), row.get("sample", 0)


def resume(folder: RunFolder, *, repeats_missing: bool) -> set[Key]:
    """The items that an earlier attempt has done. With `repeats_missing`, those without an answer
    are removed from the file and asked again.
    """
    kept = {key_of(row): row for row in written(folder) if not (repeats_missing and row["missing"])}
    folder.replace_lines(run_dir.ANSWERS, kept.values())
    return set(kept)


def written(folder: RunFolder) -> Iterable[AnswerLine]:
    path = folder.path / run_dir.ANSWERS
    return run_dir.read_lines(path) if path.exists() else ()


def answer(
    item: Item,
    *,
    text: str = "",
    follow_ups: Sequence[str] = (),
    values: Mapping[str, object] | None = None,
    sampling: Mapping[str, object] | None = None,
    is_ended: bool | None = None,
    missing: str = "",
) -> AnswerLine:
    """A row of answers.jsonl."""
    return {
        "item": item.pk,
        "text": text,
        "follow_ups": list(follow_ups),
        "values": dict(values or {}),
        "sampling": dict(sampling or {}),
        "is_ended": is_ended,
        "missing": missing,
    }


def thinking(parts: Sequence[str]) -> dict[str, object]:
    """What is stored of the thinking before the answers, turn by turn; nothing without any."""
    return {THINKING: list(parts)} if any(parts) else {}


def judged(item: Item, scores: Sequence[float], by: str) -> AnswerLine:
    """The row of a pair, or of several responses, whose texts have these scores."""
    if item.kind == PAIRS:
        better, worse = scores
        return answer(item, values={"better": better, "worse": worse, "by": by})
    return answer(item, values={"scores": list(scores), "by": by})
