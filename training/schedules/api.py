"""Schedules and chains in the REST API. The fields and rules of a schedule are those of its page's
form.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Flag, Id, Name
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, writes
from pages.form_parts import NameField
from training import access as training_access
from training.models import Chain, Link, Schedule
from training.processes import launch
from training.schedules import chains
from training.schedules import selectors as schedules_selectors
from training.schedules import services as schedules_services
from training.schedules.forms.schedule import ScheduleForm
from training.schedules.gate import promotion
from training.schedules.plans import chain_plans
from training.schedules.plans.steps import STEPS
from training.snapshots.contents.filters import Judges

_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
_CHOICES: Mapping[str, Sequence[object]] = {
    "trigger": Schedule.Trigger.choices,
    "strategy": list(launch.STRATEGIES),
    "judges": Judges.choices,
}
_CONFIG = "config_"


class ScheduleSerializer(RowSerializer):
    """A schedule."""

    quiet_from = serializers.CharField(allow_null=True, help_text="In the schedule's time zone.")
    quiet_until = serializers.CharField(allow_null=True)

    class Meta:
        model = Schedule
        fields = [
            "id", "name", "trigger", "cron", "time_zone", "n_new", "accuracy_drop", "n_fresh_pairs",
            "judge", "skips_nothing_new", "min_interval_h", "max_runs_a_week", "quiet_from",
            "quiet_until", "plan", "paused_at", "due_at", "last_ran_at", "n_firings", "created_at",
        ]  # fmt: skip
        help_texts = {
            "cron": (
                "For `clock` and `accuracy`: minute, hour, day of month, month, day of week."
                " Otherwise empty."
            ),
            "n_new": "For `data`: new judgments needed since the last run.",
            "accuracy_drop": "For `accuracy`: the drop, in percentage points.",
            "n_fresh_pairs": "For `accuracy`: new pairs needed to measure.",
            "judge": "For `accuracy`: the first reward model to measure.",
            "max_runs_a_week": "Null for no limit.",
            "plan": "Template, models, data, and the full config of each kind of run.",
            "due_at": "For `clock`: when it runs next.",
        }


class ScheduleChangeSerializer(serializers.Serializer[object]):
    """The fields of the page's form. Omitted fields keep their value; each template has the fields
    its page shows.
    """

    settings = serializers.DictField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text=(
            "By kind of run: `preset:balanced`, `run:12` for the settings of an earlier run, or"
            " `kept` for the current ones."
        ),
    )

    def get_fields(self) -> dict[str, Any]:
        offered = {name: _field(name, field) for name, field in ScheduleForm.base_fields.items()}
        return offered | super().get_fields()


class NewScheduleSerializer(ScheduleChangeSerializer):
    """The fields of the page's form. Omitted fields take the form's initial value."""

    template = serializers.ChoiceField(
        choices=list(chain_plans.TEMPLATES), help_text="The kind of chain it starts."
    )


class LinkSerializer(RowSerializer):
    """One step of a chain and what it produced: a snapshot, a run or a campaign."""

    step = serializers.ChoiceField(choices=list(STEPS))
    approved_by = serializers.CharField(allow_null=True)

    class Meta:
        model = Link
        fields = [
            "step", "state", "needs_approval", "approved_by", "approved_at", "snapshot", "run",
            "campaign", "model", "verdict", "looks", "began_at", "ended_at",
        ]  # fmt: skip
        sources = {"began_at": "claimed_at"}
        help_texts = {
            "model": "For `gate`: the model it decides about.",
            "verdict": (
                "For `gate`, once decided: `outcome` (`passed`, `failed`, `undecided`, or `waits`"
                " for a person), `sentence`, `checks` with each figure, its interval and its bar,"
                " `about`, whom the win rate's interval is about: `raters_like_these`, or"
                " `these_raters` if they are too few, and `confidence`, that of each of its ends,"
                " in percent."
            ),
            "looks": (
                "For `gate`: each time it looked at the votes, `value` with its interval from `n`"
                " votes, `error`, how often each end misses, what it decided (`more`: it asked for"
                " more votes), and how many test prompts it opened."
            ),
        }


class ChainSerializer(RowSerializer):
    """One pass through a schedule's plan."""

    why = serializers.CharField(source="firing.sentence", help_text="Why it started.")
    links = LinkSerializer(many=True, help_text="The steps in order.")

    class Meta:
        model = Chain
        fields = [
            "id", "schedule", "number", "state", "error", "why", "base_model", "plan", "started_at",
            "ended_at", "links",
        ]  # fmt: skip
        help_texts = {
            "number": "The number of the firing that started it.",
            "error": "What went wrong, as a sentence.",
            "plan": "The schedule's plan when the chain started.",
        }


