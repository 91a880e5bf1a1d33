"""Review in the REST API: the queue, an item with its answers, decisions, answers set aside,
appeals.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Flag
from accounts.api.paging import PageQuery, page_of
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling import access as labeling_access
from labeling.models import Adjudication, Campaign, Gold, Item, Judgment, JudgmentReview
from labeling.queue.gold import services as gold_services
from labeling.review import selectors, services, set_aside
from labeling.review.forms import LONGEST
from labeling.review.services import Remark

SMALL = 32_767


class ReviewQuery(PageQuery):
    order = serializers.ChoiceField(
        required=False,
        choices=selectors.QueueOrder.choices,
        help_text="All but the first two also filter. Leave it out for the page's own.",
    )


class ReviewRowSerializer(serializers.Serializer[object]):
    """An item with answers that wait for review."""

    item = serializers.IntegerField(source="item_id")
    n_judgments = serializers.IntegerField()
    agreement = serializers.FloatField(
        allow_null=True, help_text="Of its answers; null with fewer than two raters."
    )
    pace = serializers.FloatField(
        allow_null=True, help_text="Characters per second of the fastest answer."
    )
    seconds = serializers.FloatField(allow_null=True)
    n_new = serializers.IntegerField(help_text="Answers by new raters.")
    is_drawn = serializers.BooleanField(help_text="In the random sample.")
    is_requested = serializers.BooleanField(help_text="By a rater who was paused.")
    pasted = serializers.FloatField(allow_null=True, help_text="Largest share of pasted text.")
    latest_at = serializers.DateTimeField()


class ReviewItemQuery(serializers.Serializer[object]):
    names = serializers.ChoiceField(
        choices=["hidden", "shown"], default="hidden", help_text="Raters by number or pseudonym."
    )


class ReviewResponseSerializer(serializers.Serializer[object]):
    letter = serializers.CharField()
    response = serializers.IntegerField(source="response.pk")
    text = serializers.CharField(source="response.text")


class ReviewSerializer(serializers.Serializer[object]):
    score = serializers.IntegerField(allow_null=True)
    feedback = serializers.CharField()
    appealed_at = serializers.DateTimeField(allow_null=True)


class ReviewedAnswerSerializer(serializers.Serializer[object]):
    judgment = serializers.IntegerField(source="answer.judgment.pk")
    who = serializers.CharField()
    text = serializers.CharField(source="answer.text", allow_null=True)
    ranks = serializers.DictField(
        child=serializers.IntegerField(allow_null=True), help_text="Response → rank."
    )
    reason = serializers.CharField(source="answer.reason")
    edit = serializers.CharField(source="answer.edit", help_text="Their edit of a response.")
    pace = serializers.FloatField(allow_null=True)
    is_new = serializers.BooleanField()
    pasted_share = serializers.FloatField(allow_null=True)
    is_set_aside = serializers.SerializerMethodField()
    review = ReviewSerializer(allow_null=True)

    def get_is_set_aside(self, answer: selectors.ReviewedAnswer) -> bool:
        return getattr(answer.answer.judgment, "set_aside", None) is not None


class DecisionSerializer(serializers.Serializer[object]):
    reason = serializers.ChoiceField(choices=Adjudication.Reason.choices)
    note = serializers.CharField()
    at = serializers.DateTimeField()
    ranks = serializers.DictField(child=serializers.IntegerField(allow_null=True))


class ReviewItemSerializer(serializers.Serializer[object]):
    """An item with every answer to it, and what was decided."""

    item = serializers.IntegerField(source="item.pk")
    prompt = serializers.IntegerField(source="item.prompt_id")
    responses = ReviewResponseSerializer(many=True)
    answers = ReviewedAnswerSerializer(many=True)
    decision = serializers.SerializerMethodField()
    gold = serializers.IntegerField(source="gold.pk", allow_null=True)

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_decision(self, work: selectors.ReviewItem) -> object:
        decision = work.adjudication
        if decision is None:
            return None
        about = {"reason": decision.reason, "note": decision.note, "at": decision.at}
        return DecisionSerializer({**about, "ranks": work.decided}).data


class RemarksField(serializers.DictField):
    """Judgment → feedback to its rater."""

    child = serializers.CharField(allow_blank=True, max_length=LONGEST)

    def to_internal_value(self, data: Any) -> dict[int, str]:
        return _by_id(super().to_internal_value(data))


class NumbersField(serializers.DictField):
    """Id → number."""

    child = serializers.IntegerField(min_value=1, max_value=SMALL, allow_null=True)

    def to_internal_value(self, data: Any) -> dict[int, int | None]:
        return _by_id(super().to_internal_value(data))


class DecideSerializer(serializers.Serializer[object]):
    """Comparisons: `ranks` and `reason`. Demonstrations: `scores`. Feedback goes with both."""

    ranks = NumbersField(required=False, help_text="Response → rank, 1 the best; equal is a tie.")
    reason = serializers.ChoiceField(
        required=False,
        choices=Adjudication.Reason.choices,
        help_text="Comparisons only, required: why raters disagreed.",
    )
    note = serializers.CharField(
        default="", allow_blank=True, max_length=LONGEST, help_text="Why this ranking is right."
    )
    promotes = Flag(default=False, help_text="Also make this ranking a gold item.")
    scores = NumbersField(required=False, help_text="Judgment → score from 1 to 7.")
    feedback = RemarksField(required=False, help_text="Judgment → feedback to its rater.")
    feedback_to_all = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST,
        help_text="For every rater of the item without feedback of their own.",
    )


class SetAsideSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=LONGEST, help_text="For reviewers only."
    )


class JudgmentStateSerializer(serializers.Serializer[object]):
    judgment = serializers.IntegerField(source="pk")
    is_set_aside = serializers.SerializerMethodField()
    is_extra = serializers.BooleanField(
        help_text="It counts beside those asked for: another rater has its place."
    )

    def get_is_set_aside(self, judgment: Judgment) -> bool:
        return getattr(judgment, "set_aside", None) is not None


class MadeGoldSerializer(serializers.Serializer[object]):
    gold = serializers.IntegerField(source="pk")


class CampaignReview(ApiViewSet):
    """Below the view set of campaigns."""

    queryset = Campaign.objects.all()
    serializer_class = ReviewRowSerializer

    def get_object(self) -> Campaign:
        return labeling_access.campaign(user=self.by, pk=self.kwargs["pk"])

    @reads("list_review_queue", page_of(ReviewRowSerializer), query=ReviewQuery)
    def review(self, request: Request, pk: int) -> Response:
        """Items whose answers wait for review, most urgent first."""
        campaign = self.get_object()
        offered = selectors.orders_of(campaign)
        order = self.asked.get("order") or offered[0]
        if order not in offered:
            names = ", ".join(offered)
            sentence = _("A campaign of this kind can't be sorted so. Use one of: %(names)s.")
            raise Unable(sentence % {"names": names})
        return self.part(selectors.review_queue(campaign=campaign, order=order))

    @reads(
        "read_review_item",
        ReviewItemSerializer,
        query=ReviewItemQuery,
        url_path="review/<int:item>",
        serializer_class=ReviewItemSerializer,
    )
    def review_item(self, request: Request, pk: int, item: int) -> Response:
        """One item with its responses, every answer, and the decision. Raters are numbers unless
        you ask for their pseudonyms.
        """
        work = selectors.review_item(item=self._item(), is_blind=self.asked["names"] == "hidden")
        return Response(ReviewItemSerializer(work).data)

    @review_item.mapping.post
    @writes("decide_review", ReviewItemSerializer, body=DecideSerializer, is_one=True)
    def decide(self, campaign: Campaign, **values: Any) -> selectors.ReviewItem:
        """Decide the order of an item, or score its demonstrations, and give its raters feedback. A
        later decision replaces it.
        """
        item = self._item()
        remarks = _remarks(item, values)
        if not campaign.compares:
            services.review_demonstrations(item=item, remarks=remarks, **self.who_and_when)
        else:
            services.adjudicate(
                item=item,
                ranks=values.get("ranks", {}),
                reason=values.get("reason", ""),
                note=values["note"].strip(),
                remarks=remarks,
                promotes=values["promotes"],
                **self.who_and_when,
            )
        return selectors.review_item(item=item, is_blind=True)

    def _item(self) -> Item:
        return labeling_access.item_to_review(
            user=self.by, campaign_pk=self.kwargs["pk"], pk=self.kwargs["item"]
        )


class ReviewedJudgments(ApiViewSet):
    """Below the view set of judgments."""

    queryset = Judgment.of_people.all()
    serializer_class = JudgmentStateSerializer

    def get_object(self) -> Judgment:
        return labeling_access.reviewable_judgment(user=self.by, pk=self.kwargs["pk"])

    @does(
        "set_judgment_aside",
        JudgmentStateSerializer,
        body=SetAsideSerializer,
        url_path="set-aside",
    )
    def set_aside(self, judgment: Judgment, *, reason: str) -> None:
        """Leave an answer out of agreement, training and exports. It stays paid, and its rater is
        notified and can appeal. Changes nothing if it is set aside.
        """
        set_aside.set_aside(judgment=judgment, reason=reason.strip(), **self.who_and_when)

    @does("restore_judgment", JudgmentStateSerializer)
    def restore(self, judgment: Judgment) -> None:
        """Let an answer that was set aside count again. Changes nothing if it counts."""
        set_aside.take_back(judgment=judgment, **self.who_and_when)

    @does("make_judgment_gold", MadeGoldSerializer, status=201)
    def gold(self, judgment: Judgment) -> Gold:
        """Make an expert's ranking a gold item of its campaign."""
        return gold_services.make_gold_of_answer(judgment=judgment, **self.who_and_when)


