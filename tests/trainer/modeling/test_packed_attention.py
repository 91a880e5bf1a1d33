"""Attention within blocks equals attention with their dense mask, forwards and backwards."""

from pathlib import Path

import pytest
import torch
from transformers import LlamaForSequenceClassification

from tests.trainer.ppo import models
from training.trainer.modeling import packed_attention
from training.trainer.modeling.packed_attention import shared_prefix_mask
from training.trainer.modeling.reward_head import scores_of_every_token

# A prompt with two responses, padded right; three sequences; a prompt with one response, padded
# left.
SEGMENTS = torch.tensor(
    [
        [0, 0, 0, 1, 1, 2, 2, 2, -1, -1],
        [1, 1, 1, 1, 2, 2, 3, 3, 3, 3],
        [-1, -1, 0, 0, 0, 0, 1, 1, 1, 1],
    ]
)
POSITIONS = torch.tensor(
    [[0, 1, 2, 3, 4, 3, 4, 5, 0, 0], [0, 1, 2, 3, 0, 1, 0, 1, 2, 3], [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]]
)
IDS = torch.arange(30).reshape(3, 10) % 13 + 3


def scores(model: LlamaForSequenceClassification, mask: torch.Tensor | None = None) -> torch.Tensor:
    with scores_of_every_token(model) as seen:
        model(
            input_ids=IDS,
            attention_mask=shared_prefix_mask(SEGMENTS) if mask is None else mask,
            position_ids=POSITIONS,
            use_cache=False,
            **packed_attention.arguments(model, SEGMENTS),
        )
    return seen[0][SEGMENTS >= 0]


def test_blocks_equal_their_dense_mask_and_so_do_their_gradients() -> None:
    dense, packed = models.classifier(), models.classifier()
    assert packed_attention.use(packed)

    one, other = scores(dense), scores(packed)
    one.square().sum().backward()
    other.square().sum().backward()

    assert torch.allclose(one, other, atol=1e-6)
    for p, q in zip(models.gradients(dense), models.gradients(packed), strict=True):
        assert torch.allclose(p, q, atol=1e-6)


def test_the_dense_mask_is_not_looked_at_where_there_are_blocks() -> None:
    model = models.classifier()
    packed_attention.use(model)

    assert scores(model, torch.ones(3, 1, 10, 10, dtype=torch.bool)).equal(scores(model))


def test_only_a_prepared_model_is_given_blocks() -> None:
    model = models.classifier()

    assert packed_attention.arguments(model, SEGMENTS) == {}


def test_a_model_that_computes_attention_its_own_way_keeps_it() -> None:
    model = models.classifier()
    model.set_attn_implementation("eager")

    assert not packed_attention.use(model)
    assert model.config._attn_implementation == "eager"


@pytest.mark.parametrize("is_prepared", [True, False])
def test_generation_is_as_before(is_prepared: bool) -> None:
    model = models.causal().eval()
    ids = torch.tensor([[0, 0, 5, 6], [3, 4, 5, 6]])
    expected = model.generate(
        input_ids=ids, attention_mask=(ids > 0).long(), max_new_tokens=5, do_sample=False
    )

    if is_prepared:
        packed_attention.use(model)

    assert model.generate(
        input_ids=ids, attention_mask=(ids > 0).long(), max_new_tokens=5, do_sample=False
    ).equal(expected)


def test_a_saved_model_does_not_name_it(tmp_path: Path) -> None:
    model = models.classifier()
    packed_attention.use(model)

    model.save_pretrained(tmp_path)

    assert packed_attention.NAME not in (tmp_path / "config.json").read_text()
