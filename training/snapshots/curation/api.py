"""Curations in the REST API: preview what a recipe would remove, make the snapshot, read the
ledger, restore documents.
"""

from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Name
from accounts.api.paging import PageQuery, page_of
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling.models import Pool
from training import access as training_access
from training.models import Curation, RestoredDocument, Snapshot
from training.snapshots.api import FiltersSerializer
from training.snapshots.contents.filters import Filters
from training.snapshots.curation import ratings, recipes, selectors, services
from training.snapshots.pretraining import texts

_FILE_NAME = "documents.jsonl"


class CurationSerializer(RowSerializer):
    class Meta:
        model = Curation
        fields = [
            "id", "name", "kind", "filters", "recipe", "makes_snapshot", "state", "n_documents",
            "n_read", "account", "error", "snapshot", "created_at", "finished_at",
        ]  # fmt: skip
        help_texts = {
            "recipe": "Every threshold, and the restored documents.",
            "makes_snapshot": "False: it stops at a preview.",
            "n_read": "Documents that the recipe has read so far.",
            "account": (
                "`read` = `kept` + `changed` + `removed`, and `rules`; empty before the preview."
            ),
        }


class NewCurationSerializer(serializers.Serializer[object]):
    name = Name(max_length=200)
    kind = serializers.ChoiceField(choices=list(recipes.OFFERED))
    recipe = serializers.ChoiceField(choices=recipes.NAMES)
    makes_snapshot = serializers.BooleanField(
        required=False, default=False, help_text="Make the snapshot without waiting for a decision."
    )
    documents = serializers.CharField(
        required=False,
        trim_whitespace=False,
        help_text="Kind `text`: one JSON object with a `text` per line.",
    )
    licence = serializers.CharField(
        required=False, max_length=64, help_text="Kind `text`: the licence of the documents."
    )
    min_characters = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=1_000_000
    )
    filters = FiltersSerializer(required=False, help_text="Other kinds: which rows.")

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        """The arguments of start_curation. Every problem of the documents is listed."""
        if values["recipe"] not in recipes.OFFERED[values["kind"]]:
            offered = ", ".join(recipes.OFFERED[values["kind"]])
            words = _("Recipes for %(kind)s: %(names)s.")
            raise ValidationError({"recipe": words % {"kind": values["kind"], "names": offered}})
        common = {name: values[name] for name in ("name", "kind", "recipe", "makes_snapshot")}
        if values["kind"] == Snapshot.Kind.TEXT:
            return common | _text(values)
        filters = Filters.from_json(dict(values.get("filters") or {}))
        return common | {"filters": filters.as_json()}


def _text(values: dict[str, Any]) -> dict[str, object]:
    for name in ("documents", "licence"):
        if not values.get(name):
            raise ValidationError({name: serializers.Field.default_error_messages["required"]})
    content = values["documents"].encode(errors="surrogatepass")
    problems = texts.Documents(_FILE_NAME, BytesIO(content)).problems()
    if problems:
        words = _("Line %(line)s: %(what)s")
        raise ValidationError(
            {"documents": [words % {"line": p.line, "what": p.sentence} for p in problems]}
        )
    filters = {name: values[name] for name in ("licence", "min_characters")}
    return {"filters": filters, "upload": ContentFile(content, name=_FILE_NAME)}


class LedgerQuery(PageQuery):
    rule = serializers.CharField(
        required=False, max_length=80, help_text="Only what this rule removed or changed."
    )


class LedgerEntrySerializer(serializers.Serializer[object]):
    document = serializers.IntegerField(source="entry.document", help_text="Its place, from 0.")
    id = serializers.CharField(source="entry.id", help_text="Names its text. Restore it by this.")
    origin = serializers.CharField(source="entry.source", help_text="As the file names it.")
    outcome = serializers.ChoiceField(source="entry.outcome", choices=["removed", "changed"])
    rule = serializers.CharField(source="entry.rule")
    value = serializers.JSONField(source="entry.value")
    threshold = serializers.JSONField(source="entry.threshold")
    twin = serializers.CharField(source="entry.twin", help_text="What it repeats.")
    twin_excerpt = serializers.CharField(source="entry.twin_excerpt")
    excerpt = serializers.CharField(source="entry.excerpt", help_text="Personal data is masked.")
    n_findings = serializers.IntegerField(
        source="entry.n_findings", help_text="Places that the rule found, such as addresses."
    )
    is_restored = serializers.BooleanField()


LEDGER_PAGE = page_of(LedgerEntrySerializer)


class RestoreSerializer(serializers.Serializer[object]):
    document = serializers.CharField(max_length=16, help_text="An `id` of the ledger.")


class RestoredDocumentSerializer(RowSerializer):
    class Meta:
        model = RestoredDocument
        fields = ["id", "recipe", "document", "rule", "excerpt", "restored_at"]
        help_texts = {
            "document": "Its `id` in the ledger.",
            "excerpt": "Personal data is masked.",
        }


class RestoredQuery(PageQuery):
    recipe = serializers.ChoiceField(required=False, choices=recipes.NAMES)


def ledger_response(source: Curation | Snapshot, asked: dict[str, Any]) -> Response:
    """A page of the ledger, in its order. The cursor counts rows. Empty without a recipe. Raises
    Unable.
    """
    about = source.account if isinstance(source, Curation) else source.card.get("curation")
    if not about:
        return Response({"next_cursor": None, "results": []})
    skip, limit = asked.get("cursor") or 0, asked["limit"]
    entries = selectors.entries(source=source, rule=asked.get("rule", ""), skip=skip, n=limit + 1)
    if entries is None:
        raise Unable(_("The files of this ledger are not on this machine."))
    rows = LedgerEntrySerializer(entries[:limit], many=True).data
    cursor = skip + limit if len(entries) > limit else None
    return Response({"next_cursor": cursor, "results": rows})


