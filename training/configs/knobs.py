"""What a setting is: its default, its words, its range; and what the config of every kind of run
has in common.
"""

import dataclasses
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from training.configs import sizes
from training.configs.curves import Chart, Scatter
from training.configs.metrics import Best, Measure
from training.configs.sizes import Inputs, Shape
from training.configs.words import _


def knob(
    default: Any,
    label: str,
    help: str,  # noqa: A002 the word that forms use
    *,
    unit: str = "",
    min: float | None = None,  # noqa: A002
    max: float | None = None,  # noqa: A002
    choices: Mapping[str, str] | None = None,
    is_advanced: bool = False,
    is_last: bool = False,
) -> Any:
    """A field of a config. `is_last`: shown after what a kind says of itself, though a base class
    has it first.
    """
    metadata = {
        "label": label,
        "help": help,
        "unit": unit,
        "min": min,
        "max": max,
        "choices": choices,
        "is_advanced": is_advanced,
        "is_last": is_last,
    }
    return field(default=default, metadata=metadata)


def again(base: type, name: str, **changes: Any) -> Any:
    """The knob that `base` has under this name, but for `changes`: its default, or any of its words
    and limits.
    """
    inherited = base.__dataclass_fields__[name]  # type: ignore[attr-defined]  # every config is a dataclass
    default = changes.pop("default", inherited.default)
    return field(default=default, metadata={**inherited.metadata, **changes})


