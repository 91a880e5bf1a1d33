"""The texts that PPO-ptx mixes in (Ouyang 2022, eq. 2): demonstrations of the run's snapshot."""

from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from training.configs.ppo import PpoConfig
from training.processes.run_dir import counted
from training.trainer import data

Tokens = tuple[list[int], list[int]]
"""(prompt ids, completion ids)"""


@dataclass(frozen=True)
class Mix:
    """What is mixed in; empty without a mix."""

    rows: list[Tokens]
    n_cut: int
    n_left_out: int

    def metrics(self) -> dict[str, int]:
        counts = {
            "n_ptx": len(self.rows),
            "n_ptx_cut": self.n_cut,
            "n_ptx_left_out": self.n_left_out,
        }
        return counts if self.rows else {}

    def note(self) -> str:
        if not self.rows:
            return ""
        note = f" {counted(len(self.rows), 'demonstration')} in the ptx mix"
        note += f", {self.n_cut} of them truncated" if self.n_cut else ""
        note += f"; {self.n_left_out} dropped: too long" if self.n_left_out else ""
        return note + "."


def read(snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: PpoConfig) -> Mix:
    """Raises UnableToRead."""
    if not config.ptx_coef:
        return Mix([], 0, 0)
    rows = data.training_rows(snapshot, "prompt")
    if any("completion" not in row for row in rows):
        raise data.UnableToRead(
            "PPO-ptx needs demonstrations, but this snapshot has only prompts. Choose a snapshot"
            " of demonstrations, or set γ of PPO-ptx to 0."
        )
    longest = config.max_prompt_tokens + config.max_new_tokens
    found = data.demonstrations(tokenizer, rows, longest)
    if not found.examples:
        raise data.UnableToRead(
            f"The prompts of all demonstrations for PPO-ptx fill {longest} tokens by themselves."
            " Raise the max prompt length."
        )
    return Mix([_parted(one) for one in found.examples], found.n_cut, found.n_left_out)


def _parted(example: data.Example) -> Tokens:
    n_prompt = sum(label == data.IGNORED for label in example.labels)
    return example.input_ids[:n_prompt], example.input_ids[n_prompt:]
