"""Onboarding in the REST API: the steps of pools, and raters' attempts at them."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.fields import MAX_ID
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling import access as labeling_access
from labeling.api.people import steps
from labeling.api.people.steps import OnboardingStepSerializer, StepVersionSerializer
from labeling.models import OnboardingStep, Pool, StepAttempt
from labeling.people.onboarding import selectors, services

_DECISIONS = [("pass", "pass"), ("again", "allow another attempt"), ("refuse", "fail")]


class MoveStepSerializer(serializers.Serializer[Any]):
    places = serializers.IntegerField(
        min_value=-100, max_value=100, help_text="-1 is one up, 1 is one down."
    )


@described(
    list_onboarding_steps="Steps of pools' onboarding, newest first. `position` has the order.",
    read_onboarding_step="One step with its current version.",
)
class Steps(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = OnboardingStep.objects.all()
    serializer_class = OnboardingStepSerializer
    query_class = steps.StepQuery

    def filter_queryset(self, queryset: Any) -> Any:
        found = queryset.filter(retired_at__isnull=not self.asked["is_retired"])
        pool = self.asked.get("pool")
        return found.filter(pool=pool) if pool else found

    def get_object(self) -> OnboardingStep:
        return labeling_access.any_step(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[OnboardingStep]) -> Sequence[Any]:
        rows = {
            row.step.pk: row
            for row in selectors.rows_of_steps(
                steps=OnboardingStep.objects.filter(pk__in=[step.pk for step in objects])
            )
        }
        return [rows[step.pk] for step in objects]

    @writes(
        "create_onboarding_step", OnboardingStepSerializer, body=steps.NewStepSerializer, status=201
    )
    def create(self, *, pool: Pool, kind: str, **values: Any) -> OnboardingStep:
        """Add a step at the end of a pool's onboarding. Current raters take it before their next
        item.
        """
        return services.add_step(
            pool=pool, kind=kind, **steps.arguments_of(values, kind=kind), **self.who_and_when
        )

    @writes(
        "change_onboarding_step",
        OnboardingStepSerializer,
        body=steps.StepChangeSerializer,
        is_one=True,
    )
    def partial_update(self, step: OnboardingStep, **values: Any) -> None:
        """Change a step. A changed text or question becomes its next version."""
        _refuse_retired(step)
        latest = selectors.step_versions(step=step)[0]
        arguments = steps.arguments_of(values, kind=step.kind, step=step, version=latest)
        services.edit_step(step=step, **arguments, **self.who_and_when)

    @does("retire_onboarding_step", OnboardingStepSerializer)
    def retire(self, step: OnboardingStep) -> None:
        """Stop asking raters to take it. Attempts stay. Changes nothing if it is retired."""
        services.retire_step(step=step, **self.who_and_when)

    @does("move_onboarding_step", OnboardingStepSerializer, body=MoveStepSerializer)
    def move(self, step: OnboardingStep, *, places: int) -> None:
        """Move it up or down in the pool's onboarding. Changes nothing beyond the ends."""
        _refuse_retired(step)
        services.move_step(step=step, places=places, **self.who_and_when)

    @reads(
        "list_onboarding_step_versions",
        paging.page_of(StepVersionSerializer),
        query=PageQuery,
        serializer_class=StepVersionSerializer,
    )
    def versions(self, request: Request, pk: int) -> Response:
        """Its versions, newest first."""
        return self.page(self.get_object().versions.all(), shown=list)


class StepAttemptSerializer(serializers.Serializer[Any]):
    """A rater's attempt at a step. Answers to a profile are never given."""

    id = serializers.IntegerField()
    step = serializers.IntegerField(source="step_id")
    version = serializers.IntegerField(source="version.number", help_text="The number answered.")
    rater = serializers.IntegerField(source="rater_id")
    alias = serializers.CharField(source="rater.alias")
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=StepAttempt.State.choices)
    answers = serializers.ListField(
        child=serializers.JSONField(), help_text="In the order of the version's questions."
    )
    score = serializers.FloatField(
        allow_null=True, help_text="A share from 0 to 1; of demonstrations the mean score, 1 to 7."
    )
    submitted_at = serializers.DateTimeField()
    may_retry = serializers.BooleanField(help_text="An admin allowed another attempt.")
    decided_at = serializers.DateTimeField(allow_null=True)
    decision = serializers.CharField(help_text="The message to the rater.")


class AttemptQuery(PageQuery):
    pool = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    step = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    rater = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    state = serializers.ChoiceField(required=False, choices=StepAttempt.State.choices)


class AttemptDecisionSerializer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=_DECISIONS)
    words = serializers.CharField(
        default="", allow_blank=True, max_length=2_000, help_text="A message to the rater."
    )


class AttemptScoresSerializer(serializers.Serializer[Any]):
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

    def filter_queryset(self, queryset: Any) -> Any:
        lookups = {"pool": "step__pool", "step": "step", "rater": "rater", "state": "state"}
        asked = {lookups[name]: self.asked[name] for name in lookups if name in self.asked}
        return queryset.filter(**asked)

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


def _refuse_retired(step: OnboardingStep) -> None:
    if step.retired_at is not None:
        raise Unable(_("This step is retired. Add a new one."))
