"""The form of a schedule: the steps of its chains, and when they start. Settings of runs come from
presets or earlier runs.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline, Pool
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import NameField, chips, the_only_one
from training.configs import kinds
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.ppo import PpoConfig
from training.configs.sample import SampleConfig
from training.models import Run, Schedule, Snapshot, TrainedModel
from training.processes import launch as processes_launch
from training.registry.selectors import usable_models
from training.runs import run_queue
from training.runs.estimates.plan import launch_misfits
from training.schedules import selectors as schedules_selectors
from training.schedules.forms.cycle_fields import CycleFields, ranked_candidates
from training.schedules.forms.groups import MACHINE, GroupedForm
from training.schedules.forms.when_fields import LIMITS, WhenFields
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import TEMPLATES, Plan
from training.schedules.plans.settings import Ending
from training.schedules.plans.step import CampaignStep, SnapshotStep, Step
from training.snapshots.contents.filters import Judges
from training.snapshots.forms import judges_field
from training.snapshots.selectors import OF_RATERS, campaign_choices, has_judges

NAME_LENGTH = 150
N_RUNS_OFFERED = 10
KEPT = "kept"
BALANCED = "preset:balanced"
_SAMPLING = f"config_{SampleConfig.kind}"
_PLAN = (
    "base_model",
    "goes_on",
    "reward_model",
    "reward_base",
    "ptx_text",
    "ending",
    "on_fall",
    *MACHINE,
    *(name for step in steps.STEPS.values() for name in step.fields),
)


class ScheduleForm(ConflictCheck, WhenFields, CycleFields, GroupedForm):
    """Call plan() and terms() on a valid form."""

    name = NameField(label=_("Name"), max_length=NAME_LENGTH)
    base_model = forms.ModelChoiceField(
        label=_("Starts from"),
        queryset=TrainedModel.objects.none(),
        empty_label=_("Choose a model"),
    )
    goes_on = forms.BooleanField(
        label=_("Later chains continue from the schedule's current model"),
        required=False,
        initial=True,
        help_text=_("The last model that passed the gate; without a gate, the newest."),
    )
    reward_model = forms.ModelChoiceField(
        label=_("Scored by"),
        queryset=TrainedModel.objects.none(),
        required=False,
        empty_label=_("A new reward model, trained on the comparisons"),
        help_text=_(
            "An existing reward model is used as it is; nothing is learned from comparisons."
        ),
    )
    reward_base = forms.ModelChoiceField(
        label=_("Reward model starts from"),
        queryset=TrainedModel.objects.none(),
        required=False,
        empty_label=_("The same"),
    )
    campaigns = forms.TypedMultipleChoiceField(
        label=_("Answers from these campaigns"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Leave empty to include all, also later ones."),
    )
    includes_imports = forms.BooleanField(
        label=_("Include imported answers"), required=False, initial=True
    )
    judges = judges_field()
    text = forms.ModelChoiceField(
        label=_("Text to pretrain on"),
        queryset=Snapshot.objects.none(),
        empty_label=_("Choose a snapshot of text"),
    )
    n_gpus = forms.IntegerField(
        label=_("GPUs per run"),
        min_value=0,
        max_value=64,
        required=False,
        initial=0,
        help_text=_("0: any node."),
    )
    n_processes = forms.IntegerField(
        label=_("Processes"),
        min_value=1,
        max_value=processes_launch.MAX_PROCESSES,
        required=False,
        initial=1,
        help_text=_("For runs that can share their work: one per GPU."),
    )
    strategy = forms.ChoiceField(label=_("Parallelism"), required=False, initial="ddp")
    approvals = forms.MultipleChoiceField(
        label=_("Require approval before"),
        required=False,
        widget=chips(),
        help_text=_("You'll be notified."),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        template: str,
        now: datetime,
        schedule: Schedule | None = None,
        time_zone: str = "UTC",
    ) -> None:
        self.shape, self.template = TEMPLATES[template], template
        self.kept = Plan.from_json(schedule.plan) if schedule else None
        initial = {"time_zone": time_zone} | (
            _initial(schedule, self.kept) if schedule and self.kept else {}
        )
        super().__init__(data, initial=initial)
        self._offer_models()
        self._offer_steps(now)
        for kind in self.shape.run_kinds:
            self.fields[f"config_{kind}"] = self._config_field(kind)

    @classmethod
    def filled(cls, values: Mapping[str, object], *, template: str, **about: Any) -> "ScheduleForm":
        """As if somebody had opened the page and changed these values."""
        shown = cls(template=template, **about)
        data = {bound.name: bound.value() for bound in shown} | dict(values)
        return cls(data, template=template, **about)

    def begin_with(self, asked: QueryDict) -> None:
        """Values of a link to the page, which nobody has sent yet. Name, model and raters are
        proposed.
        """
        proposed = {
            "name": schedules_selectors.free_name(str(self.shape.name)),
            "base_model": usable_models().first(),
            "pool": the_only_one(self.fields.get("pool")),
            "guideline": the_only_one(self.fields.get("guideline")),
        }
        self.begins_with = proposed | {
            name: field.widget.value_from_datadict(asked, MultiValueDict(), name)
            for name, field in self.fields.items()
            if name in asked
        }

    def _offer_models(self) -> None:
        usable = TrainedModel.objects.filter(freed_at=None).exclude(
            stage=TrainedModel.Stage.RETIRED
        )
        models = usable.order_by("-pk")
        of_kind = {
            "base_model": models.filter(kind=TrainedModel.Kind.POLICY),
            "reward_base": models,
            "reward_model": models.filter(kind=TrainedModel.Kind.REWARD),
            "reference_model": models.filter(kind=TrainedModel.Kind.POLICY),
        }
        for name, rows in of_kind.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        ranks = steps.RANKING in self.shape.steps
        if ranks or steps.CANDIDATES not in self.shape.steps:
            del self.fields["reward_model"]
        if ranks or not any("reward_model" in step.beside for step in self.shape.runs):
            del self.fields["reward_base"]
        if not self.shape.improving:
            del self.fields["goes_on"]
        if self.shape.counted == steps.COMPARISONS:
            trained = models.filter(kind=TrainedModel.Kind.REWARD, run__isnull=False)
            self.fields["judge"].queryset = trained  # type: ignore[attr-defined]
        else:
            for name in ("accuracy_drop", "n_fresh_pairs", "judge"):
                del self.fields[name]
            offered = self.fields["trigger"]
            assert isinstance(offered, forms.ChoiceField)
            offered.choices = [
                choice
                for choice in Schedule.Trigger.choices
                if choice[0] != Schedule.Trigger.ACCURACY
            ]

    def _offer_steps(self, now: datetime) -> None:
        fields: dict[str, Any] = self.fields
        if offered := campaign_choices(kind=self.shape.counted.kind, now=now):
            fields["campaigns"].choices = offered
        else:
            del fields["campaigns"]
        fields["approvals"].choices = [
            (step.name, capfirst(str(step.words))) for step in self.shape.approvable
        ]
        if steps.TAUGHT in self.shape.steps:
            fields["n_taught"].label = gettext("Training prompts")
            fields["n_taught"].help_text = gettext(
                "Raters compare the current model's responses to them, and DPO learns from that."
            )
        if not (self._learns_from_raters and has_judges()):
            del fields["judges"]
        brought = {name for step in self.shape.steps for name in step.fields}
        for name in {name for step in steps.STEPS.values() for name in step.fields} - brought:
            del fields[name]
        if not any(kinds.KINDS[kind].mixes_text for kind in self.shape.run_kinds):
            del fields["ptx_text"]
        if not self.shape.has_gate:
            del fields["on_fall"], fields["ending"]
        elif not self._always_opens_campaigns:
            for name in ("pool", "guideline"):
                fields[name].required = False  # see _check_raters
        if steps.RANKING in self.shape.steps:
            fields["n_candidates"] = ranked_candidates()
        texts = Snapshot.objects.filter(kind=Snapshot.Kind.TEXT).order_by("-pk")
        rows = {
            "text": texts,
            "ptx_text": texts,
            "pool": Pool.objects.order_by("name"),
            "guideline": Guideline.objects.order_by("name"),
        }
        for name in rows.keys() & fields.keys():
            fields[name].queryset = rows[name]
        fields["strategy"].choices = [
            (name, gettext(words)) for name, words in processes_launch.STRATEGIES.items()
        ]

    def _config_field(self, kind: str) -> forms.ChoiceField:
        runs = Run.objects.filter(kind=kind, outcome=Run.Outcome.SUCCEEDED).order_by("-pk")[
            :N_RUNS_OFFERED
        ]
        kept = [(KEPT, gettext("As they are"))] if self.kept and kind in self.kept.configs else []
        presets = [
            (f"preset:{name}", name)
            for name, config in kinds.PRESETS[kind].items()
            if not any(
                config.data_problems(snapshot)
                and config.data_problems(snapshot, has_text=self._may_mix_text(kind))
                for snapshot in self.shape.read_by(kind)
            )
        ]
        as_before = [
            (f"run:{run.pk}", gettext("As in run “%(run)s”") % {"run": run}) for run in runs
        ]
        return forms.ChoiceField(
            label=gettext("Settings: %(kind)s") % {"kind": gettext(kinds.KINDS[kind].label)},
            choices=[*kept, *presets, *as_before],
            initial=KEPT if kept else BALANCED,
            required=kind != BenchmarkConfig.kind,
        )

    def _may_mix_text(self, kind: str) -> bool:
        return kinds.KINDS[kind].mixes_text and self.fields["ptx_text"].queryset.exists()  # type: ignore[attr-defined]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Of a chain, as far as the form says."""
        names = ("suites", "reward_model", "trains_watchdog", "ending")
        chosen = {name: self._chosen(name) for name in names if name in self.fields}
        ppo = f"config_{PpoConfig.kind}"
        config = self._config_of(PpoConfig.kind, self._chosen(ppo)) if ppo in self.fields else {}
        values = {name: value for name, value in chosen.items() if value is not None}
        plan = Plan(self.template, base_model=0, configs={PpoConfig.kind: config}, **values)
        return plan.shape.steps

    def _chosen(self, name: str) -> Any:
        """None if it is not valid yet."""
        try:
            return _stored(self.fields[name].clean(self[name].value()))
        except ValidationError:
            return None

    @property
    def _learns_from_raters(self) -> bool:
        """Whether a snapshot of the chain has the judgments of responses that the plan chooses."""
        return any(
            isinstance(step, SnapshotStep) and step.kind in OF_RATERS and not step.own_filters
            for step in self.shape.steps
        )

    @property
    def _always_opens_campaigns(self) -> bool:
        opening = (step for step in self.shape.steps if isinstance(step, CampaignStep))
        return any(step is not steps.CAMPAIGN for step in opening)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        self.check_times(cleaned)
        self._check_raters(cleaned)
        self._check_responses(cleaned)
        self._check_launch(cleaned)
        self._check_candidates()
        self._check_data(cleaned)
        return cleaned

    def plan(self) -> Plan:
        cleaned = self.cleaned_data
        values = {name: _stored(cleaned[name]) for name in _PLAN if name in cleaned}
        for name in (*MACHINE, "ending", "on_fall", "confidence", "n_looks"):
            if not values.get(name):
                values.pop(name, None)  # empty: the plan's default
        judges = cleaned.get("judges") or Judges.NONE
        return Plan(
            **{"goes_on": False, "trains_watchdog": False} | values,
            template=self.template,
            filters={
                "campaigns": cleaned.get("campaigns", []),
                "includes_imports": cleaned["includes_imports"],
            }
            | ({"judges": judges} if judges != Judges.NONE else {}),
            configs={kind: self._config(kind) for kind in self.shape.run_kinds},
            approvals=tuple(cleaned["approvals"]),
        )

    def _config(self, kind: str) -> dict[str, Any]:
        return self._config_of(kind, self.cleaned_data[f"config_{kind}"])

    def _config_of(self, kind: str, chosen: str | None) -> dict[str, Any]:
        chosen = chosen or BALANCED
        source, _colon, name = chosen.partition(":")
        if source == KEPT and self.kept:
            return self.kept.configs[kind]
        if source == "run":
            config: dict[str, object] = Run.objects.get(pk=name).config
            return config
        return kinds.as_json(kinds.PRESETS[kind][name])

    def _check_raters(self, cleaned: dict[str, Any]) -> None:
        """A chain that compares the models itself needs raters, who read a guideline."""
        if "ending" not in cleaned or cleaned["ending"] not in ("", Ending.COMPARE):
            return
        for name in ("pool", "guideline"):
            if name in cleaned and cleaned[name] is None:
                self.add_error(name, self.fields[name].error_messages["required"])

    def _check_responses(self, cleaned: dict[str, Any]) -> None:
        """Raters cannot be shown more responses than the models write."""
        if _SAMPLING not in cleaned or not cleaned.get("n_responses"):
            return
        campaigns = [
            step
            for step in self.shape.steps
            if isinstance(step, CampaignStep)
            and not step.shows_candidates
            and (step is not steps.CAMPAIGN or cleaned.get("ending") in (None, "", Ending.COMPARE))
        ]
        if not campaigns:
            return
        n_models = min(
            sum(compared in self.shape.steps for compared in campaign.compares)
            for campaign in campaigns
        )
        n_each = int(self._config(SampleConfig.kind)["n_responses"])
        if cleaned["n_responses"] > n_models * n_each:
            words = gettext(
                "With these sampling settings, each prompt gets %(n)s responses. Show at most that"
                " many, or change the settings."
            )
            self.add_error("n_responses", words % {"n": n_models * n_each})

    def _check_data(self, cleaned: dict[str, object]) -> None:
        """Settings of an earlier run may need a kind of snapshot that the chain does not make."""
        for kind in self.shape.run_kinds:
            if f"config_{kind}" not in cleaned:
                continue
            config, _wrong = kinds.parse(kind, self._config(kind))
            if config is None:
                continue
            for snapshot in self.shape.read_by(kind):
                has_text = kinds.KINDS[kind].mixes_text and bool(cleaned.get("ptx_text"))
                for sentence in config.data_problems(snapshot, has_text=has_text):
                    self.add_error(f"config_{kind}", gettext(sentence))

    def _check_candidates(self) -> None:
        if self.errors or steps.CANDIDATES not in self.shape.steps:
            return
        _config, wrong = kinds.parse(SampleConfig.kind, steps.CANDIDATES.config(self.plan()))
        for problem in wrong:
            self.add_error(_SAMPLING, problem.sentence)

    def _check_launch(self, cleaned: dict[str, Any]) -> None:
        """Reports now what a run of the chain would be refused for later."""
        if self.errors:
            return
        launch = processes_launch.Launch(
            cleaned.get("n_processes") or 1,
            cleaned.get("strategy") or "ddp",
            n_machines=cleaned.get("n_machines") or 1,
        )
        if problem := run_queue.store_problem(launch):
            self.add_error("n_machines", problem)
        n_gpus, problems = cleaned.get("n_gpus") or 0, dict[str, str]()
        of_kinds = self.shape.run_kinds
        uses_all = any(processes_launch.has_server(launch, kind=kind) for kind in of_kinds)
        for kind in of_kinds:
            config, _wrong = kinds.parse(kind, self._config(kind))
            if config is not None:
                own = processes_launch.of_step(launch, kind=kind)
                n_own = processes_launch.gpus_of_step(n_gpus, own, kind=kind)
                if kinds.KINDS[kind].is_parallel and not uses_all:
                    n_own = n_gpus
                for misfit in launch_misfits(config, own, n_own):
                    problems.setdefault(misfit.sentence_in(gettext), misfit.field)
        for sentence, field in problems.items():
            self.add_error(field if field in self.fields else "strategy", sentence)


def _stored(value: object) -> Any:
    """As a plan has it: ids in place of rows."""
    if isinstance(value, list | tuple | QuerySet):
        return tuple(row.pk for row in value)
    return value.pk if isinstance(value, Model) else value


def _initial(schedule: Schedule, plan: Plan) -> dict[str, object]:
    """Initial values from an existing schedule. Fields its trigger does not use keep the form's
    examples.
    """
    unused = {
        "cron": schedule.cron or "0 3 * * mon",
        "n_new": schedule.n_new or 500,
        "judge": schedule.judge_id,
    }
    unused |= {
        "accuracy_drop": schedule.accuracy_drop or 3,
        "n_fresh_pairs": schedule.n_fresh_pairs or 100,
    }
    fields = ("name", "trigger", "time_zone", *LIMITS)
    return (
        {name: getattr(schedule, name) for name in fields}
        | unused
        | {name: getattr(plan, name) for name in _PLAN}
        | {"suites": list(plan.suites)}
        | {"approvals": list(plan.approvals), "campaigns": plan.filters.get("campaigns", [])}
        | {"includes_imports": plan.filters.get("includes_imports", True)}
        | {"judges": plan.filters.get("judges", Judges.NONE)}
    )
