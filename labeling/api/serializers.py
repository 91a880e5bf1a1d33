"""Input and output of the labeling API."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.validators import UniqueValidator

from accounts.api.fields import MAX_ID, Flag, Name, OneOf
from accounts.api.paging import PageQuery
from labeling.campaigns.selection import Selection
from labeling.campaigns.services import RESPONSES
from labeling.data.prompts.selectors import PromptFilter
from labeling.importers.drafts import MAX_CONSTRAINT, MAX_CONSTRAINTS
from labeling.models import Campaign, Guideline, Pool, Prompt

MAX_TURNS = 200
MAX_CHARACTERS = 200_000
SMALL = 32_767
"""The largest value of a small integer column."""


def _ids(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        default=list,
        max_length=1000,
        **options,
    )


# --- prompts --------------------------------------------------------------------------------------


class MessageSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=["system", "user", "assistant"])
    content = serializers.CharField(max_length=MAX_CHARACTERS, trim_whitespace=False)


class SourceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()


class PromptSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    messages = MessageSerializer(many=True)
    category = serializers.ChoiceField(choices=Prompt.Category.choices)
    language = serializers.CharField()
    split = serializers.ChoiceField(choices=Prompt.Split.choices)
    licence = serializers.CharField()
    sensitive = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Upset.choices),
        help_text="Kinds of upsetting content in the prompt or its answers.",
    )
    constraints = serializers.ListField(
        child=serializers.CharField(),
        help_text="Requirements an answer must meet, one sentence each.",
    )
    source = SourceSerializer()  # type: ignore[assignment]  # shadows Field.source
    origin = serializers.CharField()
    created_at = serializers.DateTimeField()


class PromptQuery(PageQuery):
    text = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Words in any of the messages."
    )
    category = serializers.ChoiceField(required=False, choices=Prompt.Category.choices)
    split = serializers.ChoiceField(required=False, choices=Prompt.Split.choices)
    language = serializers.CharField(required=False, allow_blank=True, max_length=8)
    source = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)  # type: ignore[assignment]  # shadows Field.source
    is_unused = serializers.BooleanField(
        required=False, default=False, help_text="Only prompts that are in no campaign."
    )

    @staticmethod
    def wanted(values: dict[str, Any]) -> PromptFilter:
        return PromptFilter(
            text=values.get("text", ""),
            category=values.get("category", ""),
            split=values.get("split", ""),
            source_id=values.get("source"),
            language=values.get("language", ""),
            is_unused=values["is_unused"],
        )


class NewPromptSerializer(serializers.Serializer[Any]):
    messages = serializers.ListField(
        child=MessageSerializer(),
        min_length=1,
        max_length=MAX_TURNS,
        help_text=(
            "An optional system message, then user and assistant in turn. The last message is"
            " the user's."
        ),
    )
    category = serializers.ChoiceField(
        choices=Prompt.Category.choices, default=Prompt.Category.OTHER
    )
    language = serializers.CharField(max_length=8, default="", allow_blank=True)
    split = serializers.ChoiceField(
        choices=Prompt.Split.choices,
        default="",
        allow_blank=True,
        help_text=(
            "Omit it: nearly identical prompts share a split, and the text decides for new ones."
        ),
    )
    licence = serializers.CharField(max_length=64, default="", allow_blank=True)
    sensitive = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Upset.choices),
        default=list,
        max_length=len(Prompt.Upset.choices),
        help_text=(
            "Kinds of upsetting content in the prompt or its answers. Only raters who opted in"
            " get it."
        ),
    )
    constraints = serializers.ListField(
        child=serializers.CharField(max_length=MAX_CONSTRAINT),
        default=list,
        max_length=MAX_CONSTRAINTS,
        help_text="Requirements an answer must meet, one sentence each.",
    )

    def validate_messages(self, messages: list[dict[str, str]]) -> list[dict[str, str]]:
        opening = 1 if messages[0]["role"] == "system" else 0
        for place, message in enumerate(messages[opening:]):
            expected = "assistant" if place % 2 else "user"
            if message["role"] != expected:
                number = place + opening + 1
                raise ValidationError(
                    _(
                        "Message %(number)d must have the role %(role)s: turns alternate, starting"
                        " with the user."
                    )
                    % {"number": number, "role": expected}
                )
        if messages[-1]["role"] != "user":
            raise ValidationError(
                _("The last message must be from the user: it is the one that gets answered.")
            )
        return [dict(message) for message in messages]


# --- pools and guidelines -------------------------------------------------------------------------


class PoolSerializer(serializers.Serializer[Any]):
    """Serializes a PoolRow."""

    id = serializers.IntegerField(source="pool.pk")
    name = serializers.CharField(source="pool.name")
    description = serializers.CharField(source="pool.description")
    is_held_out = serializers.BooleanField(source="pool.is_held_out")
    n_raters = serializers.IntegerField()
    n_campaigns = serializers.IntegerField()
    created_at = serializers.DateTimeField(source="pool.created_at")


class NewPoolSerializer(serializers.Serializer[Any]):
    name = Name(
        max_length=120,
        validators=[
            UniqueValidator(Pool.objects.all(), gettext_lazy("Another pool already has this name."))
        ],
    )
    description = serializers.CharField(default="", allow_blank=True, max_length=10_000)
    is_held_out = Flag(
        default=False,
        help_text="Answers from this pool are used for evaluation only, never for training.",
    )


class GuidelineSerializer(serializers.Serializer[Any]):
    """Serializes a GuidelineRow."""

    id = serializers.IntegerField(source="guideline.pk")
    name = serializers.CharField(source="guideline.name")
    n_versions = serializers.IntegerField()
    n_campaigns = serializers.IntegerField()
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="When the newest version was created."
    )


# --- campaigns ------------------------------------------------------------------------------------


class ProgressSerializer(serializers.Serializer[Any]):
    n_slots = serializers.IntegerField(help_text="Number of answers requested.")
    n_submitted = serializers.IntegerField()
    n_in_hand = serializers.IntegerField(help_text="In progress: reserved by a rater now.")
    n_left = serializers.IntegerField()
    n_extra = serializers.IntegerField(
        help_text="Submitted late, after the item was already complete."
    )
    is_done = serializers.BooleanField()


class CampaignSerializer(serializers.Serializer[Any]):
    """Serializes a CampaignRow."""

    id = serializers.IntegerField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    kind = serializers.ChoiceField(source="campaign.kind", choices=Campaign.Kind.choices)
    state = serializers.ChoiceField(source="campaign.state", choices=Campaign.State.choices)
    pool = serializers.IntegerField(source="campaign.pool_id")
    guideline = serializers.IntegerField(source="campaign.guideline_id")
    overlap = serializers.IntegerField(
        source="campaign.overlap", help_text="Number of answers per item."
    )
    n_responses = serializers.IntegerField(source="campaign.n_responses", allow_null=True)
    asks_dialogue = serializers.BooleanField(
        source="campaign.asks_dialogue",
        help_text="Raters can continue a demonstration as a dialogue.",
    )
    lease_minutes = serializers.IntegerField(source="campaign.lease_minutes")
    order = serializers.ChoiceField(source="campaign.order", choices=Campaign.Order.choices)
    priority = serializers.IntegerField(source="campaign.priority")
    created_at = serializers.DateTimeField(source="campaign.created_at")
    opened_at = serializers.DateTimeField(source="campaign.opened_at", allow_null=True)
    closed_at = serializers.DateTimeField(source="campaign.closed_at", allow_null=True)
    progress = ProgressSerializer()
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="When the newest judgment was submitted."
    )


class CampaignQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=Campaign.State.choices)


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
    n_prompts = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text="Maximum number, sampled evenly. Omit it to include all.",
    )


class NewCampaignSerializer(serializers.Serializer[Any]):
    name = Name(max_length=120)
    kind = serializers.ChoiceField(choices=Campaign.Kind.choices)
    pool = OneOf(Pool.objects.all())
    guideline = OneOf(Guideline.objects.all())
    overlap = serializers.IntegerField(
        default=1, min_value=1, max_value=50, help_text="Number of answers per item."
    )
    n_responses = serializers.IntegerField(
        required=False,
        min_value=RESPONSES.start,
        max_value=RESPONSES.stop - 1,
        help_text="Required for comparisons, ignored otherwise.",
    )
    asks_dialogue = Flag(
        default=False,
        help_text="Demonstrations only: raters can continue after the answer, turn by turn.",
    )
    lease_minutes = serializers.IntegerField(default=30, min_value=1, max_value=SMALL)
    order = serializers.ChoiceField(
        choices=Campaign.Order.choices, default=Campaign.Order.FINISH_FIRST
    )
    priority = serializers.IntegerField(default=0, min_value=-SMALL, max_value=SMALL)
    prompts = SelectionSerializer(required=False)

    @staticmethod
    def selection(values: dict[str, Any]) -> Selection:
        prompts = values.get("prompts", {})
        return Selection(
            kind=values["kind"],
            categories=tuple(sorted(prompts.get("categories", ()))),
            splits=tuple(sorted(prompts.get("splits", ()))),
            source_ids=tuple(prompts.get("sources", ())),
            languages=tuple(prompts.get("languages", ())),
            is_unused=prompts.get("is_unused", True),
            n_prompts=prompts.get("n_prompts"),
            n_responses=values.get("n_responses"),
            response_source_ids=tuple(prompts.get("response_sources", ())),
        )
