"""Conversations in the REST API."""

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import MAX_ID
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described
from labeling.conversations.records import selectors
from labeling.models import Conversation, ConversationTurn


class TurnAnswerSerializer(serializers.Serializer[Any]):
    response = serializers.IntegerField(source="response.pk")
    source = serializers.IntegerField(source="response.source_id")  # type: ignore[assignment]  # shadows Field.source
    text = serializers.CharField(source="response.text", help_text="As stored, names included.")
    is_chosen = serializers.BooleanField(help_text="The conversation went on with it.")


class TurnFailureSerializer(serializers.Serializer[Any]):
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


class TurnSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(source="turn.number")
    state = serializers.ChoiceField(source="turn.state", choices=ConversationTurn.State.choices)
    prompt = serializers.IntegerField(
        source="turn.prompt_id", help_text="The prompt with the history and this message."
    )
    item = serializers.IntegerField(source="turn.item_id")
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
    n_regenerated = serializers.IntegerField(
        source="turn.n_regenerated", help_text="How often the rater asked for other answers."
    )
    propensity = serializers.FloatField(
        source="turn.propensity",
        help_text="Probability that these sources were drawn, in any order.",
    )
    failures = TurnFailureSerializer(many=True)


class ConversationSerializer(serializers.Serializer[Any]):
    """A rater's conversation with models, under the rater's pseudonym."""

    id = serializers.IntegerField(source="conversation.pk")
    campaign = serializers.IntegerField(source="conversation.campaign_id")
    prompt = serializers.IntegerField(
        source="conversation.prompt_id", help_text="The opening prompt, or the topic."
    )
    rater = serializers.CharField(source="conversation.rater.alias")
    state = serializers.ChoiceField(source="conversation.state", choices=Conversation.State.choices)
    n_turns = serializers.IntegerField(
        source="conversation.n_turns", help_text="Turns that have been rated."
    )
    goal_rating = serializers.IntegerField(
        source="conversation.goal_rating",
        allow_null=True,
        help_text="How well the goal was reached, from 1 to 7. Null if not answered.",
    )
    ratings = serializers.DictField(
        source="conversation.ratings",
        help_text="Answers to the guideline's questions about the whole conversation.",
    )
    remark = serializers.CharField(source="conversation.remark")
    started_at = serializers.DateTimeField(source="conversation.started_at")
    finished_at = serializers.DateTimeField(source="conversation.finished_at", allow_null=True)
    turns = TurnSerializer(many=True)


class ConversationQuery(PageQuery):
    campaign = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    state = serializers.ChoiceField(required=False, choices=Conversation.State.choices)


@described(
    list_conversations="Conversations of raters with models, newest first, with their turns.",
    read_conversation="One conversation with its turns.",
)
class Conversations(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Conversation.objects.all()
    serializer_class = ConversationSerializer
    query_class = ConversationQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return selectors.conversations(
            campaign_id=self.asked.get("campaign"), state=self.asked.get("state", "")
        )

    def get_object(self) -> Conversation:
        return get_object_or_404(selectors.conversations(), pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Conversation]) -> Sequence[Any]:
        turns = selectors.turn_records(conversations=objects)
        return [{"conversation": one, "turns": turns[one.pk]} for one in objects]
