"""The feed of judgments in the REST API, and which judgments stopped counting."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.views import ApiViewSet, lists
from labeling.api import serializers
from labeling.queue import feed
from labeling.review import judgment_events


class Judgments(ApiViewSet):
    """A feed is read from its start: oldest first, and every page has a cursor."""

    serializer_class = serializers.JudgmentSerializer
    query_class = serializers.JudgmentQuery

    @lists("list_judgments", serializers.JudgmentPageSerializer, query=query_class)
    def list(self, request: Request) -> Response:
        """Judgments, oldest first. Save `next_cursor` and use it later to get new ones."""
        found = feed.judgment_feed(
            after_id=self.asked.get("cursor", 0),
            campaign_id=self.asked.get("campaign"),
            since=self.asked.get("since"),
            includes_imports=self.asked["includes_imports"],
            n=self.asked["limit"] + 1,
            now=timezone.now(),
        )
        return _feed_page(self, found)


class JudgmentEvents(ApiViewSet):
    serializer_class = serializers.JudgmentEventSerializer

    @lists(
        "list_judgment_events",
        serializers.JudgmentEventPageSerializer,
        query=ApiViewSet.query_class,
    )
    def list(self, request: Request) -> Response:
        """Judgments that stopped counting or count again, oldest first. Save `next_cursor` and use
        it later to get new ones.
        """
        found = judgment_events.event_feed(
            after_id=self.asked.get("cursor", 0), n=self.asked["limit"] + 1, now=timezone.now()
        )
        return _feed_page(self, found)


def _feed_page(view: ApiViewSet, found: Sequence[Any]) -> Response:
    """A page of `found`, which has one row more than asked for if there are more."""
    page = paging.cut(found, limit=view.asked["limit"])
    body = {
        "next_cursor": page.next_cursor or view.asked.get("cursor", 0),
        "has_more": page.has_more,
        "results": view.get_serializer(page.rows, many=True).data,
    }
    return Response(body)