@dataclass(frozen=True)
class Knob:
    """One field of a config, as a form or a page of documentation shows it. `type` is str, int,
    float or bool.
    """

    name: str
    type: type
    default: Any
    label: str
    help: str
    unit: str
    min: float | None
    max: float | None
    choices: Mapping[str, str] | None
    is_optional: bool
    is_advanced: bool
    is_last: bool


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field; `field` is empty when it concerns the whole."""

    field: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


DTYPES = {
    "auto": _("Automatic: bfloat16 if the hardware supports it, else float32"),
    "bfloat16": _("bfloat16: half the memory"),
    "float32": _("float32: exact"),
}
OPTIONAL, REQUIRED = "optional", "required"
# Kinds of model, and what else a run can leave.
POLICY, REWARD, RESPONSES = "policy", "reward", "responses"


@dataclass(frozen=True)
class Settings(ABC):
    """What the config of every kind has, and what each kind declares about itself apart from its
    settings.
    """

    kind: ClassVar[str]
    """the name in addresses, in the API and in the database: lower-case letters, digits, hyphens"""
    label: ClassVar[str]
    """the name that people read"""
    menu: ClassVar[str]
    """what the button says that opens the form of a new run"""
    trainer: ClassVar[str] = ""
    """the module with `carry_out`; empty: training.trainer and the name, hyphens as underscores"""

    snapshots: ClassVar[tuple[str, ...]]
    """kinds of snapshot that it learns from or answers; the usual one first"""
    snapshot_label: ClassVar[str] = _("Data")
    """the snapshot's field in the form"""
    snapshot_heading: ClassVar[str] = _("Data")
    """the heading over the snapshot on a run's page"""
    snapshot_button: ClassVar[str] = _("Train")
    """on the page of a snapshot, where this is the usual kind for it"""

    starts_from: ClassVar[tuple[str, ...]] = (POLICY,)
    """kinds of model"""
    model_label: ClassVar[str] = _("Starts from")
    """the model's field in the form"""
    model_button: ClassVar[str] = ""
    """on the page of a model that it can start from; empty: no button"""
    takes_endpoints: ClassVar[bool] = False
    """whether the model can be one that another server answers for"""
    takes: ClassVar[Mapping[str, str]] = {}
    """models beside it: the name of each role (training.configs.roles), OPTIONAL or REQUIRED"""
    reward_button: ClassVar[str] = ""
    """on the page of a reward model; empty: no button"""

    leaves: ClassVar[str] = POLICY
    """the kind of model that is registered at its end; or RESPONSES, or empty: nothing"""
    is_parallel: ClassVar[bool] = False
    """whether several processes can share the work"""
    extended_by: ClassVar[tuple[str, ...]] = ()
    """the settings that say how long it goes on; the first that is set is raised to extend a run"""

    measures: ClassVar[tuple[Measure, ...]]
    """of its metrics, in the order in which they are shown"""
    best: ClassVar[Best | None] = None
    """what decides which of its models is the best and is kept; None: the last is kept alone"""
    charts: ClassVar[tuple[Chart, ...]]
    """of its curves, the most telling first"""
    undrawn: ClassVar[tuple[str, ...]] = ()
    """curves that no chart needs; a curve that is in neither is drawn last"""
    scatter: ClassVar[Scatter | None] = None
    """drawn third, where both of its metrics are there"""
    has_curves: ClassVar[bool] = True
    """False where each measure is taken once: there is nothing to draw"""

    seed: int = knob(
        42,
        _("Seed"),
        _("The same seed, snapshot and machine give the same run."),
        min=0,
        max=2**31 - 1,
        is_advanced=True,
        is_last=True,
    )
    dtype: str = knob(
        "auto",
        _("Precision"),
        _("Precision used for training."),
        choices=DTYPES,
        is_advanced=True,
        is_last=True,
    )
    allows_hub: bool = knob(
        False,
        _("Allow hub downloads"),
        _(
            "Lets the run download a model from the hub by name. When off, nothing leaves the node"
            " and only local folders load."
        ),
        is_advanced=True,
        is_last=True,
    )

    @classmethod
    def leaves_model(cls) -> bool:
        return cls.leaves in (POLICY, REWARD)

    @classmethod
    @abstractmethod
    def presets(cls) -> Mapping[str, Self]:
        """small: minutes on two CPU cores; balanced: one GPU; thorough: the published recipe."""

    def problems(self) -> list[Problem]:
        """What is wrong between fields that are each right."""
        return []

    def rehearsed(self) -> Self:
        """As a dry run has it: everything is loaded, two steps are made, a handful is measured."""
        return self

    @classmethod
    def misfit(cls, inputs: Inputs) -> str:
        """Why these models and this snapshot cannot go together, though each is of a kind that it
        takes; empty when they can.
        """
        return ""

    @property
    def keeps_weights(self) -> bool:
        """Whether the model that it leaves descends from the one that it started from."""
        return True

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        """What is wrong with so many processes in all, on so many machines. `is_sharded`: with
        FSDP or DeepSpeed.
        """
        return []

    # --- what it costs --------------------------------------------------------------------------

    @abstractmethod
    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        """(steps, tokens that go through the model while it learns or writes): a row of an epoch
        counts once.
        """

    def longest(self, rows: sizes.Rows) -> float:
        """Tokens of a prompt and a response that goes as far as it may."""
        return rows.prompt_tokens + rows.response_tokens

    @property
    def n_sequences(self) -> int:
        """Responses that are written at once."""
        return 1

    def n_trained(self, shape: Shape) -> int:
        """How many numbers the optimizer moves."""
        return 0

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        """Numbers that are held and not trained. `beside`: the models that the run takes, by role;
        a required one counts as large as the model until it is named.
        """
        return shape.n_parameters

    def memory(self, rows: sizes.Rows, shape: Shape, beside: Mapping[str, Shape]) -> float:
        """Bytes on each GPU when every GPU holds whole models (one GPU, or DDP).

        Of a kind that trains nothing: the weights, the cache of keys and values, and the logits of
        the next token.
        """
        precision = sizes.BYTES[self.dtype]
        cache = self.longest(rows) * shape.n_layers * 2 * shape.kv_width * precision
        a_sequence = cache + shape.vocabulary * sizes.LOGIT_BYTES
        frozen = self.n_frozen(shape, beside) * precision
        return frozen + self.n_sequences * a_sequence + sizes.OVERHEAD_BYTES

    def disk(self, shape: Shape) -> float:
        """Bytes of what it leaves, and of its checkpoints."""
        return 0.0


def knobs_of(settings: type[Settings]) -> tuple[Knob, ...]:
    """In the order in which they are shown."""
    hints = typing.get_type_hints(settings)
    found = []
    for entry in dataclasses.fields(settings):
        hint = hints[entry.name]
        is_optional = isinstance(hint, types.UnionType)
        plain = (
            next(part for part in typing.get_args(hint) if part is not type(None))
            if is_optional
            else hint
        )
        found.append(
            Knob(
                name=entry.name,
                type=plain,
                default=entry.default,
                is_optional=is_optional,
                **entry.metadata,
            )
        )
    return tuple(sorted(found, key=lambda one: one.is_last))
