"""Judgments as JSON, and what prompts have too: messages and a source."""

from typing import Any

from rest_framework import serializers

from accounts.api.fields import MAX_ID
from accounts.api.paging import PageQuery
from labeling.models import Judgment, JudgmentEvent

MAX_TURNS = 200
MAX_CHARACTERS = 200_000


class MessageSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=["system", "user", "assistant"])
    content = serializers.CharField(max_length=MAX_CHARACTERS, trim_whitespace=False)


class SourceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()


class RankedResponseSerializer(serializers.Serializer[Any]):
    response = serializers.IntegerField(source="response_id")
    source = serializers.CharField(source="response.source.name")  # type: ignore[assignment]  # shadows Field.source
    text = serializers.CharField(source="response.text")
    position = serializers.IntegerField(help_text="Position on the page. 0 is shown first.")
    rank = serializers.IntegerField(
        allow_null=True, help_text="1 is best, equal numbers are a tie, null is unranked."
    )
    ratings = serializers.DictField(
        help_text="Answers by question. Questions that were not asked are absent."
    )


class ComparisonSerializer(serializers.Serializer[Any]):
    strength = serializers.IntegerField(
        allow_null=True, help_text="From 1 (negligible) to 4 (significant). Null if not asked."
    )
    reason = serializers.CharField(allow_null=True)
    is_all_bad = serializers.BooleanField()
    responses = RankedResponseSerializer(source="ranked", many=True)


class DemonstrationSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    further = MessageSerializer(many=True, help_text="For a dialogue: the turns after `text`.")
    sources = serializers.CharField(help_text="Sources of the facts, in the writer's words.")
    edit_of = serializers.IntegerField(
        source="edit_of_id", allow_null=True, help_text="The response this is an edit of."
    )


class JudgmentSerializer(serializers.Serializer[Any]):
    """One judgment, under the rater's pseudonym."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Judgment.Kind.choices)
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    prompt = serializers.IntegerField(source="prompt_id")
    item = serializers.IntegerField(
        source="item_id",
        allow_null=True,
        help_text="What was asked: the prompt with its responses. Null for an imported judgment.",
    )
    rater = serializers.CharField(source="rater.alias")
    guideline = serializers.CharField(
        source="guideline_version",
        allow_null=True,
        help_text="Name and version, such as “Helpful answers v3”.",
    )
    submitted_at = serializers.DateTimeField()
    active_s = serializers.FloatField(allow_null=True)
    is_extra = serializers.BooleanField()
    is_repeat = serializers.SerializerMethodField(
        help_text="The same rater judged the same prompt and responses before. Count it once."
    )
    is_held_out = serializers.BooleanField(
        source="campaign.pool.is_held_out",
        read_only=True,
        default=False,
        help_text="From a pool that is used for evaluation only, never for training.",
    )
    version = serializers.IntegerField()
    supersedes = serializers.IntegerField(
        source="supersedes_id", allow_null=True, help_text="The judgment that this one replaces."
    )
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="Warnings that the rater overruled."
    )
    demonstration = DemonstrationSerializer(allow_null=True)
    comparison = ComparisonSerializer(allow_null=True)

    def get_is_repeat(self, judgment: Judgment) -> bool:
        return judgment.item is not None and judgment.item.repeat_of_id is not None


class JudgmentQuery(PageQuery):
    campaign = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    since = serializers.DateTimeField(
        required=False, help_text="Only judgments submitted at or after this time."
    )
    includes_imports = serializers.BooleanField(
        required=False,
        default=False,
        help_text=(
            "Include imported judgments. They keep the ids they had before their import was"
            " published."
        ),
    )


class JudgmentPageSerializer(serializers.Serializer[Any]):
    """One page of the feed. `next_cursor` is set on the last page too: use it later to get new
    judgments.
    """

    next_cursor = serializers.IntegerField(
        help_text=("The last id of this page, or the cursor of the request if the page is empty.")
    )
    has_more = serializers.BooleanField(help_text="Whether there are more results now.")
    results = JudgmentSerializer(many=True)


class JudgmentEventSerializer(serializers.Serializer[Any]):
    """A judgment that stopped counting, or counts again."""

    id = serializers.IntegerField()
    event = serializers.ChoiceField(
        source="kind",
        choices=JudgmentEvent.Kind.choices,
        help_text=(
            "`withdrawn`: its rater has withdrawn; delete it. `set_aside`: a reviewer left it out."
            " `restored`: it counts again."
        ),
    )
    judgment = serializers.IntegerField(source="judgment_id")
    campaign = serializers.IntegerField(source="judgment.campaign_id", allow_null=True)
    rater = serializers.CharField(source="judgment.rater.alias")
    at = serializers.DateTimeField()


class JudgmentEventPageSerializer(serializers.Serializer[Any]):
    """One page of events. `next_cursor` is set on the last page too: use it later to get new
    events.
    """

    next_cursor = serializers.IntegerField(
        help_text=("The last id of this page, or the cursor of the request if the page is empty.")
    )
    has_more = serializers.BooleanField(help_text="Whether there are more results now.")
    results = JudgmentEventSerializer(many=True)
