"""The parts of campaigns' forms that only conversations have: for a new one, and for changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.forms.boundfield import BoundWidget
from django.http import QueryDict
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from knobs.fields import Knob, knobs_of
from labeling.campaigns import selection
from labeling.campaigns.conversation_plan import CHANGEABLE, Plan, SourceShare
from labeling.campaigns.source_choice import SourceChoice
from labeling.kinds.conversation import ConversationSettings, TalkSettings
from labeling.models import Campaign, Source
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import offer_rows, segmented, sentence_case

KNOBS = {knob.name: knob for knob in knobs_of(TalkSettings)}
N_ANSWERS = next(knob for knob in ConversationSettings.knobs() if knob.name == "n_responses")
_PROBLEMS = {
    "min_value": _("%(show_value)s is too low. Enter at least %(limit_value)s."),
    "max_value": _("%(show_value)s is too high. Enter at most %(limit_value)s."),
    "invalid": _("Enter a number."),
}


def _field(knob: Knob, **more: object) -> forms.Field:
    """The field of a setting of the talk."""
    options: dict[str, Any] = {
        "label": gettext_lazy(knob.label),
        "initial": knob.default,
        "help_text": gettext_lazy(knob.help) if knob.help else "",
        **more,
    }
    if knob.type is bool:
        return forms.BooleanField(required=False, **options)
    if knob.type is str:
        options |= {"max_length": knob.max, "widget": forms.Textarea(attrs={"rows": 3})}
        return forms.CharField(required=False, **options)
    if issubclass(knob.type, TextChoices):
        return forms.ChoiceField(choices=sentence_case(knob.type.choices), **options)
    options |= {"min_value": knob.min, "max_value": knob.max, "error_messages": _PROBLEMS}
    return forms.IntegerField(**options)


def _number(label: Any, low: float, high: float, **options: Any) -> forms.FloatField:
    return forms.FloatField(
        label=label, min_value=low, max_value=high, error_messages=_PROBLEMS, **options
    )


@dataclass(frozen=True)
class ModelRow:
    """A model that can be chosen, with its two numbers."""

    choice: BoundWidget
    numbers: tuple[forms.BoundField, forms.BoundField]
    """weight and temperature"""


class ConversationForm(forms.Form):
    prefix = "talk"
    models = SourceChoice(label=_("Models to talk with"), widget=forms.CheckboxSelectMultiple)
    temperature = _number(
        _("Temperature"),
        0,
        2,
        initial=1,
        help_text=_(
            "Used for models without their own temperature. At 0, answers are always the same."
        ),
    )
    draws = _field(KNOBS["draws"], widget=segmented())
    n_answers = _field(N_ANSWERS, initial=2)
    opening = _field(KNOBS["opening"])
    brief = _field(KNOBS["brief"])
    min_turns = _field(KNOBS["min_turns"])
    max_turns = _field(KNOBS["max_turns"])
    rates_end = _field(KNOBS["rates_end"])
    max_new_tokens = _field(KNOBS["max_new_tokens"])

    def __init__(
        self, data: QueryDict | None = None, *, initial: dict[str, object] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        models = selection.by_name(Source.objects.filter(kind=Source.Kind.MODEL))
        offer_rows(self.fields["models"], models)
        for model in models:
            self.fields[f"weight-{model.pk}"] = _number(
                _("Weight of %(name)s") % {"name": model.known_as}, 0.01, 100, required=False
            )
            self.fields[f"temperature-{model.pk}"] = _number(
                _("Temperature of %(name)s") % {"name": model.known_as}, 0, 2, required=False
            )
            for name in ("weight", "temperature"):
                self.fields[f"{name}-{model.pk}"].widget.attrs["step"] = "any"

    def model_rows(self) -> list[ModelRow]:
        choices = [(choice, choice.data["value"]) for choice in self["models"]]
        return [
            ModelRow(choice, (self[f"weight-{pk}"], self[f"temperature-{pk}"]))
            for choice, pk in choices
        ]

    def further_fields(self) -> Iterator[forms.BoundField]:
        """All but the models and their numbers."""
        names = self.fields.keys() & self.base_fields.keys() - {"models"}
        return (self[name] for name in self.base_fields if name in names)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if not self.errors and (problem := self.plan().problem()):
            self.add_error(None, problem)
        return cleaned

    def plan(self) -> Plan:
        """Of the valid form."""
        values = self.cleaned_data
        return Plan(
            [self._share(model) for model in values["models"]],
            TalkSettings(**{name: values[name] for name in KNOBS if name in values}),
        )

    def _share(self, model: Source) -> SourceShare:
        weight = self.cleaned_data.get(f"weight-{model.pk}")
        own = self.cleaned_data.get(f"temperature-{model.pk}")
        return SourceShare(
            model,
            weight=1.0 if weight is None else weight,
            temperature=self.cleaned_data["temperature"] if own is None else own,
        )


class PlanChangeForm(ConflictCheck, forms.Form):
    """What may change while a conversation campaign is running."""

    def __init__(
        self, data: QueryDict | None = None, *, initial: dict[str, object] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields |= {name: _field(KNOBS[name]) for name in CHANGEABLE}


def plan_change_form(campaign: Campaign, posted: QueryDict | None) -> PlanChangeForm | None:
    """None for other kinds of campaigns."""
    if not campaign.about.talks:
        return None
    plan = campaign.conversation_plan
    return PlanChangeForm(posted, initial={name: getattr(plan, name) for name in CHANGEABLE})


def initial_plan(campaign: Campaign) -> dict[str, object]:
    """Initial values for a copy of a conversation campaign; empty for other kinds."""
    if not campaign.about.talks:
        return {}
    plan = campaign.conversation_plan
    shares = list(plan.sources.all())
    own = {f"weight-{share.source_id}": share.weight for share in shares} | {
        f"temperature-{share.source_id}": share.temperature for share in shares
    }
    return (
        own
        | {name: getattr(plan, name) for name in KNOBS}
        | {
            "models": [share.source_id for share in shares],
            "temperature": shares[0].temperature if shares else 1,
            "n_answers": campaign.n_responses,
        }
    )
