"""Imports in the REST API: send a file or rows, follow the job, publish or discard it.

The page and these calls start an import by the same services. An uploaded file is streamed to
disk; rows in JSON are limited by DATA_UPLOAD_MAX_MEMORY_SIZE.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Flag, Name
from accounts.api.paging import PageQuery, page_of
from accounts.api.parsers import LimitedJSONParser
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling import access as labeling_access
from labeling.data.imports import agreement, drafts_of_file, previews, selectors, services
from labeling.data.imports.answers.writer import MAX_NAME
from labeling.data.prompts.api.messages import MessageSerializer, SourceSerializer
from labeling.importers import formats
from labeling.importers.annotations.legends import MEANINGS
from labeling.importers.annotations.roles import ROLES
from labeling.importers.columns import TARGETS
from labeling.models import Import
from labeling.quality.api.figures import FiguresField

MAX_ROWS = 100_000
JSON, MULTIPART = "application/json", "multipart/form-data"
ROWS_NAME, TEXTS_NAME = "rows.jsonl", "texts.jsonl"


class ImportSerializer(serializers.Serializer[object]):
    """An import. It has ended when `finished_at` is set."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="file_name")
    state = serializers.ChoiceField(choices=Import.State.choices)
    error = serializers.CharField(help_text="Why nothing of it can be published, as a sentence.")
    format = serializers.CharField(help_text="What it is read as.")
    columns = serializers.DictField(child=serializers.CharField())
    source = SourceSerializer()  # type: ignore[assignment]  # shadows Field.source
    licence = serializers.CharField()
    with_judgments = serializers.BooleanField()
    is_strict = serializers.BooleanField()
    share = serializers.SerializerMethodField(
        help_text="How much of the file is read, from 0 to 1. Null while nothing is known."
    )
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Rows by kind: prompts, responses, demonstrations, comparisons, problems, and"
        " duplicates: rows whose prompt the site had, or an earlier row of the file.",
    )
    n_problems = serializers.SerializerMethodField(help_text="See `/imports/{id}/problems`.")
    can_publish = serializers.SerializerMethodField(
        help_text="It was read to its end and rejected for its problems; publish it anyway."
    )
    campaigns = serializers.SerializerMethodField(
        help_text="IDs of the campaigns that hold the answers of its raters."
    )
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_share(self, batch: Import) -> float | None:
        return selectors.share_read(batch)

    def get_campaigns(self, batch: Import) -> list[int]:
        return [campaign.pk for campaign in batch.campaigns.all()]

    def get_n_problems(self, batch: Import) -> int:
        return int(batch.counts.get("problems", 0))

    def get_can_publish(self, batch: Import) -> bool:
        return selectors.is_publishable(batch)


class ImportQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=Import.State.choices)


class ImportProblemSerializer(serializers.Serializer[object]):
    line = serializers.IntegerField(help_text="Of the file; 0 for the file as a whole.")
    sentence = serializers.CharField()


class MappingField(serializers.DictField):
    """An object of texts; in a form it is JSON."""

    child = serializers.CharField(max_length=500, allow_blank=True)

    def get_value(self, dictionary: Any) -> object:
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError) as problem:
                raise ValidationError(_("Enter a JSON object.")) from problem
        mapping: dict[str, str] = super().to_internal_value(data)
        return mapping


class ColumnsField(MappingField):
    """Name that is read → heading in the file."""

    child = serializers.CharField(max_length=500)

    def to_internal_value(self, data: object) -> dict[str, str]:
        columns = super().to_internal_value(data)
        if unknown := sorted(columns.keys() - set(TARGETS)):
            raise ValidationError(
                _("“%(name)s” is not a column that can be mapped. Use one of: %(names)s.")
                % {"name": unknown[0], "names": ", ".join(TARGETS)}
            )
        return columns


