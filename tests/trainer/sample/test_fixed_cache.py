"""Sampling with a fixed cache: the same tokens as transformers' generate, whatever else is in the
batch.
"""

from typing import Any

import pytest
import torch
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tests.trainer.ppo import models
from training.trainer.modeling import packed_attention
from training.trainer.sample import fixed_cache

END = frozenset({2})
PROMPTS = models.PROMPTS


def qwen() -> Any:
    torch.manual_seed(3)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=16,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            pad_token_id=0,
            eos_token_id=2,
        )
    )


def neox() -> Any:
    torch.manual_seed(3)
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=16,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
        )
    )


def decisive(model: Any) -> Any:
    """So sure of itself that rounding decides nothing."""
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(30)
    return model.eval()


def generated(model: Any, prompt: list[int], n: int) -> list[int]:
    """What transformers writes to this prompt alone, its end of turn included."""
    ids = torch.tensor([prompt])
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=n,
        do_sample=False,
        eos_token_id=2,
        pad_token_id=0,
    )
    return [int(token) for token in out[0, len(prompt) :]]


@torch.no_grad()
@pytest.mark.parametrize("is_prepared", [True, False])
@pytest.mark.parametrize("build", [models.causal, qwen, neox])
def test_the_likeliest_tokens_are_those_of_generate(build: Any, is_prepared: bool) -> None:
    model = decisive(build())
    expected = [generated(model, prompt, 20) for prompt in PROMPTS]
    if is_prepared:
        packed_attention.use(model)

    assert fixed_cache.can_sample(model)
    assert (
        fixed_cache.responses(
            model, PROMPTS, max_new_tokens=20, ends=END, temperature=0, row_tokens=12
        )
        == expected
    )


@torch.no_grad()
def test_rows_that_end_leave_and_the_others_go_on() -> None:
    model = decisive(models.causal(seed=4))
    lengths = [len(generated(model, prompt, 20)) for prompt in PROMPTS]
    ends = frozenset(
        {token for prompt in PROMPTS[::2] for token in generated(model, prompt, 3)[2:]}
    )

    found = fixed_cache.responses(model, PROMPTS, max_new_tokens=20, ends=ends, temperature=0)

    assert len({len(response) for response in found}) > 1, lengths
    for response, prompt in zip(found, PROMPTS, strict=True):
        whole = fixed_cache.responses(
            model, [prompt], max_new_tokens=20, ends=frozenset(), temperature=0
        )[0]
        stop = next((place for place, token in enumerate(whole, start=1) if token in ends), 20)
        assert response == whole[:stop]


@torch.no_grad()
def test_a_draw_follows_the_models_probabilities() -> None:
    model = models.causal().eval()
    expected = model(input_ids=torch.tensor([PROMPTS[0]])).logits[0, -1].softmax(-1)
    torch.manual_seed(0)

    found = fixed_cache.responses(model, [PROMPTS[0]] * 20_000, max_new_tokens=1, ends=END)

    counts = torch.bincount(torch.tensor(found)[:, 0], minlength=16) / 20_000
    assert float((counts - expected).abs().max()) < 0.012  # four standard errors of a share of 0.2


@torch.no_grad()
def test_the_same_seed_draws_the_same() -> None:
    model = models.causal().eval()
    found = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        found.append(fixed_cache.responses(model, PROMPTS, max_new_tokens=8, ends=END))

    assert found[0] == found[1] != found[2]


@torch.no_grad()
def test_tokens_are_the_same_however_seldom_ended_rows_are_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = models.causal().eval()
    found = []
    for reading_freely in (frozenset({"cpu"}), frozenset()):
        monkeypatch.setattr(fixed_cache, "_READ_FREELY", reading_freely)
        torch.manual_seed(5)
        found.append(
            fixed_cache.responses(model, PROMPTS * 8, max_new_tokens=70, ends=frozenset({2, 9}))
        )

    assert found[0] == found[1]
    assert {token for response in found[0] for token in response[:-1]}.isdisjoint({2, 9})
    lengths = {len(response) for response in found[0]}
    assert min(lengths) < 16 < max(lengths)


def slow_choice(logits: torch.Tensor, number: float) -> int:
    """The definition, token by token."""
    shares = logits.softmax(-1).double().tolist()
    total = 0.0
    for token, share in enumerate(shares):
        total += share
        if total > number * sum(shares):
            return token
    raise AssertionError("the number is not below 1")


@pytest.mark.parametrize("n_tokens", [5, 256, 257, 1000])
def test_a_choice_is_that_of_the_slow_twin(n_tokens: int) -> None:
    torch.manual_seed(0)
    logits, uniform = torch.randn(200, n_tokens) * 3, torch.rand(200, dtype=torch.float64)

    chosen = fixed_cache.choose(logits, uniform, temperature=1, top_p=1)

    expected = zip(logits, uniform.tolist(), strict=True)
    assert chosen.tolist() == [slow_choice(row, number) for row, number in expected]


def test_the_highest_number_draws_the_last_token_that_has_probability() -> None:
    torch.manual_seed(0)
    logits = torch.randn(100, 1000) * 3
    logits[:, 700:] = -torch.inf

    drawn = fixed_cache.choose(
        logits, torch.full((100,), 1 - 2**-53, dtype=torch.float64), temperature=1, top_p=1
    )

    assert drawn.tolist() == [699] * 100


def test_top_p_keeps_the_fewest_tokens_that_hold_it() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(1000, 1)
    uniform = torch.linspace(0, 1 - 1e-9, 1000, dtype=torch.float64)

    whole = fixed_cache.choose(logits, uniform, temperature=1, top_p=1.0)
    nucleus = fixed_cache.choose(logits, uniform, temperature=1, top_p=0.7)

    assert (whole.bincount() / 1000).tolist() == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.002)
    assert (nucleus.bincount() / 1000).tolist() == pytest.approx([0.625, 0.375], abs=0.002)


def test_a_token_without_probability_is_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).repeat(3, 1)

    drawn = fixed_cache.choose(
        logits, torch.tensor([0.0, 0.5, 1 - 1e-16], dtype=torch.float64), temperature=1, top_p=1
    )

    assert drawn.tolist() == [1, 3, 3]


def test_a_model_with_a_sliding_window_or_a_state_is_left_to_generate() -> None:
    torch.manual_seed(0)
    shape: dict[str, Any] = {"vocab_size": 16, "hidden_size": 32, "num_hidden_layers": 2}
    window = MistralForCausalLM(
        MistralConfig(
            **shape,
            intermediate_size=64,
            num_attention_heads=4,
            num_key_value_heads=2,
            sliding_window=4,
        )
    )
    state = MambaForCausalLM(MambaConfig(**shape, state_size=4))

    assert not fixed_cache.can_sample(window.eval())
    assert not fixed_cache.can_sample(state.eval())


def test_a_policy_that_cannot_sample_over_a_fixed_cache_still_makes_rollouts() -> None:
    trainer = models.trainer()
    trainer.sampler.samples_itself = False

    rollouts = trainer.sample(PROMPTS)

    assert all(1 <= len(rollout.response_ids) <= 6 for rollout in rollouts)
