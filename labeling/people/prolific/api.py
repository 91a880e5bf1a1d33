"""Prolific in the REST API: studies behind crowd links, their submissions, and bonuses. Amounts are
in the minor units of the study's currency.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from accounts.api import problems
from accounts.api.fields import MAX_ID, Id, OneOf
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, removes, writes
from labeling import access as labeling_access
from labeling.models import CrowdLink, ProlificBonusBatch, ProlificStudy, ProlificSubmission
from labeling.people.prolific import bonuses, dues, polling, protocol, reviews, services
from labeling.people.prolific.forms import MOST_MINUTES, MOST_PLACES

MOST_CENTS = 10_000_000
MOST_CHOSEN = 1_000


def _ids(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=Id(), max_length=MOST_CHOSEN, help_text=help_text)


# --- studies --------------------------------------------------------------------------------------


class ProlificStudySerializer(RowSerializer):
    status = serializers.CharField(help_text="As Prolific says it, such as ACTIVE.")

    class Meta:
        model = ProlificStudy
        fields = [
            "id", "crowd_link", "prolific_id", "name", "description", "eligibility", "project_id",
            "filter_set_id", "reward", "currency", "minutes", "n_places", "screen_out_reward",
            "screen_out_places", "completion_code", "no_work_code", "screen_out_code", "status",
            "polled_at", "problem", "created_at",
        ]  # fmt: skip
        sources = {
            "crowd_link": "link",
            "name": "link.name",
            "completion_code": "link.completion_code",
        }
        help_texts = {
            "currency": "ISO 4217, once Prolific has said it.",
            "minutes": "Estimated time.",
            "no_work_code": "For workers who find no more items.",
            "screen_out_code": "For workers who do not pass onboarding.",
            "polled_at": "When Prolific last said how the study stands.",
            "problem": "Why the last look failed. Empty if it did not.",
        }


class ProlificStudyQuery(PageQuery):
    crowd_link = Id(required=False)


class NewProlificStudySerializer(serializers.Serializer[object]):
    crowd_link = OneOf(
        CrowdLink.objects.select_related("campaign"),
        help_text="A link that is open.",
        source="link",
    )
    description = serializers.CharField(
        max_length=10_000, help_text="Participants read it before they take part."
    )
    eligibility = serializers.CharField(
        max_length=2_000,
        default="",
        allow_blank=True,
        help_text="Who can take part; added to the description.",
    )
    project_id = serializers.CharField(max_length=64, default="", allow_blank=True)
    filter_set_id = serializers.CharField(
        max_length=64, default="", allow_blank=True, help_text="Empty: everyone."
    )
    reward = serializers.IntegerField(min_value=1, max_value=MOST_CENTS)
    minutes = serializers.IntegerField(min_value=1, max_value=MOST_MINUTES)
    n_places = serializers.IntegerField(min_value=1, max_value=MOST_PLACES)
    screen_out_reward = serializers.IntegerField(
        min_value=1,
        max_value=MOST_CENTS,
        default=None,
        allow_null=True,
        help_text="Less than the reward. Without it, workers are asked to return the study.",
    )
    screen_out_places = serializers.IntegerField(
        min_value=1, max_value=MOST_PLACES, default=None, allow_null=True
    )


class ProlificPlacesSerializer(serializers.Serializer[object]):
    n_places = serializers.IntegerField(
        min_value=1, max_value=MOST_PLACES, help_text="The new total."
    )


class ProlificCostQuery(serializers.Serializer[object]):
    n_places = serializers.IntegerField(min_value=1, max_value=MOST_PLACES)


class ProlificCostSerializer(serializers.Serializer[object]):
    n_places = serializers.IntegerField()
    rewards = serializers.IntegerField()
    total = serializers.IntegerField(help_text="With Prolific's fees and VAT.")
    currency = serializers.CharField()


class ChosenSubmissionsSerializer(serializers.Serializer[object]):
    submissions = _ids("Submissions of the study; those that do not qualify are left out.")


@described(
    list_prolific_studies="Studies on Prolific, newest first.",
    read_prolific_study="One study, as it was at `polled_at`.",
)
class ProlificStudies(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = ProlificStudy.objects.select_related("link")
    serializer_class = ProlificStudySerializer
    query_class = ProlificStudyQuery
    narrowed_by = {"crowd_link": "link"}

    def get_object(self) -> ProlificStudy:
        return labeling_access.prolific_study(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "create_prolific_study",
        ProlificStudySerializer,
        body=NewProlificStudySerializer,
        status=201,
    )
    def create(self, *, link: CrowdLink, **values: Any) -> ProlificStudy:
        """Create a draft on Prolific that sends its participants to a crowd link. It costs nothing
        until you publish it.
        """
        page = self.request.build_absolute_uri(reverse("crowd", args=[link.token]))
        plan = services.StudyPlan(**values)
        return services.connect(link=link, page=page, plan=plan, **self.who_and_when)

    @removes("delete_prolific_study")
    def destroy(self, study: ProlificStudy) -> None:
        """Delete a draft, on Prolific too. The crowd link stays."""
        services.disconnect(study=study, **self.who_and_when)

    @does("publish_prolific_study", ProlificStudySerializer)
    def publish(self, study: ProlificStudy) -> None:
        """Invite participants. Prolific reserves the cost: read it first."""
        services.move_study(study=study, act="publish", **self.who_and_when)

    @does("pause_prolific_study", ProlificStudySerializer)
    def pause(self, study: ProlificStudy) -> None:
        """Let nobody new start. Participants who have started can finish."""
        services.move_study(study=study, act="pause", **self.who_and_when)

    @does("resume_prolific_study", ProlificStudySerializer)
    def resume(self, study: ProlificStudy) -> None:
        """Let participants start again."""
        services.move_study(study=study, act="resume", **self.who_and_when)

    @does("set_prolific_places", ProlificStudySerializer, body=ProlificPlacesSerializer)
    def places(self, study: ProlificStudy, *, n_places: int) -> None:
        """Raise the number of places. Repeating the call adds none."""
        services.set_places(study=study, n_places=n_places, **self.who_and_when)

    @reads(
        "read_prolific_cost",
        {200: ProlificCostSerializer, **problems.described((409,))},
        query=ProlificCostQuery,
    )
    def cost(self, request: object, pk: int) -> object:
        """What this many places cost, as Prolific says now."""
        study, n = self.get_object(), self.asked["n_places"]
        cost = {
            "n_places": n,
            "rewards": study.reward * n,
            "total": protocol.cost(reward=study.reward, n_places=n),
            "currency": study.currency,
        }
        return Response(ProlificCostSerializer(cost).data)

    @does("poll_prolific_study", ProlificStudySerializer)
    def poll(self, study: ProlificStudy) -> None:
        """Look at the study and its submissions now. `problem` says if that failed."""
        polling.poll_study(study_id=study.pk, is_asked=True, now=self.who_and_when["now"])

    @does("approve_prolific_submissions", ProlificStudySerializer, body=ChosenSubmissionsSerializer)
    def approve(self, study: ProlificStudy, *, submissions: Collection[int]) -> None:
        """Approve those of the submissions that were handed in with the right code for a complete
        visit.
        """
        reviews.approve_passed(study=study, submission_ids=submissions, **self.who_and_when)


# --- submissions ----------------------------------------------------------------------------------


class ProlificSubmissionSerializer(serializers.Serializer[object]):
    """Serializes a Row of dues. The participant's ID on Prolific is never given."""

    id = serializers.IntegerField(source="submission.pk")
    study = serializers.IntegerField(source="submission.study_id")
    prolific_id = serializers.CharField()
    rater = serializers.IntegerField(
        source="visit.rater_id",
        default=None,
        allow_null=True,
        help_text="Null if the participant never opened the link.",
    )
    status = serializers.CharField(
        source="submission.status", help_text="As Prolific says it, such as AWAITING REVIEW."
    )
    visit_state = serializers.CharField(
        source="visit.state", default=None, allow_null=True, help_text="As the site has it."
    )
    n_answers = serializers.IntegerField(source="n_given")
    has_passed = serializers.BooleanField(
        help_text="Waits for review, with the code the site gave for a complete visit."
    )
    is_late = serializers.BooleanField(
        help_text="Finished after Prolific had given the place away: no reward, so a bonus is due."
    )
    earned = serializers.IntegerField(help_text="At the pool's rates.")
    received = serializers.IntegerField(help_text="Rewards and bonuses, also those on their way.")
    due = serializers.IntegerField(help_text="What a bonus would pay.")
    started_at = serializers.DateTimeField(source="submission.started_at", allow_null=True)
    completed_at = serializers.DateTimeField(source="submission.completed_at", allow_null=True)
    return_asked_at = serializers.DateTimeField(
        source="submission.return_asked_at", allow_null=True
    )


