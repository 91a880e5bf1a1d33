"""Snapshots in the REST API: making them, their rows, and their files."""

import tempfile
from typing import Any, BinaryIO, cast

from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit_log
from accounts.api import problems
from accounts.api.fields import Flag, Id, Name
from accounts.api.files import FileRenderer
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, reads, writes
from labeling.models import Prompt
from training import access as training_access
from training.models import Snapshot
from training.snapshots import downloads
from training.snapshots import selectors as snapshots_selectors
from training.snapshots import services as snapshots_services
from training.snapshots.contents.filters import Judges

MAX_ROWS = 2_147_483_647


class SnapshotSerializer(RowSerializer):
    class Meta:
        model = Snapshot
        fields = ["id", "name", "kind", "filters", "fingerprint", "card", "n_rows", "created_at"]
        help_texts = {
            "fingerprint": "SHA-256 of the SHA-256 of each file.",
            "card": "Counts, sources, licences and splits.",
        }


class SnapshotQuery(PageQuery):
    kind = serializers.ChoiceField(required=False, choices=Snapshot.Kind.choices)


CREATABLE_KINDS = [
    choice
    for choice in Snapshot.Kind.choices
    if choice[0] not in (Snapshot.Kind.TEXT, Snapshot.Kind.SUITES)
]


class FiltersSerializer(serializers.Serializer[object]):
    """training.snapshots.services.Filters. Omitted or empty filters include everything."""

    campaigns = serializers.ListField(child=Id(), required=False, max_length=1000)
    includes_imports = Flag(default=True)
    includes_extra = Flag(default=False)
    includes_set_aside = Flag(
        default=False,
        help_text="Include answers that a reviewer excluded from statistics and training.",
    )
    includes_repeats = Flag(
        default=False,
        help_text="Comparisons only: include the same item shown to the same rater again.",
    )
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Category.choices), required=False
    )
    licences = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, max_length=100
    )
    best_of = serializers.ListField(
        child=Id(),
        required=False,
        max_length=100,
        help_text=(
            "Demonstrations and comparisons only: ids of sampling runs. Replaces what people did:"
            " for each prompt, the response that the run's reward model scores highest; of"
            " comparisons, that one against the one it scores lowest."
        ),
    )
    revised_in = serializers.ListField(
        child=Id(),
        required=False,
        max_length=100,
        help_text=(
            "Demonstrations and comparisons only: ids of runs of the kind `revise`. Replaces what"
            " people did: for each prompt, the last revision; of comparisons, that one against the"
            " first answer."
        ),
    )
    best_voted_in = serializers.ListField(
        child=Id(),
        required=False,
        max_length=1000,
        help_text=(
            "Demonstrations only: ids of comparison campaigns. Replaces what people wrote: of each"
            " item, the response that raters clearly prefer."
        ),
    )
    judges = serializers.ChoiceField(
        choices=Judges.choices,
        default=Judges.NONE.value,
        help_text=(
            "Comparisons and good and bad responses only: verdicts of AI judges on training prompts"
            " that no person answered. `trusted`: those that a look allowed. `weighted`:"
            " the others too, each with a weight from the judge's agreement with people."
        ),
    )
    splits = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Split.choices),
        default=lambda: [Prompt.Split.TRAIN.value],
        help_text="Prompts only.",
    )
    limit = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_ROWS,
        help_text="Prompts only: a fixed random sample of this size.",
    )


class NewSnapshotSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(
        choices=CREATABLE_KINDS,
        help_text=(
            "Snapshots of text can only be created on the site, from a file. Benchmark runs make"
            " those of suites."
        ),
    )
    name = Name(max_length=200)
    filters = FiltersSerializer(required=False)


class JsonLinesRenderer(FileRenderer):
    media_type = "application/jsonl"
    format = "jsonl"


class ParquetRenderer(FileRenderer):
    media_type = "application/vnd.apache.parquet"
    format = "parquet"


class RowQuery(PageQuery):
    split = serializers.ChoiceField(
        required=False, default=Prompt.Split.TRAIN, choices=Prompt.Split.choices
    )


class FileQuery(serializers.Serializer[object]):
    split = serializers.ChoiceField(
        required=False, default=Prompt.Split.TRAIN, choices=Prompt.Split.choices
    )
    file_format = serializers.ChoiceField(
        required=False, default="jsonl", choices=["jsonl", "parquet"]
    )


@extend_schema_serializer(many=False)
class RowPageSerializer(serializers.Serializer[object]):
    next_cursor = serializers.IntegerField(allow_null=True, help_text="Null on the last page.")
    results = serializers.ListField(
        child=serializers.DictField(),
        help_text=(
            "Rows as runs read them, with the licence of each text. A row is `is_withheld`, and"
            " has no answers, if its rater has withdrawn."
        ),
    )


class VerifiedSerializer(serializers.Serializer[object]):
    is_intact = serializers.BooleanField(help_text="Its files have the fingerprint.")


@described(list_snapshots="Snapshots, newest first.", read_snapshot="One snapshot with its card.")
class Snapshots(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Snapshot.objects.all()
    serializer_class = SnapshotSerializer
    query_class = SnapshotQuery

    def filter_queryset(self, queryset: object) -> QuerySet[Snapshot, Any]:
        return snapshots_selectors.snapshots(kind=self.asked.get("kind", ""))

    def get_object(self) -> Snapshot:
        return training_access.snapshot(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "cut_snapshot",
        SnapshotSerializer,
        body=NewSnapshotSerializer,
        status=201,
    )
    def create(self, *, kind: str, name: str, filters: dict[str, object] | None = None) -> Snapshot:
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
        skip, limit, snapshot = self.asked.get("cursor", 0), self.asked["limit"], self.get_object()
        audit_log.record_reading(
            self.by,
            "read_rows",
            snapshot,
            after={"split": self.asked["split"]},
            now=timezone.now(),
        )
        lines = downloads.page(snapshot=snapshot, split=self.asked["split"], skip=skip, n=limit + 1)
        cursor = skip + limit if len(lines) > limit else None
        return Response({"next_cursor": cursor, "results": lines[:limit]})

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
        lines = downloads.rows(snapshot=snapshot, split=split)
        name = f"snapshot-{snapshot.pk}-{split}.{self.asked['file_format']}"
        audit_log.record(self.by, "download", snapshot, after={"file": name}, now=timezone.now())
        if self.asked["file_format"] == "jsonl":
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return StreamingHttpResponse(
                downloads.jsonl(lines), content_type=JsonLinesRenderer.media_type, headers=headers
            )
        # Parquet ends with its table of contents, so the file must be complete before it is sent.
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # FileResponse closes it
        has_verdicts = "verdicts" in snapshot.card
        downloads.write_parquet(lines, kind=snapshot.kind, to=file, has_verdicts=has_verdicts)
        file.seek(0)
        return FileResponse(
            file, as_attachment=True, filename=name, content_type=ParquetRenderer.media_type
        )

    @reads("verify_snapshot", VerifiedSerializer)
    def verify(self, request: Request, pk: int) -> Response:
        """Read its files and compare them with the fingerprint."""
        return Response({"is_intact": snapshots_selectors.is_intact(snapshot=self.get_object())})
