"""The kinds of run. Each is a frozen dataclass of settings; the form, the API and the docs are
generated from its fields' metadata.

Standard library only: the web process, the supervisor and the child process all import it.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from knobs import reading
from knobs.fields import Knob, Problem, knobs_of
from training.configs import roles
from training.configs.evaluation.attack import AttackConfig
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.evaluation.evaluate import EvaluateConfig
from training.configs.knobs import REQUIRED, Settings
from training.configs.metrics import _
from training.configs.offline.dpo import DpoConfig
from training.configs.offline.kto import KtoConfig
from training.configs.online.grpo import GrpoConfig
from training.configs.online.rloo import RlooConfig
from training.configs.ppo import PpoConfig
from training.configs.pretrain import PretrainConfig
from training.configs.reward import RewardConfig
from training.configs.sample import SampleConfig
from training.configs.sample.revise import ReviseConfig
from training.configs.sft import SftConfig

# A kind of run is its config, its trainer and its line here. Menus and lists use this order.
_REGISTERED: tuple[type[Settings], ...] = (
    SftConfig,
    RewardConfig,
    PpoConfig,
    DpoConfig,
    KtoConfig,
    RlooConfig,
    GrpoConfig,
    PretrainConfig,
    SampleConfig,
    ReviseConfig,
    EvaluateConfig,
    BenchmarkConfig,
    AttackConfig,
)
KINDS: dict[str, type[Settings]] = {}
PRESETS: dict[str, Mapping[str, Settings]] = {}
# The width of the database column. URLs, files and modules are also named after the kind.
_MAX_NAME_LENGTH = 16
_DECLARED = ("label", "menu", "snapshots", "measures", "charts")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class InvalidKind(Exception):
    """A kind's name or declaration is not valid; the text says what to change."""


def register(config: type[Settings]) -> None:
    """Makes a kind of run available in forms, API, schedules and trainer. Raises
    InvalidKind.
    """
    name = config.kind
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_LENGTH:
        raise InvalidKind(
            f"“{name}” cannot name a kind of run. Use lower-case letters, digits and single"
            f" hyphens, {_MAX_NAME_LENGTH} characters at most, and begin with a letter."
        )
    if missing := [attribute for attribute in _DECLARED if not hasattr(config, attribute)]:
        raise InvalidKind(f"{config.__name__} does not say its {', '.join(missing)}.")
    if name in KINDS:
        raise InvalidKind(f"There is a kind of run called “{name}” already.")
    if odd := sorted(config.takes.keys() - set(roles.NAMES)):
        raise InvalidKind(f"{name} takes {odd[0]}, and no model has such a role.")
    KINDS[name] = config
    PRESETS[name] = config.presets()


for _config in _REGISTERED:
    register(_config)


def trainer_of(kind: str) -> str:
    """The module whose `carry_out` executes such a run in the child process."""
    return KINDS[kind].trainer or f"training.trainer.{kind.replace('-', '_')}"


def kinds_leaving(what: str) -> tuple[str, ...]:
    """The kinds that produce this: policy, reward or responses."""
    return tuple(name for name, config in KINDS.items() if config.leaves == what)


def default_kind_for(snapshot: str) -> str:
    """The first kind that usually takes such a snapshot and requires no other model."""
    return next(
        name
        for name, config in KINDS.items()
        if config.snapshots[0] == snapshot and REQUIRED not in config.takes.values()
    )


def knobs(kind: str) -> tuple[Knob, ...]:
    """The fields of this kind's config in display order."""
    return knobs_of(KINDS[kind])


def parse(kind: str, raw: Mapping[str, object]) -> tuple[Settings | None, list[Problem]]:
    """Parses `raw` (JSON or form text) into a config, or returns every problem. Missing fields take
    their default.
    """
    if kind not in KINDS:
        return None, [
            Problem(
                "",
                _("Unknown kind of run “%(kind)s”. Choose one of: %(kinds)s."),
                {"kind": kind, "kinds": ", ".join(KINDS)},
            )
        ]
    specs = {knob.name: knob for knob in knobs(kind)}
    problems = [
        Problem(
            name,
            _("“%(name)s” is not a setting of %(kind)s runs. Remove it."),
            {"name": name, "kind": kind},
        )
        for name in raw
        if name not in specs
    ]
    values: dict[str, Any] = {}
    for name, spec in specs.items():
        if name not in raw:
            continue
        value, problem = reading.read(spec, raw[name])
        if problem is not None:
            problems.append(problem)
        values[name] = value
    if problems:
        return None, problems
    config = KINDS[kind](**values)
    problems = config.problems()
    return (None, problems) if problems else (config, [])


def as_json(config: Settings) -> dict[str, object]:
    """The inverse of `parse`."""
    return dataclasses.asdict(config)
