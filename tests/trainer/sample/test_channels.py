"""gpt-oss writes its thinking, its calls and its answer in channels (OpenAI's harmony format)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedTokenizerFast

from tests.trainer import runs, tiny
from tests.trainer.modeling.test_chat_template import FOLDER, TOOLS
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig
from training.processes import run_dir
from training.trainer import data
from training.trainer.modeling import loading
from training.trainer.online.mix import Mix
from training.trainer.sample import chat_child, generation, response_parts
from training.trainer.sample.thinking_budget import ThinkingBudget

TEMPLATE = (FOLDER / "gptoss.jinja").read_text(encoding="utf-8")
MARKS = [
    f"<|{name}|>" for name in ("start", "end", "message", "channel", "constrain", "return", "call")
]
THOUGHT = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
ANSWERED = f"{THOUGHT}<|channel|>final<|message|>Yes."
CALLED = (
    f"{THOUGHT}<|channel|>commentary to=functions.weather <|constrain|>json<|message|>"
    '{"city": "Oslo"}'
)
words = st.sampled_from([*MARKS[:5], "assistant", "analysis", "final", "Hm.", "\n", " to=f"])


def tokenizer_in_channels() -> PreTrainedTokenizerFast:
    """As that of gpt-oss, most of its marks are special tokens that have no name."""
    tokenizer = tiny.build_tokenizer(TEMPLATE)
    tokenizer.add_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    tokenizer.eos_token = "<|return|>"
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return tokenizer_in_channels()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tiny.build_tiny_model(tmp_path / "model")
    its = tokenizer_in_channels()
    network = AutoModelForCausalLM.from_pretrained(path)
    network.resize_token_embeddings(len(its), mean_resizing=False)
    network.generation_config.eos_token_id = network.config.eos_token_id = its.eos_token_id
    network.save_pretrained(path)
    its.save_pretrained(path)
    return path


def ids_of(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_the_marks_are_seen_though_they_are_special_tokens(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    ids = ids_of(tokenizer, f"{ANSWERED}<|return|>")

    read = generation.read(tokenizer, ids, is_ended=True)

    assert (read.thinking, read.text) == ("Hm.", "Yes.")
    assert tokenizer.decode(ids[read.n_thinking :]) == "Yes.<|return|>"


def test_a_call_is_read_where_there_is_something_to_call(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    ids = ids_of(tokenizer, f"{CALLED}<|call|>")

    offered = generation.read(tokenizer, ids, is_ended=True, tools=TOOLS)
    plain = generation.read(tokenizer, ids, is_ended=True)

    assert offered.tool_calls[0]["function"] == {"name": "weather", "arguments": {"city": "Oslo"}}
    assert (offered.text, offered.thinking) == ("", "Hm.")
    assert plain.text.startswith("<tool_call>")


def test_what_is_streamed_is_without_marks(tokenizer: PreTrainedTokenizerFast) -> None:
    said: list[dict[str, object]] = []
    streamer = chat_child._TextStreamer(tokenizer, said.append)
    streamer.is_prompt = False

    for token in ids_of(tokenizer, ANSWERED):
        streamer.put(torch.tensor([token]))
    streamer.end()

    assert "".join(str(line.get("thinking", "")) for line in said) == "Hm."
    assert "".join(str(line.get("text", "")) for line in said) == "Yes."


@given(
    parts=st.lists(st.lists(words, max_size=10).map("".join), min_size=1, max_size=3),
    max_thinking=st.integers(1, 30),
    max_new=st.integers(1, 12),
)
def test_thinking_is_closed_with_the_answers_channel(
    tokenizer: PreTrainedTokenizerFast, parts: list[str], max_thinking: int, max_new: int
) -> None:
    opening = "<|channel|>analysis<|message|>"
    endless = [ids_of(tokenizer, f"{opening}{part}{'b' * 60}") for part in parts]
    prompts = [[1000 + n] for n in range(len(parts))]

    def write(asked: Sequence[list[int]], settings: GenerationConfig) -> list[list[int]]:
        return [endless[ids[0] - 1000][len(ids) - 1 :][: settings.max_new_tokens] for ids in asked]

    ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|call|>")]
    settings = GenerationConfig(max_new_tokens=max_new, eos_token_id=ends, do_sample=True)
    written = ThinkingBudget(tokenizer, settings, max_thinking).responses(write, prompts)

    n_closing = len(ids_of(tokenizer, "<|end|><|start|>assistant<|channel|>final<|message|>"))
    for ids in written:
        read = response_parts.split(tokenizer, ids)
        n_thinking = response_parts.n_thinking(tokenizer, ids, read)
        assert n_thinking <= max(max_thinking, n_closing + 1)
        assert len(ids) - n_thinking <= max_new
        assert read.is_closed


def test_a_heading_that_is_not_finished_is_not_left_before_the_answer(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    begun = ids_of(tokenizer, f"{THOUGHT}<|channel|>ana")

    def write(asked: Sequence[list[int]], settings: GenerationConfig) -> list[list[int]]:
        return [begun if len(ids) == 1 else ids_of(tokenizer, "Yes.") for ids in asked]

    settings = GenerationConfig(max_new_tokens=9, eos_token_id=[tokenizer.eos_token_id])
    (written,) = ThinkingBudget(tokenizer, settings, 40).responses(write, [[5]])

    assert tokenizer.decode(written) == ANSWERED


def test_a_response_that_ends_in_a_call_is_ended(tokenizer: PreTrainedTokenizerFast) -> None:
    """By any of the model's ends, in the rewards of RLOO and GRPO too."""
    called = tokenizer.convert_tokens_to_ids("<|call|>")
    prompt = data.Prompt(1, [], [], tools=TOOLS)
    ends = frozenset({tokenizer.eos_token_id, called})
    mix = Mix(tokenizer, {}, {}, 1.0, ends=ends, train=[prompt])
    ids = [ids_of(tokenizer, f"{CALLED}{end}") for end in ("<|call|>", "<|return|>", "")]

    _prompts, answers = mix.last_batch(["0", "0", "0"], ids)

    assert [answer.is_ended for answer in answers] == [True, True, False]


