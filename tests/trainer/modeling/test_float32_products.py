"""Linear layers by oneDNN give what torch's own give, forwards and backwards."""

import copy
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from training.trainer.modeling import float32_products
from training.trainer.modeling.float32_products import FastLinear

INTEL = "vendor_id\t: GenuineIntel\nflags\t\t: fpu avx2 avx512f\n"
AMD = "vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2 avx512f\n"
OLD_AMD = "vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2\n"


@pytest.fixture
def on_any_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test as on a processor for which oneDNN is faster."""
    monkeypatch.setattr(float32_products, "is_onednn_faster", lambda: True)


def gradients(layer: nn.Module, rows: Tensor, upstream: Tensor) -> list[Tensor]:
    rows = rows.clone().requires_grad_()
    layer.zero_grad()
    out = layer(rows)
    out.backward(upstream)
    found = [out.detach(), rows.grad, *(weight.grad for weight in layer.parameters())]
    return [one for one in found if one is not None]


@settings(deadline=None, max_examples=25)
@given(
    n_rows=st.integers(1, 40),
    n_in=st.integers(1, 70),
    n_out=st.integers(1, 70),
    has_bias=st.booleans(),
    has_frozen_weight=st.booleans(),
)
def test_a_layer_and_its_gradients_equal_double_precision(
    n_rows: int, n_in: int, n_out: int, *, has_bias: bool, has_frozen_weight: bool
) -> None:
    torch.manual_seed(n_rows)
    fast = FastLinear(n_in, n_out, bias=has_bias)
    exact = copy.deepcopy(fast).double()
    for layer in (fast, exact):
        layer.weight.requires_grad_(not has_frozen_weight)
    rows, upstream = torch.randn(2, n_rows, n_in), torch.randn(2, n_rows, n_out)

    found = gradients(fast, rows, upstream)
    expected = gradients(exact, rows.double(), upstream.double())

    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("on_any_processor")
def test_only_plain_linear_layers_are_replaced_and_keep_their_weights() -> None:
    class Own(nn.Linear):
        pass

    model = nn.Sequential(nn.Linear(4, 4), Own(4, 4), nn.ReLU())
    before = copy.deepcopy(model.state_dict())

    float32_products.use(model)

    assert [type(module) for module in model] == [FastLinear, Own, nn.ReLU]
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


def test_other_precisions_are_torchs_own() -> None:
    layer = FastLinear(8, 8).bfloat16()
    rows = torch.randn(3, 8).bfloat16()

    assert torch.equal(layer(rows), nn.functional.linear(rows, layer.weight, layer.bias))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert FastLinear(8, 8)(torch.randn(3, 8)).dtype == torch.bfloat16


def test_no_rows_give_no_output() -> None:
    assert FastLinear(8, 5)(torch.empty(0, 8)).shape == (0, 5)


@pytest.mark.parametrize(
    ("processor", "is_faster"), [(INTEL, False), (AMD, True), (OLD_AMD, False)]
)
def test_the_make_of_the_processor_decides(
    processor: str,
    is_faster: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cpuinfo").write_text(processor)
    monkeypatch.setattr(float32_products, "_CPU_INFO", tmp_path / "cpuinfo")
    has_libraries = torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()

    found = float32_products.is_onednn_faster.__wrapped__()

    assert found == (is_faster and has_libraries)


def test_a_machine_that_does_not_tell_its_processor_uses_torchs_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(float32_products, "_CPU_INFO", tmp_path / "absent")

    assert not float32_products.is_onednn_faster.__wrapped__()


def test_a_gradient_of_a_gradient_is_an_error_and_not_a_wrong_number() -> None:
    layer, rows = FastLinear(4, 3), torch.randn(2, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(rows).square().sum(), rows, create_graph=True)

    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.square().sum().backward()
