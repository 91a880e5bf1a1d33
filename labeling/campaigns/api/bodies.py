"""What a call sends to create a campaign or to change one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import MAX_ID, Flag, Name, OneOf
from knobs.fields import Knob, knobs_of
from labeling.campaigns.conversation_plan import Plan, SourceShare
from labeling.campaigns.selection import Selection
from labeling.kinds import registry
from labeling.kinds.comparison import RESPONSES
from labeling.kinds.conversation import ANSWERS, TalkSettings
from labeling.models import (
    Campaign,
    Guideline,
    Pool,
    Prompt,
    Source,
)
from labeling.queue.gold.services import SETTINGS as GOLD_SETTINGS

TOP_LEVEL = ("overlap", "n_responses", "asks_dialogue", "lease_minutes", "order", "priority")
"""Settings that a campaign shows beside its `settings`."""


def shown_field(knob: Knob, **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    """A setting as the API shows it."""
    if issubclass(knob.type, TextChoices):
        may_be_empty = "" in knob.type.values
        return serializers.ChoiceField(
            choices=knob.type.choices, allow_blank=may_be_empty, **options
        )
    if knob.type is bool:
        return Flag(**options)
    if knob.type is str:
        return serializers.CharField(**options)
    options["allow_null"] = knob.is_optional
    if knob.type is int:
        return serializers.IntegerField(**options)
    if knob.type is float:
        return serializers.FloatField(**options)
    return serializers.DecimalField(max_digits=12, decimal_places=2, **options)


def setting_field(
    knob: Knob, **options: object
) -> serializers.Field[object, object, object, object]:
    """What a call sends for this setting. Left out, it keeps its value, or takes its default."""
    limits: dict[str, Any] = {"allow_blank": True, "max_length": knob.max}
    if knob.type is not str:
        ends = {"min_value": knob.min, "max_value": knob.max}
        limits = {name: end for name, end in ends.items() if end is not None}
    if knob.type is Decimal:
        limits = {name: Decimal(end) for name, end in limits.items()}
    usual: dict[str, object] = {"required": False, "help_text": knob.api}
    return shown_field(knob, **usual | limits | options)


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


class SelectionSerializer(serializers.Serializer[object]):
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


class SelectedSerializer(serializers.Serializer[object]):
    """A selection of prompts for a kind of campaign."""

    kind = serializers.ChoiceField(choices=Campaign.Kind.choices)
    n_responses = _number(
        RESPONSES.start,
        RESPONSES.stop - 1,
        "Required for comparisons and, from 2 to 4 answers a turn, for conversations; ignored"
        " otherwise.",
    )
    prompts = SelectionSerializer(required=False)


class ConversationModelSerializer(serializers.Serializer[object]):
    """A model that may answer."""

    source = OneOf(  # type: ignore[assignment]  # shadows Field.source
        Source.objects.filter(kind=Source.Kind.MODEL), help_text="The ID of a model's source."
    )
    weight = serializers.FloatField(
        default=1.0, min_value=0.01, max_value=100, help_text="How often it is drawn."
    )
    temperature = serializers.FloatField(default=1.0, min_value=0, max_value=2)


class SettingsSerializer(serializers.Serializer[object]):
    """Settings, each made from its declaration; a field of the class itself takes its place."""

    knobs: ClassVar[Sequence[Knob]]

    def get_fields(self) -> dict[str, Any]:
        return {knob.name: setting_field(knob) for knob in self.knobs} | super().get_fields()


class ConversationPlanChangeSerializer(SettingsSerializer):
    """Applies to open conversations too. Omitted fields keep their value."""

    knobs = [knob for knob in knobs_of(TalkSettings) if knob.while_open]


class ConversationPlanSerializer(SettingsSerializer):
    """What raters talk with, and for how long."""

    knobs = knobs_of(TalkSettings)
    models = ConversationModelSerializer(many=True)


class _NamedSerializer(serializers.Serializer[object]):
    name = Name(max_length=120)


class NewCampaignSerializer(_NamedSerializer, SelectedSerializer, SettingsSerializer):
    knobs = registry.knobs()
    pool = OneOf(Pool.objects.all())
    guideline = OneOf(Guideline.objects.all())
    overlap = setting_field(registry.knob_of("overlap"), default=1)
    order = setting_field(registry.knob_of("order"), default=Campaign.Order.FINISH_FIRST)
    conversation = ConversationPlanSerializer(
        required=False, help_text="Required for conversations."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        refuse_others(values, kind=values["kind"])
        if registry.KINDS[values["kind"]].talks:
            _check_plan(values)
        return values


class CampaignChangeSerializer(SettingsSerializer):
    """Omitted fields keep their value."""

    knobs = [knob for knob in registry.knobs() if knob.while_open or knob.name in GOLD_SETTINGS]
    guideline = OneOf(
        Guideline.objects.all(),
        required=False,
        help_text="Takes effect with its newest version. Answers keep the version they were given.",
    )
    conversation = ConversationPlanChangeSerializer(required=False, help_text="Conversations only.")

    def validate(self, values: dict[str, object]) -> dict[str, object]:
        if values.get("budget_unit") == Campaign.Budget.NONE:
            values["budget"] = None
        return values


def refuse_others(values: Collection[str], *, kind: str) -> None:
    """Raises ValidationError for settings that only other kinds of campaigns have."""
    about = registry.KINDS[kind]
    others = set(registry.setting_names()) - {*about.names(), "n_responses"}
    others |= set() if about.talks else {"conversation"}
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
    settings = {name: values[name] for name in asdict(TalkSettings()) if name in values}
    return Plan(shares, TalkSettings(**settings))


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
