"""Endpoints of the labeling app: input → one call → answer. config.permissions.API_TABLE decides
who may call them.
"""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency, paging
from accounts.api.problems import Unable
from accounts.api.views import ApiView, asked, person, reads, sent, writes
from labeling import access, selectors, services
from labeling.api import serializers
from labeling.models import Campaign, Guideline, Pool, Prompt


class Prompts(ApiView):
    @reads(
        "list_prompts",
        paging.page_of(serializers.PromptSerializer),
        query=serializers.PromptQuery,
        tag="prompts",
    )
    def get(self, request: Request) -> Response:
        """List prompts that are not retired, newest first."""
        query = asked(serializers.PromptQuery, request)
        found = selectors.prompt_list(wanted=serializers.PromptQuery.wanted(query))
        page = paging.page(found, cursor=query.get("cursor"), limit=query["limit"])
        return Response(page.as_json(serializers.PromptSerializer(page.rows, many=True).data))

    @writes(
        "create_prompt",
        serializers.PromptSerializer,
        body=serializers.NewPromptSerializer,
        status=201,
        tag="prompts",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Create a prompt with the caller as its source."""
        values = sent(serializers.NewPromptSerializer, request)
        prompt = services.create_prompt(**values, by=person(request), now=timezone.now())
        return Response(serializers.PromptSerializer(prompt).data, status=201)


class PromptDetail(ApiView):
    @reads("read_prompt", serializers.PromptSerializer, is_one=True, tag="prompts")
    def get(self, request: Request, pk: int) -> Response:
        """Get one prompt."""
        prompt: Prompt = access.prompt(user=request.user, pk=pk)
        return Response(serializers.PromptSerializer(prompt).data)


class Pools(ApiView):
    @reads(
        "list_pools",
        paging.page_of(serializers.PoolSerializer),
        query=paging.PageQuery,
        tag="pools",
    )
    def get(self, request: Request) -> Response:
        """List pools, newest first."""
        query = asked(paging.PageQuery, request)
        page = paging.page(Pool.objects.all(), cursor=query.get("cursor"), limit=query["limit"])
        rows = selectors.pool_rows(pools=page.rows)
        return Response(page.as_json(serializers.PoolSerializer(rows, many=True).data))

    @writes(
        "create_pool",
        serializers.PoolSerializer,
        body=serializers.NewPoolSerializer,
        status=201,
        tag="pools",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Create a pool without raters."""
        values = sent(serializers.NewPoolSerializer, request)
        pool = services.create_pool(**values, by=person(request), now=timezone.now())
        return Response(_pool(pool), status=201)


class PoolDetail(ApiView):
    @reads("read_pool", serializers.PoolSerializer, is_one=True, tag="pools")
    def get(self, request: Request, pk: int) -> Response:
        """Get one pool."""
        return Response(_pool(access.pool(user=request.user, pk=pk)))


class Guidelines(ApiView):
    @reads(
        "list_guidelines",
        paging.page_of(serializers.GuidelineSerializer),
        query=paging.PageQuery,
        tag="guidelines",
    )
    def get(self, request: Request) -> Response:
        """List guidelines, newest first. A campaign needs the id of one."""
        query = asked(paging.PageQuery, request)
        page = paging.page(
            Guideline.objects.all(), cursor=query.get("cursor"), limit=query["limit"]
        )
        rows = selectors.guideline_rows(guidelines=page.rows)
        return Response(page.as_json(serializers.GuidelineSerializer(rows, many=True).data))


class Campaigns(ApiView):
    @reads(
        "list_campaigns",
        paging.page_of(serializers.CampaignSerializer),
        query=serializers.CampaignQuery,
        tag="campaigns",
    )
    def get(self, request: Request) -> Response:
        """List campaigns with their progress, newest first."""
        query = asked(serializers.CampaignQuery, request)
        found = selectors.campaigns(state=query.get("state", ""))
        page = paging.page(found, cursor=query.get("cursor"), limit=query["limit"])
        rows = selectors.campaign_rows(campaigns=page.rows, now=timezone.now())
        return Response(page.as_json(serializers.CampaignSerializer(rows, many=True).data))

    @writes(
        "create_campaign",
        serializers.CampaignSerializer,
        body=serializers.NewCampaignSerializer,
        status=201,
        tag="campaigns",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Create a campaign as a draft, with an item for each matching prompt. Open it to hand out
        items.
        """
        values = sent(serializers.NewCampaignSerializer, request)
        selection = serializers.NewCampaignSerializer.selection(values)
        values.pop("prompts", None)
        try:
            campaign = services.create_campaign(
                **values,
                prompts=selectors.fitting_prompts(selection=selection),
                source_ids=selection.response_source_ids,
                by=person(request),
                now=timezone.now(),
            )
        except services.UnableToCreateCampaign as problem:
            raise Unable(problem.sentence) from problem
        return Response(_campaign(campaign), status=201)


class CampaignDetail(ApiView):
    @reads("read_campaign", serializers.CampaignSerializer, is_one=True, tag="campaigns")
    def get(self, request: Request, pk: int) -> Response:
        """Get one campaign and its progress."""
        return Response(_campaign(access.campaign(user=request.user, pk=pk)))


class CampaignOpen(ApiView):
    @writes("open_campaign", serializers.CampaignSerializer, is_one=True, tag="campaigns")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Open a campaign to its pool. Has no effect if it is already open or closed: check
        `state`.
        """
        campaign = access.campaign(user=request.user, pk=pk)
        services.open_campaign(campaign=campaign, by=person(request), now=timezone.now())
        return Response(_campaign(campaign))


class CampaignPause(ApiView):
    @writes("pause_campaign", serializers.CampaignSerializer, is_one=True, tag="campaigns")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Pause a campaign: no more items are handed out for now. Has no effect unless it is
        open.
        """
        campaign = access.campaign(user=request.user, pk=pk)
        services.pause_campaign(campaign=campaign, by=person(request), now=timezone.now())
        return Response(_campaign(campaign))


class CampaignClose(ApiView):
    @writes("close_campaign", serializers.CampaignSerializer, is_one=True, tag="campaigns")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Close a campaign permanently: no more items are handed out. Raters can still submit items
        they hold.
        """
        campaign = access.campaign(user=request.user, pk=pk)
        services.close_campaign(campaign=campaign, by=person(request), now=timezone.now())
        return Response(_campaign(campaign))


class Judgments(ApiView):
    @reads(
        "list_judgments",
        serializers.JudgmentPageSerializer,
        query=serializers.JudgmentQuery,
        tag="judgments",
    )
    def get(self, request: Request) -> Response:
        """List judgments, oldest first. Store `next_cursor` and use it later to get what is new."""
        query = asked(serializers.JudgmentQuery, request)
        cursor = query.get("cursor", 0)
        found = selectors.judgment_feed(
            after_id=cursor,
            campaign_id=query.get("campaign"),
            since=query.get("since"),
            includes_imports=query["includes_imports"],
            # One more than requested, to know whether there is another page.
            n=query["limit"] + 1,
            now=timezone.now(),
        )
        page = paging.cut(found, limit=query["limit"])
        body: dict[str, Any] = {
            # An empty page repeats the cursor, so that a client can keep polling with it.
            "next_cursor": page.next_cursor or cursor,
            "has_more": page.has_more,
            "results": serializers.JudgmentSerializer(page.rows, many=True).data,
        }
        return Response(body)


def _pool(pool: Pool) -> Any:
    (row,) = selectors.pool_rows(pools=[pool])
    return serializers.PoolSerializer(row).data


def _campaign(campaign: Campaign) -> Any:
    (row,) = selectors.campaign_rows(campaigns=[campaign], now=timezone.now())
    return serializers.CampaignSerializer(row).data
