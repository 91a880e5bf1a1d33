"""A snapshot's rows as token ids. Truncated and dropped rows are counted."""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import datasets
import torch
from datasets import Dataset, Features
from transformers import PreTrainedTokenizerBase

from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, RunFolder, counted
from training.trainer.modeling import chat_template
from training.trainer.modeling.chat_template import Message, Tools

IGNORED = -100  # the label that a loss skips
_READY = "ready.json"
_POLL_S = 0.5

T = TypeVar("T")
Row = dict[str, Any]


class UnableToRead(AnticipatedFailure):
    """The snapshot is not what this kind of run needs."""


@dataclass(frozen=True)
class Example:
    """A conversation whose last turn is trained on. Labels are IGNORED over the prompt."""

    input_ids: list[int]
    labels: list[int]
    is_cut: bool  # the response was truncated at its end


@dataclass(frozen=True)
class Demonstrations:
    examples: list[Example]
    n_left_out: int  # the prompt alone fills the max row length

    @property
    def n_cut(self) -> int:
        """How many responses were truncated."""
        return sum(example.is_cut for example in self.examples)


@dataclass(frozen=True)
class Prompt:
    prompt_id: object
    messages: list[Message]
    input_ids: list[int]
    reference: str = ""
    """the answer of a demonstration; "" where its snapshot has none"""
    site_id: int | None = None
    """what the site knows it by, if it does"""
    tools: Tools = ()


@dataclass(frozen=True)
class PromptSets:
    """Prompts for training and evaluating a policy that samples. Prompts longer than `max_tokens`
    are dropped and counted.
    """

    train: list[Prompt]
    held_out: list[Prompt]
    split: str
    n_too_long: int
    n_held_out_too_long: int
    max_tokens: int

    def metrics(self) -> dict[str, object]:
        return {
            "held_out_split": self.split,
            "n_held_out_prompts": len(self.held_out),
            "n_prompts": len(self.train),
            "n_prompts_too_long": self.n_too_long,
            "n_held_out_prompts_too_long": self.n_held_out_too_long,
        }

    def note(self, *, ending: str = "") -> str:
        """For the run's page. `ending` says how many responses are sampled per prompt, if more than
        one.
        """
        note = (
            f"{counted(len(self.train), 'prompt')} for training, {ending}"
            f"{len(self.held_out)} held out ({self.split or 'no held-out split'})."
        )
        if self.n_too_long:
            note += (
                f" {counted(self.n_too_long, 'prompt')} dropped: longer than {self.max_tokens}"
                " tokens."
            )
        if self.n_held_out_too_long:
            note += (
                f" {counted(self.n_held_out_too_long, 'held-out prompt')} dropped for the same"
                " reason."
            )
        return note


def rows(snapshot: Path, split: str) -> list[Row]:
    """The rows of one split; none when the snapshot has no such file."""
    return list(streamed(snapshot, split))


def streamed(snapshot: Path, split: str) -> Iterator[Row]:
    """The rows of one split, one at a time."""
    path = snapshot / f"{split}.jsonl"
    return run_dir.read_lines(path) if path.exists() else iter(())


def require_folder(snapshot: Path) -> None:
    """Raises UnableToRead if the snapshot is missing."""
    if not snapshot.is_dir():
        raise UnableToRead(f"The snapshot's folder {snapshot} is not on this node.")


def training_rows(snapshot: Path, needed: str) -> list[Row]:
    """Raises UnableToRead if the snapshot is missing, empty or of another kind (rows without
    `needed`).
    """
    require_folder(snapshot)
    training = rows(snapshot, "train")
    require(training, needed)
    return training


def require_text(snapshot: Path) -> int:
    """How many rows with a text, or demonstrations, there are. Raises UnableToRead as
    `training_rows` does.
    """
    require_folder(snapshot)
    stream = streamed(snapshot, "train")
    first = next(stream, None)
    require([] if first is None else [first], "")
    needed = "text" if first is not None and "text" in first else "completion"
    n = 0
    for row in itertools.chain([first], stream):
        require([row], needed)
        n += 1
    return n


def all_rows(snapshot: Path, needed: str) -> list[Row]:
    """The rows of every split, in the order of the splits."""
    require_folder(snapshot)
    whole = [row for split in run_dir.SPLITS for row in rows(snapshot, split)]
    require(whole, needed)
    return whole


