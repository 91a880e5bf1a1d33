"""What DPO and KTO have in common: they learn from given responses, beside a reference model."""

from collections.abc import Mapping
from dataclasses import dataclass

from knobs.fields import knob, override
from training.configs.cost import sizes
from training.configs.cost.sizes import Shape
from training.configs.metrics import _
from training.configs.weights import RowTraining


@dataclass(frozen=True)
class WithReference(RowTraining):
    """The policy is held close to the model that it starts from, which stays as it is."""

    warmup: float = override(RowTraining, "warmup", default=0.1)
    beta: float = knob(
        0.1,
        _("β"),
        _("How closely the policy stays to its starting point. Lower it to allow more drift."),
        min=0.001,
        max=10.0,
    )

    def tokens_at_once(self, rows: sizes.Rows) -> float:
        """Two sequences for each item of a batch."""
        return 2 * super().tokens_at_once(rows)

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        """The reference model. With LoRA it is the model itself with its adapter off."""
        return shape.n_parameters
