"""What a step of a chain is: it produces a snapshot, a run, a campaign or a verdict from what the
steps before it have left.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from training.configs import kinds
from training.configs.knobs import POLICY
from training.models import Chain, Snapshot, TrainedModel
from training.schedules.plans.settings import PlanSettings
from training.snapshots.contents.filters import Filters

_COMPARISON = gettext_lazy("comparison")


class StepFailed(Exception):
    """A step cannot be done; the text says what to change."""


@dataclass(frozen=True, eq=False)
class Step:
    name: str
    """as links store it"""
    words: Promise
    asks_raters: bool = field(default=False, kw_only=True)
    """a chain that stops on a fallen score leaves it out"""
    fields: tuple[str, ...] = field(default=(), kw_only=True)
    """fields of the schedule's form that only a template with it has"""


@dataclass(frozen=True, eq=False)
class SnapshotStep(Step):
    kind: str
    own_filters: "Callable[[Outputs], Filters] | None" = None
    """None: those of the plan"""
    awaits: "CampaignStep | None" = field(default=None, kw_only=True)
    """the campaign, if the chain has it, whose raters have to finish first"""

    def filters(self, outputs: "Outputs") -> Filters:
        """The chosen campaigns are of the kind that triggers the schedule; the other kind is not
        filtered.
        """
        if self.own_filters:
            return self.own_filters(outputs)
        chosen = Filters.from_json(outputs.plan.filters)
        return chosen if self is outputs.shape.counted else replace(chosen, campaigns=())


@dataclass(frozen=True, eq=False)
class RunStep(Step):
    kind: str
    reads: SnapshotStep | None
    """the step whose snapshot its run reads; None for the schedule's text"""
    starts_from: "Callable[[Outputs], TrainedModel | None]" = lambda _outputs: None
    """None: from the language model that the steps before have left"""
    beside: "Mapping[str, Callable[[Outputs], TrainedModel | None]]" = field(default_factory=dict)
    """the other models that its run takes, by role"""
    own_settings: Callable[[PlanSettings, Mapping[str, Any]], dict[str, object]] = lambda *_: {}
    """what the step sets itself, from the plan and the chosen config"""
    is_done: "Callable[[Outputs], bool]" = lambda _outputs: False
    """whether its run would only repeat an earlier one"""

    def config(self, plan: PlanSettings) -> dict[str, object]:
        """The chosen config for its kind of run, with the step's own settings on top."""
        chosen = plan.configs.get(self.kind, {})
        return chosen | self.own_settings(plan, chosen)


@dataclass(frozen=True, eq=False)
class CampaignStep(Step):
    compares: tuple[RunStep, ...]
    """the steps whose responses raters compare, those that the chain has"""
    shows_candidates: bool = False
    """whether raters see all responses that the model may learn from, and not as many as the plan
    says
    """
    called: Promise = _COMPARISON
    """what the campaign is, in its name, which raters see: nothing there says which model is new"""


class GateStep(Step):
    """Decides whether the new model becomes the current one."""


@dataclass(frozen=True, eq=False)
class RequestStep(Step):
    """Asks admins for a blind comparison of what the runs of these steps have sampled."""

    compares: tuple[RunStep, ...]


@dataclass(frozen=True)
class Template:
    """A sequence of steps. `counted` is the kind of snapshot whose new judgments make a chain
    worthwhile.
    """

    name: Promise
    about: Promise
    steps: tuple[Step, ...]
    counted: SnapshotStep
    always_asks: tuple[Step, ...] = ()
    """steps that always need approval, because raters have to finish first"""

    @property
    def runs(self) -> tuple[RunStep, ...]:
        return tuple(step for step in self.steps if isinstance(step, RunStep))

    @property
    def run_kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.kind for step in self.runs))

    def read_by(self, kind: str) -> tuple[str, ...]:
        """The kinds of snapshot that runs of this kind read in it."""
        reads = (step.reads for step in self.runs if step.kind == kind)
        return tuple({snapshot.kind for snapshot in reads if snapshot is not None})

    @property
    def approvable(self) -> tuple[Step, ...]:
        """Steps that cost GPU time or raters' time."""
        return tuple(step for step in self.steps if not isinstance(step, SnapshotStep))

    @property
    def improving(self) -> tuple[RunStep, ...]:
        """Steps that produce a language model."""
        models = kinds.kinds_leaving(POLICY)
        return tuple(step for step in self.runs if step.kind in models)

    @property
    def has_gate(self) -> bool:
        return any(isinstance(step, GateStep) for step in self.steps)


@dataclass(frozen=True)
class Outputs:
    """What a chain's steps have left so far, and the plan that they follow."""

    chain: Chain
    plan: PlanSettings
    shape: Template

    def has(self, step: Step) -> bool:
        return self.chain.links.filter(step=step.name).exists()

    def model_of(self, step: Step) -> TrainedModel:
        """Raises StepFailed."""
        left = TrainedModel.objects.filter(run__link__chain=self.chain, run__link__step=step.name)
        if model := left.first():
            return model
        raise StepFailed(_("The step “%(step)s” produced no model.") % {"step": step.words})

    def model_before(self, step: Step) -> TrainedModel:
        """The language model left by the steps before this one; at first the chain's base model."""
        before = self.shape.steps[: self.shape.steps.index(step)]
        improving = [earlier for earlier in self.shape.improving if earlier in before]
        return self.model_of(improving[-1]) if improving else self.chain.base_model

    def snapshot_of(self, *steps: Step) -> Snapshot | None:
        """That of the first of these steps that has one."""
        links = self.chain.links.filter(
            step__in=[step.name for step in steps], snapshot__isnull=False
        )
        snapshots = {link.step: link.snapshot for link in links.select_related("snapshot")}
        return next((snapshots[step.name] for step in steps if step.name in snapshots), None)
