"""Conversations in the REST API."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Id
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described
from labeling.conversations.records import selectors
from labeling.models import Conversation, ConversationTurn


class TurnAnswerSerializer(serializers.Serializer[object]):
    response = serializers.IntegerField(source="response.pk")
    source = serializers.IntegerField(source="response.source_id")  # type: ignore[assignment]  # shadows Field.source
    text = serializers.CharField(source="response.text", help_text="As stored, names included.")
    reasoning_content = serializers.CharField(
        source="response.reasoning_content", help_text="What the model thought before it answered."
    )
    tool_calls = serializers.ListField(source="response.tool_calls", child=serializers.DictField())
    is_chosen = serializers.BooleanField(help_text="The conversation went on with it.")


class TurnFailureSerializer(serializers.Serializer[object]):
    """A source that was asked twice for an answer and gave none."""

    place = serializers.IntegerField(help_text="Which of the turn's answers, from 0.")
    round = serializers.IntegerField(help_text="1 unless the rater asked for other answers.")
    source = serializers.IntegerField(source="source.pk")  # type: ignore[assignment]  # shadows Field.source
    error = serializers.CharField()
    answered_by = serializers.IntegerField(
        source="answered_by.pk",
        default=None,
        allow_null=True,
        help_text="The source that answered in its place.",
    )


class TurnSerializer(RowSerializer):
    message = serializers.CharField(help_text="What the rater wrote.")
    answers = TurnAnswerSerializer(many=True)
    edit = serializers.IntegerField(
        source="edit.pk",
        default=None,
        allow_null=True,
        help_text="The response with the rater's own text, if that went on.",
    )
    judgment = serializers.IntegerField(
        source="judgment.pk", default=None, allow_null=True, help_text="The comparison."
    )
    failures = TurnFailureSerializer(many=True)

    class Meta:
        model = ConversationTurn
        inside = "turn"
        fields = [
            "number", "state", "prompt", "item", "message", "answers", "edit", "judgment",
            "n_regenerated", "propensity", "failures",
        ]  # fmt: skip
        help_texts = {
            "prompt": "The prompt with the history and this message.",
            "n_regenerated": "How often the rater asked for other answers.",
            "propensity": "Probability that these sources were drawn, in any order.",
        }


class ConversationSerializer(RowSerializer):
    """A rater's conversation with models, under the rater's pseudonym."""

    campaign = serializers.IntegerField(source="conversation.campaign_id")
    prompt = serializers.IntegerField(
        source="conversation.prompt_id", help_text="The opening prompt, or the topic."
    )
    turns = TurnSerializer(many=True)

    class Meta:
        model = Conversation
        inside = "conversation"
        fields = [
            "id", "campaign", "prompt", "rater", "state", "n_turns", "goal_rating", "ratings",
            "remark", "started_at", "finished_at", "turns",
        ]  # fmt: skip
        sources = {"rater": "rater.alias"}
        help_texts = {
            "n_turns": "Turns that have been rated.",
            "goal_rating": "How well the goal was reached, from 1 to 7. Null if not answered.",
            "ratings": "Answers to the guideline's questions about the whole conversation.",
        }


class ConversationQuery(PageQuery):
    campaign = Id(required=False)
    state = serializers.ChoiceField(required=False, choices=Conversation.State.choices)


@described(
    list_conversations="Conversations of raters with models, newest first, with their turns.",
    read_conversation="One conversation with its turns.",
)
class Conversations(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Conversation.objects.all()
    serializer_class = ConversationSerializer
    query_class = ConversationQuery
    recorded_as = "read_conversations"

    def filtered(self, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        return selectors.conversations(
            campaign_id=self.asked.get("campaign"), state=self.asked.get("state", "")
        )

    def get_object(self) -> Conversation:
        return get_object_or_404(selectors.conversations(), pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Conversation]) -> Sequence[object]:
        turns = selectors.turn_records(conversations=objects)
        return [
            {"conversation": conversation, "turns": turns[conversation.pk]}
            for conversation in objects
        ]
