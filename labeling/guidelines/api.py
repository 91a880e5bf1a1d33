"""Guidelines in the REST API: their versions, with the rating form and the examples of each."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from accounts.api import paging
from accounts.api.fields import Flag, Name
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, reads, writes
from labeling import access as labeling_access
from labeling.guidelines import rating_form, selectors, services
from labeling.models import Guideline, GuidelineVersion
from labeling.models.examples import MOST as MOST_EXAMPLES
from labeling.models.examples import Example
from labeling.models.examples import parse as parse_examples

MOST_QUESTIONS = 40
LONGEST_TEXT = 200_000


class GuidelineSerializer(serializers.Serializer[object]):
    """Serializes a GuidelineRow."""

    id = serializers.IntegerField(source="guideline.pk")
    name = serializers.CharField(source="guideline.name")
    n_versions = serializers.IntegerField()
    n_campaigns = serializers.IntegerField()
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="When the newest version was created."
    )


class RatingConditionSerializer(serializers.Serializer[object]):
    """When a question is asked: an earlier flag is ticked, or an earlier scale is answered within
    bounds.
    """

    question = serializers.CharField(max_length=200, help_text="The `name` of an earlier question.")
    at_least = serializers.IntegerField(
        required=False, allow_null=True, min_value=-100, max_value=101, help_text="For a scale."
    )
    at_most = serializers.IntegerField(
        required=False, allow_null=True, min_value=-100, max_value=101, help_text="For a scale."
    )


class RatingQuestionSerializer(serializers.Serializer[object]):
    """One question about a single response: a flag (yes or no) or a scale of whole numbers."""

    kind = serializers.ChoiceField(choices=["flag", "scale"])
    name = serializers.RegexField(
        r"^[A-Za-z_][A-Za-z0-9_]*$",
        max_length=200,
        required=False,
        help_text=(
            "The key in `ratings`. Keep it in later versions, so that answers stay comparable."
            " Left out, it is made from the label."
        ),
    )
    label = serializers.CharField(  # type: ignore[assignment]  # shadows Field.label
        max_length=200, help_text="The question as raters read it."
    )
    help = serializers.CharField(required=False, allow_blank=True, max_length=300)
    low = serializers.IntegerField(
        required=False, min_value=0, max_value=100, help_text="Scales only; 1 if left out."
    )
    high = serializers.IntegerField(
        required=False, min_value=1, max_value=101, help_text="Scales only; 7 if left out."
    )
    low_label = serializers.CharField(required=False, allow_blank=True, max_length=60)
    high_label = serializers.CharField(required=False, allow_blank=True, max_length=60)
    is_required = Flag(required=False, help_text="Scales only: raters must answer.")
    is_merit = Flag(required=False, help_text="Flags only: it speaks for the response.")
    is_principle = Flag(required=False, help_text="It says how answers should be.")
    asked_if = RatingConditionSerializer(
        required=False, allow_null=True, help_text="Left out, the question is always asked."
    )


class GuidelineExampleSerializer(serializers.Serializer[object]):
    """An example answer that raters see beside their work."""

    answer = serializers.CharField(max_length=10_000)
    is_good = Flag()
    why = serializers.CharField(max_length=500, help_text="The reason, in one sentence.")
    prompt = serializers.CharField(default="", allow_blank=True, max_length=4_000)


class GuidelineVersionSerializer(serializers.Serializer[object]):
    """A version. It never changes."""

    id = serializers.IntegerField()
    guideline = serializers.IntegerField(source="guideline_id")
    number = serializers.IntegerField()
    text = serializers.CharField(help_text="Markdown.")
    questions = RatingQuestionSerializer(
        many=True, source="form.questions", help_text="The rating form, in the order asked."
    )
    examples = GuidelineExampleSerializer(many=True)
    is_major = serializers.BooleanField(
        help_text="Raters whose onboarding has a step on this guideline repeated it."
    )
    created_at = serializers.DateTimeField()


class VersionQuery(PageQuery):
    number = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text="Only the version of this number.",
    )


class _ContentSerializer(serializers.Serializer[object]):
    questions = serializers.ListField(
        child=RatingQuestionSerializer(), required=False, max_length=MOST_QUESTIONS
    )
    examples = serializers.ListField(
        child=GuidelineExampleSerializer(), required=False, max_length=MOST_EXAMPLES
    )

    def validate_questions(self, questions: list[dict[str, Any]]) -> rating_form.RatingForm:
        """The rating form, by the same rules as a stored one."""
        named = [
            question | {"name": question.get("name") or _name_of(question["label"])}
            for question in questions
        ]
        try:
            return rating_form.parse({"questions": named})
        except rating_form.InvalidRatingForm as problem:
            raise ValidationError(str(problem)) from problem

    def validate_examples(self, examples: list[Mapping[str, object]]) -> tuple[Example, ...]:
        return parse_examples(examples)


class NewGuidelineSerializer(_ContentSerializer):
    """Version 1. Without `questions` it asks InstructGPT's; an empty list asks none, as for raters
    who write answers.
    """

    name = Name(
        max_length=120,
        validators=[
            UniqueValidator(Guideline.objects.all(), _("Another guideline already has this name."))
        ],
    )
    text = serializers.CharField(max_length=LONGEST_TEXT, help_text="Markdown.")


class NewGuidelineVersionSerializer(_ContentSerializer):
    """The next version. Fields that you leave out are those of the latest version."""

    text = serializers.CharField(required=False, max_length=LONGEST_TEXT, help_text="Markdown.")
    is_major = Flag(
        default=False,
        help_text=(
            "Raters whose pool has an onboarding step on this guideline repeat it before their next"
            " item."
        ),
    )


def _name_of(label: str) -> str:
    name = slugify(label).replace("-", "_") or "question"
    return name if name.isidentifier() else f"q_{name}"


@described(
    list_guidelines="Guidelines, newest first. A campaign needs the id of one.",
    read_guideline="One guideline. Its texts are in its versions.",
)
class Guidelines(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Guideline.objects.all()
    serializer_class = GuidelineSerializer

    def shown(self, objects: Sequence[Guideline]) -> Sequence[object]:
        return selectors.guideline_rows(guidelines=objects)

    def get_object(self) -> Guideline:
        return labeling_access.guideline(user=self.by, pk=self.kwargs["pk"])

    @writes("create_guideline", GuidelineSerializer, body=NewGuidelineSerializer, status=201)
    def create(
        self,
        *,
        name: str,
        text: str,
        questions: rating_form.RatingForm | None = None,
        examples: Sequence[Example] = (),
    ) -> Guideline:
        """Create a guideline with its first version."""
        return services.create_guideline(
            name=name, text=text, form=questions, examples=examples, **self.who_and_when
        )

    @reads(
        "list_guideline_versions",
        paging.page_of(GuidelineVersionSerializer),
        query=VersionQuery,
        serializer_class=GuidelineVersionSerializer,
    )
    def versions(self, request: Request, pk: int) -> Response:
        """Its versions with text, rating form and examples, newest first."""
        queryset = self.get_object().versions.all()
        number = self.asked.get("number")
        queryset = queryset if number is None else queryset.filter(number=number)
        return self.page(queryset, shown=list)

    @versions.mapping.post
    @writes(
        "create_guideline_version",
        GuidelineVersionSerializer,
        body=NewGuidelineVersionSerializer,
        status=201,
        is_one=True,
    )
    def new_version(
        self,
        guideline: Guideline,
        *,
        is_major: bool,
        text: str | None = None,
        questions: rating_form.RatingForm | None = None,
        examples: Sequence[Example] | None = None,
    ) -> GuidelineVersion:
        """Add the next version. It takes effect at once for every campaign of the guideline that is
        not closed; items that raters hold keep the version they were shown.
        """
        latest = selectors.latest_version(guideline=guideline)
        return services.new_guideline_version(
            guideline=guideline,
            text=latest.text if text is None else text,
            form=rating_form.parse(latest.form) if questions is None else questions,
            examples=parse_examples(latest.examples) if examples is None else examples,
            is_major=is_major,
            **self.who_and_when,
        )
