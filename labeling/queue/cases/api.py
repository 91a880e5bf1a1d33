"""Items that raters skipped for a reason, in the REST API."""

from collections.abc import Sequence

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Flag
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads
from labeling import access as labeling_access
from labeling.models import Case
from labeling.queue.cases import selectors, services
from labeling.queue.cases.views import LONGEST_NOTE


class OwnSerializer(serializers.Serializer[object]):
    is_mine = Flag(default=True, help_text="False releases it.")


class CaseQuery(PageQuery):
    queue = serializers.ChoiceField(choices=Case.Queue.choices, default=Case.Queue.REPAIR)
    is_settled = serializers.BooleanField(required=False, default=False)


class SkipSerializer(serializers.Serializer[object]):
    rater = serializers.CharField(source="rater.alias")
    note = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")


class CaseSerializer(RowSerializer):
    """Serializes a CaseRow: an item that raters skipped, until an admin resolves it."""

    skips = SkipSerializer(source="passes", many=True)
    outcome = serializers.ChoiceField(
        source="case.outcome", choices=Case.Outcome.choices, allow_blank=True
    )

    class Meta:
        model = Case
        inside = "case"
        fields = [
            "id", "queue", "campaign", "item", "prompt", "skips", "opened_at", "owner", "outcome",
            "note", "settled_at",
        ]  # fmt: skip
        sources = {"campaign": "item.campaign", "prompt": "item.prompt"}


class SettleSerializer(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(
        choices=[Case.Outcome.FIXED, Case.Outcome.KEPT],
        help_text="Changing or retiring the prompt settles its cases too.",
    )
    note = serializers.CharField(default="", allow_blank=True, max_length=LONGEST_NOTE)


class WaitingSerializer(serializers.Serializer[object]):
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

    def filtered(self, queryset: QuerySet[Case]) -> QuerySet[Case]:
        asked = self.asked
        return selectors.cases(queue=asked["queue"], is_settled=asked["is_settled"])

    def get_object(self) -> Case:
        return labeling_access.case(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Case]) -> Sequence[object]:
        return selectors.case_rows(cases=objects)

    @reads("count_waiting", WaitingSerializer, is_one=False)
    def waiting(self, request: Request) -> Response:
        """How many open cases, questions and onboarding answers there are."""
        names = [*Case.Queue.values, selectors.QUESTIONS, selectors.ONBOARDING]
        return Response(dict.fromkeys(names, 0) | selectors.n_waiting())

    @does("own_case", CaseSerializer, body=OwnSerializer)
    def own(self, case: Case, *, is_mine: bool) -> None:
        """Take it, or release it."""
        owner = self.by if is_mine else None
        services.assign_case(case=case, owner=owner, **self.who_and_when)

    @does("settle_case", CaseSerializer, body=SettleSerializer)
    def settle(self, case: Case, *, outcome: str, note: str) -> None:
        """Resolve it. The item is available again, but not to raters who skipped it."""
        services.settle_case(case=case, outcome=outcome, note=note, **self.who_and_when)
