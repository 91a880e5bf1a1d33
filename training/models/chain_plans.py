"""Templates of chains (ready-made sequences of steps), and the plan that fills one in. Pure: no
database.

A step produces a snapshot, a run or a campaign, and later steps use what earlier ones produced.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.configs import kinds
from training.configs.dpo import DpoConfig
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.evaluation.evaluate import EvaluateConfig
from training.configs.knobs import POLICY
from training.configs.ppo import PpoConfig
from training.configs.pretrain import PretrainConfig
from training.configs.reward import RewardConfig
from training.configs.rloo import RlooConfig
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig


class Step(StrEnum):
    DEMONSTRATIONS = "demonstrations"
    COMPARISONS = "comparisons"
    PROMPTS = "prompts"
    HELD_OUT = "held_out"
    PRETRAIN = "pretrain"
    SFT = "sft"
    CANDIDATES = "candidates"
    BEST = "best"
    SFT_BEST = "sft_best"
    REWARD = "reward"
    WATCHDOG = "watchdog"
    PPO = "ppo"
    DPO = "dpo"
    RLOO = "rloo"
    EVALUATE = "evaluate"
    SAMPLE_FIRST = "sample_first"
    SAMPLE = "sample"
    SAMPLE_BEFORE = "sample_before"
    SUITES = "suites"
    BENCHMARK = "benchmark"
    BENCHMARK_BEFORE = "benchmark_before"
    CAMPAIGN_FIRST = "campaign_first"
    CAMPAIGN = "campaign"
    GATE = "gate"


@dataclass(frozen=True)
class StepKind:
    """What a step produces: a snapshot, a run, or otherwise a campaign or a verdict."""

    words: Promise
    snapshot: str = ""
    """the kind of snapshot it creates"""
    run: str = ""
    """the kind of run it queues"""
    reads: Step | None = Step.PROMPTS
    """the step whose snapshot its run reads; None for the schedule's text"""
    is_rewarded: bool = False
    """its run takes the chain's reward model"""
    is_watched: bool = False
    """its run takes the chain's second reward model, if there is one"""
    is_compared: bool = False
    """its run is compared with the model from before the last improvement"""


