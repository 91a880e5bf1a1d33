"""Exports in the REST API: requesting one, its progress, its card, its file."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.api import problems
from accounts.api.fields import Flag, Id, OneOf
from accounts.api.files import FileRenderer
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, reads, writes
from labeling import access as labeling_access
from labeling.data import export_views
from labeling.data.exports import jobs, shapes
from labeling.models import Campaign, Export


class ZipRenderer(FileRenderer):
    media_type = export_views.CONTENT_TYPE
    format = "zip"


class ExportOptionsSerializer(serializers.Serializer[object]):
    includes_extra = serializers.BooleanField()
    includes_repeats = serializers.BooleanField()
    includes_imports = serializers.BooleanField()
    licences = serializers.ListField(child=serializers.CharField(allow_blank=True), allow_null=True)


class ExportSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    shape = serializers.CharField()
    style = serializers.CharField()  # type: ignore[assignment]  # shadows Field.style
    format = serializers.CharField(source="file_format")
    options = ExportOptionsSerializer()
    state = serializers.ChoiceField(choices=Export.State.choices)
    n_rows = serializers.IntegerField(help_text="Rows written so far.")
    left_out = serializers.DictField(
        child=serializers.IntegerField(), help_text="What the shape cannot hold, and how many."
    )
    card = serializers.CharField(help_text="The dataset card: README.md of the archive.")
    n_bytes = serializers.IntegerField(help_text="Of the archive. 0 if it has no file.")
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class ExportQuery(PageQuery):
    campaign = Id(required=False)


class NewExportSerializer(serializers.Serializer[object]):
    campaign = OneOf(
        Campaign.objects.all(), required=False, help_text="Omit it to export all judgments."
    )
    shape = serializers.ChoiceField(choices=list(shapes.SHAPES))
    style = serializers.ChoiceField(  # type: ignore[assignment]  # shadows Field.style
        required=False,
        choices=[shapes.CHATS, shapes.TEXTS],
        help_text="Whether conversations are lists of messages or texts.",
    )
    format = serializers.ChoiceField(
        source="file_format",
        required=False,
        choices=shapes.FILE_FORMATS,
        help_text="`json` is for the files of Label Studio and Argilla.",
    )
    includes_extra = Flag(default=False, help_text="Late answers.")
    includes_repeats = Flag(default=False, help_text="The same item shown to the same rater again.")
    includes_imports = Flag(
        default=False, help_text="Judgments that were imported without a campaign too."
    )
    licences = serializers.ListField(
        child=serializers.CharField(max_length=64, allow_blank=True),
        required=False,
        max_length=100,
        help_text=(
            "Only rows whose texts are all under one of these. An empty name includes prompts"
            " whose licence is not stated."
        ),
    )


@described(
    list_exports="Exports, newest first.",
    read_export="One export: its state, what it left out, and its card.",
)
class Exports(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    query_class = ExportQuery
    narrowed_by = {"campaign": "campaign"}

    def get_object(self) -> Export:
        return labeling_access.export(user=self.by, pk=self.kwargs["pk"])

    @writes("create_export", ExportSerializer, body=NewExportSerializer, status=201)
    def create(self, *, campaign: Campaign | None = None, **values: Any) -> Export:
        """Request an export. A worker writes it: read it again until its state is `done`."""
        return jobs.request_export(campaign=campaign, **values, **self.who_and_when)

    @reads(
        "download_export",
        {(200, ZipRenderer.media_type): OpenApiTypes.BINARY, **problems.described((409,))},
        renderer_classes=(JSONRenderer, ZipRenderer),
    )
    def file(self, request: Request, pk: int) -> HttpResponseBase:
        """Download the ZIP archive: README.md and the rows of each split. Files are kept for 30
        days.
        """
        return export_views.download(self.get_object(), by=self.by)