class MeaningsField(MappingField):
    """Values of a file → one of some known meanings."""

    def __init__(self, *, meanings: Sequence[str], **options: Any) -> None:
        self._meanings = meanings
        super().__init__(**options)

    def to_internal_value(self, data: object) -> dict[str, str]:
        meanings = super().to_internal_value(data)
        if unknown := sorted(set(meanings.values()) - set(self._meanings)):
            raise ValidationError(
                _("“%(name)s” is not a known meaning. Use one of: %(names)s.")
                % {"name": unknown[0], "names": ", ".join(self._meanings)}
            )
        return meanings


class _FileToReadSerializer(serializers.Serializer[object]):
    """How to read it. Whatever is left out is found by looking at the first rows."""

    format = serializers.ChoiceField(
        required=False, choices=formats.FORMATS, help_text="See Importing data in the docs."
    )
    columns = ColumnsField(
        required=False, help_text="Name that is read, such as `prompt` → heading in the file."
    )
    with_judgments = serializers.BooleanField(
        default=False,
        help_text="Import human replies as demonstrations and rankings as comparisons.",
    )


def _as_file(rows: list[Mapping[str, object]], name: str) -> "File[bytes]":
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    return ContentFile(lines.encode(), name=name)


class _RowsSerializer(_FileToReadSerializer):
    rows = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=MAX_ROWS,
        help_text="Rows of one shape, as a line of a JSONL file has them.",
    )
    name = Name(default=ROWS_NAME, max_length=200, help_text="Shown in the list of imports.")
    with_judgments = Flag(
        default=False,
        help_text="Import human replies as demonstrations and rankings as comparisons.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        values["upload"] = _as_file(values.pop("rows"), values.pop("name"))
        if "texts" in values:
            values["texts"] = _as_file(values["texts"], TEXTS_NAME)
        return values


class _FileSerializer(_FileToReadSerializer):
    file = serializers.FileField(
        help_text="JSON lines, JSON, CSV, TSV, Parquet or XLSX, also as gzip or ZIP."
    )

    def validate(self, values: dict[str, object]) -> dict[str, object]:
        return values | {"upload": values.pop("file")}


_STORES_RESPONSES = (
    "Store answers beside columns that may say whether they are good as responses. Without it, an"
    " import with judgments of such a file is refused until `columns` says what they mean."
)


class _AboutSerializer(serializers.Serializer[object]):
    source = serializers.CharField(  # type: ignore[assignment]  # shadows Field.source
        max_length=200, help_text="A name for the origin of the data. Raters never see it."
    )
    licence = serializers.CharField(
        max_length=64,
        help_text="SPDX, such as CC-BY-4.0. A row's own licence comes first.",
    )
    campaign = serializers.CharField(
        required=False,
        max_length=MAX_NAME - 8,
        help_text="Put the answers of its raters into a campaign of this name.",
    )
    roles = MeaningsField(
        required=False,
        meanings=ROLES,
        help_text="For a table of answers: heading → what the column is. Left out, it is found.",
    )
    legend = MeaningsField(
        required=False,
        meanings=MEANINGS,
        help_text="For a table of votes: value → which response is better.",
    )


def _format_of_answers() -> serializers.ChoiceField:
    return serializers.ChoiceField(
        required=False,
        choices=drafts_of_file.FORMATS,
        help_text="See Importing data in the docs; `annotations` is a table of answers.",
    )


class RowsToImportSerializer(_RowsSerializer, _AboutSerializer):
    format = _format_of_answers()
    texts = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        max_length=MAX_ROWS,
        help_text="For a table of answers: rows with the texts of its items, by their IDs.",
    )
    is_strict = Flag(default=False, help_text="Publish nothing if any line has a problem.")
    stores_responses = Flag(default=False, help_text=_STORES_RESPONSES)


class FileToImportSerializer(_FileSerializer, _AboutSerializer):
    format = _format_of_answers()
    texts = serializers.FileField(
        required=False, help_text="A second file with the texts of the items, by their IDs."
    )
    is_strict = serializers.BooleanField(
        default=False, help_text="Publish nothing if any line has a problem."
    )
    stores_responses = serializers.BooleanField(default=False, help_text=_STORES_RESPONSES)


class RowsToPreviewSerializer(_RowsSerializer):
    pass