STEPS: Mapping[str, StepKind] = {
    Step.DEMONSTRATIONS: StepKind(_("snapshot of demonstrations"), snapshot="demonstrations"),
    Step.COMPARISONS: StepKind(_("snapshot of comparisons"), snapshot="comparisons"),
    Step.PROMPTS: StepKind(_("snapshot of prompts"), snapshot="prompts"),
    Step.HELD_OUT: StepKind(_("snapshot of prompts for raters"), snapshot="prompts"),
    Step.PRETRAIN: StepKind(_("pretraining"), run=PretrainConfig.kind, reads=None),
    Step.SFT: StepKind(_("fine-tuning"), run=SftConfig.kind, reads=Step.DEMONSTRATIONS),
    Step.CANDIDATES: StepKind(
        _("responses to choose from, scored by the reward model"),
        run=SampleConfig.kind,
        is_rewarded=True,
    ),
    Step.BEST: StepKind(_("snapshot of the best responses"), snapshot="demonstrations"),
    Step.SFT_BEST: StepKind(_("fine-tuning on the best"), run=SftConfig.kind, reads=Step.BEST),
    Step.REWARD: StepKind(_("reward model"), run=RewardConfig.kind, reads=Step.COMPARISONS),
    Step.WATCHDOG: StepKind(
        _("second reward model, which watches PPO"),
        run=RewardConfig.kind,
        reads=Step.COMPARISONS,
    ),
    Step.PPO: StepKind(_("PPO"), run=PpoConfig.kind, is_rewarded=True, is_watched=True),
    Step.DPO: StepKind(_("DPO"), run=DpoConfig.kind, reads=Step.COMPARISONS),
    Step.RLOO: StepKind(_("RLOO"), run=RlooConfig.kind, is_rewarded=True),
    Step.EVALUATE: StepKind(
        _("the new model against the previous one, scored by the reward model"),
        run=EvaluateConfig.kind,
        is_rewarded=True,
        is_compared=True,
    ),
    Step.SAMPLE_FIRST: StepKind(_("responses of the fine-tuned model"), run=SampleConfig.kind),
    Step.SAMPLE: StepKind(
        _("responses of the new model"), run=SampleConfig.kind, reads=Step.HELD_OUT
    ),
    Step.SAMPLE_BEFORE: StepKind(
        _("responses of the current model"), run=SampleConfig.kind, reads=Step.HELD_OUT
    ),
    Step.SUITES: StepKind(_("snapshot of suites"), snapshot="suites"),
    Step.BENCHMARK: StepKind(
        _("benchmark of the new model"), run=BenchmarkConfig.kind, reads=Step.SUITES
    ),
    Step.BENCHMARK_BEFORE: StepKind(
        _("benchmark of the current model"), run=BenchmarkConfig.kind, reads=Step.SUITES
    ),
    Step.CAMPAIGN_FIRST: StepKind(_("comparison campaign to learn from")),
    Step.CAMPAIGN: StepKind(_("comparison campaign")),
    Step.GATE: StepKind(_("gate: does the new model become the current one?")),
}
WORDS: Mapping[str, Promise] = {step: about.words for step, about in STEPS.items()}
# Step → kind of snapshot it creates; step → kind of run it queues.
SNAPSHOTS = {step: about.snapshot for step, about in STEPS.items() if about.snapshot}
RUN_KINDS = {step: about.run for step, about in STEPS.items() if about.run}
CAMPAIGNS = (Step.CAMPAIGN_FIRST, Step.CAMPAIGN)
# What a chain that stops on a fallen score leaves out.
ASKING = (Step.HELD_OUT, Step.SAMPLE, Step.SAMPLE_BEFORE, Step.CAMPAIGN)


@dataclass(frozen=True)
class Template:
    """A sequence of steps. `counted` is the kind of snapshot whose new judgments make a chain
    worthwhile.
    """

    name: Promise
    about: Promise
    steps: tuple[Step, ...]
    counted: Step
    always_asks: tuple[Step, ...] = ()
    """steps that always need approval, because raters have to finish first"""

    @property
    def run_kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(RUN_KINDS[step] for step in self.steps if step in RUN_KINDS))

    def read_by(self, kind: str) -> tuple[str, ...]:
        """The kinds of snapshot that runs of this kind read in it."""
        reads = (STEPS[step].reads for step in self.steps if RUN_KINDS.get(step) == kind)
        return tuple({STEPS[one].snapshot for one in reads if one is not None})

    @property
    def n_runs(self) -> int:
        return sum(step in RUN_KINDS for step in self.steps)

    @property
    def approvable(self) -> tuple[Step, ...]:
        """Steps that cost GPU time or raters' time."""
        return tuple(step for step in self.steps if step not in SNAPSHOTS)

    @property
    def improving(self) -> tuple[Step, ...]:
        """Steps that produce a language model."""
        models = kinds.kinds_leaving(POLICY)
        return tuple(step for step in self.steps if RUN_KINDS.get(step) in models)

    def sampled_for(self, campaign: str) -> tuple[Step, ...]:
        """The steps whose responses this campaign compares."""
        if campaign == Step.CAMPAIGN_FIRST:
            return (Step.SAMPLE_FIRST,)
        answering = (Step.SAMPLE, Step.SAMPLE_BEFORE)
        return tuple(step for step in answering if step in self.steps)

    @property
    def can_be_benchmarked(self) -> bool:
        return Step.BENCHMARK in self.steps

    @property
    def can_be_watched(self) -> bool:
        return Step.WATCHDOG in self.steps

    @property
    def has_gate(self) -> bool:
        return Step.GATE in self.steps


