"""Raters' questions about items in the REST API."""

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does
from labeling import access as labeling_access
from labeling.models import ItemQuestion
from labeling.queue.cases import services as cases_services
from labeling.queue.cases.api import OwnSerializer
from labeling.review.questions import selectors, services


class QuestionQuery(PageQuery):
    is_answered = serializers.BooleanField(required=False, default=False)


class ItemQuestionSerializer(RowSerializer):
    class Meta:
        model = ItemQuestion
        fields = [
            "id", "campaign", "item", "rater", "text", "asked_at", "owner", "answer", "answered_at",
        ]  # fmt: skip
        sources = {"campaign": "item.campaign", "rater": "rater.alias"}


class QuestionAnswerSerializer(serializers.Serializer[object]):
    text = serializers.CharField(max_length=5_000)


@described(list_questions="Raters' questions about items.", read_question="One question.")
class Questions(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = ItemQuestion.objects.all()
    serializer_class = ItemQuestionSerializer
    query_class = QuestionQuery

    def filtered(self, queryset: QuerySet[ItemQuestion]) -> QuerySet[ItemQuestion]:
        return selectors.questions(is_answered=self.asked["is_answered"])

    def get_object(self) -> ItemQuestion:
        return labeling_access.question(user=self.by, pk=self.kwargs["pk"])

    @does("answer_question", ItemQuestionSerializer, body=QuestionAnswerSerializer)
    def answer(self, question: ItemQuestion, *, text: str) -> None:
        """Answer it; the rater sees it under My work. A later answer replaces it."""
        services.answer_question(question=question, text=text, **self.who_and_when)

    @does("own_question", ItemQuestionSerializer, body=OwnSerializer)
    def own(self, question: ItemQuestion, *, is_mine: bool) -> None:
        """Take it, or release it."""
        owner = self.by if is_mine else None
        cases_services.assign_question(question=question, owner=owner, **self.who_and_when)
