"""The steps of pools' onboarding in the REST API. What a call sends has the fields of the page's
form, which checks them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.fields import Flag, Id, Name, OneOf
from accounts.api.page_forms import checked, filled
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, reads, writes
from arithmetic.response_orders import LETTERS
from labeling import access as labeling_access
from labeling.models import OnboardingStep, Pool, StepVersion
from labeling.people.onboarding import question_rows, selectors, services
from labeling.people.onboarding.forms import StepForm
from labeling.people.onboarding.questions import MOST_QUESTIONS, Question

Kind = OnboardingStep.Kind
LONGEST = 20_000
KEYS: Mapping[str, frozenset[str]] = {
    Kind.CONSENT: frozenset(),
    Kind.PROFILE: frozenset({"text", "choices"}),
    Kind.GUIDELINE: frozenset({"text", "choices", "right"}),
    Kind.FLAGS: frozenset({"prompt", "response", "is_sensitive"}),
    Kind.RANKINGS: frozenset({"prompt", "responses", "ranks"}),
    Kind.DEMONSTRATIONS: frozenset({"prompt"}),
    Kind.TOPICS: frozenset({"topic"}),
}
"""What a question of each kind of step has."""
_CALLED = {"cut": "passing_score"}


def _text(**options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=LONGEST, required=False, **options)


class StepQuestionSerializer(serializers.Serializer[object]):
    """A question. `profile`: text, choices. `guideline`: text, choices, right. `flags`: prompt,
    response, is_sensitive. `rankings`: prompt, responses, ranks. `demonstrations`: prompt.
    `topics`: topic.
    """

    text = _text()
    choices = serializers.ListField(
        child=Name(max_length=200), required=False, min_length=2, max_length=50
    )
    right = serializers.IntegerField(
        required=False, min_value=0, max_value=49, help_text="Which choice is correct, from 0."
    )
    prompt = _text()
    response = _text()
    is_sensitive = Flag(required=False, help_text="As your researchers answered.")
    responses = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST),
        required=False,
        min_length=2,
        max_length=len(LETTERS),
    )
    ranks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=len(LETTERS)),
        required=False,
        max_length=len(LETTERS),
        help_text="A rank for each response: 1 is best, equal numbers are a tie.",
    )
    topic = Name(max_length=64, required=False, help_text="A prompt category, or a tag.")


class StepVersionSerializer(serializers.Serializer[object]):
    """What raters see of a step. A version never changes."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField(help_text="Markdown.")
    questions = StepQuestionSerializer(many=True)
    created_at = serializers.DateTimeField()


class OnboardingStepSerializer(serializers.Serializer[object]):
    """Serializes a StepRow."""

    id = serializers.IntegerField(source="step.pk")
    pool = serializers.IntegerField(source="step.pool_id")
    kind = serializers.ChoiceField(source="step.kind", choices=Kind.choices)
    position = serializers.IntegerField(source="step.position", help_text="Lower ones come first.")
    guideline = serializers.IntegerField(source="step.guideline_id", allow_null=True)
    passing_score = serializers.SerializerMethodField(
        help_text="In percent; of demonstrations the mean score, 1 to 7. Null if nothing is scored."
    )
    max_attempts = serializers.IntegerField(source="step.max_attempts")
    needs_decision = serializers.BooleanField(source="step.needs_decision")
    paid_minutes = serializers.IntegerField(source="step.paid_minutes")
    version = StepVersionSerializer(help_text="The current version.")
    n_passed = serializers.IntegerField(help_text="Raters who passed.")
    n_waiting = serializers.IntegerField(help_text="Attempts that wait for a decision.")
    retired_at = serializers.DateTimeField(source="step.retired_at", allow_null=True)

    def get_passing_score(self, row: Any) -> float | None:
        cut = row.step.cut
        if cut is None:
            return None
        return float(cut if row.step.kind == Kind.DEMONSTRATIONS else cut * 100)


class StepQuery(PageQuery):
    pool = Id(required=False)
    is_retired = serializers.BooleanField(required=False, default=False)


class StepChangeSerializer(serializers.Serializer[object]):
    """Omitted fields keep their value. A field that the kind of step does not use is refused."""

    title = serializers.CharField(max_length=120, required=False)
    text = serializers.CharField(
        max_length=50_000, required=False, allow_blank=True, help_text="Markdown."
    )
    guideline = Id(required=False, help_text="For `guideline`: its ID.")
    questions = serializers.ListField(
        child=StepQuestionSerializer(), required=False, max_length=MOST_QUESTIONS
    )
    passing_score = serializers.FloatField(
        min_value=0,
        max_value=100,
        required=False,
        help_text="In percent; for `demonstrations` the mean score, 1 to 7.",
    )
    max_attempts = serializers.IntegerField(
        min_value=1, max_value=20, required=False, help_text="After the last, an admin decides."
    )
    needs_decision = Flag(required=False, help_text="An admin decides on every attempt.")
    paid_minutes = serializers.IntegerField(
        min_value=0, max_value=1_000, required=False, help_text="Paid for each attempt."
    )
    is_major = Flag(required=False, help_text="Everyone must repeat the step.")


