"""Endpoints of the labeling app: input → one call → answer. config.api_permissions decides who
may call them.
"""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.views import ApiViewSet, described, does, writes
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


@described(list_prompts="Prompts that are not retired, newest first.", read_prompt="One prompt.")
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
        """Create a prompt. Its source is the caller."""
        return prompts_services.create_prompt(**values, **self.who_and_when)


@described(list_pools="Pools, newest first.", read_pool="One pool.")
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
        """Create a pool without raters."""
        return pools_services.create_pool(**values, **self.who_and_when)


@described(list_guidelines="Guidelines, newest first. A campaign needs the id of one.")
class Guidelines(ListModelMixin, ApiViewSet):
    queryset = Guideline.objects.all()
    serializer_class = serializers.GuidelineSerializer

    def shown(self, objects: Sequence[Guideline]) -> Sequence[Any]:
        return guidelines_selectors.guideline_rows(guidelines=objects)


@described(
    list_campaigns="Campaigns with their progress, newest first.",
    read_campaign="One campaign with its progress.",
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
        """Create a draft campaign with an item for each matching prompt. Open it to hand out
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
        """Start handing out items. Changes nothing if it is already open or closed: check
        `state`.
        """
        campaigns_services.open_campaign(campaign=campaign, **self.who_and_when)

    @does("pause_campaign", serializers.CampaignSerializer)
    def pause(self, campaign: Campaign) -> None:
        """Stop handing out items for now. Changes nothing unless it is open."""
        campaigns_services.pause_campaign(campaign=campaign, **self.who_and_when)

    @does("close_campaign", serializers.CampaignSerializer)
    def close(self, campaign: Campaign) -> None:
        """Stop handing out items for good. Raters can still submit items they have open."""
        campaigns_services.close_campaign(campaign=campaign, **self.who_and_when)
