"""Snapshots in the REST API: making them, their rows, and their files."""

import tempfile
from typing import Any, BinaryIO, cast

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers as rest_serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import problems
from accounts.api.files import FileRenderer
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, reads, writes
from labeling.models import Prompt
from training import access as training_access
from training.api import serializers
from training.models import Snapshot
from training.snapshots import downloads
from training.snapshots import selectors as snapshots_selectors
from training.snapshots import services as snapshots_services


class JsonLinesRenderer(FileRenderer):
    media_type = "application/jsonl"
    format = "jsonl"


class ParquetRenderer(FileRenderer):
    media_type = "application/vnd.apache.parquet"
    format = "parquet"


class RowQuery(PageQuery):
    split = rest_serializers.ChoiceField(
        required=False, default=Prompt.Split.TRAIN, choices=Prompt.Split.choices
    )


class FileQuery(rest_serializers.Serializer[Any]):
    split = rest_serializers.ChoiceField(
        required=False, default=Prompt.Split.TRAIN, choices=Prompt.Split.choices
    )
    file_format = rest_serializers.ChoiceField(
        required=False, default="jsonl", choices=["jsonl", "parquet"]
    )


@extend_schema_serializer(many=False)
class RowPageSerializer(rest_serializers.Serializer[Any]):
    next_cursor = rest_serializers.IntegerField(allow_null=True, help_text="Null on the last page.")
    results = rest_serializers.ListField(
        child=rest_serializers.DictField(),
        help_text=(
            "Rows as runs read them, with the licence of each text. A row is `is_withheld`, and"
            " has no answers, if its rater has withdrawn."
        ),
    )


@described(list_snapshots="Snapshots, newest first.", read_snapshot="One snapshot with its card.")
class Snapshots(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Snapshot.objects.all()
    serializer_class = serializers.SnapshotSerializer
    query_class = serializers.SnapshotQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return snapshots_selectors.snapshots(kind=self.asked.get("kind", ""))

    def get_object(self) -> Snapshot:
        return training_access.snapshot(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "cut_snapshot",
        serializers.SnapshotSerializer,
        body=serializers.NewSnapshotSerializer,
        status=201,
    )
    def create(self, *, kind: str, name: str, filters: dict[str, Any] | None = None) -> Snapshot:
        """Create a snapshot of the current judgments or prompts."""
        wanted = snapshots_services.Filters.from_json(dict(filters or {}))
        return snapshots_services.create_snapshot(
            kind=kind, name=name, filters=wanted, **self.who_and_when
        )

    @reads(
        "list_snapshot_rows",
        {200: RowPageSerializer, **problems.described((409,))},
        query=RowQuery,
    )
    def rows(self, request: Request, pk: int) -> Response:
        """The rows of a split in their order. `cursor` is the number of rows to skip."""
        skip, limit = self.asked.get("cursor", 0), self.asked["limit"]
        found = downloads.page(
            snapshot=self.get_object(), split=self.asked["split"], skip=skip, n=limit + 1
        )
        cursor = skip + limit if len(found) > limit else None
        return Response({"next_cursor": cursor, "results": found[:limit]})

    @reads(
        "export_snapshot",
        {
            (200, "application/jsonl"): OpenApiTypes.BINARY,
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
            **problems.described((409,)),
        },
        query=FileQuery,
        renderer_classes=(JSONRenderer, JsonLinesRenderer, ParquetRenderer),
    )
    def file(self, request: Request, pk: int) -> HttpResponseBase:
        """Download a split as JSONL or Parquet. Rows of people who have withdrawn are left out."""
        snapshot, split = self.get_object(), self.asked["split"]
        found = downloads.rows(snapshot=snapshot, split=split)
        name = f"snapshot-{snapshot.pk}-{split}.{self.asked['file_format']}"
        if self.asked["file_format"] == "jsonl":
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return StreamingHttpResponse(
                downloads.jsonl(found), content_type=JsonLinesRenderer.media_type, headers=headers
            )
        # Parquet ends with its table of contents, so the file must be complete before it is sent.
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # FileResponse closes it
        downloads.write_parquet(found, kind=snapshot.kind, to=file)
        file.seek(0)
        return FileResponse(
            file, as_attachment=True, filename=name, content_type=ParquetRenderer.media_type
        )
