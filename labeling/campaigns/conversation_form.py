"""The parts of campaigns' forms that only conversations have: for a new one, and for changes."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.campaigns.conversation_plan import CHANGEABLE, Plan, SourceShare
from labeling.kinds.conversation import ANSWERS, TOKENS, TURNS, TalkSettings
from labeling.models import Campaign, ConversationPlan, Source
from pages.form_parts import offer_rows, segmented, sentence_case

USUAL = TalkSettings()
_PROBLEMS = {
    "min_value": _("%(show_value)s is too low. Enter at least %(limit_value)s."),
    "max_value": _("%(show_value)s is too high. Enter at most %(limit_value)s."),
    "invalid": _("Enter a number."),
}


def _whole(label: Any, of: range, initial: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=of.start,
        max_value=of.stop - 1,
        initial=initial,
        help_text=help_text,
        error_messages=_PROBLEMS,
    )


def _number(label: Any, low: float, high: float, **options: Any) -> forms.FloatField:
    return forms.FloatField(
        label=label, min_value=low, max_value=high, error_messages=_PROBLEMS, **options
    )


def _brief() -> forms.CharField:
    return forms.CharField(
        label=_("Brief"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What raters should try to reach. They read it during the conversation."),
    )


def _min_turns() -> forms.IntegerField:
    help_text = _("A rater can finish after this many rated turns.")
    return _whole(_("Minimum turns"), TURNS, USUAL.min_turns, help_text)


def _max_turns() -> forms.IntegerField:
    help_text = _("After this many turns, all that is left is to finish.")
    return _whole(_("Maximum turns"), TURNS, USUAL.max_turns, help_text)


def _rates_end() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Ask the rating form at the end as well"),
        required=False,
        help_text=_(
            "The guideline's questions are asked for each answer, every turn. At the end they are"
            " asked once more, about the whole conversation."
        ),
    )


@dataclass(frozen=True)
class ModelRow:
    """A model that can be chosen, with its two numbers."""

    choice: Any
    numbers: tuple[forms.BoundField, forms.BoundField]
    """weight and temperature"""


class ConversationForm(forms.Form):
    prefix = "talk"
    models: "forms.ModelMultipleChoiceField[Source]" = forms.ModelMultipleChoiceField(
        Source.objects.none(),
        label=_("Models to talk with"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    temperature = _number(
        _("Temperature"),
        0,
        2,
        initial=1,
        help_text=_("Of every model without a number of its own. 0 always gives the same answer."),
    )
    draws = forms.ChoiceField(
        label=_("Models are drawn"),
        choices=sentence_case(ConversationPlan.Draw.choices),
        initial=USUAL.draws,
        widget=segmented(),
        help_text=_(
            "Once per conversation, a rater talks with the same models throughout. Which side each"
            " is on is drawn again every turn."
        ),
    )
    n_answers = _whole(
        _("Answers per turn"),
        ANSWERS,
        2,
        _(
            "Raters rank them. If you ask for strength of preference, two are compared in eight"
            " steps. The conversation goes on with the best."
        ),
    )
    opening = forms.ChoiceField(
        label=_("First message"),
        choices=sentence_case(ConversationPlan.Opening.choices),
        initial=USUAL.opening,
    )
    brief = _brief()
    min_turns = _min_turns()
    max_turns = _max_turns()
    rates_end = _rates_end()
    max_new_tokens = _whole(
        _("Maximum tokens per answer"),
        TOKENS,
        USUAL.max_new_tokens,
        _("A longer answer is cut off. Raters wait for the slowest one."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        models = Source.objects.filter(kind=Source.Kind.MODEL).order_by("name")
        offer_rows(self.fields["models"], models)
        for model in models:
            self.fields[f"weight-{model.pk}"] = _number(
                _("Weight of %(name)s") % {"name": model.name}, 0.01, 100, required=False
            )
            self.fields[f"temperature-{model.pk}"] = _number(
                _("Temperature of %(name)s") % {"name": model.name}, 0, 2, required=False
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

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and (problem := self.plan().problem()):
            self.add_error(None, problem)
        return cleaned

    def plan(self) -> Plan:
        """Of the valid form."""
        values = self.cleaned_data
        names = [field.name for field in fields(TalkSettings)]
        return Plan(
            [self._share(model) for model in values["models"]],
            TalkSettings(**{name: values[name] for name in names if name in values}),
        )

    def _share(self, model: Source) -> SourceShare:
        weight = self.cleaned_data.get(f"weight-{model.pk}")
        own = self.cleaned_data.get(f"temperature-{model.pk}")
        return SourceShare(
            model,
            weight=1.0 if weight is None else weight,
            temperature=self.cleaned_data["temperature"] if own is None else own,
        )


class PlanChangeForm(forms.Form):
    """What may change while a conversation campaign is running."""

    brief = _brief()
    min_turns = _min_turns()
    max_turns = _max_turns()
    rates_end = _rates_end()


def plan_change_form(campaign: Campaign, posted: Any) -> PlanChangeForm | None:
    """None for other kinds of campaigns."""
    if campaign.kind != Campaign.Kind.CONVERSATION:
        return None
    plan = campaign.conversation_plan
    return PlanChangeForm(posted, initial={name: getattr(plan, name) for name in CHANGEABLE})


def initial_plan(campaign: Campaign) -> dict[str, Any]:
    """Initial values for a copy of a conversation campaign; empty for other kinds."""
    if campaign.kind != Campaign.Kind.CONVERSATION:
        return {}
    plan = campaign.conversation_plan
    shares = list(plan.sources.all())
    own = {f"weight-{share.source_id}": share.weight for share in shares} | {
        f"temperature-{share.source_id}": share.temperature for share in shares
    }
    return (
        own
        | {name: getattr(plan, name) for name in asdict(USUAL)}
        | {
            "models": [share.source_id for share in shares],
            "temperature": shares[0].temperature if shares else 1,
            "n_answers": campaign.n_responses,
        }
    )