class ChainQuery(PageQuery):
    schedule = Id(required=False)
    state = serializers.ChoiceField(required=False, choices=Chain.State.choices)


class ChainDecisionSerializer(serializers.Serializer[object]):
    promotes = Flag(help_text="Whether the new model becomes the schedule's current model.")


class ChainResumptionSerializer(serializers.Serializer[object]):
    anew = Flag(
        default=False,
        help_text=(
            "Start the step from scratch, even if its stopped run saved a model to continue from."
        ),
    )


def valid_form(
    values: Mapping[str, Any],
    *,
    template: str,
    schedule: Schedule | None = None,
    time_zone: str = "UTC",
) -> ScheduleForm:
    """The page's form filled with these values, validated. Raises ValidationError."""
    shown = ScheduleForm(
        template=template, now=timezone.now(), schedule=schedule, time_zone=time_zone
    )
    sent = {name: value for name, value in values.items() if name not in ("template", "settings")}
    sent |= {f"{_CONFIG}{kind}": value for kind, value in values.get("settings", {}).items()}
    if odd := [name for name, value in sent.items() if value and name not in shown.fields]:
        raise ValidationError(
            {
                _body_name(name): [_("This kind of schedule has no such setting. Remove it.")]
                for name in odd
            }
        )
    form = ScheduleForm.filled(
        sent, template=template, now=timezone.now(), schedule=schedule, time_zone=time_zone
    )
    if not form.is_valid():
        raise ValidationError(
            {
                _body_name(name): [str(sentence) for sentence in sentences]
                for name, sentences in form.errors.items()
            }
        )
    return form


def _body_name(name: str) -> str:
    """A form field's name in the request body."""
    return name.replace(_CONFIG, "settings.", 1) if name.startswith(_CONFIG) else name


def _field(name: str, field: forms.Field) -> serializers.Field[Any, Any, Any, Any]:
    """The serializer field for a form field. It checks the type; the form validates the value."""
    about: dict[str, Any] = {"required": False, "help_text": _words(field)}
    if isinstance(field, forms.BooleanField):
        return Flag(**about)
    about["allow_null"] = not field.required
    if isinstance(field, forms.TypedMultipleChoiceField | forms.ModelMultipleChoiceField):
        return serializers.ListField(child=Id(), max_length=1000, **about)
    if isinstance(field, forms.ModelChoiceField):
        return Id(**about)
    if isinstance(field, forms.IntegerField):  # a FloatField is one as well
        about |= {"min_value": field.min_value, "max_value": field.max_value}
        return (
            serializers.FloatField(**about)
            if isinstance(field, forms.FloatField)
            else serializers.IntegerField(**about)
        )
    if isinstance(field, forms.MultipleChoiceField):
        return serializers.ListField(
            child=serializers.CharField(max_length=32), max_length=len(STEPS), **about
        )
    if isinstance(field, forms.TimeField):
        return serializers.RegexField(
            _TIME,
            error_messages={"invalid": gettext_lazy("Write the time as HH:MM, for example 22:00.")},
            **about,
        )
    if name in _CHOICES:
        return serializers.ChoiceField(choices=_CHOICES[name], **about)
    if isinstance(field, NameField):
        return Name(max_length=field.max_length, **about)
    return serializers.CharField(
        max_length=getattr(field, "max_length", None) or 64, allow_blank=not field.required, **about
    )


def _words(field: forms.Field) -> object:
    return format_lazy("{}. {}", field.label, field.help_text) if field.help_text else field.label


