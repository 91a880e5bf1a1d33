"""What a chain is made of: ready-made orders of steps, and the plan that fills one of them in. Pure: no database.

A step leaves a snapshot, a run or a campaign, and later steps take what earlier ones have left.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Step(StrEnum):
    DEMONSTRATIONS = "demonstrations"
    COMPARISONS = "comparisons"
    PROMPTS = "prompts"
    SFT = "sft"
    REWARD = "reward"
    PPO = "ppo"
    SAMPLE = "sample"
    SAMPLE_BEFORE = "sample_before"
    CAMPAIGN = "campaign"


WORDS: Mapping[str, Promise] = {
    Step.DEMONSTRATIONS: _("snapshot of demonstrations"),
    Step.COMPARISONS: _("snapshot of comparisons"),
    Step.PROMPTS: _("snapshot of prompts"),
    Step.SFT: _("fine-tuning"),
    Step.REWARD: _("reward model"),
    Step.PPO: _("PPO"),
    Step.SAMPLE: _("responses of the new model"),
    Step.SAMPLE_BEFORE: _("responses of the model before"),
    Step.CAMPAIGN: _("comparison campaign"),
}
SNAPSHOTS = (Step.DEMONSTRATIONS, Step.COMPARISONS, Step.PROMPTS)
# Which kind of run a step queues.
RUN_KINDS: Mapping[str, str] = {
    Step.SFT: "sft",
    Step.REWARD: "reward",
    Step.PPO: "ppo",
    Step.SAMPLE: "sample",
    Step.SAMPLE_BEFORE: "sample",
}


@dataclass(frozen=True)
class Template:
    """An order of steps. `counted` is what must be new for it to be worth its while: a kind of snapshot."""

    name: Promise
    about: Promise
    steps: tuple[Step, ...]
    counted: Step

    @property
    def run_kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(RUN_KINDS[step] for step in self.steps if step in RUN_KINDS))

    @property
    def n_runs(self) -> int:
        return sum(step in RUN_KINDS for step in self.steps)

    @property
    def approvable(self) -> tuple[Step, ...]:
        """Steps that cost GPU time or raters' time."""
        return tuple(step for step in self.steps if step not in SNAPSHOTS)


TEMPLATES: Mapping[str, Template] = {
    "weekly": Template(
        _("The whole cycle"),
        _("Comparisons become a reward model, PPO improves the model by it, and raters compare the new one with the old, blind."),
        (
            Step.COMPARISONS,
            Step.REWARD,
            Step.PROMPTS,
            Step.PPO,
            Step.SAMPLE,
            Step.SAMPLE_BEFORE,
            Step.CAMPAIGN,
        ),
        Step.COMPARISONS,
    ),
    "fine-tune-compare": Template(
        _("Fine-tune, then compare"),
        _("Demonstrations become a model, it answers prompts, and raters compare its responses."),
        (Step.DEMONSTRATIONS, Step.SFT, Step.PROMPTS, Step.SAMPLE, Step.CAMPAIGN),
        Step.DEMONSTRATIONS,
    ),
    "fine-tune": Template(
        _("Fine-tune"), _("Demonstrations become a model."), (Step.DEMONSTRATIONS, Step.SFT), Step.DEMONSTRATIONS
    ),
    "reward": Template(
        _("Reward model"), _("Comparisons become a reward model."), (Step.COMPARISONS, Step.REWARD), Step.COMPARISONS
    ),
}


@dataclass(frozen=True)
class Plan:
    """A template, filled in. Ids are of training's and labeling's rows; `configs` holds the whole config of each kind of run."""

    template: str
    base_model: int
    goes_on: bool = True
    """begin with the newest model that the schedule has left, once there is one"""
    reward_base: int | None = None
    """what the reward model begins with; None: the base model"""
    filters: dict[str, Any] = field(default_factory=dict)
    n_prompts: int | None = None
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    n_gpus: int = 0
    memory_gb: int = 0
    """what each of its runs asks for; the two mean what they do in a run"""
    approvals: tuple[str, ...] = ()
    pool: int | None = None
    guideline: int | None = None
    n_responses: int = 4
    overlap: int = 1

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Plan":
        values: dict[str, Any] = dict(raw) | {"approvals": tuple(raw.get("approvals", ()))}
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"approvals": list(self.approvals)}

    @property
    def shape(self) -> Template:
        return TEMPLATES[self.template]