class OfStudyQuery(PageQuery):
    study = Id(required=False)


class ReturnRequestSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(max_length=500, help_text="The participant reads it.")


class RejectionSerializer(serializers.Serializer[object]):
    category = serializers.ChoiceField(choices=reviews.RejectionCategory.choices)
    message = serializers.CharField(
        min_length=protocol.FEWEST_REJECTION_CHARACTERS,
        max_length=3_000,
        help_text="The participant reads it.",
    )


@described(
    list_prolific_submissions="Submissions, newest first, as of the last look at their studies.",
    read_prolific_submission="One submission.",
)
class ProlificSubmissions(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = ProlificSubmission.objects.select_related("study__link__campaign")
    serializer_class = ProlificSubmissionSerializer
    query_class = OfStudyQuery
    narrowed_by = {"study": "study"}

    def get_object(self) -> ProlificSubmission:
        return labeling_access.prolific_submission(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[ProlificSubmission]) -> Sequence[object]:
        studies = {submission.study_id: submission.study for submission in objects}
        rows = {
            row.submission.pk: row for study in studies.values() for row in dues.rows(study=study)
        }
        return [rows[submission.pk] for submission in objects]

    @does("approve_prolific_submission", ProlificSubmissionSerializer)
    def approve(self, submission: ProlificSubmission) -> None:
        """Pay the reward. It cannot be undone."""
        reviews.approve(submission=submission, **self.who_and_when)

    @does(
        "ask_prolific_return",
        ProlificSubmissionSerializer,
        body=ReturnRequestSerializer,
        url_path="request-return",
    )
    def request_return(self, submission: ProlificSubmission, *, reason: str) -> None:
        """Ask the participant to return the submission, without pay and without harm to them."""
        reviews.ask_to_return(submission=submission, reason=reason, **self.who_and_when)

    @does("reject_prolific_submission", ProlificSubmissionSerializer, body=RejectionSerializer)
    def reject(self, submission: ProlificSubmission, *, category: str, message: str) -> None:
        """Refuse the reward. It cannot be undone, and there is no call for several at once."""
        reviews.reject(
            submission=submission, category=category, message=message, **self.who_and_when
        )


# --- bonuses --------------------------------------------------------------------------------------


class ProlificBonusLineSerializer(serializers.Serializer[object]):
    submission = serializers.IntegerField(source="submission_id")
    amount = serializers.IntegerField()
    is_paid = serializers.BooleanField(help_text="Whether Prolific lists it.")


class ProlificBonusSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    study = serializers.IntegerField(source="study_id")
    state = serializers.ChoiceField(
        choices=[(state.value, state.value) for state in ProlificBonusBatch.State],
        help_text="`unconfirmed`: sent without an answer, so the site looks for the bonuses.",
    )
    amount = serializers.IntegerField(help_text="For the participants.")
    total = serializers.IntegerField(help_text="With Prolific's fees and VAT.")
    problem = serializers.CharField()
    lines = ProlificBonusLineSerializer(many=True)
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class NewProlificBonusSerializer(serializers.Serializer[object]):
    study = OneOf(ProlificStudy.objects.select_related("link__campaign"))
    submissions = _ids("Those with nothing due are left out.")


class BonusTotalSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField(
        min_value=1, max_value=MAX_ID, help_text="The batch's `total`, to confirm it."
    )


@described(
    list_prolific_bonuses="Batches of bonuses, newest first.",
    read_prolific_bonus="One batch of bonuses.",
)
class ProlificBonuses(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = ProlificBonusBatch.objects.prefetch_related("lines")
    serializer_class = ProlificBonusSerializer
    query_class = OfStudyQuery
    narrowed_by = {"study": "study"}

    def get_object(self) -> ProlificBonusBatch:
        return labeling_access.prolific_bonus(user=self.by, pk=self.kwargs["pk"])

    def get_serializer(self, row: Any, *, many: bool = False) -> Any:
        if not many:
            row = self.queryset.get(pk=row.pk)
        return super().get_serializer(row, many=many)

    @writes(
        "prepare_prolific_bonus",
        ProlificBonusSerializer,
        body=NewProlificBonusSerializer,
        status=201,
    )
    def create(self, *, study: ProlificStudy, submissions: Collection[int]) -> ProlificBonusBatch:
        """Set up what is due to these submissions. No money moves before you call `pay`."""
        return bonuses.prepare(study=study, submission_ids=submissions, **self.who_and_when)

    @does("pay_prolific_bonus", ProlificBonusSerializer, body=BonusTotalSerializer)
    def pay(self, batch: ProlificBonusBatch, *, total: int) -> None:
        """Confirm the total. A worker sends the batch once; `state` says what has become of it."""
        bonuses.pay(batch=batch, total=total, **self.who_and_when)

    @does("resend_prolific_bonus", ProlificBonusSerializer)
    def resend(self, batch: ProlificBonusBatch) -> None:
        """Send a batch again that Prolific does not list (`not_found`)."""
        bonuses.send_again(batch=batch, **self.who_and_when)

    @does("discard_prolific_bonus", ProlificBonusSerializer)
    def discard(self, batch: ProlificBonusBatch) -> None:
        """Drop a batch that was not sent, or that Prolific does not list."""
        bonuses.discard(batch=batch, **self.who_and_when)