# Suites, if the plan has any, come first: where a score falls, raters need not be asked.
_BENCHMARKED = (Step.SUITES, Step.BENCHMARK, Step.BENCHMARK_BEFORE)
# How people judge a new model: blind, on test prompts, against the current one.
_JUDGED = (*_BENCHMARKED, *ASKING, Step.GATE)
TEMPLATES: Mapping[str, Template] = {
    "weekly": Template(
        _("The whole cycle"),
        _(
            "Comparisons train a reward model, PPO improves the model with it, and raters compare"
            " the new model with the old one, blind."
        ),
        (
            Step.COMPARISONS,
            Step.REWARD,
            Step.WATCHDOG,
            Step.PROMPTS,
            Step.PPO,
            *_JUDGED,
        ),
        Step.COMPARISONS,
    ),
    "llama": Template(
        _("Starting from demonstrations"),
        _(
            "Llama 2's whole cycle: demonstrations train a model and raters compare its responses."
            " When they are done, a reward model and PPO follow, and raters compare the new model"
            " with the fine-tuned one, blind."
        ),
        (
            Step.DEMONSTRATIONS,
            Step.SFT,
            Step.PROMPTS,
            Step.SAMPLE_FIRST,
            Step.CAMPAIGN_FIRST,
            Step.COMPARISONS,
            Step.REWARD,
            Step.WATCHDOG,
            Step.PPO,
            *_JUDGED,
        ),
        Step.DEMONSTRATIONS,
        always_asks=(Step.COMPARISONS,),
    ),
    "rejection": Template(
        _("Rejection sampling"),
        _(
            "Comparisons train a reward model, the model answers each prompt many times and learns"
            " from the responses the reward model scores highest, and raters compare the new model"
            " with the old one, blind."
        ),
        (
            Step.COMPARISONS,
            Step.REWARD,
            Step.PROMPTS,
            Step.CANDIDATES,
            Step.BEST,
            Step.SFT_BEST,
            *_JUDGED,
        ),
        Step.COMPARISONS,
    ),
    "rejection-ppo": Template(
        _("Rejection sampling, then PPO"),
        _(
            "Llama 2's later iterations: the model learns from its best responses, PPO continues"
            " from there with the same reward model, and raters compare the new model with the old"
            " one, blind."
        ),
        (
            Step.COMPARISONS,
            Step.REWARD,
            Step.WATCHDOG,
            Step.PROMPTS,
            Step.CANDIDATES,
            Step.BEST,
            Step.SFT_BEST,
            Step.PPO,
            *_JUDGED,
        ),
        Step.COMPARISONS,
    ),
    "rloo": Template(
        _("RLOO and an evaluation"),
        _(
            "Comparisons train a reward model, RLOO improves the model with it, the same reward"
            " model scores held-out prompts, and raters compare the new model with the old one,"
            " blind."
        ),
        (
            Step.COMPARISONS,
            Step.PROMPTS,
            Step.REWARD,
            Step.RLOO,
            Step.EVALUATE,
            *_JUDGED,
        ),
        Step.COMPARISONS,
    ),
    "dpo": Template(
        _("DPO"),
        _(
            "Comparisons improve the model without a reward model, and raters compare the new model"
            " with the old one, blind."
        ),
        (Step.COMPARISONS, Step.DPO, *_JUDGED),
        Step.COMPARISONS,
    ),
    "pretrain": Template(
        _("Pretrain, then fine-tune"),
        _("The model trains on a snapshot of text, then demonstrations make it an assistant."),
        (Step.PRETRAIN, Step.DEMONSTRATIONS, Step.SFT, Step.SUITES, Step.BENCHMARK),
        Step.DEMONSTRATIONS,
    ),
    "fine-tune-compare": Template(
        _("Fine-tune, then compare"),
        _("Demonstrations train a model, it answers prompts, and raters compare its responses."),
        (
            Step.DEMONSTRATIONS,
            Step.SFT,
            Step.SUITES,
            Step.BENCHMARK,
            Step.HELD_OUT,
            Step.SAMPLE,
            Step.CAMPAIGN,
        ),
        Step.DEMONSTRATIONS,
    ),
    "fine-tune": Template(
        _("Fine-tune"),
        _("Demonstrations train a model."),
        (Step.DEMONSTRATIONS, Step.SFT, Step.SUITES, Step.BENCHMARK),
        Step.DEMONSTRATIONS,
    ),
    "reward": Template(
        _("Reward model"),
        _("Comparisons train a reward model."),
        (Step.COMPARISONS, Step.REWARD),
        Step.COMPARISONS,
    ),
}