class FileToPreviewSerializer(_FileSerializer):
    pass


class ImportAgreementSerializer(serializers.Serializer[object]):
    """`figures` is empty if nothing was compared twice, or too much to compute at once."""

    n_judgments = serializers.IntegerField()
    n_raters = serializers.IntegerField()
    n_pairs = serializers.IntegerField(help_text="Distinct pairs of responses.")
    is_too_large = serializers.BooleanField()
    figures = FiguresField()
    consensus = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Pairs where the first in the file is better, tied, or the second is better.",
    )


class PreviewReplySerializer(serializers.Serializer[object]):
    text = serializers.CharField(source="turn.content")
    words = serializers.ListField(
        child=serializers.CharField(), help_text="What is stored with it: kind, model, rank, …"
    )


class PreviewRowSerializer(serializers.Serializer[object]):
    line = serializers.IntegerField()
    messages = MessageSerializer(many=True)
    replies = PreviewReplySerializer(many=True)
    words = serializers.ListField(child=serializers.CharField())


class PreviewSerializer(serializers.Serializer[object]):
    """The first rows, as an import would store them."""

    format = serializers.CharField(help_text="What the file is read as.")
    names = serializers.ListField(
        child=serializers.CharField(), help_text="The file's own columns."
    )
    rows = PreviewRowSerializer(many=True)
    problems = ImportProblemSerializer(many=True)


@described(list_imports="Imports, newest first.", read_import="One import and how far it is.")
class Imports(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Import.objects.all()
    serializer_class = ImportSerializer
    query_class = ImportQuery
    parser_classes = (LimitedJSONParser, MultiPartParser)

    def filtered(self, queryset: QuerySet[Import]) -> QuerySet[Import]:
        return selectors.import_list(state=self.asked.get("state", ""))

    def get_object(self) -> Import:
        return labeling_access.import_batch(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "create_import",
        ImportSerializer,
        body={JSON: RowsToImportSerializer, MULTIPART: FileToImportSerializer},
        status=202,
    )
    def create(self, *, upload: "File[bytes]", source: str, **values: Any) -> Import:
        """Send a file or rows to be imported by a worker. Read the import until `finished_at` is
        set. Nothing is visible before all of it has been read.
        """
        return services.start_upload(
            upload=upload,
            source_name=source,
            file_format=values.pop("format", None),
            **values,
            **self.who_and_when,
        )

    @does(
        "preview_import",
        PreviewSerializer,
        body={JSON: RowsToPreviewSerializer, MULTIPART: FileToPreviewSerializer},
        is_one=False,
    )
    def preview(self, *, upload: "File[bytes]", **values: object) -> previews.Preview:
        """The first rows as they would be stored, and their problems. Nothing is stored."""
        return previews.preview_upload(
            upload=upload,
            file_format=values.get("format"),
            columns=values.get("columns", {}),
            with_judgments=values["with_judgments"],
        )

    @reads(
        "list_import_problems",
        page_of(ImportProblemSerializer),
        query=PageQuery,
        serializer_class=ImportProblemSerializer,
    )
    def problems(self, request: Request, pk: int) -> Response:
        """Its problems by line; one that more than 20 lines have is one row, which names them. The
        first 5,000 are kept; `n_problems` counts all of them.
        """
        return self.part(self.get_object().problems)

    @reads("read_import_agreement", ImportAgreementSerializer)
    def agreement(self, request: Request, pk: int) -> Response:
        """How far the raters agree whose comparisons it brought, as its page says."""
        report = agreement.agreement_of_import(batch=self.get_object())
        return Response(ImportAgreementSerializer(report).data)

    @does("publish_import", ImportSerializer)
    def publish(self, batch: Import) -> None:
        """Publish a rejected import despite its problems. 409 if there is nothing to publish."""
        services.publish(batch=batch, **self.who_and_when)

    @does("discard_import", ImportSerializer)
    def discard(self, batch: Import) -> None:
        """Remove everything that it brought, for good. 409 if something uses it."""
        services.discard(batch=batch, **self.who_and_when)
