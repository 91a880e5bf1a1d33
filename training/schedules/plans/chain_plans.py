"""Templates of chains (ready-made sequences of steps), and the plan that fills one in."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from training.configs import kinds
from training.models import Chain
from training.schedules.plans import steps
from training.schedules.plans.settings import Ending, PlanSettings
from training.schedules.plans.step import Outputs, Step, Template

# Suites, if the plan has any, come first: where a score falls, raters need not be asked.
_BENCHMARKED = (steps.SUITES, steps.BENCHMARK, steps.BENCHMARK_BEFORE)
# How people judge a new model: blind, on test prompts, against the current one.
_SAMPLED = (steps.HELD_OUT, steps.SAMPLE, steps.SAMPLE_BEFORE)
_DECIDING = (steps.CAMPAIGN, steps.GATE)
_JUDGED = (*_BENCHMARKED, *_SAMPLED, *_DECIDING)
TEMPLATES: Mapping[str, Template] = {
    "weekly": Template(
        _("The whole cycle"),
        _(
            "Comparisons train a reward model, PPO improves the model with it, and raters compare"
            " the new model with the old one, blind."
        ),
        (steps.COMPARISONS, steps.REWARD, steps.WATCHDOG, steps.PROMPTS, steps.PPO, *_JUDGED),
        steps.COMPARISONS,
    ),
    "llama": Template(
        _("Starting from demonstrations"),
        _(
            "Llama 2's whole cycle: demonstrations train a model and raters compare its responses."
            " When they are done, a reward model and PPO follow, and raters compare the new model"
            " with the fine-tuned one, blind."
        ),
        (
            steps.DEMONSTRATIONS,
            steps.SFT,
            steps.PROMPTS,
            steps.SAMPLE_FIRST,
            steps.CAMPAIGN_FIRST,
            steps.COMPARISONS,
            steps.REWARD,
            steps.WATCHDOG,
            steps.PPO,
            *_JUDGED,
        ),
        steps.DEMONSTRATIONS,
        always_asks=(steps.COMPARISONS,),
    ),
    "rejection": Template(
        _("Rejection sampling"),
        _(
            "Comparisons train a reward model, the model answers each prompt many times and learns"
            " from the responses the reward model scores highest, and raters compare the new model"
            " with the old one, blind."
        ),
        (
            steps.COMPARISONS,
            steps.REWARD,
            steps.PROMPTS,
            steps.CANDIDATES,
            steps.BEST,
            steps.SFT_BEST,
            *_JUDGED,
        ),
        steps.COMPARISONS,
    ),
    "best-of-n": Template(
        _("Best of n, chosen by raters"),
        _(
            "The model answers each prompt several times and raters rank the answers. When they"
            " are done, it learns from those that they clearly prefer, and raters compare the new"
            " model with the old one, blind. Suits small machines."
        ),
        (
            steps.PROMPTS,
            steps.CANDIDATES,
            steps.RANKING,
            steps.BEST,
            steps.SFT_BEST,
            *_JUDGED,
        ),
        steps.COMPARISONS,
    ),
    "rejection-ppo": Template(
        _("Rejection sampling, then PPO"),
        _(
            "Llama 2's later iterations: the model learns from its best responses, PPO continues"
            " from there with the same reward model, and raters compare the new model with the old"
            " one, blind."
        ),
        (
            steps.COMPARISONS,
            steps.REWARD,
            steps.WATCHDOG,
            steps.PROMPTS,
            steps.CANDIDATES,
            steps.BEST,
            steps.SFT_BEST,
            steps.PPO,
            *_JUDGED,
        ),
        steps.COMPARISONS,
    ),
    "rloo": Template(
        _("RLOO and an evaluation"),
        _(
            "Comparisons train a reward model, RLOO improves the model with it, the same reward"
            " model scores held-out prompts, and raters compare the new model with the old one,"
            " blind."
        ),
        (steps.COMPARISONS, steps.PROMPTS, steps.REWARD, steps.RLOO, steps.EVALUATE, *_JUDGED),
        steps.COMPARISONS,
    ),
    "dpo": Template(
        _("DPO"),
        _(
            "Comparisons improve the model without a reward model, and raters compare the new model"
            " with the old one, blind."
        ),
        (steps.COMPARISONS, steps.DPO, *_JUDGED),
        steps.COMPARISONS,
    ),
    "kto": Template(
        _("KTO"),
        _(
            "What raters call good or bad, one by one or by ranking, improves the model without"
            " pairs, and raters compare the new model with the old one, blind."
        ),
        (steps.UNPAIRED, steps.KTO, *_JUDGED),
        steps.UNPAIRED,
    ),
    "preferred": Template(
        _("Fine-tune on preferred responses"),
        _(
            "The model learns from the responses that raters have clearly preferred, and raters"
            " compare the new model with the old one, blind."
        ),
        (steps.PREFERRED, steps.SFT_PREFERRED, *_JUDGED),
        steps.COMPARISONS,
    ),
    "iterative-dpo": Template(
        _("Iterative DPO, scored by a reward model"),
        _(
            "Comparisons train a reward model, the current model answers each prompt many times,"
            " DPO learns the best response against the worst, and raters compare the new model with"
            " the old one, blind. The next chain learns from the new model's responses."
        ),
        (
            steps.COMPARISONS,
            steps.REWARD,
            steps.PROMPTS,
            steps.CANDIDATES,
            steps.SCORED_PAIRS,
            steps.DPO_SCORED,
            *_JUDGED,
        ),
        steps.COMPARISONS,
    ),
    "iterative-dpo-raters": Template(
        _("Iterative DPO, asking raters"),
        _(
            "The current model answers prompts and raters compare its responses. When they are"
            " done, DPO learns from these comparisons alone, and raters compare the new model with"
            " the old one, blind. The next chain asks about the new model's responses."
        ),
        (
            steps.TAUGHT,
            steps.SAMPLE_NOW,
            steps.CAMPAIGN_NOW,
            steps.ASKED_PAIRS,
            steps.DPO_ASKED,
            *_JUDGED,
        ),
        steps.COMPARISONS,
    ),
    "pretrain": Template(
        _("Pretrain, then fine-tune"),
        _("The model trains on a snapshot of text, then demonstrations make it an assistant."),
        (steps.PRETRAIN, steps.DEMONSTRATIONS, steps.SFT, steps.SUITES, steps.BENCHMARK),
        steps.DEMONSTRATIONS,
    ),
    "fine-tune-compare": Template(
        _("Fine-tune, then compare"),
        _("Demonstrations train a model, it answers prompts, and raters compare its responses."),
        (
            steps.DEMONSTRATIONS,
            steps.SFT,
            steps.SUITES,
            steps.BENCHMARK,
            steps.HELD_OUT,
            steps.SAMPLE,
            steps.CAMPAIGN,
        ),
        steps.DEMONSTRATIONS,
    ),
    "fine-tune-gate": Template(
        _("Fine-tune, with a gate"),
        _(
            "Demonstrations train a model, and raters compare the new model with the old one,"
            " blind."
        ),
        (steps.DEMONSTRATIONS, steps.SFT, *_JUDGED),
        steps.DEMONSTRATIONS,
    ),
    "fine-tune": Template(
        _("Fine-tune"),
        _("Demonstrations train a model."),
        (steps.DEMONSTRATIONS, steps.SFT, steps.SUITES, steps.BENCHMARK),
        steps.DEMONSTRATIONS,
    ),
    "reward": Template(
        _("Reward model"),
        _("Comparisons train a reward model."),
        (steps.COMPARISONS, steps.REWARD),
        steps.COMPARISONS,
    ),
}

USUAL = ("dpo", "fine-tune-gate", "reward")
"""The templates that a page offers first: a better model, a fine-tuned model, a reward model."""


def menu() -> tuple[list[tuple[str, Template]], list[tuple[str, Template]]]:
    """(name, template): the usual ones, then the others."""
    others = [(name, one) for name, one in TEMPLATES.items() if name not in USUAL]
    return [(name, TEMPLATES[name]) for name in USUAL], others


class Plan(PlanSettings):
    """A filled-in template."""

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Plan":
        """Ignores settings that only an earlier version had."""
        known: dict[str, Any] = {
            name: value for name, value in raw.items() if name in cls.__dataclass_fields__
        }
        lists = {name: tuple(raw.get(name, ())) for name in ("approvals", "suites")}
        return cls(**known | lists)

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"approvals": list(self.approvals), "suites": list(self.suites)}

    def problems(self) -> list[str]:
        """Why runs of this plan could never start: settings that their snapshots cannot serve."""
        sentences = []
        for step in self.shape.runs:
            if step.reads is not None and step.kind in self.configs:
                config, _wrong = kinds.parse(step.kind, step.config(self))
                if config is not None:
                    sentences += config.data_problems(
                        step.reads.kind, has_text=self.mixes_text(step.kind)
                    )
        return list(dict.fromkeys(sentences))

    @property
    def shape(self) -> Template:
        whole = TEMPLATES[self.template]
        absent: set[Step] = set() if self.is_watched else {steps.WATCHDOG}
        if self.reward_model is not None:
            absent |= {steps.COMPARISONS, steps.REWARD}
        if not self.suites:
            absent |= set(_BENCHMARKED)
        kept = tuple(step for step in whole.steps if step not in absent)
        return replace(whole, steps=_ended(kept, self.ending) if whole.has_gate else kept)

    def needs_approval(self, step: Step) -> bool:
        return step.name in self.approvals or step in self.shape.always_asks


def _ended(chosen: tuple[Step, ...], ending: str) -> tuple[Step, ...]:
    """The steps of a template with a gate, if its models are not to be compared by the chain."""
    if ending == Ending.COMPARE:
        return chosen
    if ending == Ending.REQUEST:
        return (*(step for step in chosen if step not in _DECIDING), steps.REQUEST)
    return tuple(step for step in chosen if step not in (*_SAMPLED, *_DECIDING))


def outputs_of(chain: Chain) -> Outputs:
    """A chain begun by an earlier version has no second reward model, so its first one learns from
    all comparisons.
    """
    plan = Plan.from_json(chain.plan)
    is_watched = chain.links.filter(step=steps.WATCHDOG.name).exists()
    plan = replace(plan, trains_watchdog=plan.trains_watchdog and is_watched)
    return Outputs(chain, plan, plan.shape)