class OnFall(StrEnum):
    """What a chain does when a model scores lower on a suite than the current one."""

    ASK = "ask"
    """raters are asked all the same, and a person decides at the gate"""
    STOP = "stop"
    """the model is not promoted, and no rater is asked"""


@dataclass(frozen=True)
class Plan:
    """A filled-in template. Ids are of training's and labeling's rows; `configs` has the whole
    config per kind of run.
    """

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
    gate_days: int = 14
    """gate: after so many days a person decides on what there is"""
    suites: tuple[int, ...] = ()
    """suites that the new model and the current one answer; none for no benchmark"""
    on_fall: str = OnFall.ASK
    """what happens if the score on one of them falls"""
    n_candidates: int = 16
    """responses per prompt for the reward model to choose from"""
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

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Plan":
        """Ignores settings that only an earlier version had."""
        known: dict[str, Any] = {
            name: value for name, value in raw.items() if name in cls.__dataclass_fields__
        }
        lists = {name: tuple(raw.get(name, ())) for name in ("approvals", "suites")}
        return cls(**known | lists)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"approvals": list(self.approvals), "suites": list(self.suites)}

    def problems(self) -> list[str]:
        """Why runs of this plan could never start: settings that their snapshots cannot serve."""
        found = []
        for step in self.shape.steps:
            about = STEPS[step]
            if about.run and about.reads is not None and about.run in self.configs:
                config, _wrong = kinds.parse(about.run, self.config_of(step))
                snapshot = STEPS[about.reads].snapshot
                if config is not None:
                    found += config.data_problems(snapshot, has_text=self.mixes_text(about.run))
        return list(dict.fromkeys(found))

    def mixes_text(self, kind: str) -> bool:
        """Whether this kind of run gets the text."""
        return self.ptx_text is not None and kinds.KINDS[kind].mixes_text

    @property
    def shape(self) -> Template:
        whole = TEMPLATES[self.template]
        absent = set() if self.is_watched else {Step.WATCHDOG}
        if self.reward_model is not None:
            absent |= {Step.COMPARISONS, Step.REWARD}
        if not self.suites:
            absent |= set(_BENCHMARKED)
        return replace(whole, steps=tuple(step for step in whole.steps if step not in absent))

    @property
    def is_watched(self) -> bool:
        """Whether it trains a second reward model. PPO has to stop on a drop of its reward: without
        that, the second one would cost as much and stop nothing.
        """
        stops = self.configs.get(PpoConfig.kind, {}).get("watchdog_drop", 0) > 0
        return self.trains_watchdog and stops and self.reward_model is None

    def config_of(self, step: str) -> dict[str, Any]:
        """The chosen config for this step's kind of run, with the step's own settings on top."""
        config = self.configs.get(RUN_KINDS[step], {})
        if step == Step.EVALUATE:
            return config | {"split": "held_out"}
        if step == Step.REWARD and self.is_watched:
            return config | {"part": "larger"}
        if step == Step.WATCHDOG:
            # Another seed too, so that the two models have no head in common.
            seed = config.get("seed", RewardConfig().seed)
            return config | {"part": "smaller", "seed": (seed + 1) % 2**31}
        if step == Step.CANDIDATES:
            batch_size = max(config.get("batch_size", SampleConfig().batch_size), self.n_candidates)
            return config | {"n_responses": self.n_candidates, "batch_size": batch_size}
        return config
