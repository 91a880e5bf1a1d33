"""Gold items in the REST API: list, add, import, use in another campaign, retire."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import MAX_ID, OneOf
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, writes
from labeling import access as labeling_access
from labeling.kinds import registry
from labeling.models import Campaign, Gold, Judgment
from labeling.queue.gold import selectors, services

_COMPARISONS = Campaign.objects.filter(kind__in=registry.with_setting("gold_share"))


class GoldRankSerializer(serializers.Serializer[object]):
    response = serializers.IntegerField(source="response_id")
    rank = serializers.IntegerField(
        allow_null=True, help_text="1 is best, equal numbers are a tie, null is left open."
    )


class GoldSerializer(serializers.Serializer[object]):
    """A prompt's responses in their correct order."""

    id = serializers.IntegerField(source="gold.pk")
    prompt = serializers.IntegerField(source="gold.prompt_id")
    origin = serializers.ChoiceField(source="gold.origin", choices=Gold.Origin.choices)
    made_from = serializers.IntegerField(
        source="gold.made_from_id", allow_null=True, help_text="The item whose order it is."
    )
    note = serializers.CharField(source="gold.note")
    ranks = GoldRankSerializer(source="gold.ranks", many=True)
    campaigns = serializers.ListField(
        child=serializers.IntegerField(), help_text="IDs of the campaigns that use it."
    )
    n_answers = serializers.IntegerField(
        source="gold.n_answers", help_text="Raters who answered it, in all campaigns."
    )
    n_passed = serializers.IntegerField(source="gold.n_passed")
    is_suspect = serializers.BooleanField(
        help_text="Almost nobody passes: more likely the gold item is wrong than the raters."
    )
    is_withdrawn = serializers.BooleanField(
        help_text="It is the answer of an expert who has withdrawn."
    )
    created_at = serializers.DateTimeField(source="gold.created_at")
    retired_at = serializers.DateTimeField(
        source="gold.retired_at",
        allow_null=True,
        help_text="Since then, raters do not get it and its answers do not count.",
    )


class GoldQuery(PageQuery):
    campaign = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)


class NewGoldSerializer(serializers.Serializer[object]):
    judgment = OneOf(
        Judgment.of_people.select_related("item__prompt", "item__campaign", "comparison"),
        help_text="An expert's ranking of a campaign's item, which becomes its correct order.",
    )
    note = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=2_000,
        help_text="Why this order is right. Raters see it if feedback is on.",
    )


class GoldCampaignSerializer(serializers.Serializer[object]):
    campaign = OneOf(_COMPARISONS, help_text="A comparison campaign.")


class GoldImportSerializer(GoldCampaignSerializer):
    golds = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=services.MOST_LINES,
        help_text=(
            "Each with `prompt` (a text or messages), `responses` (as many as the campaign"
            " compares: texts, or objects with `text`, `reasoning_content` and `tool_calls`),"
            " `ranks` (a number for each response: 1 is best, equal numbers tie, null is left open)"
            " and optionally `tools` and `note`."
        ),
    )


class GoldCountSerializer(serializers.Serializer[object]):
    n = serializers.IntegerField(help_text="Gold items added.")


@described(
    list_golds="Gold items, newest first. Raters must not see them.",
    read_gold="One gold item.",
)
class Golds(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Gold.objects.all()
    serializer_class = GoldSerializer
    query_class = GoldQuery

    def filtered(self, queryset: QuerySet[Gold]) -> QuerySet[Gold]:
        campaign = self.asked.get("campaign")
        return queryset.filter(uses__campaign=campaign) if campaign else queryset

    def get_object(self) -> Gold:
        return labeling_access.any_gold(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Gold]) -> Sequence[object]:
        golds = selectors.golds().in_bulk([gold.pk for gold in objects])
        withdrawn = selectors.withdrawn_golds(golds=golds.values())
        return [_row(golds[gold.pk], is_withdrawn=gold.pk in withdrawn) for gold in objects]

    @writes("create_gold", GoldSerializer, body=NewGoldSerializer, status=201)
    def create(self, *, judgment: Judgment, note: str) -> Gold:
        """Turn an expert's ranking into a gold item of its campaign. The item itself takes no more
        answers.
        """
        return services.make_gold_of_answer(judgment=judgment, note=note, **self.who_and_when)

    @does(
        "import_golds",
        GoldCountSerializer,
        body=GoldImportSerializer,
        status=201,
        is_one=False,
        url_path="import",
    )
    def import_rows(
        self, *, campaign: Campaign, golds: list[Mapping[str, object]]
    ) -> dict[str, int]:
        """Add gold items: all of them or, if one is wrong, none. `errors` has every problem by its
        row.
        """
        lines = "\n".join(json.dumps(gold, ensure_ascii=False) for gold in golds)
        result = services.import_golds(
            campaign=campaign,
            file=io.BytesIO(lines.encode("utf-8", errors="surrogatepass")),
            file_name="API",
            **self.who_and_when,
        )
        if result.problems:
            raise ValidationError(
                {
                    f"golds.{max(problem.line - 1, 0)}": [problem.sentence]
                    for problem in result.problems
                }
            )
        return {"n": result.n}

    @does("use_other_golds", GoldCountSerializer, body=GoldCampaignSerializer, is_one=False)
    def use(self, *, campaign: Campaign) -> dict[str, int]:
        """Use every gold item of other campaigns with as many responses in this campaign too."""
        return {"n": services.use_other_golds(campaign=campaign, **self.who_and_when)}

    @does("retire_gold", GoldSerializer)
    def retire(self, gold: Gold) -> None:
        """Stop using it, in every campaign. Its answers no longer count. Changes nothing if it is
        retired.
        """
        services.retire_gold(gold=gold, **self.who_and_when)

    @does("bring_back_gold", GoldSerializer, url_path="bring-back")
    def bring_back(self, gold: Gold) -> None:
        """Use a retired gold item again. 409 if another one has been made from its item since."""
        is_back = services.bring_back_gold(gold=gold, **self.who_and_when)
        if not is_back and gold.retired_at is not None:
            raise Unable(
                _("Another gold item has been made from the same item. Retire that one first.")
            )


def _row(gold: Any, *, is_withdrawn: bool) -> dict[str, object]:
    return {
        "gold": gold,
        "campaigns": sorted(use.campaign_id for use in gold.uses.all()),
        "is_suspect": selectors.is_suspect(n_answers=gold.n_answers, n_passed=gold.n_passed),
        "is_withdrawn": is_withdrawn,
    }
