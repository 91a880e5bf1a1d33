"""Crowd links in the REST API: what a platform such as Prolific sends its workers to."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Id, Name, OneOf
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, writes
from labeling import access as labeling_access
from labeling.models import Campaign, CrowdLink
from labeling.people.crowd import selectors, services

_OPEN_CAMPAIGNS = Campaign.objects.exclude(state=Campaign.State.CLOSED)


class CrowdLinkSerializer(RowSerializer):
    """Serializes a LinkRow. Workers' IDs on their platform are never given."""

    url = serializers.SerializerMethodField(
        help_text="Give it to the platform, which adds the worker's ID at the end."
    )
    n_working = serializers.IntegerField(help_text="Visits in progress.")
    n_complete = serializers.IntegerField(help_text="Completed visits.")
    n_ended = serializers.IntegerField(help_text="Visits that were returned or timed out.")

    class Meta:
        model = CrowdLink
        inside = "link"
        fields = [
            "id", "campaign", "name", "url", "id_parameter", "completion_code", "return_url",
            "n_items", "n_places", "max_minutes", "is_open", "n_working", "n_complete", "n_ended",
            "created_at",
        ]  # fmt: skip

    def get_url(self, row: selectors.LinkRow) -> str:
        page = self.context["request"].build_absolute_uri(reverse("crowd", args=[row.link.token]))
        return f"{page}?{row.link.id_parameter}="


class CrowdLinkQuery(PageQuery):
    campaign = Id(required=False)


class NewCrowdLinkSerializer(serializers.Serializer[object]):
    campaign = OneOf(_OPEN_CAMPAIGNS, help_text="A campaign that is not closed.")
    name = Name(max_length=120)
    completion_code = serializers.CharField(
        max_length=64, help_text="Workers see it after `n_items` items."
    )
    id_parameter = serializers.RegexField(
        r"^[A-Za-z0-9_.-]+$",
        max_length=64,
        default="PROLIFIC_PID",
        help_text="The URL parameter in which the platform sends the worker's ID.",
    )
    return_url = serializers.URLField(
        max_length=500,
        default="",
        allow_blank=True,
        help_text="The platform's page that accepts the completion code.",
    )
    n_items = serializers.IntegerField(default=10, min_value=1, max_value=32_767)
    n_places = serializers.IntegerField(
        default=20,
        min_value=1,
        max_value=1_000_000,
        help_text="Counts visits in progress and completed ones.",
    )
    max_minutes = serializers.IntegerField(
        default=60, min_value=1, max_value=100_000, help_text="A visit ends after this time."
    )


@described(list_crowd_links="Crowd links, newest first.", read_crowd_link="One crowd link.")
class CrowdLinks(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = CrowdLink.objects.all()
    serializer_class = CrowdLinkSerializer
    query_class = CrowdLinkQuery
    narrowed_by = {"campaign": "campaign"}

    def get_object(self) -> CrowdLink:
        return labeling_access.crowd_link(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[CrowdLink]) -> Sequence[object]:
        return selectors.rows_of(links=objects)

    @writes("create_crowd_link", CrowdLinkSerializer, body=NewCrowdLinkSerializer, status=201)
    def create(self, **values: Any) -> CrowdLink:
        """Create a link that makes any worker whom the platform sends a rater of the campaign's
        pool.
        """
        return services.create_crowd_link(**values, **self.who_and_when)

    @does("close_crowd_link", CrowdLinkSerializer)
    def close(self, link: CrowdLink) -> None:
        """Accept no new visits. Visits in progress continue."""
        services.close_crowd_link(link=link, **self.who_and_when)