def held_out_split(snapshot: Path) -> str:
    """The validation split, the test split where validation is empty, or ""."""
    for split in ("validation", "test"):
        if next(streamed(snapshot, split), None) is not None:
            return split
    return ""


def held_out_rows(snapshot: Path) -> tuple[str, list[Row]]:
    """(split, rows): the validation split, or the test split where validation is empty, or ("",
    []).
    """
    split = held_out_split(snapshot)
    return split, rows(snapshot, split) if split else []


def stored(
    generate: Callable[..., Iterator[dict[str, object]]],
    folder: RunFolder,
    name: str,
    features: Features,
    *,
    parts: Sequence[object] = (0,),
    **arguments: object,
) -> Dataset:
    """The rows of `generate(parts, **given)` in Arrow files beside the run, mapped into memory, so
    that memory does not grow with them. Several parts are generated at once, each by a process.

    The first process of a machine generates, and the others wait and map the same files.
    """
    aside = folder.path / f"{run_dir.TEMPORARY}{folder.attempt}-rows-{name}"
    if folder.is_first_here:
        written = Dataset.from_generator(
            generate,
            features=features,
            cache_dir=str(aside),
            gen_kwargs={"parts": list(parts), **arguments},
            num_proc=len(parts) if len(parts) > 1 else None,
            fingerprint="rows",
        )
        run_dir.write_json(aside / _READY, [file["filename"] for file in written.cache_files])
    while not (aside / _READY).exists():  # the launcher ends this process if the first one fails
        time.sleep(_POLL_S)
    files = json.loads((aside / _READY).read_text(encoding="utf-8"))
    return datasets.concatenate_datasets([Dataset.from_file(name) for name in files])


def sample_of(items: Sequence[T], at_most: int | None, seed: int) -> list[T]:
    """All items in order, or a random sample of `at_most`, drawn with the seed."""
    if at_most is None or len(items) <= at_most:
        return list(items)
    chosen = sorted(random.Random(seed).sample(range(len(items)), at_most))  # noqa: S311 a draw, not a secret
    return [items[index] for index in chosen]


