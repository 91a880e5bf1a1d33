"""Thinking is kept apart from the answer, and has tokens of its own."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import GenerationConfig, PreTrainedTokenizerFast

from tests.trainer import runs, tiny
from tests.trainer.modeling.test_chat_template import TOOLS
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.online.grpo import GrpoConfig
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.trainer import data
from training.trainer.evaluation import answerers
from training.trainer.modeling import chat_template
from training.trainer.online import rules
from training.trainer.reward import rankings
from training.trainer.sample import generation, response_parts
from training.trainer.sample.thinking_budget import ThinkingBudget

SETTINGS = {"eos_token_id": [2], "do_sample": True}
words = st.sampled_from(["<think>", "</think>", "a", " b", "\n", "Yes."])


@pytest.fixture(scope="module")
def thinker() -> PreTrainedTokenizerFast:
    return tiny.build_tokenizer(tiny.THINKING_TEMPLATE)


@pytest.fixture
def thinking_model(tmp_path: Path) -> Path:
    """Its prompts end within the thinking, so that it thinks whatever it writes."""
    return tiny.build_tiny_model(tmp_path / "thinker", template=tiny.THINKING_TEMPLATE)


def ids_of(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_what_a_model_wrote_is_read_in_its_parts(thinker: PreTrainedTokenizerFast) -> None:
    ids = [*ids_of(thinker, "Hm.\n</think>\n\nYes."), thinker.eos_token_id]

    read = generation.read(thinker, ids, is_ended=True)

    assert (read.thinking, read.text, read.is_ended) == ("Hm.", "Yes.", True)
    assert thinker.decode(ids[read.n_thinking :]).strip() == "Yes.<|im_end|>"


@given(words=st.lists(words, max_size=8))
def test_thinking_ends_at_the_first_token_that_closes_it(
    thinker: PreTrainedTokenizerFast, words: list[str]
) -> None:
    ids = ids_of(thinker, "".join(words))
    parts = response_parts.split(thinker, ids)

    n = response_parts.n_thinking(thinker, ids, parts)

    slow = next((k for k in range(len(ids)) if "</think>" in thinker.decode(ids[:k])), len(ids))
    assert n == slow


def test_tags_that_are_special_tokens_are_seen() -> None:
    tokenizer = tiny.build_tokenizer(tiny.THINKING_TEMPLATE.replace("think>", "THINK]"))
    tokenizer.chat_template = str(tokenizer.chat_template).replace("</", "[/").replace("<T", "[T")
    tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]"]})
    ids = ids_of(tokenizer, "Hm.[/THINK]Yes.")

    read = generation.read(tokenizer, ids, is_ended=False)

    assert chat_template.thinking_of(tokenizer).is_opened
    assert (read.thinking, read.text) == ("Hm.", "Yes.")
    assert tokenizer.convert_ids_to_tokens(ids)[read.n_thinking - 1] == "[/THINK]"


def test_calls_are_read_where_there_is_something_to_call(thinker: PreTrainedTokenizerFast) -> None:
    call = {"name": "weather", "arguments": {"city": "Oslo"}}
    text = f"Hm.</think>\n<tool_call>\n{json.dumps(call)}\n</tool_call>"

    offered = generation.read(thinker, ids_of(thinker, text), is_ended=False, tools=TOOLS)
    plain = generation.read(thinker, ids_of(thinker, text), is_ended=False)

    assert offered.tool_calls[0]["function"] == call
    assert (offered.text, offered.has_answer, offered.thinking) == ("", True, "Hm.")
    assert plain.text.startswith("<tool_call>")


@given(
    parts=st.lists(st.tuples(words, st.integers(0, 12)), min_size=1, max_size=3),
    max_thinking=st.integers(1, 30),
    max_new=st.integers(1, 12),
)
def test_neither_part_is_longer_than_it_may_be(
    thinker: PreTrainedTokenizerFast,
    parts: list[tuple[str, int]],
    max_thinking: int,
    max_new: int,
) -> None:
    """With a model that goes on with its own tokens wherever it is stopped."""
    endless = [ids_of(thinker, "a" * n + word + "b" * 50) for word, n in parts]
    prompts = [[100 + n] for n in range(len(parts))]

    def write(asked: Sequence[list[int]], settings: GenerationConfig) -> list[list[int]]:
        return [endless[ids[0] - 100][len(ids) - 1 :][: settings.max_new_tokens] for ids in asked]

    settings = GenerationConfig(max_new_tokens=max_new, **SETTINGS)
    closing = ids_of(thinker, "\n</think>\n\n")

    written = ThinkingBudget(thinker, settings, max_thinking).responses(write, prompts)

    for ids in written:
        n_thinking = response_parts.n_thinking(thinker, ids, response_parts.split(thinker, ids))
        assert n_thinking <= max(max_thinking, len(closing) + 1)
        assert len(ids) - n_thinking <= max_new
        assert response_parts.split(thinker, ids).is_closed


def test_a_response_that_ends_is_not_gone_on_with(thinker: PreTrainedTokenizerFast) -> None:
    asked: list[int] = []

    def write(prompts: Sequence[list[int]], settings: GenerationConfig) -> list[list[int]]:
        asked.append(len(prompts))
        return [[*ids_of(thinker, "Hm.</think>Yes."), 2, 2, 2] for _prompt in prompts]

    settings = GenerationConfig(max_new_tokens=20, num_return_sequences=1, **SETTINGS)
    (written,) = ThinkingBudget(thinker, settings, 40).responses(write, [[5]])

    assert asked == [1, 0]
    assert written == [*ids_of(thinker, "Hm.</think>Yes."), 2]


def sampled(folder: Path, config: SampleConfig, model: Path, snapshot: Path) -> list[Any]:
    finished = runs.finished(folder, "sample", config, model, snapshot)
    return list(run_dir.read_lines(finished.path / run_dir.RESPONSES))


QUICK = SampleConfig(n_responses=2, max_new_tokens=12, batch_size=6, dtype="float32")


def test_a_response_that_only_thinks_has_no_answer(
    run_folder: Path, thinking_model: Path, tmp_path: Path
) -> None:
    rows = sampled(run_folder, QUICK, thinking_model, runs.prompts(tmp_path / "prompts"))

    assert {row["text"] for row in rows} == {""}
    assert all(row["reasoning_content"] for row in rows)


def test_with_tokens_of_its_own_thinking_is_closed_and_the_answer_begins(
    run_folder: Path, thinking_model: Path, tmp_path: Path
) -> None:
    config = replace(QUICK, max_thinking_tokens=24)
    snapshot = runs.prompts(tmp_path / "prompts")

    rows = sampled(run_folder, config, thinking_model, snapshot)
    again = sampled(tmp_path / "again", config, thinking_model, snapshot)

    assert rows == again
    assert sum(bool(row["text"].strip()) for row in rows) > len(rows) / 2
    assert all(row["reasoning_content"] for row in rows)
    assert not any("</think>" in row["text"] + row["reasoning_content"] for row in rows)
    assert rows[0]["sampling"]["max_thinking_tokens"] == 24


def answered(folder: Path, config: BenchmarkConfig, model: Path, snapshot: Path) -> list[Any]:
    finished = runs.finished(folder, "benchmark", config, model, snapshot)
    return list(run_dir.read_lines(finished.path / run_dir.ANSWERS))


def test_a_suite_counts_an_item_without_an_answer_as_missing(
    tmp_path: Path, thinking_model: Path
) -> None:
    """An empty text would be a refusal."""
    rows = [runs.item(number, "generate") for number in range(3)]
    snapshot = runs.write_snapshot(tmp_path / "suite", train=[], validation=[], test=rows)
    config = BenchmarkConfig(max_new_tokens=12, temperature=1.0, dtype="float32")

    cut_off = answered(tmp_path / "cut", config, thinking_model, snapshot)
    longer = replace(config, max_thinking_tokens=24)
    whole = answered(tmp_path / "whole", longer, thinking_model, snapshot)

    assert {row["missing"] for row in cut_off} == {answerers.NO_ANSWER}
    assert {row["missing"] for row in whole} == {""}
    assert all(row["values"]["reasoning_content"] and row["text"].strip() for row in whole)


def test_a_rule_about_length_counts_the_answer_alone(thinker: PreTrainedTokenizerFast) -> None:
    config = GrpoConfig(length_weight=1.0, max_length=6)
    rule = rules.of_config(config)["length"]
    prompt = data.Prompt(1, [], [])

    short = generation.read(thinker, ids_of(thinker, "Hm." * 40 + "</think>Yes."), is_ended=False)
    unclosed = generation.read(thinker, ids_of(thinker, "Hm."), is_ended=False)

    assert rule(prompt, short) == 1.0
    assert rule(prompt, unclosed) == 0.0


def test_answers_that_differ_in_their_calls_are_a_pair_and_in_their_thinking_are_not() -> None:
    tokenizer = tiny.build_tokenizer()
    responses = [
        {"text": "", "rank": rank, "response": rank, "tool_calls": [call], **thinking}
        for rank, (call, thinking) in enumerate(
            [
                (calling("Oslo"), {}),
                (calling("Rome"), {}),
                (calling("Rome"), {"reasoning_content": "Hm."}),
            ],
            start=1,
        )
    ]
    row = {"prompt": [{"role": "user", "content": "Where?"}], "responses": responses}

    alone = rankings.read(tokenizer, [row], 400, reads_thinking=False)
    whole = rankings.read(tokenizer, [row], 400)

    assert [len(read.rows[0]["response_ids"]) for read in (alone, whole)] == [2, 3]
    assert [read.n_pairs for read in (alone, whole)] == [1, 3]
    assert alone.rows[0]["of"] == [[1], [2, 3]]


def calling(city: str) -> dict[str, Any]:
    return {"id": "x", "type": "function", "function": {"name": "f", "arguments": {"city": city}}}
