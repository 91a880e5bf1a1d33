"""Whether packed rows are as their sequences alone, for every family whose layers may see a window
or keep a state: SFT packs rightly, or refuses with a sentence, and so do shared prompts.
"""

import contextlib

import pytest
import torch
from transformers import PreTrainedModel

from tests.trainer.modeling import families
from tests.trainer.ppo import models
from training.trainer import sft
from training.trainer.modeling import loading, packed_attention, separation
from training.trainer.reward import batches

FAMILIES = [name for name in families.families() if name not in families.NOT_BUILT]
ROW = [[5 + n % 9 for n in range(10)], [4, 9, 7], [3 + n % 11 for n in range(16)]]
"""Of tokens, the first and the last longer than a window."""


@torch.no_grad()
def furthest_from_alone(model: PreTrainedModel) -> float:
    """The largest difference of a log-probability in SFT's packed row."""
    row = separation.by_positions(model, ROW)
    packed = model(**row.inputs).logits[0].log_softmax(-1)
    differences = [
        packed[columns]
        - model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].log_softmax(-1)
        for ids, columns in zip(ROW, row.columns, strict=True)
    ]
    return max(float(difference.abs().max()) for difference in differences)


@pytest.mark.parametrize("family", FAMILIES)
def test_sft_packs_a_family_as_each_row_alone_or_refuses(family: str) -> None:
    model = families.causal(families.config_of(family))

    with contextlib.suppress(loading.UnableToLoad):
        sft.require_packing(model, longest=20)
        assert furthest_from_alone(model) < 1e-5


@pytest.mark.parametrize("family", ["mistral", "gemma3_text", "olmo3", "phi3", "cohere2"])
def test_a_window_packs_with_the_mask_that_transformers_makes_of_positions(family: str) -> None:
    model = families.causal(families.config_of(family))

    sft.require_packing(model, longest=20)

    assert model.config._attn_implementation == "sdpa"


def test_rows_within_the_window_use_the_faster_attention() -> None:
    model = families.causal(families.config_of("mistral"))

    sft.require_packing(model, longest=families.WINDOW)

    assert model.config._attn_implementation == packed_attention.NAME


@pytest.mark.parametrize("family", FAMILIES)
def test_no_family_with_windows_or_states_shares_a_prompt(family: str) -> None:
    model = families.classifier(families.config_of(family))

    assert model is None or not batches.can_share_prefix(model)


def test_a_small_leak_is_not_taken_for_rounding() -> None:
    """A state that an average of all tokens before adds a millionth to."""
    model = models.causal()
    model.bfloat16()
    assert separation.keeps_apart(model, separation.end_to_end)

    layer = model.model.layers[0]
    layer.register_forward_hook(lambda module, args, output: output + 1e-6 * output.cumsum(dim=1))

    assert not separation.keeps_apart(model, separation.end_to_end)