def spread(items: Sequence[T], at_most: int | None) -> list[T]:
    """All items, or `at_most` of them at equal distances. If rows are ordered by split, each split
    is sampled in proportion.
    """
    if at_most is None or len(items) <= at_most:
        return list(items)
    return [items[(2 * n + 1) * len(items) // (2 * at_most)] for n in range(at_most)]


def demonstrations(
    tokenizer: PreTrainedTokenizerBase, examples_read: Iterable[Row], max_tokens: int
) -> Demonstrations:
    """A response that its model did not end (`is_ended` false) gets no end of turn."""
    examples, n_left_out = [], 0
    for row in examples_read:
        tools = row.get("tools", ())
        prompt = prompt_ids(tokenizer, row["prompt"], tools)
        turns = [*row["prompt"], *row["completion"]]
        whole = conversation_ids(tokenizer, turns, len(prompt), tools)
        if not row.get("is_ended", True):
            whole = _unended(tokenizer, whole)
        n_prompt = _common_prefix(prompt, whole)
        if n_prompt >= min(max_tokens, len(whole)):
            n_left_out += 1
            continue
        ids = whole[:max_tokens]
        examples.append(
            Example(ids, [IGNORED] * n_prompt + ids[n_prompt:], is_cut=len(whole) > max_tokens)
        )
    return Demonstrations(examples, n_left_out)


def response_ids(
    tokenizer: PreTrainedTokenizerBase,
    messages: list[Message],
    prompt: list[int],
    answer: str | Message,
    *,
    tools: Tools = (),
    is_ended: bool = True,
) -> list[int]:
    turn = {"role": "assistant", "content": answer} if isinstance(answer, str) else answer
    whole = chat_template.ids(tokenizer, [*messages, turn], tools)
    return response_of(tokenizer, prompt, whole, is_ended=is_ended)


def response_of(
    tokenizer: PreTrainedTokenizerBase,
    prompt: Sequence[int],
    whole: list[int],
    *,
    is_ended: bool = True,
) -> list[int]:
    """The response in a whole conversation that begins with `prompt`, up to the end of its turn."""
    whole = _until_end(tokenizer, whole, len(prompt))
    response = whole[_common_prefix(prompt, whole) :]
    return response if is_ended or len(response) == 1 else _unended(tokenizer, response)


def _unended(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[int]:
    """Without the end of turn that the template added."""
    return ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id else ids


def prompts(
    tokenizer: PreTrainedTokenizerBase, chosen: Iterable[Row], *, name: str = "prompt_id"
) -> list[Prompt]:
    """A prompt to generate from: the ids end where the response starts. `name` is the column that
    identifies a row.
    """
    return [
        Prompt(
            row[name],
            row["prompt"],
            prompt_ids(tokenizer, row["prompt"], row.get("tools", ())),
            "\n\n".join(message["content"] for message in row.get("completion", ())),
            row.get("prompt_id"),
            row.get("tools", ()),
        )
        for row in chosen
    ]


def prompt_sets(
    snapshot: Path,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_tokens: int,
    max_train: int | None,
    max_held_out: int | None,
    seed: int,
) -> PromptSets:
    """The prompts of a snapshot of prompts or demonstrations: a random sample, drawn with the seed,
    if there are more than the limits allow.
    """
    train = prompts(tokenizer, training_rows(snapshot, "prompt"), name="id")
    split, rows_held_out = held_out_rows(snapshot)
    held_out = prompts(tokenizer, rows_held_out, name="id")
    fitting, measured = (
        [prompt for prompt in prompts_of_split if len(prompt.input_ids) <= max_tokens]
        for prompts_of_split in (train, held_out)
    )
    return PromptSets(
        train=sample_of(fitting, max_train, seed),
        held_out=sample_of(measured, max_held_out, seed),
        split=split,
        n_too_long=len(train) - len(fitting),
        n_held_out_too_long=len(held_out) - len(measured),
        max_tokens=max_tokens,
    )


def prompt_ids(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], tools: Tools = ()
) -> list[int]:
    return chat_template.ids(tokenizer, messages, tools, add_generation_prompt=True)


def conversation_ids(
    tokenizer: PreTrainedTokenizerBase,
    messages: list[Message],
    n_prompt: int = 0,
    tools: Tools = (),
) -> list[int]:
    """The conversation up to the end of its last turn. Templates add a line feed after it that no
    model samples: with it, the model would learn to write it, and rewards would be read one token
    late.
    """
    return _until_end(tokenizer, chat_template.ids(tokenizer, messages, tools), n_prompt)


def _until_end(tokenizer: PreTrainedTokenizerBase, ids: list[int], n_prompt: int) -> list[int]:
    end = tokenizer.eos_token_id
    if end not in ids[n_prompt:]:
        return ids
    return ids[: len(ids) - ids[::-1].index(end)]


def batches(items: Sequence[T], size: int) -> list[list[T]]:
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def padded(
    sequences: Sequence[Sequence[int]], fill: int, *, side: str = "right"
) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, attention mask), each (B, T)."""
    longest = max(len(sequence) for sequence in sequences)
    ids, mask = [], []
    for sequence in sequences:
        gap = longest - len(sequence)
        filler, kept = [fill] * gap, list(sequence)
        ids.append(kept + filler if side == "right" else filler + kept)
        mask.append([1] * len(kept) + [0] * gap if side == "right" else [0] * gap + [1] * len(kept))
    return torch.tensor(ids), torch.tensor(mask)


def require(read: Sequence[Any], needed: str) -> None:
    """Raises UnableToRead unless there are rows, and all have this column ("": any will do)."""
    if not read:
        raise UnableToRead(
            "The snapshot has no row for this run. Collect more or loosen its filters, then create"
            " it again."
        )
    if needed and any(needed not in row for row in read):
        raise UnableToRead(
            f"The snapshot is of another kind: its rows have no “{needed}”. Choose one that fits"
            " this kind of run."
        )


def _common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Some templates write a prompt alone differently from a prompt with its response. The response
    starts where the two differ.
    """
    return next(
        (
            index
            for index, (left, right) in enumerate(zip(first, second, strict=False))
            if left != right
        ),
        min(len(first), len(second)),
    )
