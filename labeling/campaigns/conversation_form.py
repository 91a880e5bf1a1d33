"""The part of the form for a new campaign that only conversations have."""

from dataclasses import asdict, fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.campaigns.conversation_plan import ANSWERS, TOKENS, TURNS, Plan, Settings, SourceShare
from labeling.campaigns.forms import SourceChoice
from labeling.models import Campaign, ConversationPlan, Source
from pages.form_parts import offer_rows, segmented, sentence_case

USUAL = Settings()


class ConversationForm(forms.Form):
    """Every model that is chosen is drawn as often as the others."""

    prefix = "talk"
    models = SourceChoice(label=_("Models to talk with"))
    temperature = forms.FloatField(label=_("Temperature"), min_value=0, max_value=2, initial=1)
    n_answers = forms.IntegerField(
        label=_("Answers per turn"),
        min_value=ANSWERS.start,
        max_value=ANSWERS.stop - 1,
        initial=2,
        help_text=_("From 2 to 4. The best one is what the conversation goes on with."),
    )
    draws = forms.ChoiceField(
        label=_("Models are drawn"),
        choices=sentence_case(ConversationPlan.Draw.choices),
        initial=USUAL.draws,
        widget=segmented(),
    )
    opening = forms.ChoiceField(
        label=_("First message"),
        choices=sentence_case(ConversationPlan.Opening.choices),
        initial=USUAL.opening,
    )
    brief = forms.CharField(
        label=_("Brief"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What raters should try to reach. They read it during the conversation."),
    )
    min_turns = forms.IntegerField(
        label=_("Minimum turns"),
        min_value=TURNS.start,
        max_value=TURNS.stop - 1,
        initial=USUAL.min_turns,
    )
    max_turns = forms.IntegerField(
        label=_("Maximum turns"),
        min_value=TURNS.start,
        max_value=TURNS.stop - 1,
        initial=USUAL.max_turns,
    )
    max_new_tokens = forms.IntegerField(
        label=_("Maximum tokens per answer"),
        min_value=TOKENS.start,
        max_value=TOKENS.stop - 1,
        initial=USUAL.max_new_tokens,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        models = Source.objects.filter(kind=Source.Kind.MODEL).order_by("name")
        offer_rows(self.fields["models"], models)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and (problem := self.plan().problem(n_answers=cleaned["n_answers"])):
            self.add_error(None, problem)
        return cleaned

    def plan(self) -> Plan:
        """Of the valid form."""
        values = self.cleaned_data
        shares = [SourceShare(one, temperature=values["temperature"]) for one in values["models"]]
        names = [field.name for field in fields(Settings)]
        return Plan(shares, Settings(**{name: values[name] for name in names if name in values}))


def initial_plan(campaign: Campaign) -> dict[str, Any]:
    """Initial values for a copy of a conversation campaign; empty for other kinds."""
    if campaign.kind != Campaign.Kind.CONVERSATION:
        return {}
    plan = campaign.conversation_plan
    shares = list(plan.sources.all())
    return {name: getattr(plan, name) for name in asdict(USUAL)} | {
        "models": [share.source_id for share in shares],
        "temperature": shares[0].temperature if shares else 1,
        "n_answers": campaign.n_responses,
    }
