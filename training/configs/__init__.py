"""One frozen dataclass per kind of run. Form, command line and docs are made from the fields' help,
unit, range and choices.

Standard library only: the web side, the supervisor and the child process all read this package.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from training.configs import dpo, evaluate, ppo, pretrain, reading, reward, rloo, sample, sft
from training.configs.dpo import DpoConfig
from training.configs.evaluate import EvaluateConfig
from training.configs.knobs import OPTIONAL, REQUIRED, Knob, Problem, Settings, knobs_of
from training.configs.ppo import PpoConfig
from training.configs.pretrain import PretrainConfig
from training.configs.reward import RewardConfig
from training.configs.rloo import RlooConfig
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig
from training.configs.weights import Training, Weights

__all__ = [
    "KINDS",
    "OPTIONAL",
    "PRESETS",
    "REQUIRED",
    "Config",
    "DpoConfig",
    "EvaluateConfig",
    "Knob",
    "PpoConfig",
    "PretrainConfig",
    "Problem",
    "RewardConfig",
    "RlooConfig",
    "SampleConfig",
    "Settings",
    "SftConfig",
    "Training",
    "Weights",
    "as_json",
    "knobs",
    "parse",
]

Config = Settings
KINDS: dict[str, type[Settings]] = {
    "sft": SftConfig,
    "reward": RewardConfig,
    "ppo": PpoConfig,
    "dpo": DpoConfig,
    "rloo": RlooConfig,
    "pretrain": PretrainConfig,
    "sample": SampleConfig,
    "evaluate": EvaluateConfig,
}
PRESETS: dict[str, Mapping[str, Settings]] = {
    "sft": sft.PRESETS,
    "reward": reward.PRESETS,
    "ppo": ppo.PRESETS,
    "dpo": dpo.PRESETS,
    "rloo": rloo.PRESETS,
    "pretrain": pretrain.PRESETS,
    "sample": sample.PRESETS,
    "evaluate": evaluate.PRESETS,
}


def knobs(kind: str) -> tuple[Knob, ...]:
    """The fields of this kind's config in the order they are shown."""
    return knobs_of(KINDS[kind])


def parse(kind: str, raw: Mapping[str, Any]) -> tuple[Settings | None, list[Problem]]:
    """The config that `raw` (JSON or a form's text) stands for, or every problem with it. Missing
    fields take the default.
    """
    if kind not in KINDS:
        return None, [
            Problem(
                "", f"There is no kind of run called “{kind}”. Choose one of: {', '.join(KINDS)}."
            )
        ]
    specs = {knob.name: knob for knob in knobs(kind)}
    problems = [
        Problem(name, f"“{name}” is not a setting of {kind} runs. Remove it.")
        for name in raw
        if name not in specs
    ]
    values: dict[str, Any] = {}
    for name, spec in specs.items():
        if name not in raw:
            continue
        value, sentence = reading.read(spec, raw[name])
        if sentence:
            problems.append(Problem(name, sentence))
        values[name] = value
    if problems:
        return None, problems
    config = KINDS[kind](**values)
    problems = config.problems()
    return (None, problems) if problems else (config, [])


def as_json(config: Settings) -> dict[str, Any]:
    """The config as `parse` reads it back."""
    return dataclasses.asdict(config)
