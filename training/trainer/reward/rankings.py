"""Comparisons as rows for a reward model or DPO: a prompt, its responses as token ids, and the
pairs of all its rankings. Truncated and dropped texts are counted.
"""

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import fmean
from typing import NotRequired, TypedDict

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from arithmetic import chats
from training.processes.run_lines import ScoreLine
from training.trainer import data
from training.trainer.data import Row
from training.trainer.modeling.chat_template import Message
from training.trainer.reward.answer_ids import Answers, AnswerTokenizer, Conversation

# Strength of a preference (1 negligible … 4 significant) → margin (Touvron 2023, Llama 2, table
# 27).
MARGINS: dict[str, dict[int, float]] = {
    "none": {},
    "small": {1: 0.0, 2: 1 / 3, 3: 2 / 3, 4: 1.0},
    "large": {1: 0.0, 2: 1.0, 3: 2.0, 4: 3.0},
}


class Ranking(TypedDict):
    """One ranking of a prompt's responses: `ranks` has one for each (1 is best, equal ranks tie,
    None is unranked), and `margins` how high each lies. `about` says who gave it and what it was
    about, for accuracies group by group.
    """

    ranks: Sequence[int | None]
    weight: NotRequired[float]
    margin: NotRequired[float]
    margins: NotRequired[Sequence[float | None] | None]
    about: NotRequired[Mapping[str, object]]


class RankingRow(TypedDict):
    """One element of the training set: a prompt, its responses and the pairs of all its rankings,
    with their numbers, weights, margins and what they are about. `of` has the ids of the stored
    responses with each text, `sources` who wrote it (None if the snapshot does not say), and
    `prompt` is a hash of the whole prompt.
    """

    prompt_ids: list[int]
    response_ids: list[list[int]]
    winner: list[int]
    loser: list[int]
    weight: list[float]
    margin: list[float]
    about: list[Mapping[str, object]]
    of: NotRequired[list[list[int]]]
    prompt: NotRequired[str]
    sources: NotRequired[list[str | None]]


@dataclass(frozen=True)
class Rankings:
    """One row for each prompt."""

    rows: Sequence[RankingRow]
    n_pairs: int
    n_ties: int  # equal ranks or equal texts are useless for training
    n_left_out: int  # responses that fill the max row length on their own
    n_cut: int  # prompts truncated at the start


@dataclass(frozen=True)
class Unranked:
    """Rows without a pair."""

    rows: list[RankingRow]
    n_left_out: int  # responses that fill the max row length on their own
    n_cut: int  # prompts truncated at the start


def read(
    tokenizer: PreTrainedTokenizerBase,
    lines: Iterable[Row],
    max_tokens: int,
    margin: str = "none",
    rating_margin: float = 0.0,
    *,
    reads_thinking: bool = True,
) -> Rankings:
    """All raters' rankings of a prompt in one row (1 is best, equal ranks tie, None is unranked).

    The prompt is truncated from the left to fit `max_tokens`. A response is never truncated, but
    dropped if it does not fit even without the prompt. `margin` depends on a ranking's strength;
    `rating_margin` is added for each point between the ratings of a pair's responses. A response
    that its model did not end (`is_ended` false) gets no end of turn. Without `reads_thinking`,
    responses are their answers alone.
    """
    read_lines = lines if reads_thinking else map(without_thinking, lines)
    read = of_prompts(
        AnswerTokenizer(tokenizer), _by_prompt(read_lines), max_tokens, margin, rating_margin
    )
    rows = [row for row, counts in read if counts["n_pairs"]]
    sums = {
        name: sum(counts[name] for _row, counts in read)
        for name in ("n_pairs", "n_ties", "n_left_out", "n_cut")
    }
    return Rankings(rows=rows, **sums)


def of_prompts(
    tokenizer: AnswerTokenizer,
    groups: Sequence[Sequence[Row]],
    max_tokens: int,
    margin: str = "none",
    rating_margin: float = 0.0,
) -> list[tuple[RankingRow, dict[str, int]]]:
    """The rankings of each prompt as a row of `read`, and what was counted in it. A row may have no
    pair.
    """
    read = tokenizer.read([_conversation(group) for group in groups])
    return [
        _of_prompt(group, answers, max_tokens, margin, rating_margin)
        for group, answers in zip(groups, read, strict=True)
    ]