class NewStepSerializer(StepChangeSerializer):
    """Omitted fields have the page's initial value."""

    pool = OneOf(Pool.objects.all())
    kind = serializers.ChoiceField(choices=Kind.choices)
    is_major = None  # type: ignore[assignment]  # a new step has nothing to repeat


class MoveStepSerializer(serializers.Serializer[object]):
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
    query_class = StepQuery

    def filtered(self, queryset: QuerySet[OnboardingStep]) -> QuerySet[OnboardingStep]:
        steps_shown = queryset.filter(retired_at__isnull=not self.asked["is_retired"])
        pool = self.asked.get("pool")
        return steps_shown.filter(pool=pool) if pool else steps_shown

    def get_object(self) -> OnboardingStep:
        return labeling_access.any_step(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[OnboardingStep]) -> Sequence[object]:
        rows = {
            row.step.pk: row
            for row in selectors.rows_of_steps(
                steps=OnboardingStep.objects.filter(pk__in=[step.pk for step in objects])
            )
        }
        return [rows[step.pk] for step in objects]

    @writes("create_onboarding_step", OnboardingStepSerializer, body=NewStepSerializer, status=201)
    def create(self, *, pool: Pool, kind: str, **values: Any) -> OnboardingStep:
        """Add a step at the end of a pool's onboarding. Current raters take it before their next
        item.
        """
        return services.add_step(
            pool=pool, kind=kind, **_arguments_of(values, kind=kind), **self.who_and_when
        )

    @writes(
        "change_onboarding_step",
        OnboardingStepSerializer,
        body=StepChangeSerializer,
        is_one=True,
    )
    def partial_update(self, step: OnboardingStep, **values: object) -> None:
        """Change a step. A changed text or question becomes its next version."""
        _refuse_retired(step)
        latest = selectors.step_versions(step=step)[0]
        arguments = _arguments_of(values, kind=step.kind, step=step, version=latest)
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


def _refuse_retired(step: OnboardingStep) -> None:
    if step.retired_at is not None:
        raise Unable(_("This step is retired. Add a new one."))


def _arguments_of(
    values: Mapping[str, Any],
    *,
    kind: str,
    step: OnboardingStep | None = None,
    version: StepVersion | None = None,
) -> dict[str, Any]:
    """Arguments for services.add_step and edit_step. Raises ValidationError."""
    given = dict(values)
    asked = given.pop("questions", None)
    if "passing_score" in given:
        given["cut"] = given.pop("passing_score")
    if asked is not None:
        _check_keys(kind, asked)
    if kind == Kind.TOPICS and asked is not None:
        given["questions"] = "\n".join(question["topic"] for question in asked)
    options: dict[str, Any] = {"kind": kind, "step": step, "version": version}
    data = filled(StepForm(**options), given, names=_CALLED)
    form = checked(StepForm(data, **options), names=_CALLED)
    if kind not in question_rows.ROWS:
        return form.arguments
    if asked is None and version is not None:
        return form.arguments | {"questions": version.questions}
    return form.arguments | {"questions": _questions(kind, asked or [])}


def _check_keys(kind: str, asked: Sequence[Question]) -> None:
    errors = {}
    for place, question in enumerate(asked):
        missing, odd = KEYS[kind] - question.keys(), question.keys() - KEYS[kind]
        if missing or odd:
            wanted = ", ".join(f"`{key}`" for key in sorted(KEYS[kind])) or "–"
            sentence = _("A question of this step has these fields: %(fields)s.")
            errors[f"questions.{place}"] = [sentence % {"fields": wanted}]
        elif len(question.get("ranks", ())) != len(question.get("responses", ())):
            sentence = _("`ranks` must be a list of %(n)d numbers, one per response.")
            errors[f"questions.{place}"] = [sentence % {"n": len(question["responses"])}]
    if errors:
        raise ValidationError(errors)


def _questions(kind: str, asked: Sequence[Question]) -> list[Question]:
    """The questions, checked by the rows of the page's form."""
    row = question_rows.ROWS[kind]
    data: dict[str, object] = {
        "questions-TOTAL_FORMS": str(len(asked)),
        "questions-INITIAL_FORMS": "0",
    }
    for place, question in enumerate(asked):
        fields = row.initial_of(question)
        data |= {f"questions-{place}-{name}": value for name, value in fields.items()}
    rows = question_rows.rows(kind, data, [])
    assert rows is not None
    if rows.is_valid():
        return rows.questions
    errors = {
        f"questions.{place}": [
            str(words) for sentences in form.errors.values() for words in sentences
        ]
        for place, form in enumerate(rows.forms)
        if form.errors
    }
    whole = [str(sentence) for sentence in rows.non_form_errors()]
    raise ValidationError(errors | ({"questions": whole} if whole else {}))
