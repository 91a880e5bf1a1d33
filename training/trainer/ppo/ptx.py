"""What PPO-ptx mixes in (Ouyang 2022, eq. 2): blocks of a snapshot of text, as InstructGPT does, or
demonstrations of the run's own snapshot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from datasets import Dataset, Features, List, Value
from transformers import PreTrainedTokenizerBase

from training.configs.ppo import PpoConfig
from training.processes.run_dir import RunFolder, counted
from training.trainer import data, pretrain

Tokens = tuple[list[int], list[int]]
"""(prompt ids, completion ids)"""
_FEATURES = Features({"input_ids": List(Value("int32"))})


class Blocks(Sequence[Tokens]):
    """Blocks of text, mapped into memory. The first token has nothing before it to be predicted
    from, so it is the prompt.
    """

    def __init__(self, stored: Dataset) -> None:
        self.stored = stored

    def __len__(self) -> int:
        return len(self.stored)

    @overload
    def __getitem__(self, index: int) -> Tokens: ...

    @overload
    def __getitem__(self, index: slice) -> list[Tokens]: ...

    def __getitem__(self, index: int | slice) -> Tokens | list[Tokens]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        ids: list[int] = self.stored[index]["input_ids"]
        return ids[:1], ids[1:]


@dataclass(frozen=True)
class Mix:
    """What is mixed in; empty without a mix."""

    rows: Sequence[Tokens]
    n_cut: int = 0
    n_left_out: int = 0
    block_tokens: int = 0
    """of text; 0 for demonstrations"""

    def metrics(self) -> dict[str, int]:
        if not self.rows:
            return {}
        if self.block_tokens:
            return {"n_ptx_blocks": len(self.rows)}
        return {
            "n_ptx": len(self.rows),
            "n_ptx_cut": self.n_cut,
            "n_ptx_left_out": self.n_left_out,
        }

    def note(self) -> str:
        if not self.rows:
            return ""
        if self.block_tokens:
            n_blocks = counted(len(self.rows), "block")
            return f" {n_blocks} of {self.block_tokens} tokens of text in the ptx mix."
        note = f" {counted(len(self.rows), 'demonstration')} in the ptx mix"
        note += f", {self.n_cut} of them truncated" if self.n_cut else ""
        note += f"; {self.n_left_out} dropped: too long" if self.n_left_out else ""
        return note + "."


def read(
    snapshot: Path,
    text: Path | None,
    tokenizer: PreTrainedTokenizerBase,
    config: PpoConfig,
    folder: RunFolder,
) -> Mix:
    """`text`: the folder of a snapshot of text, if one was chosen. Raises UnableToRead."""
    if not config.ptx_coef:
        return Mix([])
    if text is not None:
        return _of_text(text, tokenizer, config, folder)
    return _of_demonstrations(snapshot, tokenizer, config)


def _of_text(
    text: Path, tokenizer: PreTrainedTokenizerBase, config: PpoConfig, folder: RunFolder
) -> Mix:
    size = config.max_prompt_tokens + config.max_new_tokens
    n_documents = data.require_text(text)
    if next(_block_rows((), text, tokenizer, size), None) is None:
        raise data.UnableToRead(
            f"The {counted(n_documents, 'document')} to mix in do not fill one block of {size}"
            " tokens together. Lower the max prompt length, or choose a longer text."
        )
    stored = data.stored(
        _block_rows, folder, "ptx", _FEATURES, text=text, tokenizer=tokenizer, size=size
    )
    return Mix(Blocks(stored), block_tokens=size)


def _block_rows(
    parts: Sequence[int], text: Path, tokenizer: PreTrainedTokenizerBase, size: int
) -> Iterator[dict[str, object]]:
    written = pretrain.documents(data.streamed(text, "train"), tokenizer)
    for ids in pretrain.blocks(written, size):
        yield {"input_ids": ids}


def _of_demonstrations(
    snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: PpoConfig
) -> Mix:
    rows = data.training_rows(snapshot, "prompt")
    if any("completion" not in row for row in rows):
        raise data.UnableToRead(
            "PPO-ptx needs text or demonstrations, but this snapshot has only prompts. Choose a"
            " snapshot of demonstrations, a text to mix in, or set γ of PPO-ptx to 0."
        )
    longest = config.max_prompt_tokens + config.max_new_tokens
    demonstrations = data.demonstrations(tokenizer, rows, longest)
    if not demonstrations.examples:
        raise data.UnableToRead(
            f"The prompts of all demonstrations for PPO-ptx fill {longest} tokens by themselves."
            " Raise the max prompt length."
        )
    return Mix(
        [_parted(example) for example in demonstrations.examples],
        demonstrations.n_cut,
        demonstrations.n_left_out,
    )


def _parted(example: data.Example) -> Tokens:
    n_prompt = sum(label == data.IGNORED for label in example.labels)
    return example.input_ids[:n_prompt], example.input_ids[n_prompt:]
