"""Imports from a hub in the REST API."""

from typing import Any

from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Flag
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, writes
from labeling import access as labeling_access
from labeling.data.hub import jobs
from labeling.importers import formats
from labeling.models import HubDownload


class HubImportSerializer(RowSerializer):
    class Meta:
        model = HubDownload
        fields = [
            "id", "repository", "config", "split", "revision", "state", "bytes_total", "bytes_read",
            "licence", "is_cached", "import_batch", "error", "created_at", "ended_at",
        ]  # fmt: skip
        help_texts = {
            "bytes_total": "0 until known.",
            "licence": "As the dataset's card says.",
            "is_cached": "It came from the worker's local cache.",
            "import_batch": "The import that follows.",
        }


class NewHubImportSerializer(serializers.Serializer[object]):
    repository = serializers.CharField(max_length=200, help_text="As owner/name.")
    config = serializers.CharField(default="", allow_blank=True, max_length=200)
    split = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="Omit it for all."
    )
    revision = serializers.CharField(default="", allow_blank=True, max_length=200)
    source = serializers.CharField(  # type: ignore[assignment]  # shadows Field.source
        source="source_name",
        default="",
        allow_blank=True,
        max_length=200,
        help_text="A name for the origin of the data. Omit it to use the repository.",
    )
    licence = serializers.CharField(
        default="", allow_blank=True, max_length=64, help_text="Omit it to use that of the card."
    )
    format = serializers.ChoiceField(
        source="file_format",
        default="",
        allow_blank=True,
        choices=formats.FORMATS,
        help_text="Omit it to have it found.",
    )
    with_judgments = Flag(default=False)
    is_strict = Flag(default=False)
    stores_responses = Flag(default=False)


_OPTIONS = (
    *("source_name", "licence", "file_format", "with_judgments", "is_strict"),
    "stores_responses",
)


@described(
    list_hub_imports="Imports from a hub, newest first.",
    read_hub_import="One import from a hub: its download, and the import that follows.",
)
class HubImports(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = HubDownload.objects.all()
    serializer_class = HubImportSerializer

    def get_object(self) -> HubDownload:
        return labeling_access.hub_download(user=self.by, pk=self.kwargs["pk"])

    @writes("import_from_hub", HubImportSerializer, body=NewHubImportSerializer, status=201)
    def create(self, **values: Any) -> HubDownload:
        """Import a dataset by its name on a hub. A worker downloads it, or takes it from its local
        cache, and queues the import.
        """
        options = {name: values.pop(name) for name in _OPTIONS}
        return jobs.request_download(**values, options=options, **self.who_and_when)
