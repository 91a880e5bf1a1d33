"""What a setting is: its default, its words, its range; and what the config of every kind of run
has in common.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self


def _(text: str) -> str:
    """Marks a text for translation; the page translates it when it is shown."""
    return text


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
    "auto": _("automatic: bfloat16 where the hardware computes with it, else float32"),
    "bfloat16": _("bfloat16: half the memory"),
    "float32": _("float32: exact"),
}
OPTIONAL, REQUIRED = "optional", "required"


@dataclass(frozen=True)
class Settings:
    """What the config of every kind has, and what each kind says of itself apart from its
    settings.
    """

    snapshots: ClassVar[tuple[str, ...]]
    """kinds of snapshot that it learns from or answers; the usual one first"""
    starts_from: ClassVar[tuple[str, ...]] = ("policy",)
    """kinds of model"""
    leaves: ClassVar[str] = "policy"
    """the kind of model that is registered at its end; empty: none"""
    reward_model: ClassVar[str] = ""
    """OPTIONAL, REQUIRED, or empty where a run has no use for one"""
    watchdog_model: ClassVar[str] = ""
    """whether a second reward model can be named that is scored and never learned from"""
    other_model: ClassVar[str] = ""
    """whether a second language model can be named"""
    is_parallel: ClassVar[bool] = False
    """whether several processes can share the work"""

    seed: int = knob(
        42,
        _("Seed"),
        _("Same seed, same snapshot, same machine: same run."),
        min=0,
        max=2**31 - 1,
        is_advanced=True,
        is_last=True,
    )
    dtype: str = knob(
        "auto",
        _("Numbers"),
        _("Precision of the computation."),
        choices=DTYPES,
        is_advanced=True,
        is_last=True,
    )
    allows_hub: bool = knob(
        False,
        _("Allow the hub"),
        _(
            "Let the run download a model from the hub by its name. Off, nothing leaves the node"
            " and only local folders load."
        ),
        is_advanced=True,
        is_last=True,
    )

    def problems(self) -> list[Problem]:
        """What is wrong between fields that are each right."""
        return []

    def rehearsed(self) -> Self:
        """As a dry run has it: everything is loaded, two steps are made, a handful is measured."""
        return self


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