# --- appeals --------------------------------------------------------------------------------------


class AppealQuery(PageQuery):
    is_answered = serializers.BooleanField(required=False, default=False)


class AppealSerializer(RowSerializer):
    """A rater's appeal against a review, or an answer that was set aside."""

    is_set_aside = serializers.SerializerMethodField()
    appealed_at = serializers.DateTimeField()

    class Meta:
        model = JudgmentReview
        fields = [
            "id", "judgment", "campaign", "item", "rater", "score", "feedback", "is_set_aside",
            "appeal", "appealed_at", "answer", "answered_at",
        ]  # fmt: skip
        sources = {
            "campaign": "judgment.campaign",
            "item": "judgment.item",
            "rater": "judgment.rater.alias",
        }

    def get_is_set_aside(self, review: JudgmentReview) -> bool:
        return getattr(review.judgment, "set_aside", None) is not None


class AppealAnswerSerializer(serializers.Serializer[object]):
    text = serializers.CharField(max_length=LONGEST)


@described(list_appeals="Raters' appeals against reviews.", read_appeal="One appeal.")
class Appeals(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = JudgmentReview.objects.all()
    serializer_class = AppealSerializer
    query_class = AppealQuery

    def filtered(self, queryset: QuerySet[JudgmentReview]) -> QuerySet[JudgmentReview]:
        return selectors.appeals(is_answered=self.asked["is_answered"])

    def get_object(self) -> JudgmentReview:
        return labeling_access.appealed_review(user=self.by, pk=self.kwargs["pk"])

    @does("answer_appeal", AppealSerializer, body=AppealAnswerSerializer)
    def answer(self, review: JudgmentReview, *, text: str) -> None:
        """Answer it; the rater sees it under My work. A later answer replaces it."""
        services.answer_appeal(review=review, text=text, **self.who_and_when)


def _by_id(values: Mapping[str, Any]) -> dict[int, Any]:
    by_id = {}
    for key, value in values.items():
        if not re.fullmatch(r"[0-9]{1,18}", key):
            raise ValidationError(
                _("“%(key)s” is not an ID. Use whole numbers as keys.") % {"key": key[:50]}
            )
        by_id[int(key)] = value
    return by_id


def _remarks(item: Item, values: Mapping[str, Any]) -> dict[int, Remark]:
    """Refuses judgments that are not the item's."""
    scores, feedback = values.get("scores", {}), values.get("feedback", {})
    judgments = set(item.judgments.values_list("pk", flat=True))
    if unknown := sorted({*scores, *feedback} - judgments):
        sentence = _("The judgment %(pk)s is not an answer to this item.") % {"pk": unknown[0]}
        raise ValidationError({"feedback" if unknown[0] in feedback else "scores": [sentence]})
    everybody = values["feedback_to_all"].strip()
    return {
        pk: Remark(scores.get(pk), feedback.get(pk, "").strip() or everybody)
        for pk in sorted(judgments)
    }
