"""Runs as JSON, and what queues one."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import Flag, Name, OneOf
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from labeling.models import Guideline, Pool
from training.configs import kinds, roles
from training.models import Run, Snapshot, TrainedModel, kind_choices
from training.processes import launch as processes_launch
from training.processes.launch import Launch
from training.runs.api import run_data
from training.runs.api.run_data import SuitesField
from training.runs.estimates.costs import Forecast, Pace
from training.runs.run_queue import RunOptions
from training.runs.selectors import RunFilter

T = TypeVar("T")
MAX_STEP = 2_147_483_647
MAX_SMALL = 32_767


class KindField(serializers.ChoiceField):
    """A registered kind of run."""

    def __init__(self, **about: Any) -> None:
        super().__init__(choices=kind_choices(), **about)


def _after(name: str, fields: Mapping[str, T], more: Mapping[str, T]) -> dict[str, T]:
    """Inserts `more` after the field `name`."""
    place = list(fields).index(name) + 1
    return dict([*list(fields.items())[:place], *more.items(), *list(fields.items())[place:]])


_PTX = "PPO only: the snapshot of text that PPO-ptx mixes in."


class RunSerializer(RowSerializer):
    kind = KindField()
    outcome = serializers.ChoiceField(
        choices=Run.Outcome.choices, allow_blank=True, help_text="Empty until the run has ended."
    )
    made_as = serializers.ChoiceField(choices=Run.MadeAs.choices, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    model = serializers.IntegerField(
        source="trained_model.pk", allow_null=True, help_text="The model it produced."
    )
    is_pinned = serializers.SerializerMethodField()
    is_freed = serializers.SerializerMethodField()
    notes = serializers.ListField(child=serializers.CharField())
    is_stop_requested = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            "id", "name", "kind", "state", "outcome", "error", "config", "snapshot", "ptx_snapshot",
            "base_model", "made_from", "made_as", "is_dry", "priority", "tags", "remarks",
            "kept_step", "model", "attempt", "node", "n_gpus", "memory_gb", "launch", "is_pinned",
            "is_freed", "step", "n_steps", "metrics", "versions", "notes", "is_stop_requested",
            "created_at", "started_at", "heartbeat_at", "progress_at", "finished_at",
        ]  # fmt: skip
        help_texts = {
            "error": "What went wrong, as a sentence.",
            "ptx_snapshot": _PTX,
            "made_from": "The run it is a copy or an extension of.",
            "is_dry": "A dry run: two steps, no model.",
            "priority": "The highest runs first.",
            "kept_step": "The step of the saved state it can be extended from.",
            "n_gpus": "GPUs needed. Only a node with this many takes the run.",
            "memory_gb": "Memory needed on each GPU, or on the machine if no GPU is requested.",
            "launch": "`n_processes` and how they share the work. Empty for a single process.",
            "n_steps": "0 until known.",
        }

    def get_fields(self) -> dict[str, Any]:
        beside = {
            role.name: serializers.IntegerField(
                source=f"{role.name}_id", allow_null=True, help_text=role.about
            )
            for role in roles.BESIDE
        }
        return _after(roles.BASE, super().get_fields(), beside)

    def get_is_pinned(self, run: Run) -> bool:
        return run.pinned_at is not None

    def get_is_freed(self, run: Run) -> bool:
        return run.freed_at is not None

    def get_is_stop_requested(self, run: Run) -> bool:
        return run.stop_requested_at is not None


class RunQuery(PageQuery):
    kind = KindField(required=False)
    state = serializers.ChoiceField(
        required=False,
        choices=[*Run.State.choices, *Run.Outcome.choices],
        help_text="A state or an outcome.",
    )
    words = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Words in the name of the run, model or snapshot.",
    )

    @staticmethod
    def narrowed(values: Mapping[str, str]) -> RunFilter:
        return RunFilter(
            kind=values.get("kind", ""),
            state=values.get("state", ""),
            words=values.get("words", ""),
        )


class NewRunSerializer(serializers.Serializer[object]):
    kind = KindField()
    name = Name(max_length=200)
    snapshot = OneOf(
        Snapshot.objects.all(), required=False, help_text="Required, except with `suites`."
    )
    suites = SuitesField(
        required=False,
        help_text=(
            "Benchmarks only, in place of a snapshot: ids of suites, or their slugs for the newest"
            " version."
        ),
    )
    ptx_snapshot = OneOf(Snapshot.objects.all(), required=False, allow_null=True, help_text=_PTX)
    spot_pool = OneOf(
        Pool.objects.all(),
        required=False,
        allow_null=True,
        help_text="Raters of the spot checks; required where `n_spot_checks` is above 0.",
    )
    spot_guideline = OneOf(
        Guideline.objects.all(),
        required=False,
        allow_null=True,
        help_text="Guideline of the spot checks; required with `spot_pool`.",
    )
    base_model = OneOf(TrainedModel.objects.all())
    preset = serializers.ChoiceField(
        required=False,
        choices=["small", "balanced", "thorough"],
        help_text="Settings to start from.",
    )
    n_gpus = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=1024,
        help_text="GPUs needed. Only a node with this many takes the run.",
    )
    memory_gb = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=MAX_SMALL,
        help_text="Memory needed on each GPU, or on the machine if no GPU is requested.",
    )
    priority = serializers.IntegerField(
        default=0, min_value=-100, max_value=100, help_text="The highest runs first."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), default=list, max_length=12
    )
    remarks = serializers.CharField(default="", allow_blank=True, max_length=5000)
    n_processes = serializers.IntegerField(
        default=1,
        min_value=1,
        max_value=processes_launch.MAX_PROCESSES,
        help_text="Processes that share the work, each with its own GPU if any are requested.",
    )
    n_machines = serializers.IntegerField(
        default=1,
        min_value=1,
        max_value=processes_launch.MAX_MACHINES,
        help_text="Each with the same number of processes and GPUs, and the same memory.",
    )
    strategy = serializers.ChoiceField(
        choices=list(processes_launch.STRATEGIES),
        default="ddp",
        help_text="How the processes share the work.",
    )
    offloads = Flag(default=False, help_text="FSDP: also use the machine's memory.")
    is_dry = Flag(default=False, help_text="Load everything, run two steps, save no model.")
    config = serializers.DictField(
        required=False, help_text="Settings that differ from the preset, or from the defaults."
    )

    def get_fields(self) -> dict[str, Any]:
        beside = {
            role.name: OneOf(
                TrainedModel.objects.all(), required=False, allow_null=True, help_text=role.about
            )
            for role in roles.BESIDE
        }
        return _after(roles.BASE, super().get_fields(), beside)

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        run_data.check(values)
        _config, problems = kinds.parse(values["kind"], self.config_of(values))
        if problems:
            raise ValidationError(
                {
                    "config": {
                        problem.field or "all": [problem.sentence_in(gettext)]
                        for problem in problems
                    }
                }
            )
        return values

    @staticmethod
    def models_of(values: dict[str, Any]) -> dict[str, TrainedModel]:
        """The models besides the base model, by role."""
        models = {role.name: values.get(role.name) for role in roles.BESIDE}
        return {name: model for name, model in models.items() if model is not None}

    @staticmethod
    def options_of(values: dict[str, Any]) -> RunOptions:
        asked = {
            name: values[name] for name in ("n_gpus", "memory_gb", "priority", "remarks", "is_dry")
        }
        return RunOptions(
            **asked, tags=tuple(values["tags"]), launch=NewRunSerializer.launch_of(values)
        )

    @staticmethod
    def launch_of(values: dict[str, Any]) -> Launch:
        return Launch(
            values["n_processes"], values["strategy"], values["offloads"], values["n_machines"]
        )

    @staticmethod
    def config_of(values: dict[str, Any]) -> dict[str, object]:
        """The preset, overridden by the config that was sent."""
        preset = values.get("preset")
        usual = kinds.as_json(kinds.PRESETS[values["kind"]][preset]) if preset else {}
        changes: dict[str, object] = values.get("config", {})
        return usual | changes


class RunChangeSerializer(serializers.Serializer[object]):
    """Omitted fields keep their value."""

    name = Name(required=False, max_length=200)
    tags = serializers.ListField(
        required=False, child=serializers.CharField(max_length=40), max_length=12
    )
    remarks = serializers.CharField(required=False, allow_blank=True, max_length=5000)


class RunToEstimateSerializer(NewRunSerializer):
    name = Name(max_length=200, default="", allow_blank=True)


class PaceSerializer(serializers.Serializer[Pace]):
    device = serializers.CharField()
    seconds = serializers.FloatField()
    n_runs = serializers.IntegerField(help_text="Number of past runs this is based on.")
    n_processes = serializers.IntegerField(
        help_text="Processes of each of those runs, on all machines."
    )
    is_as_wide = serializers.BooleanField(
        help_text=("Whether those runs had as many processes and machines as this one requests.")
    )


class EstimateSerializer(serializers.Serializer[Mapping[str, object]]):
    """Null if the model's config is unknown."""

    n_steps = serializers.IntegerField()
    n_tokens = serializers.IntegerField()
    n_parameters = serializers.IntegerField(allow_null=True)
    n_trained = serializers.IntegerField(allow_null=True)
    memory_gb = serializers.FloatField(
        allow_null=True, help_text="On each GPU, with the full models on each."
    )
    disk_gb = serializers.FloatField(allow_null=True)
    plan = serializers.CharField(
        help_text="What each GPU and the machine would hold, or why that is not known."
    )
    refusals = serializers.ListField(
        child=serializers.CharField(), help_text="Why the run would not be queued."
    )
    times = PaceSerializer(many=True)

    @staticmethod
    def from_forecast(forecast: Forecast) -> dict[str, object]:
        planned = {"plan": forecast.planned.summary, "refusals": forecast.planned.sentences}
        return forecast.cost.as_json() | planned | {"times": forecast.paces}


class ExtensionSerializer(serializers.Serializer[object]):
    amount = serializers.IntegerField(
        min_value=1, max_value=MAX_STEP, help_text="Total number of epochs, steps or episodes."
    )
    name = Name(max_length=200, required=False, allow_blank=True)


class MoveSerializer(serializers.Serializer[object]):
    places = serializers.IntegerField(
        min_value=-1000,
        max_value=1000,
        help_text="Number of places to move. Negative is towards the front.",
    )


class PrioritySerializer(serializers.Serializer[object]):
    priority = serializers.IntegerField(min_value=-100, max_value=100)
