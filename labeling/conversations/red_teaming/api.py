"""Red teaming in the REST API: set up a campaign, read attacks, and how often they succeed."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Id, Name, OneOf
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, reads, writes
from labeling.campaigns.conversation_plan import Plan, SourceShare
from labeling.conversations.red_teaming import figures, services
from labeling.conversations.red_teaming.rules import LONGEST
from labeling.conversations.red_teaming.services import Brief, Review
from labeling.kinds.conversation import ANSWERS, TOKENS, TURNS, TalkSettings
from labeling.models import (
    Attack,
    ConversationPlan,
    Guideline,
    Pool,
    Prompt,
    RedTeaming,
    Source,
)
from labeling.quality.api.figures import FigureSerializer


class BriefSerializer(serializers.Serializer[object]):
    goal = serializers.CharField(
        min_length=services.GOAL_LENGTH.start, max_length=services.GOAL_LENGTH.stop - 1
    )
    area = serializers.ChoiceField(
        choices=Prompt.Upset.choices,
        help_text="Only raters who agreed to this kind of content get the brief.",
    )
    rule = serializers.CharField(
        max_length=LONGEST, help_text="One line of the text of the guideline's newest version."
    )


class AttackedModelSerializer(serializers.Serializer[object]):
    source = OneOf(Source.objects.all())  # type: ignore[assignment]  # shadows Field's
    weight = serializers.FloatField(
        default=1.0, min_value=0.001, max_value=1000, help_text="How often it is drawn."
    )
    temperature = serializers.FloatField(default=1.0, min_value=0, max_value=2)


class NewRedTeamingSerializer(serializers.Serializer[object]):
    name = Name(max_length=120)
    pool = OneOf(Pool.objects.all(), help_text="The attackers.")
    guideline = OneOf(Guideline.objects.all())
    briefs = serializers.ListField(child=BriefSerializer(), max_length=services.MOST_BRIEFS)
    n_each = serializers.IntegerField(
        min_value=services.CONVERSATIONS.start,
        max_value=services.CONVERSATIONS.stop - 1,
        help_text="Attacks per brief.",
    )
    models = serializers.ListField(child=AttackedModelSerializer(), max_length=100)
    n_answers = serializers.IntegerField(
        default=2, min_value=ANSWERS.start, max_value=ANSWERS.stop - 1
    )
    draws = serializers.ChoiceField(
        choices=ConversationPlan.Draw.choices, default=ConversationPlan.Draw.CONVERSATION
    )
    max_turns = serializers.IntegerField(default=6, min_value=TURNS.start, max_value=TURNS.stop - 1)
    max_new_tokens = serializers.IntegerField(
        default=512, min_value=TOKENS.start, max_value=TOKENS.stop - 1
    )
    review_pool = OneOf(Pool.objects.all(), help_text="They rate attacks again, blind.")
    n_reviewers = serializers.IntegerField(
        default=1, min_value=services.REVIEWERS.start, max_value=services.REVIEWERS.stop - 1
    )

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        """As arguments of services.create_red_teaming."""
        settings = {name: values.pop(name) for name in ("draws", "max_turns", "max_new_tokens")}
        shares = [SourceShare(**entry) for entry in values.pop("models")]
        return values | {
            "briefs": [Brief(**entry) for entry in values["briefs"]],
            "plan": Plan(shares, TalkSettings(min_turns=1, **settings)),
            "review": Review(values.pop("review_pool"), values.pop("n_reviewers")),
        }


class StoredBriefSerializer(BriefSerializer):
    id = serializers.IntegerField()
    guideline_version = serializers.IntegerField(
        source="guideline_version.number", help_text="The version whose text has the rule."
    )


class RedTeamingSerializer(serializers.Serializer[object]):
    campaign = serializers.IntegerField(source="campaign_id")
    name = serializers.CharField(source="campaign.name")
    n_reviewers = serializers.IntegerField()
    review_campaign = serializers.IntegerField(
        source="review_campaign_id", allow_null=True, help_text="Since the first attack ended."
    )
    demonstration_campaign = serializers.IntegerField(
        source="demonstration_campaign_id",
        allow_null=True,
        help_text="Since an attack was put to use.",
    )
    briefs = StoredBriefSerializer(source="campaign.attack_briefs", many=True)


class AttackSerializer(RowSerializer):
    id = serializers.IntegerField(source="pk", help_text="That of its conversation.")
    tags = serializers.ListField(child=serializers.ChoiceField(choices=Attack.Tag.choices))
    response = serializers.IntegerField(
        source="turn.chosen_id", help_text="The answer that the attack reached."
    )

    class Meta:
        model = Attack
        fields = [
            "id", "campaign", "brief", "rater", "success", "severity", "tags", "tried", "likeness",
            "repeats_wording", "prompt", "response", "review_item", "demonstration_item",
            "pair_item", "ended_at", "used_at",
        ]  # fmt: skip
        sources = {
            "campaign": "brief.campaign",
            "rater": "conversation.rater.alias",
            "prompt": "turn.prompt",
        }
        help_texts = {
            "success": "How far it got, says the attacker: 0 to 4.",
            "severity": "0 to 4.",
            "likeness": "To the attacker's most similar earlier attack, 0 to 1.",
            "prompt": "The conversation up to the last message.",
        }


class AttackQuery(PageQuery):
    campaign = Id(required=False)
    is_used = serializers.BooleanField(required=False, allow_null=True, default=None)


class LineSerializer(serializers.Serializer[object]):
    """An area of harm, or a goal in it: an area has no `brief`."""

    area = serializers.CharField()
    brief = serializers.IntegerField(source="brief.pk", allow_null=True, default=None)
    goal = serializers.CharField(source="brief.goal", allow_null=True, default=None)
    n = serializers.IntegerField(help_text="Attacks.")
    n_attackers = serializers.IntegerField()
    by_attackers = FigureSerializer()
    by_reviewers = FigureSerializer()


class RedTeamingSuccessSerializer(serializers.Serializer[object]):
    """The shares of attacks that got to 3 or 4 of 4."""

    all_attacks = LineSerializer()
    lines = LineSerializer(many=True)
    agreement = FigureSerializer(help_text="Krippendorff's α of attackers and reviewers, ordinal.")


class SuccessQuery(serializers.Serializer[object]):
    campaign = Id(required=False, help_text="Leave it out for all campaigns.")


@described(list_red_teaming="Red-teaming campaigns, newest first.")
class RedTeamings(ListModelMixin, ApiViewSet):
    queryset = RedTeaming.objects.select_related("campaign").prefetch_related(
        "campaign__attack_briefs__guideline_version"
    )
    serializer_class = RedTeamingSerializer

    @writes("create_red_teaming", RedTeamingSerializer, body=NewRedTeamingSerializer, status=201)
    def create(self, **values: Any) -> RedTeaming:
        """Create a draft campaign whose raters attack models by these briefs. Open it as any other
        campaign.
        """
        campaign = services.create_red_teaming(**values, **self.who_and_when)
        made: RedTeaming = self.get_queryset().get(pk=campaign.pk)
        return made

    @reads("read_attack_success", RedTeamingSuccessSerializer, query=SuccessQuery, is_one=False)
    def success(self, request: Request) -> Response:
        """How often attacks succeed, by area and goal, with intervals between attackers."""
        findings = figures.findings(campaign_id=self.asked.get("campaign"))
        return Response(RedTeamingSuccessSerializer(findings).data)


@described(list_attacks="Attacks that have ended, newest first.", read_attack="One attack.")
class Attacks(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Attack.objects.filter(conversation__rater__withdrawn_at=None).select_related(
        "brief", "turn", "conversation__rater"
    )
    serializer_class = AttackSerializer
    query_class = AttackQuery
    recorded_as = "read_attacks"

    def filtered(self, queryset: QuerySet[Attack]) -> QuerySet[Attack]:
        if campaign := self.asked.get("campaign"):
            queryset = queryset.filter(brief__campaign=campaign)
        if (is_used := self.asked.get("is_used")) is not None:
            queryset = queryset.filter(used_at__isnull=not is_used)
        return queryset
