"""Endpoints of the labeling app: input → one call → answer. config.permissions.API_TABLE decides
who may call them.
"""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.views import ApiViewSet, described, does, lists, writes
from labeling import access as labeling_access
from labeling.api import serializers
from labeling.campaigns import board
from labeling.campaigns import selection as campaigns_selection
from labeling.campaigns import services as campaigns_services
from labeling.data.prompts import selectors as prompts_selectors
from labeling.data.prompts import services as prompts_services
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Campaign, Guideline, Pool, Prompt
from labeling.people.pools import selectors as pools_selectors
from labeling.people.pools import services as pools_services
from labeling.queue import feed


@described(
    list_prompts="Prompts that are not retired, the newest first.", read_prompt="One prompt."
)
class Prompts(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Prompt.objects.all()
    serializer_class = serializers.PromptSerializer
    query_class = serializers.PromptQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return prompts_selectors.prompt_list(filters=serializers.PromptQuery.wanted(self.asked))

    def get_object(self) -> Prompt:
        return labeling_access.prompt(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "create_prompt",
        serializers.PromptSerializer,
        body=serializers.NewPromptSerializer,
        status=201,
    )
    def create(self, **values: Any) -> Prompt:
        """Store a prompt whose source is the person who calls."""
        return prompts_services.create_prompt(**values, **self.who_and_when)


@described(list_pools="Pools, the newest first.", read_pool="One pool.")
class Pools(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Pool.objects.all()
    serializer_class = serializers.PoolSerializer

    def shown(self, objects: Sequence[Pool]) -> Sequence[Any]:
        return pools_selectors.pool_rows(pools=objects)

    def get_object(self) -> Pool:
        return labeling_access.pool(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "create_pool", serializers.PoolSerializer, body=serializers.NewPoolSerializer, status=201
    )
    def create(self, **values: Any) -> Pool:
        """A new pool, with nobody in it yet."""
        return pools_services.create_pool(**values, **self.who_and_when)


@described(list_guidelines="Guidelines, the newest first: a campaign needs the id of one.")
class Guidelines(ListModelMixin, ApiViewSet):
    queryset = Guideline.objects.all()
    serializer_class = serializers.GuidelineSerializer

    def shown(self, objects: Sequence[Guideline]) -> Sequence[Any]:
        return guidelines_selectors.guideline_rows(guidelines=objects)


@described(
    list_campaigns="Campaigns with their progress, the newest first.",
    read_campaign="One campaign and how far it is.",
)
class Campaigns(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Campaign.objects.all()
    serializer_class = serializers.CampaignSerializer
    query_class = serializers.CampaignQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return board.campaigns(state=self.asked.get("state", ""))

    def get_object(self) -> Campaign:
        return labeling_access.campaign(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Campaign]) -> Sequence[Any]:
        return board.campaign_rows(campaigns=objects, now=timezone.now())

    @writes(
        "create_campaign",
        serializers.CampaignSerializer,
        body=serializers.NewCampaignSerializer,
        status=201,
    )
    def create(self, **values: Any) -> Campaign:
        """A new campaign as a draft, with an item for each prompt that fits. Open it to hand out
        items.
        """
        selection = serializers.NewCampaignSerializer.selection(values)
        values.pop("prompts", None)
        return campaigns_services.create_campaign(
            **values,
            prompts=campaigns_selection.fitting_prompts(selection=selection),
            source_ids=selection.response_source_ids,
            **self.who_and_when,
        )

    @does("open_campaign", serializers.CampaignSerializer)
    def open(self, campaign: Campaign) -> None:
        """Let the pool work on it. Changes nothing when it is open or closed already: look at
        `state`.
        """
        campaigns_services.open_campaign(campaign=campaign, **self.who_and_when)

    @does("pause_campaign", serializers.CampaignSerializer)
    def pause(self, campaign: Campaign) -> None:
        """Hand out nothing more for now. Changes nothing unless it is open."""
        campaigns_services.pause_campaign(campaign=campaign, **self.who_and_when)

    @does("close_campaign", serializers.CampaignSerializer)
    def close(self, campaign: Campaign) -> None:
        """Hand out nothing more, for good. What raters hold can still be submitted."""
        campaigns_services.close_campaign(campaign=campaign, **self.who_and_when)


class Judgments(ApiViewSet):
    """A feed is read on from its end: oldest first, and with a cursor there too."""

    serializer_class = serializers.JudgmentSerializer
    query_class = serializers.JudgmentQuery

    @lists("list_judgments", serializers.JudgmentPageSerializer, query=query_class)
    def list(self, request: Request) -> Response:
        """The feed of judgments, the oldest first. Keep `next_cursor` and ask again later for what
        is new.
        """
        cursor, limit = self.asked.get("cursor", 0), self.asked["limit"]
        found = feed.judgment_feed(
            after_id=cursor,
            campaign_id=self.asked.get("campaign"),
            since=self.asked.get("since"),
            includes_imports=self.asked["includes_imports"],
            n=limit + 1,
            now=timezone.now(),
        )
        page = paging.cut(found, limit=limit)
        body = {
            "next_cursor": page.next_cursor or cursor,
            "has_more": page.has_more,
            "results": self.get_serializer(page.rows, many=True).data,
        }
        return Response(body)
