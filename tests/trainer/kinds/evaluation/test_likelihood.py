"""Log-likelihoods of texts after a prompt, against one unbatched forward of each."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from training.trainer.evaluation import likelihood

PROMPTS = [[5, 6, 7, 8, 9, 10, 11], [12], [20, 21, 22]]
TEXTS = [[[30], [31, 32, 33]], [[40, 41], [42], [43, 44, 45, 46]], [[50, 51]]]


def slow(model: Any, prompt: list[int], text: list[int]) -> float:
    """Token by token, without padding, batch or cache."""
    total = 0.0
    for place in range(len(text)):
        read = torch.tensor([prompt + text[:place]])
        with torch.no_grad():
            scores = model(input_ids=read).logits[0, -1].double()
        total += float(torch.log_softmax(scores, 0)[text[place]])
    return total


@pytest.fixture
def model(tiny_model: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_model).eval()


@pytest.fixture
def sliding() -> Any:
    """A model whose cache forgets: its window is shorter than the prompts."""
    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=4,
    )
    return MistralForCausalLM(config).eval()


def assert_as_slow(model: Any) -> None:
    found = likelihood.log_likelihoods(model, 0, PROMPTS, TEXTS)

    for prompt, texts, values in zip(PROMPTS, TEXTS, found, strict=True):
        assert values == pytest.approx([slow(model, prompt, text) for text in texts], abs=1e-4)


def test_each_text_has_the_likelihood_of_its_tokens_one_by_one(model: Any) -> None:
    assert_as_slow(model)


def test_a_model_with_a_sliding_window_reads_each_text_with_its_prompt(sliding: Any) -> None:
    assert_as_slow(sliding)


def test_texts_of_one_token_each_need_only_the_prompt(model: Any) -> None:
    found = likelihood.log_likelihoods(model, 0, PROMPTS, [[[30], [31]], [[40]], [[50]]])

    assert found[0] == pytest.approx([slow(model, PROMPTS[0], [text]) for text in (30, 31)])


def test_few_tokens_at_once_give_the_same(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = likelihood.log_likelihoods(model, 0, PROMPTS, TEXTS)

    monkeypatch.setattr(likelihood, "MAX_TOKENS_AT_ONCE", 4)
    in_groups = likelihood.log_likelihoods(model, 0, PROMPTS, TEXTS)

    for one, other in zip(at_once, in_groups, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