def _conversation(group: Sequence[Row]) -> Conversation:
    responses = {key_of(response): response for row in group for response in row["responses"]}
    cut_off = (
        key_of(response)
        for row in group
        for response in row["responses"]
        if not response.get("is_ended", True)
    )
    parts = {key: turn_of(row) for key, row in responses.items() if key != row["text"]}
    return Conversation(
        group[0]["prompt"],
        list(responses),
        frozenset(cut_off),
        group[0].get("tools", ()),
        parts,
    )


def _of_prompt(
    group: Sequence[Row], answers: Answers, max_tokens: int, margin: str, rating_margin: float
) -> tuple[RankingRow, dict[str, int]]:
    texts = list(dict.fromkeys(key_of(response) for row in group for response in row["responses"]))
    prompt, ids = answers.prompt, dict(zip(texts, answers.responses, strict=True))
    kept = [text for text in texts if len(ids[text]) < max_tokens]
    room = max_tokens - max((len(ids[text]) for text in kept), default=0)
    own = [_given(row, kept, MARGINS[margin], rating_margin) for row in group]
    row = ranking_row(prompt[-room:], [ids[text] for text in kept], own)
    about: RankingRow = row | {
        "of": [_ids_of(text, group) for text in kept],
        "prompt": f"{prompt_number(group[0]):016x}",
        "sources": [_source_of(text, group) for text in kept],
    }
    return about, {
        "n_pairs": len(row["winner"]),
        "n_ties": sum(_n_ties(ranked) for ranked in group),
        "n_left_out": len(texts) - len(kept),
        "n_cut": int(len(prompt) > room),
    }


def unranked(
    tokenizer: PreTrainedTokenizerBase,
    lines: Iterable[Row],
    max_tokens: int,
    *,
    reads_thinking: bool = True,
) -> Unranked:
    """Demonstrations as rows without a pair, so that their rewards can be read."""
    rows, n_left_out, n_cut = [], 0, 0
    for row in lines:
        tools = row.get("tools", ())
        prompt = data.prompt_ids(tokenizer, row["prompt"], tools)
        turn = row["completion"][-1]
        if not reads_thinking:
            turn = turn | {"reasoning_content": ""}
        response = data.response_ids(tokenizer, row["prompt"], prompt, turn, tools=tools)
        room = max_tokens - len(response)
        if room <= 0:
            n_left_out += 1
            continue
        n_cut += len(prompt) > room
        rows.append(ranking_row(prompt[-room:], [response], []))
    return Unranked(rows, n_left_out, n_cut)


def scored(rows: Iterable[RankingRow], scores: Sequence[float]) -> list[ScoreLine]:
    """Lines of scores.jsonl from the rows of `read` and the scores of all their responses, in
    order.
    """
    whose = [ids for row in rows for ids in row["of"]]
    return [
        {"response": response, "score": score}
        for ids, score in zip(whose, scores, strict=True)
        for response in ids
    ]


def at_most_pairs(
    rows: Sequence[RankingRow], at_most: int | None, seed: int
) -> Sequence[RankingRow]:
    """A random sample of whole prompts, drawn with the seed, whose pairs fit the limit. Without a
    limit, all of them in order. Rows that are a Dataset stay one.
    """
    if at_most is None:
        return rows
    sizes = pairs_of_each(rows)
    kept: list[int] = []
    n_pairs = 0
    for index in random.Random(seed).sample(range(len(rows)), len(rows)):  # noqa: S311 a draw, not a secret
        n = sizes[index]
        if n_pairs + n <= at_most or not kept:
            kept.append(index)
            n_pairs += n
    chosen = sorted(kept)
    return rows.select(chosen) if isinstance(rows, Dataset) else [rows[index] for index in chosen]


def pairs_of_each(rows: Sequence[RankingRow]) -> Sequence[int]:
    """How many pairs each row has."""
    if isinstance(rows, Dataset):
        return list(rows["n_pairs"])
    return [len(row["winner"]) for row in rows]


@dataclass(frozen=True)
class EvenlyWeighed(torch.utils.data.Dataset[RankingRow]):
    """Rows whose weights are divided by `mean` as each is read: rows in files stay there."""

    rows: Sequence[RankingRow]
    mean: float

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> RankingRow:
        row = self.rows[place]
        return row | {"weight": [weight / self.mean for weight in row["weight"]]}


def evenly_weighed(rows: Sequence[RankingRow]) -> EvenlyWeighed:
    """The rows with weights scaled so that a prompt weighs 1 on average. Then the loss of a batch
    estimates the weighted mean over all rows, whatever the size of the batch.
    """
    column = rows["weight"] if isinstance(rows, Dataset) else (row["weight"] for row in rows)
    means = [fmean(weights) for weights in column if weights]
    return EvenlyWeighed(rows, (fmean(means) if means else 0.0) or 1.0)