@described(
    list_schedules="Schedules, newest first.",
    read_schedule="One schedule: its plan and when it runs next.",
)
class Schedules(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Schedule.objects.all()
    serializer_class = ScheduleSerializer

    def get_object(self) -> Schedule:
        return training_access.schedule(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "create_schedule",
        ScheduleSerializer,
        body=NewScheduleSerializer,
        status=201,
    )
    def create(self, *, template: str, **values: object) -> Schedule:
        """Create a schedule, by the same rules as its page. It starts as its trigger says."""
        form = valid_form(values, template=template, time_zone=self.by.time_zone)
        return schedules_services.create_schedule(**_terms(form), **self.who_and_when)

    @writes(
        "update_schedule",
        ScheduleSerializer,
        body=ScheduleChangeSerializer,
        is_one=True,
    )
    def partial_update(self, schedule: Schedule, **values: object) -> None:
        """Change it. Omitted fields keep their value, and chains that have started do
        not change.
        """
        _change(schedule, values, **self.who_and_when)

    @does("change_schedule", ScheduleSerializer, body=ScheduleChangeSerializer)
    def change(self, schedule: Schedule, **values: object) -> None:
        """The same as the PATCH."""
        _change(schedule, values, **self.who_and_when)

    @does("pause_schedule", ScheduleSerializer)
    def pause(self, schedule: Schedule) -> None:
        """Nothing fires automatically until it is resumed. Changes nothing if it is
        already paused.
        """
        schedules_services.pause_schedule(schedule=schedule, **self.who_and_when)

    @does("resume_schedule", ScheduleSerializer)
    def resume(self, schedule: Schedule) -> None:
        """Resume the schedule. It next runs at its next time; missed times are skipped."""
        schedules_services.resume_schedule(schedule=schedule, **self.who_and_when)

    @does("fire_schedule", ScheduleSerializer)
    def fire(self, schedule: Schedule) -> None:
        """Start a chain now, unless one is open."""
        schedules_services.fire_now(schedule=schedule, **self.who_and_when)


@described(
    list_chains="Chains, newest first, with the steps of each.",
    read_chain="One chain: its progress and what each step produced.",
)
class Chains(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Chain.objects.all()
    serializer_class = ChainSerializer
    query_class = ChainQuery

    def filter_queryset(self, queryset: object) -> QuerySet[Chain, Any]:
        return schedules_selectors.chains_with_links(
            schedule_id=self.asked.get("schedule"), state=self.asked.get("state", "")
        )

    def get_object(self) -> Chain:
        chain = training_access.chain(user=self.by, pk=self.kwargs["pk"])
        return schedules_selectors.chains_with_links().get(pk=chain.pk)

    @does("approve_chain", ChainSerializer)
    def approve(self, chain: Chain) -> None:
        """Approve the pending step. 409 if no step is pending."""
        if not chains.approve_link(chain=chain, **self.who_and_when):
            raise Unable(_("No step is waiting for approval."))

    @does("decide_chain", ChainSerializer, body=ChainDecisionSerializer)
    def decide(self, chain: Chain, *, promotes: bool) -> None:
        """Decide whether the new model becomes the schedule's current model. 409 if no gate is
        open.
        """
        if not promotion.decide(chain=chain, promotes=promotes, **self.who_and_when):
            raise Unable(_("No model is waiting for a decision."))

    @does("resume_chain", ChainSerializer, body=ChainResumptionSerializer)
    def resume(self, chain: Chain, *, anew: bool) -> None:
        """Resume at the failed step; results of earlier steps are kept."""
        chains.resume_chain(chain=chain, anew=anew, **self.who_and_when)

    @does("stop_chain", ChainSerializer)
    def stop(self, chain: Chain) -> None:
        """End a chain for good; its current run saves and stops. Changes nothing if it has already
        ended.
        """
        chains.stop_chain(chain=chain, **self.who_and_when)


def _terms(form: ScheduleForm) -> dict[str, Any]:
    return {"name": form.cleaned_data["name"], "plan": form.plan(), "terms": form.terms()}


def _change(schedule: Schedule, values: Mapping[str, object], **who_and_when: Any) -> None:
    form = valid_form(values, template=schedule.plan["template"], schedule=schedule)
    schedules_services.change_schedule(schedule=schedule, **_terms(form), **who_and_when)
