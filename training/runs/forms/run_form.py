"""The form that starts a run of one kind."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django import forms
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from knobs.fields import Problem
from labeling.models import Prompt
from pages.form_parts import NameField, choose_the_only_one
from training.benchmarks.suites.choices import SuitesField, outline
from training.configs import kinds, roles
from training.configs.knobs import SpotCheckKnobs
from training.models import Run, Snapshot, TrainedModel
from training.processes import launch
from training.processes.launch import Launch
from training.runs import run_queue
from training.runs.estimates import costs
from training.runs.forms.fields import (
    MachinesForm,
    constitution_field,
    knob_field,
    raters_fields,
    role_field,
    snapshot_words,
    text_field,
)
from training.runs.forms.groups import CHOICES, RATERS, GroupedForm
from training.snapshots import selectors as snapshots_selectors
from training.snapshots.forms import tags_in


class RunForm(GroupedForm, MachinesForm):
    """The form for a run of one kind. After `clean()` the complete config is under `config`."""

    name = NameField(label=_("Name"), max_length=200)
    snapshot = forms.ModelChoiceField(
        label=_("Snapshot"), queryset=Snapshot.objects.none(), empty_label=_("Choose")
    )
    base_model = forms.ModelChoiceField(
        label=_("Model"), queryset=TrainedModel.objects.none(), empty_label=_("Choose")
    )
    n_gpus = forms.IntegerField(
        label=_("GPUs"),
        min_value=0,
        max_value=64,
        required=False,
        initial=0,
        help_text=_("0: any node, with or without GPUs."),
    )
    n_processes = forms.IntegerField(
        label=_("Processes"),
        min_value=1,
        max_value=launch.MAX_PROCESSES,
        required=False,
        initial=1,
        help_text=_("Use one per GPU to share the work. The batch size of a step stays the same."),
    )
    strategy = forms.ChoiceField(
        label=_("Parallelism"),
        required=False,
        initial="ddp",
        help_text=_("FSDP is for models that do not fit on one GPU."),
    )
    offloads = forms.BooleanField(
        label=_("Let FSDP use machine memory too"),
        required=False,
        help_text=_("Slower, for larger models."),
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=-100,
        max_value=100,
        required=False,
        initial=0,
        help_text=_("The highest priority runs first."),
    )
    tags = forms.CharField(
        label=_("Tags"),
        max_length=500,
        required=False,
        help_text=_("Separate tags with commas."),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        kind: str,
        initial: dict[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.kind = kind
        self.knobs = kinds.knobs(kind)
        about = kinds.KINDS[kind]
        wanted = run_queue.snapshot_kinds(kind)
        self.fields["snapshot"] = forms.ModelChoiceField(
            label=gettext(about.snapshot_label),
            queryset=Snapshot.objects.filter(kind__in=wanted).order_by("-pk"),
            empty_label=_("Choose a snapshot of %(kind)s") % {"kind": wanted[0].label},
        )
        self.fields["snapshot"].label_from_instance = snapshot_words  # type: ignore[attr-defined]
        if run_queue.reads_suites(kind):
            del self.fields["snapshot"]
            self.fields["suites"] = SuitesField(
                label=gettext(about.snapshot_label), goals_only=about.reads_goals
            )
        if issubclass(about, SpotCheckKnobs):
            self.fields |= raters_fields()
        if about.mixes_text:
            self.fields["ptx_snapshot"] = text_field()
        usable = TrainedModel.objects.exclude(stage=TrainedModel.Stage.RETIRED)
        usable = usable.exclude(run__state__in=(Run.State.QUEUED, Run.State.RUNNING))
        if not about.takes_endpoints:
            usable = usable.filter(endpoint=None)
        models = usable.filter(freed_at=None).order_by("-pk")
        self.fields["base_model"] = forms.ModelChoiceField(
            label=gettext(about.model_label),
            queryset=models.filter(kind__in=about.starts_from),
            empty_label=_("Choose a model"),
        )
        for role in roles.BESIDE:
            if use := about.takes.get(role.name):
                self.fields[role.name] = role_field(role, use, models)
        if about.uses_server:
            self.fields["n_gpus"].help_text = _(
                "0: any node, with or without GPUs. On GPUs beyond one per process, vLLM writes the"
                " responses, if the node has it."
            )
        for name in ("snapshot", *roles.NAMES):
            choose_the_only_one(self.fields.get(name))
        if about.is_parallel:
            offered = self.fields["strategy"]
            assert isinstance(offered, forms.ChoiceField)
            offered.choices = [(name, gettext(words)) for name, words in launch.STRATEGIES.items()]
        else:
            for name in ("n_processes", "n_machines", "strategy", "offloads"):
                del self.fields[name]
        for knob in self.knobs:
            self.fields[knob.name] = knob_field(knob)
        if about.reads_principles:
            # Not self["constitution"], which would keep the field that it was made of.
            chosen = (data if data is not None else self.initial).get("constitution")
            self.fields["constitution"] = constitution_field(chosen)

    @property
    def lacks_held_out(self) -> str:
        """The kind of the chosen snapshot, if such runs are measured before and after and it has
        nothing to measure them on; otherwise "". Call after is_valid().
        """
        snapshot = self.cleaned_data.get("snapshot")
        if snapshot is None or kinds.KINDS[self.kind].best is None:
            return ""
        counts = dict(snapshots_selectors.splits(snapshot=snapshot))
        n_held_out = sum(n for split, n in counts.items() if split != Prompt.Split.TRAIN)
        return "" if n_held_out else str(snapshot.kind)

    @property
    def chosen_snapshot(self) -> Snapshot | None:
        """The chosen one. For suites, perhaps an unsaved one, which does for estimates."""
        if suites := self.cleaned_data.get("suites"):
            return outline(suites=suites)
        chosen: Snapshot | None = self.cleaned_data.get("snapshot")
        return chosen

    @property
    def models(self) -> dict[str, TrainedModel]:
        """The models beside the base model, by role. Call after is_valid()."""
        by_role = {role.name: self.cleaned_data.get(role.name) for role in roles.BESIDE}
        return {name: model for name, model in by_role.items() if model is not None}

    def forecast(self, *, now: datetime) -> costs.Forecast | None:
        """Call after is_valid(), whatever it returned. None if the model, the snapshot or valid
        settings are missing.
        """
        cleaned, snapshot = self.cleaned_data, self.chosen_snapshot
        if snapshot is None or any(cleaned.get(name) is None for name in ("config", "base_model")):
            return None
        config, _problems = kinds.parse(self.kind, cleaned["config"])
        if config is None:
            return None
        return costs.forecast(
            kind=self.kind,
            config=config,
            snapshot=snapshot,
            base_model=cleaned["base_model"],
            models=self.models,
            launch=self._launch(),
            n_gpus=cleaned.get("n_gpus") or 0,
            memory_gb=cleaned.get("memory_gb") or 0,
            now=now,
        )

    def options(self, *, is_dry: bool = False) -> run_queue.RunOptions:
        """Call on a valid form."""
        cleaned = self.cleaned_data
        return run_queue.RunOptions(
            n_gpus=cleaned["n_gpus"] or 0,
            memory_gb=cleaned["memory_gb"] or 0,
            priority=cleaned["priority"] or 0,
            tags=tags_in(cleaned["tags"]),
            is_dry=is_dry,
            launch=self._launch(),
        )

    def _launch(self) -> Launch:
        cleaned = self.cleaned_data
        return Launch(
            cleaned.get("n_processes") or 1,
            cleaned.get("strategy") or "ddp",
            bool(cleaned.get("offloads")),
            cleaned.get("n_machines") or 1,
        )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        raw = {knob.name: cleaned.get(knob.name) for knob in self.knobs}
        config, problems = kinds.parse(self.kind, raw)
        for problem in problems:
            self.add_error(problem.field or None, problem.sentence_in(gettext))
        if config is not None:
            cleaned["config"] = kinds.as_json(config)
        if config is not None and kinds.as_json(config).get("n_spot_checks"):
            for name in RATERS:
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(
                        name, gettext("Spot checks need it. Choose one, or ask 0 times.")
                    )
        return cleaned

    def refuse(self, problems: Sequence[Problem]) -> None:
        """Says each at its field."""
        for problem in problems:
            field = problem.field if problem.field in self.fields else None
            self.add_error(field, problem.sentence_in(gettext))

    @property
    def raters(self) -> run_queue.Raters | None:
        """Call after is_valid()."""
        cleaned = self.cleaned_data
        return run_queue.Raters.of(cleaned.get("spot_pool"), cleaned.get("spot_guideline"))


def proposed_name(
    *, kind: str, snapshot: Snapshot | None, model: TrainedModel | None = None, today: date
) -> str:
    """“SFT on Demonstrations of November, 27 Nov”; “Benchmark of SmolLM2, 27 Nov”."""
    named = {
        "kind": capfirst(gettext(kinds.KINDS[kind].label)),
        "snapshot": snapshot.name[:120] if snapshot else "",
        "model": model.name[:120] if model else "",
        "date": date_format(today, "j M"),
    }
    if model is not None:
        return gettext("%(kind)s of %(model)s, %(date)s") % named
    if snapshot is None:
        return gettext("%(kind)s, %(date)s") % named
    return gettext("%(kind)s on %(snapshot)s, %(date)s") % named


def preset_values(kind: str, preset: str) -> dict[str, object]:
    """A form's initial values for the settings of `preset`."""
    return kinds.as_json(kinds.PRESETS[kind][preset])


def with_preset(data: QueryDict, kind: str, preset: str) -> dict[str, object]:
    """Combines the preset's settings with the other fields as typed."""
    typed = {name: data.get(name, "") for name in CHOICES} | {"suites": data.getlist("suites")}
    chosen = {name: data[name] for name in ("constitution",) if name in data}
    return typed | preset_values(kind, preset) | chosen