class RateSerializer(serializers.Serializer[object]):
    rule = serializers.CharField(max_length=80, help_text="As in the ledger.")
    pool = serializers.PrimaryKeyRelatedField(queryset=Pool.objects.all())
    n = serializers.IntegerField(
        required=False, default=ratings.USUAL_N, min_value=1, max_value=ratings.MOST
    )
    overlap = serializers.IntegerField(required=False, default=3, min_value=1, max_value=20)


class RateOfRuleSerializer(serializers.Serializer[ratings.Rate]):
    n = serializers.IntegerField(help_text="Documents with at least one answer.")
    share = serializers.FloatField(
        allow_null=True, help_text="Of those, how many should be removed; ties count half."
    )
    low = serializers.FloatField(help_text="Lower end of the 95 % interval.")
    high = serializers.FloatField()


class MeasuredRuleSerializer(serializers.Serializer[object]):
    recipe = serializers.CharField(source="sample.recipe")
    rule = serializers.CharField(source="sample.rule")
    campaign = serializers.IntegerField(source="sample.campaign_id")
    precision = RateOfRuleSerializer(help_text="Of documents that the rule removed.")
    kept = RateOfRuleSerializer(help_text="Of documents that the recipe kept.")


@described(
    list_curations="Curations, newest first.",
    read_curation="One curation: its state, and what the recipe did. Poll it until it is `ready`.",
)
class Curations(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Curation.objects.all()
    serializer_class = CurationSerializer

    def get_object(self) -> Curation:
        return training_access.curation(user=self.by, pk=self.kwargs["pk"])

    @writes("start_curation", CurationSerializer, body=NewCurationSerializer, status=201)
    def create(self, **values: Any) -> Curation:
        """Apply a recipe to documents. Nothing is frozen before you ask for the snapshot."""
        return services.start_curation(**values, **self.who_and_when)

    @does("make_curation_snapshot", CurationSerializer)
    def snapshot(self, curation: Curation) -> None:
        """Freeze what the recipe kept, with the documents restored meanwhile."""
        services.make_snapshot(curation=curation, **self.who_and_when)

    @does("update_curation", CurationSerializer)
    def update_preview(self, curation: Curation) -> None:
        """Make the preview again, with the documents restored meanwhile."""
        services.update_preview(curation=curation, **self.who_and_when)

    @does("rate_curation_rule", MeasuredRuleSerializer, body=RateSerializer)
    def rate(self, curation: Curation, **values: Any) -> ratings.MeasuredRule:
        """Open a campaign in which raters say of documents that a rule removed, and of others that
        the recipe kept, whether they should be removed.
        """
        sample = ratings.send_to_raters(curation=curation, **values, **self.who_and_when)
        return ratings.measured_rule(sample=sample)

    @reads("list_measured_rules", MeasuredRuleSerializer(many=True))
    def rates(self, request: Request, pk: int) -> Response:
        """What raters have said so far of the rules of its recipe."""
        measured = ratings.measured(recipe=self.get_object().filters["recipe"])
        return Response(MeasuredRuleSerializer(measured, many=True).data)

    @does("discard_curation", CurationSerializer)
    def discard(self, curation: Curation) -> None:
        """Stop it and delete its files."""
        services.discard_curation(curation=curation, **self.who_and_when)

    @reads("list_curation_ledger", LEDGER_PAGE, query=LedgerQuery)
    def ledger(self, request: Request, pk: int) -> Response:
        """What the recipe would remove or change, and why. Empty before the preview is ready."""
        return ledger_response(self.get_object(), self.asked)

    @does("restore_document", RestoredDocumentSerializer, body=RestoreSerializer)
    def restore(self, curation: Curation, *, document: str) -> RestoredDocument:
        """Keep a removed document whenever this recipe runs again. Safe to repeat."""
        return services.restore_document(source=curation, document=document, **self.who_and_when)


class SnapshotLedger(ApiViewSet):
    """Below the view set of snapshots."""

    queryset = Snapshot.objects.all()
    serializer_class = LedgerEntrySerializer

    def get_object(self) -> Snapshot:
        return training_access.snapshot(user=self.by, pk=self.kwargs["pk"])

    @reads("list_snapshot_ledger", LEDGER_PAGE, query=LedgerQuery)
    def ledger(self, request: Request, pk: int) -> Response:
        """What the recipe of a snapshot removed or changed. Empty without a recipe."""
        return ledger_response(self.get_object(), self.asked)

    @does(
        "restore_snapshot_document",
        RestoredDocumentSerializer,
        body=RestoreSerializer,
    )
    def restore(self, snapshot: Snapshot, *, document: str) -> RestoredDocument:
        """Keep a removed document whenever this recipe runs again. Safe to repeat."""
        return services.restore_document(source=snapshot, document=document, **self.who_and_when)


@described(
    list_restored_documents="Documents restored from recipes, newest first.",
    read_restored_document="One restored document.",
)
class RestoredDocuments(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = RestoredDocument.objects.all()
    serializer_class = RestoredDocumentSerializer
    query_class = RestoredQuery
    narrowed_by = {"recipe": "recipe"}

    @does("undo_restore", RestoredDocumentSerializer)
    def undo(self, restored: RestoredDocument) -> RestoredDocument:
        """Let the recipe remove the document again."""
        services.undo_restore(
            recipe=restored.recipe, document=restored.document, **self.who_and_when
        )
        return restored
