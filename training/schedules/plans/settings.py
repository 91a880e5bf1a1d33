"""What a schedule's plan says. Pure: no database, and nothing of what its steps do."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from training.configs import kinds
from training.configs.ppo import PpoConfig


class OnFall(StrEnum):
    """What a chain does when a model scores lower on a suite than the current one."""

    ASK = "ask"
    """raters are asked all the same, and a person decides at the gate"""
    STOP = "stop"
    """the model is not promoted, and no rater is asked"""


class Ending(StrEnum):
    """What a chain does with the model that it has trained."""

    COMPARE = "compare"
    """raters compare it with the current one, blind, and a gate decides"""
    REQUEST = "request"
    """both models answer test prompts, and admins are asked to have the responses compared"""
    NOTHING = "nothing"


UNDECIDED = "undecided"
"""The outcome of a gate whose model was neither promoted nor beaten"""


@dataclass(frozen=True)
class PlanSettings:
    """Ids are of training's and labeling's rows; `configs` has the whole config per kind of run."""

    template: str
    base_model: int
    goes_on: bool = True
    """start from the schedule's current model, once there is one"""
    text: int | None = None
    """the snapshot for pretraining"""
    ptx_text: int | None = None
    """the snapshot of text that PPO-ptx mixes in; None for none"""
    reward_base: int | None = None
    """what the reward model starts from; None for the base model"""
    reward_model: int | None = None
    """an existing reward model; None to train one"""
    trains_watchdog: bool = True
    """train a second reward model if PPO's settings stop on what it says"""
    filters: dict[str, Any] = field(default_factory=dict)
    n_prompts: int | None = None
    """training prompts to practise on, drawn for each chain; None for all"""
    max_uses: int | None = 8
    """chains in which a prompt is practised; None for no limit"""
    n_judged: int = 100
    """test prompts on which raters compare the new model with the current one"""
    n_taught: int = 100
    """other prompts in the same campaign, whose comparisons the next chain learns from"""
    min_win_rate: float = 50.0
    """gate: what the lower end of the win rate's interval must reach, in percent"""
    max_kl: float | None = 20.0
    """gate: nats per response from the reference model; None for no limit"""
    max_length: float | None = 1.5
    """gate: mean length of the responses as a multiple of the current model's"""
    confidence: float = 97.5
    """gate: how often, in percent, a model that only just reaches the bar is held back, over all
    looks"""
    n_looks: int = 1
    """gate: the parts in which raters get the test prompts; it looks after each"""
    keeps_undecided: bool = False
    """start from a model that stayed undecided, and ask raters again with the next one"""
    reference_model: int | None = None
    """what KL is measured to; None for the model that the line began with"""
    gate_days: int = 14
    """gate: after so many days somebody decides with the answers so far"""
    suites: tuple[int, ...] = ()
    """suites that the new model and the current one answer; none for no benchmark"""
    on_fall: str = OnFall.ASK
    """what happens if the score on one of them falls"""
    n_candidates: int = 16
    """responses per prompt for the reward model to choose from"""
    ending: str = Ending.COMPARE
    """of a template with a gate: what follows the training"""
    keeps_earlier: bool = True
    """also learn from the best responses of this schedule's earlier chains"""
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    n_gpus: int = 0
    memory_gb: int = 0
    """as in Run, for each run of the chain"""
    n_processes: int = 1
    n_machines: int = 1
    strategy: str = "ddp"
    """for runs of kinds that support several processes"""
    approvals: tuple[str, ...] = ()
    pool: int | None = None
    guideline: int | None = None
    n_responses: int = 4
    overlap: int = 1

    def mixes_text(self, kind: str) -> bool:
        """Whether this kind of run gets the text."""
        return self.ptx_text is not None and kinds.KINDS[kind].mixes_text

    @property
    def is_watched(self) -> bool:
        """Whether it trains a second reward model. PPO has to stop on a drop of its reward: without
        that, the second one would cost as much and stop nothing.
        """
        stops = self.configs.get(PpoConfig.kind, {}).get("watchdog_drop", 0) > 0
        return self.trains_watchdog and stops and self.reward_model is None
