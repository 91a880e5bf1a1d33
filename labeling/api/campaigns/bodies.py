"""What a call sends to create a campaign or to change one."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import MAX_ID, Flag, Name, OneOf
from labeling.campaigns.conversation_plan import Plan, SourceShare
from labeling.campaigns.selection import Selection
from labeling.kinds import registry
from labeling.kinds.comparison import RESPONSES
from labeling.kinds.conversation import ANSWERS, TOKENS, TURNS, TalkSettings
from labeling.models import (
    Campaign,
    ConversationPlan,
    Guideline,
    Pool,
    Prompt,
    Source,
)
from labeling.queue.gold.services import SETTINGS as GOLD_SETTINGS

SMALL = 32_767
"""The largest value of a small integer column."""
OF_COMPARISONS = frozenset(
    {"asks_strength", "asks_reason", "max_overlap", "confidence", "repeat_percent"}
    | {name for name in GOLD_SETTINGS if name.startswith("gold_")}
)
OF_DEMONSTRATIONS = frozenset({"asks_dialogue", "min_words", "max_words"})
OF_CONVERSATIONS = frozenset({"conversation"})


def _ids(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        default=list,
        max_length=1000,
        **options,
    )


def _number(low: int, high: int, help_text: str = "", **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=low, max_value=high, required=False, help_text=help_text, **options
    )


class SelectionSerializer(serializers.Serializer[Any]):
    """Which prompts a new campaign uses. An empty field does not restrict them."""

    categories = serializers.MultipleChoiceField(choices=Prompt.Category.choices, required=False)
    splits = serializers.MultipleChoiceField(choices=Prompt.Split.choices, required=False)
    languages = serializers.ListField(
        child=serializers.CharField(max_length=8), required=False, max_length=100
    )
    sources = _ids(help_text="IDs of the sources of the prompts.")
    response_sources = _ids(help_text="IDs of the sources of the responses. Comparisons only.")
    is_unused = Flag(
        default=True, help_text="Only prompts that are in no other campaign of this kind."
    )
    is_unjudged = Flag(default=False, help_text="Only prompts without answers of this kind.")
    n_prompts = _number(1, 1_000_000, "Maximum number, sampled evenly. Omit it to include all.")


class SelectedSerializer(serializers.Serializer[Any]):
    """A selection of prompts for a kind of campaign."""

    kind = serializers.ChoiceField(choices=Campaign.Kind.choices)
    n_responses = _number(
        RESPONSES.start,
        RESPONSES.stop - 1,
        "Required for comparisons and, from 2 to 4 answers a turn, for conversations; ignored"
        " otherwise.",
    )
    prompts = SelectionSerializer(required=False)


class ConversationModelSerializer(serializers.Serializer[Any]):
    """A model that may answer."""

    source = OneOf(  # type: ignore[assignment]  # shadows Field.source
        Source.objects.filter(kind=Source.Kind.MODEL), help_text="The ID of a model's source."
    )
    weight = serializers.FloatField(
        default=1.0, min_value=0.01, max_value=100, help_text="How often it is drawn."
    )
    temperature = serializers.FloatField(default=1.0, min_value=0, max_value=2)


class _PlanChangeSerializer(serializers.Serializer[Any]):
    """What may change while the campaign is running."""

    brief = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2_000,
        help_text="What raters should try to reach.",
    )
    min_turns = _number(TURNS.start, TURNS.stop - 1, "Turns to rate before it can be finished.")
    max_turns = _number(TURNS.start, TURNS.stop - 1)
    rates_end = Flag(
        required=False,
        help_text="Ask the guideline's questions about the whole conversation at the end, too.",
    )


class ConversationPlanChangeSerializer(_PlanChangeSerializer):
    """Applies to open conversations too. Omitted fields keep their value."""


class ConversationPlanSerializer(_PlanChangeSerializer):
    """What raters talk with, and for how long."""

    models = ConversationModelSerializer(many=True)
    opening = serializers.ChoiceField(choices=ConversationPlan.Opening.choices, required=False)
    draws = serializers.ChoiceField(
        choices=ConversationPlan.Draw.choices, required=False, help_text="When models are drawn."
    )
    max_new_tokens = _number(TOKENS.start, TOKENS.stop - 1, "Maximum length of an answer.")
    top_p = serializers.FloatField(min_value=0.01, max_value=1, required=False)


class _SettingsSerializer(serializers.Serializer[Any]):
    """Settings of a new campaign that can be changed later."""

    overlap = _number(1, 50, "Number of answers per item.")
    lease_minutes = _number(1, SMALL, "How long an inactive rater keeps an item.")
    priority = _number(-SMALL, SMALL)
    asks_strength = Flag(required=False, help_text="Comparisons and conversations only.")
    asks_reason = Flag(required=False, help_text="Comparisons and conversations only.")
    min_words = _number(0, 1_000_000, "Demonstrations only.")
    max_words = _number(0, 1_000_000, "Demonstrations only.")
    max_overlap = _number(
        2,
        50,
        "Comparisons only: items on which raters disagree get more answers, up to this number.",
        allow_null=True,
    )
    confidence = serializers.FloatField(
        min_value=0.5,
        max_value=0.99,
        required=False,
        help_text="With `max_overlap`: stop when an item is this certain.",
    )
    budget_unit = serializers.ChoiceField(
        choices=Campaign.Budget.choices,
        required=False,
        allow_blank=True,
        help_text="Empty for no limit.",
    )
    budget = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(1),
        required=False,
        allow_null=True,
        help_text="When it is spent, the campaign pauses.",
    )
    review_share = _number(0, 100, "Percent of answers drawn at random for the review queue.")
    gold_share = _number(0, 50, "Percent of a rater's items that are gold items. 0 for none.")
    gold_tolerance = _number(51, 100, "Percent of a gold item's pairs that a ranking must match.")
    gold_min = _number(3, 100, "No warnings or pauses before this many gold items.")
    gold_warn_below = _number(0, 100, "Warn raters who pass a lower percentage. 0 for never.")
    gold_pause_below = _number(0, 100, "Pause raters who pass a lower percentage. 0 for never.")
    gold_feedback = Flag(
        required=False, help_text="Show raters how they did on gold items after they answer."
    )


class _NamedSerializer(serializers.Serializer[Any]):
    name = Name(max_length=120)


class NewCampaignSerializer(_NamedSerializer, SelectedSerializer, _SettingsSerializer):
    pool = OneOf(Pool.objects.all())
    guideline = OneOf(Guideline.objects.all())
    overlap = serializers.IntegerField(
        default=1, min_value=1, max_value=50, help_text="Number of answers per item."
    )
    asks_dialogue = Flag(
        required=False,
        help_text="Demonstrations only: raters can continue after the answer, turn by turn.",
    )
    order = serializers.ChoiceField(
        choices=Campaign.Order.choices, default=Campaign.Order.FINISH_FIRST
    )
    calibration_percent = _number(0, 50, "Percent of items that every rater in the pool answers.")
    repeat_percent = _number(
        0, 30, "Comparisons only: percent of items shown again in reversed order."
    )
    conversation = ConversationPlanSerializer(
        required=False, help_text="Required for conversations."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        refuse_others(values, kind=values["kind"])
        if values["kind"] == Campaign.Kind.CONVERSATION:
            _check_plan(values)
        return values


class CampaignChangeSerializer(_SettingsSerializer):
    """Omitted fields keep their value."""

    guideline = OneOf(
        Guideline.objects.all(),
        required=False,
        help_text="Takes effect with its newest version. Answers keep the version they were given.",
    )
    conversation = ConversationPlanChangeSerializer(required=False, help_text="Conversations only.")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("budget_unit") == Campaign.Budget.NONE:
            values["budget"] = None
        return values


def refuse_others(values: Collection[str], *, kind: str) -> None:
    """Raises ValidationError for settings that only other kinds of campaigns have."""
    others = {
        Campaign.Kind.COMPARISON: OF_DEMONSTRATIONS | OF_CONVERSATIONS,
        Campaign.Kind.DEMONSTRATION: OF_COMPARISONS | OF_CONVERSATIONS,
        Campaign.Kind.CONVERSATION: OF_DEMONSTRATIONS
        | (OF_COMPARISONS - {"asks_strength", "asks_reason"}),
    }[Campaign.Kind(kind)]
    sentence = _("This kind of campaign has no such setting. Leave it out.")
    if odd := sorted(set(values) & others):
        raise ValidationError({name: [sentence] for name in odd})


def _check_plan(values: dict[str, Any]) -> None:
    if "conversation" not in values:
        raise ValidationError({"conversation": [_("Choose the models to talk with.")]})
    if values.get("n_responses") not in ANSWERS:
        raise ValidationError(
            {"n_responses": [_("Enter how many answers a rater compares each turn, from 2 to 4.")]}
        )
    if problem := plan_of(values["conversation"]).problem():
        raise ValidationError({"conversation": [problem]})


def plan_of(values: Mapping[str, Any]) -> Plan:
    shares = [SourceShare(**dict(model)) for model in values["models"]]
    given = {name: values[name] for name in asdict(TalkSettings()) if name in values}
    return Plan(shares, TalkSettings(**given))


def selection_of(values: dict[str, Any]) -> Selection:
    prompts = values.get("prompts", {})
    return Selection(
        kind=values["kind"],
        categories=tuple(sorted(prompts.get("categories", ()))),
        splits=tuple(sorted(prompts.get("splits", ()))),
        source_ids=tuple(prompts.get("sources", ())),
        languages=tuple(prompts.get("languages", ())),
        is_unused=prompts.get("is_unused", True),
        is_unjudged=prompts.get("is_unjudged", False),
        n_prompts=prompts.get("n_prompts"),
        n_responses=values.get("n_responses"),
        response_source_ids=tuple(prompts.get("response_sources", ())),
    )


def arguments_of(values: dict[str, Any]) -> dict[str, Any]:
    """Arguments for services.create_campaign, without the prompts."""
    about = registry.KINDS[values["kind"]]
    settings = about(**{name: values[name] for name in about.names() if name in values})
    plan = plan_of(values["conversation"]) if "conversation" in values else None
    others = {name: values[name] for name in ("name", "pool", "guideline")}
    return others | {"settings": settings, "conversation": plan}