def decided_pairs(ranks: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """(winner, loser) for any two responses with different ranks. Ties and unranked responses are
    dropped (Ouyang 2022, App. C.2).
    """
    for a, b in itertools.combinations(range(len(ranks)), 2):
        rank_a, rank_b = ranks[a], ranks[b]
        if rank_a is None or rank_b is None or rank_a == rank_b:
            continue
        yield (a, b) if rank_a < rank_b else (b, a)


def ranking_row(
    prompt_ids: list[int], response_ids: list[list[int]], rankings: Sequence[Ranking]
) -> RankingRow:
    """A pair's margin is its ranking's and, of `margins`, how far its winner lies above the
    loser.
    """
    pairs = [
        (
            winner,
            loser,
            float(ranking.get("weight", 1.0)),
            _margin(ranking, winner, loser),
            ranking.get("about", {}),
        )
        for ranking in rankings
        for winner, loser in decided_pairs(ranking["ranks"])
    ]
    return {
        "prompt_ids": prompt_ids,
        "response_ids": response_ids,
        "winner": [pair[0] for pair in pairs],
        "loser": [pair[1] for pair in pairs],
        "weight": [pair[2] for pair in pairs],
        "margin": [pair[3] for pair in pairs],
        "about": [pair[4] for pair in pairs],
    }


def _margin(ranking: Ranking, winner: int, loser: int) -> float:
    """A rating that contradicts the ranking, or none at all, does not lower the margin."""
    base, heights = float(ranking.get("margin", 0.0)), ranking.get("margins")
    high, low = (heights[winner], heights[loser]) if heights else (None, None)
    return base if high is None or low is None else base + max(0.0, float(high - low))


def _given(
    row: Row, kept: Sequence[str], margins: dict[int, float], rating_margin: float
) -> Ranking:
    """One rater's ranks of the kept responses: None for those this rater did not rank."""
    ranks = {key_of(response): response["rank"] for response in row["responses"]}
    ratings = {key_of(response): response.get("rating") for response in row["responses"]}
    heights = [
        None if ratings.get(text) is None else rating_margin * ratings[text] for text in kept
    ]
    return {
        "ranks": [ranks.get(text) for text in kept],
        "weight": row.get("weight", 1.0),
        "margin": margins.get(row.get("strength") or 0, 0.0),
        "margins": heights if rating_margin else None,
        "about": {name: row.get(name) for name in ("rater", "strength", "category", "pool")},
    }


def key_of(response: Row) -> str:
    """Equal for equal responses. That of a plain text is the text."""
    return chats.answer_key(
        response["text"], response.get("reasoning_content", ""), response.get("tool_calls", [])
    )


def turn_of(response: Row) -> Message:
    """The response as a message."""
    return dict(
        chats.answer(
            response["text"], response.get("reasoning_content", ""), response.get("tool_calls", [])
        )
    )


def without_thinking(row: Row) -> Row:
    """The row with the answers of its responses alone."""
    responses = [
        {name: part for name, part in response.items() if name != "reasoning_content"}
        for response in row["responses"]
    ]
    return row | {"responses": responses}


def hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def prompt_number(row: Row) -> int:
    return hashed(_prompt_key(row))


def _prompt_key(row: Row) -> str:
    """With its tools, if it has any: the same words with others are another prompt."""
    tools = row.get("tools")
    return json.dumps([row["prompt"], tools] if tools else row["prompt"], sort_keys=True)


def _by_prompt(rows: Iterable[Row]) -> list[list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_prompt_key(row), []).append(row)
    return list(groups.values())


def _ids_of(text: str, group: Iterable[Row]) -> list[int]:
    """The stored responses with this text; empty if the snapshot has no response ids."""
    responses = {
        response.get("response")
        for row in group
        for response in row["responses"]
        if key_of(response) == text
    }
    return sorted(number for number in responses if number is not None)


def _source_of(text: str, group: Iterable[Row]) -> str | None:
    """Of the first response with this text that names one."""
    return next(
        (
            response["source"]
            for row in group
            for response in row["responses"]
            if key_of(response) == text and response.get("source")
        ),
        None,
    )


def _n_ties(row: Row) -> int:
    ranked = [response["rank"] for response in row["responses"] if response["rank"] is not None]
    return sum(rank == other_rank for rank, other_rank in itertools.combinations(ranked, 2))