def test_a_copy_without_its_settings_ends_its_turn_with_a_call(
    model: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    its = loading.load_tokenizer(str(model), padding_side="left")
    policy = loading.load_policy(str(model), its, torch.float32)

    assert loading.ends_of_turn(policy, its) == {
        tokenizer.eos_token_id,
        tokenizer.convert_tokens_to_ids("<|call|>"),
    }


@pytest.mark.slow
def test_a_model_that_learned_to_think_in_channels_is_sampled_in_its_parts(
    model: Path, tmp_path: Path
) -> None:
    rows = [runs.demonstration(number) for number in range(36)]
    for row in rows:
        row["completion"][0]["reasoning_content"] = "Look up."
    snapshot = runs.write_snapshot(tmp_path / "rows", train=rows[:32], validation=rows[32:])
    taught = SftConfig(
        method="full",
        learning_rate=1e-2,
        n_epochs=20,  # at 12, a processor that rounded otherwise wrote “Loook up.”
        batch_size=4,
        accumulation=1,
        max_tokens=512,
        dtype="float32",
        checkpoint_every=0,
    )
    trained = runs.finished(tmp_path / "sft", "sft", taught, model, snapshot)
    config = SampleConfig(
        n_responses=1, max_new_tokens=60, temperature=0.0, max_prompt_tokens=512, dtype="float32"
    )
    finished = runs.finished(
        tmp_path / "sample",
        "sample",
        replace(config, batch_size=4),
        trained.path / "model",
        runs.prompts(tmp_path / "prompts", n=3),
    )

    for row in run_dir.read_lines(finished.path / run_dir.RESPONSES):
        assert (row["reasoning_content"], row["text"]) == ("Look up.", "The sky is blue.")
        assert row["is_ended"]
