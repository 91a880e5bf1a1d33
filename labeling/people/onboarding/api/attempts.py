"""Raters' attempts at onboarding in the REST API."""

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Id
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does
from labeling import access as labeling_access
from labeling.models import OnboardingStep, StepAttempt
from labeling.people.onboarding import services

_DECISIONS = [("pass", "pass"), ("again", "allow another attempt"), ("refuse", "fail")]


class StepAttemptSerializer(RowSerializer):
    """A rater's attempt at a step. Answers to a profile are never given."""

    answers = serializers.ListField(
        child=serializers.JSONField(), help_text="In the order of the version's questions."
    )

    class Meta:
        model = StepAttempt
        fields = [
            "id", "step", "version", "rater", "alias", "number", "state", "answers", "score",
            "submitted_at", "may_retry", "decided_at", "decision",
        ]  # fmt: skip
        sources = {"version": "version.number", "alias": "rater.alias"}
        help_texts = {
            "version": "The number answered.",
            "score": "A share from 0 to 1; of demonstrations the mean score, 1 to 7.",
            "may_retry": "An admin allowed another attempt.",
            "decision": "The message to the rater.",
        }


class AttemptQuery(PageQuery):
    pool = Id(required=False)
    step = Id(required=False)
    rater = Id(required=False)
    state = serializers.ChoiceField(required=False, choices=StepAttempt.State.choices)


class AttemptDecisionSerializer(serializers.Serializer[object]):
    decision = serializers.ChoiceField(choices=_DECISIONS)
    words = serializers.CharField(
        default="", allow_blank=True, max_length=2_000, help_text="A message to the rater."
    )


class AttemptScoresSerializer(serializers.Serializer[object]):
    scores = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        min_length=1,
        max_length=100,
        help_text="A score for each demonstration, in their order.",
    )


@described(
    list_attempts="Raters' attempts at onboarding steps, newest first.",
    read_attempt="One attempt with its answers.",
)
class Attempts(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = StepAttempt.objects.select_related("version", "rater")
    serializer_class = StepAttemptSerializer
    query_class = AttemptQuery
    narrowed_by = {"pool": "step__pool", "step": "step", "rater": "rater", "state": "state"}

    def get_object(self) -> StepAttempt:
        return labeling_access.attempt(user=self.by, pk=self.kwargs["pk"])

    @does("decide_attempt", StepAttemptSerializer, body=AttemptDecisionSerializer)
    def decide(self, attempt: StepAttempt, *, decision: str, words: str) -> None:
        """Pass it, allow another attempt or fail it, whatever its score. The rater is notified."""
        services.decide_attempt(
            attempt=attempt, decision=decision, words=words, **self.who_and_when
        )

    @does("score_attempt", StepAttemptSerializer, body=AttemptScoresSerializer)
    def score(self, attempt: StepAttempt, *, scores: list[int]) -> None:
        """Score each demonstration. At the passing score the attempt passes, unless its step always
        needs a decision.
        """
        if attempt.step.kind != OnboardingStep.Kind.DEMONSTRATIONS:
            raise Unable(_("Only demonstrations are scored. Use decide."))
        if len(scores) != len(attempt.answers):
            sentence = _("Send %(n)d scores, one for each demonstration.")
            raise ValidationError({"scores": [sentence % {"n": len(attempt.answers)}]})
        services.score_demonstration(attempt=attempt, scores=scores, **self.who_and_when)
