"""Scores of a reward model: of token ids, or of texts from any model, in the reward model's own
tokens.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from arithmetic import chats
from training.trainer import data, parallel
from training.trainer.data import Row
from training.trainer.modeling import loading, reward_head
from training.trainer.modeling.chat_template import Message, Tools


class TextJudge:
    """A reward model that reads responses as text. Load it once for a run."""

    def __init__(self, path: str, dtype: torch.dtype) -> None:
        self.tokenizer = loading.load_tokenizer(path)
        self.model = loading.load_reward(path, self.tokenizer, dtype)
        self.dtype = dtype
        self.reads_thinking = reward_head.reads_thinking(self.model)

    def scored(
        self,
        rows: Sequence[Row],
        prompts: Mapping[Any, list[Message]],
        *,
        batch_size: int,
        tools: Mapping[Any, Tools] = MappingProxyType({}),
    ) -> list[Row]:
        """Rows of responses.jsonl, each with its `score`. `prompts`: the messages by prompt_id,
        `tools`: those of prompts that have some.
        """
        sequences = [
            self._ids(prompts[row["prompt_id"]], tools.get(row["prompt_id"], ()), row)
            for row in rows
        ]
        pad = int(self.tokenizer.pad_token_id or 0)
        scores = rewards_of_sequences(
            self.model, pad, sequences, batch_size=batch_size, dtype=self.dtype
        )
        return [row | {"score": score} for row, score in zip(rows, scores, strict=True)]

    def _ids(self, messages: list[Message], tools: Tools, row: Row) -> list[int]:
        """As in its own training: a prompt that is too long is truncated at the start, a truncated
        response gets no end of turn, and thinking is read if it was then.
        """
        prompt = data.prompt_ids(self.tokenizer, messages, tools)
        thinking = row.get("reasoning_content", "") if self.reads_thinking else ""
        answer = dict(chats.answer(row["text"], thinking, row.get("tool_calls", [])))
        response = data.response_ids(
            self.tokenizer, messages, prompt, answer, tools=tools, is_ended=row["is_ended"]
        )
        longest = getattr(self.model.config, "max_position_embeddings", None) or 0
        return (prompt + response)[-longest:]


def mean_rewards(rows: Iterable[Row]) -> dict[str, float]:
    """The mean score, and the mean of the best score for each prompt, over rows with a score. Empty
    if there are none.
    """
    best: dict[object, float] = {}
    total, n = 0.0, 0
    for row in rows:
        if "score" in row:
            total, n = total + row["score"], n + 1
            best[row["prompt_id"]] = max(row["score"], best.get(row["prompt_id"], row["score"]))
    return {"reward": total / n, "best_reward": fmean(best.values())} if n else {}


def shown(row: Row) -> dict[str, object]:
    """The scores that the run's page shows next to a response."""
    score = {"reward": round(row["score"], 3)} if "score" in row else {}
    return score | {"is_ended": row["is_ended"]}


@torch.no_grad()
def rewards_of_sequences(
    reward_model: PreTrainedModel,
    pad_token_id: int,
    sequences: Sequence[list[int]],
    *,
    batch_size: int,
    dtype: torch.dtype = torch.float32,
    is_shared: bool = False,
) -> list[float]:
    """Rewards of whole conversations as ids, less the mean reward of demonstrations. `is_shared`:
    the processes share the batches; a collective call.
    """
    order = sorted(range(len(sequences)), key=lambda index: len(sequences[index]))
    rewards: dict[int, float] = {}
    bias = float(getattr(reward_model.config, "reward_bias", 0.0))
    reward_model.eval()
    batches = data.batches(order, batch_size)
    for _number, batch in parallel.own_part(batches) if is_shared else enumerate(batches):
        ids, mask = data.padded([sequences[index] for index in batch], pad_token_id)
        with torch.autocast(
            reward_model.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16
        ):
            scores = reward_head.last_token_rewards(
                reward_model, ids.to(reward_model.device), mask.to(reward_model.device)
            )
        rewards |= {
            index: score - bias for index, score in zip(batch, scores.tolist(), strict=True)
        }
    return (
        parallel.gathered(rewards)
        if is_shared
        else [rewards[index] for index in range(len(sequences))]
    )


def require_same_tokens(model: str, reward_model: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises UnableToLoad if the reward model and the model have different tokens."""
    if loading.load_tokenizer(reward_model).get_vocab() != tokenizer.get_vocab():
        raise loading.UnableToLoad(
            f"The reward model reads other tokens than {model} writes. Train a reward model from"
            " the same base model."
        )
