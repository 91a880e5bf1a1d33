"""What would differ if a run were repeated now, as sentences. Pure: no database.

Seed, settings and snapshot are the same by construction. What remains is the machine, its software,
and interruptions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Packages that can change results; the other recorded versions only describe the machine.
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "python")


@dataclass(frozen=True)
class Machine:
    """A node as it is now."""

    name: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class PastRun:
    """The run as it was."""

    node: str
    attempt: int
    n_gpus: int
    versions: Mapping[str, str]
    config: Mapping[str, object]
    model_location: str


def differences(past: PastRun, machines: Sequence[Machine]) -> list[str]:
    """Empty if a repeat on the same node gives the same losses to the last digit."""
    sentences = []
    same = next((machine for machine in machines if machine.name == past.node), None)
    if same is None:
        sentences.append(
            _(
                "It ran on %(node)s, which is offline. Another machine adds in a different order,"
                " so the last digits differ."
            )
            % {"node": past.node}
        )
    sentences += [
        _of_versions(past, machine)
        for machine in ([same] if same else machines)
        if _changed(past, machine)
    ]
    if past.versions.get("device", "CPU") == "CPU" and "threads" in past.versions:
        n = int(past.versions["threads"])
        sentences.append(
            ngettext(
                "Ran on %(n)s core; a different core count changes rounding.",
                "Ran on %(n)s cores; a different core count changes rounding.",
                n,
            )
            % {"n": n}
        )
    if past.versions.get("device", "CPU") != "CPU":
        sentences.append(
            _("GPUs add in no fixed order. Expect the same curve, but not the same last digits.")
        )
    if past.attempt > 1:
        sentences.append(
            _(
                "It was resumed %(n)s times. An uninterrupted run matches up to rounding, not to"
                " the last digit."
            )
            % {"n": past.attempt - 1}
        )
    if not past.model_location.startswith("/") and "://" not in past.model_location:
        sentences.append(
            _("It started from %(model)s on the hub, which may have changed since.")
            % {"model": past.model_location}
        )
    return sentences


def _changed(past: PastRun, machine: Machine) -> list[str]:
    return [
        name
        for name in _PACKAGES
        if name in past.versions
        and name in machine.versions
        and past.versions[name] != machine.versions[name]
    ]


def _of_versions(past: PastRun, machine: Machine) -> str:
    words = ", ".join(
        f"{name} {past.versions[name]} → {machine.versions[name]}"
        for name in _changed(past, machine)
    )
    return _("%(node)s now has other versions: %(versions)s.") % {
        "node": machine.name,
        "versions": words,
    }
