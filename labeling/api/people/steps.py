"""The steps of a pool's onboarding as JSON: the fields of the page's form, which checks them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import MAX_ID, Flag, Name, OneOf
from accounts.api.page_forms import checked, filled
from accounts.api.paging import PageQuery
from labeling.models import OnboardingStep, Pool, StepVersion
from labeling.people.onboarding import question_rows
from labeling.people.onboarding.forms import StepForm
from labeling.people.onboarding.questions import MOST_QUESTIONS, Question
from labeling.statistics.response_orders import LETTERS

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


class StepQuestionSerializer(serializers.Serializer[Any]):
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


class StepVersionSerializer(serializers.Serializer[Any]):
    """What raters see of a step. A version never changes."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField(help_text="Markdown.")
    questions = StepQuestionSerializer(many=True)
    created_at = serializers.DateTimeField()


class OnboardingStepSerializer(serializers.Serializer[Any]):
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
    pool = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    is_retired = serializers.BooleanField(required=False, default=False)


class StepChangeSerializer(serializers.Serializer[Any]):
    """Omitted fields keep their value. A field that the kind of step does not use is refused."""

    title = serializers.CharField(max_length=120, required=False)
    text = serializers.CharField(
        max_length=50_000, required=False, allow_blank=True, help_text="Markdown."
    )
    guideline = serializers.IntegerField(
        min_value=1, max_value=MAX_ID, required=False, help_text="For `guideline`: its ID."
    )
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


def arguments_of(
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
    data: dict[str, Any] = {
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
        f"questions.{place}": [str(one) for found in form.errors.values() for one in found]
        for place, form in enumerate(rows.forms)
        if form.errors
    }
    whole = [str(sentence) for sentence in rows.non_form_errors()]
    raise ValidationError(errors | ({"questions": whole} if whole else {}))
