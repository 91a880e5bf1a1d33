"""What waits for an admin in the REST API: raters' questions, appeals, and items that they skipped
for a reason.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Flag
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, does, reads
from labeling import access as labeling_access
from labeling.models import Case, ItemQuestion, JudgmentReview
from labeling.queue.cases import selectors as cases_selectors
from labeling.queue.cases import services as cases_services
from labeling.queue.cases.views import LONGEST_NOTE
from labeling.review import selectors as review_selectors
from labeling.review import services as review_services
from labeling.review.forms import LONGEST
from labeling.review.questions import selectors as questions_selectors
from labeling.review.questions import services as questions_services


class OwnSerializer(serializers.Serializer[Any]):
    is_mine = Flag(default=True, help_text="False releases it.")


# --- questions ------------------------------------------------------------------------------------


class QuestionQuery(PageQuery):
    is_answered = serializers.BooleanField(required=False, default=False)


class ItemQuestionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    campaign = serializers.IntegerField(source="item.campaign_id")
    item = serializers.IntegerField(source="item_id")
    rater = serializers.CharField(source="rater.alias")
    text = serializers.CharField()
    asked_at = serializers.DateTimeField()
    owner = serializers.IntegerField(source="owner_id", allow_null=True)
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class QuestionAnswerSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=5_000)


@described(list_questions="Raters' questions about items.", read_question="One question.")
class Questions(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = ItemQuestion.objects.all()
    serializer_class = ItemQuestionSerializer
    query_class = QuestionQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return questions_selectors.questions(is_answered=self.asked["is_answered"])

    def get_object(self) -> ItemQuestion:
        return labeling_access.question(user=self.by, pk=self.kwargs["pk"])

    @does("answer_question", ItemQuestionSerializer, body=QuestionAnswerSerializer)
    def answer(self, question: ItemQuestion, *, text: str) -> None:
        """Answer it; the rater sees it under My work. A later answer replaces it."""
        questions_services.answer_question(question=question, text=text, **self.who_and_when)

    @does("own_question", ItemQuestionSerializer, body=OwnSerializer)
    def own(self, question: ItemQuestion, *, is_mine: bool) -> None:
        """Take it, or release it."""
        owner = self.by if is_mine else None
        cases_services.assign_question(question=question, owner=owner, **self.who_and_when)


# --- appeals --------------------------------------------------------------------------------------


class AppealQuery(PageQuery):
    is_answered = serializers.BooleanField(required=False, default=False)


class AppealSerializer(serializers.Serializer[Any]):
    """A rater's appeal against a review, or an answer that was set aside."""

    id = serializers.IntegerField()
    judgment = serializers.IntegerField(source="judgment_id")
    campaign = serializers.IntegerField(source="judgment.campaign_id", allow_null=True)
    item = serializers.IntegerField(source="judgment.item_id", allow_null=True)
    rater = serializers.CharField(source="judgment.rater.alias")
    score = serializers.IntegerField(allow_null=True)
    feedback = serializers.CharField()
    is_set_aside = serializers.SerializerMethodField()
    appeal = serializers.CharField()
    appealed_at = serializers.DateTimeField()
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)

    def get_is_set_aside(self, review: JudgmentReview) -> bool:
        return getattr(review.judgment, "set_aside", None) is not None


class AppealAnswerSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=LONGEST)


@described(list_appeals="Raters' appeals against reviews.", read_appeal="One appeal.")
class Appeals(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = JudgmentReview.objects.all()
    serializer_class = AppealSerializer
    query_class = AppealQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return review_selectors.appeals(is_answered=self.asked["is_answered"])

    def get_object(self) -> JudgmentReview:
        return labeling_access.appealed_review(user=self.by, pk=self.kwargs["pk"])

    @does("answer_appeal", AppealSerializer, body=AppealAnswerSerializer)
    def answer(self, review: JudgmentReview, *, text: str) -> None:
        """Answer it; the rater sees it under My work. A later answer replaces it."""
        review_services.answer_appeal(review=review, text=text, **self.who_and_when)


# --- cases ----------------------------------------------------------------------------------------


class CaseQuery(PageQuery):
    queue = serializers.ChoiceField(choices=Case.Queue.choices, default=Case.Queue.REPAIR)
    is_settled = serializers.BooleanField(required=False, default=False)


class SkipSerializer(serializers.Serializer[Any]):
    rater = serializers.CharField(source="rater.alias")
    note = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")


class CaseSerializer(serializers.Serializer[Any]):
    """Serializes a CaseRow: an item that raters skipped, until an admin resolves it."""

    id = serializers.IntegerField(source="case.pk")
    queue = serializers.ChoiceField(source="case.queue", choices=Case.Queue.choices)
    campaign = serializers.IntegerField(source="case.item.campaign_id")
    item = serializers.IntegerField(source="case.item_id")
    prompt = serializers.IntegerField(source="case.item.prompt_id")
    skips = SkipSerializer(source="passes", many=True)
    opened_at = serializers.DateTimeField(source="case.opened_at")
    owner = serializers.IntegerField(source="case.owner_id", allow_null=True)
    outcome = serializers.ChoiceField(
        source="case.outcome", choices=Case.Outcome.choices, allow_blank=True
    )
    note = serializers.CharField(source="case.note")
    settled_at = serializers.DateTimeField(source="case.settled_at", allow_null=True)


class SettleSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(
        choices=[Case.Outcome.FIXED, Case.Outcome.KEPT],
        help_text="Changing or retiring the prompt settles its cases too.",
    )
    note = serializers.CharField(default="", allow_blank=True, max_length=LONGEST_NOTE)


class WaitingSerializer(serializers.Serializer[Any]):
    """How much waits in each queue."""

    repair = serializers.IntegerField()
    safety = serializers.IntegerField()
    technical = serializers.IntegerField()
    questions = serializers.IntegerField()
    onboarding = serializers.IntegerField(help_text="Onboarding answers to review.")


@described(list_cases="Items that raters skipped for a reason.", read_case="One case.")
class Cases(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Case.objects.all()
    serializer_class = CaseSerializer
    query_class = CaseQuery

    def filter_queryset(self, queryset: Any) -> Any:
        asked = self.asked
        return cases_selectors.cases(queue=asked["queue"], is_settled=asked["is_settled"])

    def get_object(self) -> Case:
        return labeling_access.case(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Case]) -> Sequence[Any]:
        return cases_selectors.case_rows(cases=objects)

    @reads("count_waiting", WaitingSerializer, is_one=False)
    def waiting(self, request: Request) -> Response:
        """How many open cases, questions and onboarding answers there are."""
        names = [*Case.Queue.values, cases_selectors.QUESTIONS, cases_selectors.ONBOARDING]
        return Response(dict.fromkeys(names, 0) | cases_selectors.n_waiting())

    @does("own_case", CaseSerializer, body=OwnSerializer)
    def own(self, case: Case, *, is_mine: bool) -> None:
        """Take it, or release it."""
        owner = self.by if is_mine else None
        cases_services.assign_case(case=case, owner=owner, **self.who_and_when)

    @does("settle_case", CaseSerializer, body=SettleSerializer)
    def settle(self, case: Case, *, outcome: str, note: str) -> None:
        """Resolve it. The item is available again, but not to raters who skipped it."""
        cases_services.settle_case(case=case, outcome=outcome, note=note, **self.who_and_when)
