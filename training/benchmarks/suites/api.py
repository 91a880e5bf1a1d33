"""Suites in the REST API: what there is, their items, and uploading one as text."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Name, Several
from accounts.api.paging import PageQuery, page_of
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling.models import Attack
from training import access as training_access
from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites import selectors, services, shipped_suites
from training.benchmarks.suites.drafts import SuiteDraft
from training.benchmarks.suites.formats import foreign, public, reading, uploads
from training.benchmarks.suites.formats.problems import SuiteProblem
from training.benchmarks.suites.formats.uploads import SuiteFile
from training.benchmarks.suites.found_attacks import services as found_attacks_services
from training.models import Suite, SuiteItem

_STANDS_IN = ("licence", "version", "name", "slug", "area", "scorer", "source")


class SuiteSerializer(RowSerializer):
    class Meta:
        model = Suite
        fields = [
            "id", "slug", "version", "name", "kind", "area", "scorer", "about", "licence", "source",
            "options", "items_hash", "n_items", "is_shipped", "created_at", "retired_at",
        ]  # fmt: skip
        sources = {"source": "origin"}
        help_texts = {
            "slug": "The id in suite.yaml: the same for all versions.",
            "items_hash": "SHA-256 of items.jsonl.",
            "is_shipped": "Came with the product.",
            "retired_at": "Since then, new runs are not offered it.",
        }


class SuiteItemSerializer(RowSerializer):
    prompt = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = SuiteItem
        fields = ["id", "key", "category", "cluster", "prompt", "content"]
        help_texts = {
            "key": "Its id in the file.",
            "cluster": "Items with the same one are not independent. Empty: on its own.",
            "content": "What its kind needs: choices, texts, …",
        }


class UsedAttacksSerializer(serializers.Serializer[object]):
    attacks = Several(
        Attack.objects.filter(conversation__rater__withdrawn_at=None),
        most=100,
        allow_empty=False,
        help_text="IDs of attacks.",
    )


class LoadedSuitesSerializer(serializers.Serializer[object]):
    suites = serializers.ListField(
        child=serializers.IntegerField(), help_text="IDs of those that were added."
    )


class SuiteQuery(PageQuery):
    shown = serializers.ChoiceField(
        required=False,
        choices=[*Suite.Area.values, selectors.RETIRED],
        help_text="An area, or `retired`. Leave it out for all that new runs are offered.",
    )


class NewSuiteSerializer(serializers.Serializer[object]):
    """The texts of the files. Other fields stand in for those of suite.yaml."""

    items = serializers.CharField(
        trim_whitespace=False,
        help_text="The text of items.jsonl, or of a public file such as XSTest's CSV.",
    )
    suite = serializers.CharField(
        required=False, trim_whitespace=False, help_text="The text of suite.yaml."
    )
    task = serializers.CharField(
        required=False,
        trim_whitespace=False,
        help_text="Kind `lm-eval` only: the YAML of the task.",
    )
    shape = serializers.ChoiceField(
        required=False,
        choices=[reading.OWN, *public.READERS],
        help_text="The format, if the columns do not tell it.",
    )
    licence = serializers.CharField(required=False, max_length=64)
    version = serializers.CharField(required=False, max_length=32)
    name = Name(required=False, max_length=120)
    slug = serializers.CharField(required=False, max_length=64)
    area = serializers.ChoiceField(required=False, choices=Suite.Area.choices)
    scorer = serializers.ChoiceField(required=False, choices=list(SCORERS))
    source = serializers.CharField(  # type: ignore[assignment]  # shadows Field's
        required=False, max_length=500
    )

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        """The draft. Every problem of a file is listed under its name."""
        names = {"suite": uploads.YAML, "task": uploads.TASK, "items": uploads.ITEMS}
        files = [
            SuiteFile(name, values[field].encode("utf-8", errors="surrogatepass"))
            for field, name in names.items()
            if field in values
        ]
        asked = {name: values[name] for name in _STANDS_IN if name in values}
        if "slug" in asked:
            asked["id"] = asked.pop("slug")
        result = foreign.read(files, shape=values.get("shape", ""), asked=asked)
        if result.draft is None:
            raise ValidationError(_by_file(result.problems))
        return {"draft": result.draft}


def _by_file(problems: Iterable[SuiteProblem]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(problem.file, []).append(str(problem))
    return errors


@described(list_suites="Suites, newest first.", read_suite="One suite, without its items.")
class Suites(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Suite.objects.all()
    serializer_class = SuiteSerializer
    query_class = SuiteQuery

    def filter_queryset(self, queryset: object) -> QuerySet[Suite, Any]:
        return selectors.suites(shown=self.asked.get("shown", ""))

    def get_object(self) -> Suite:
        return training_access.suite(user=self.by, pk=self.kwargs["pk"])

    @writes("upload_suite", SuiteSerializer, body=NewSuiteSerializer, status=201)
    def create(self, *, draft: SuiteDraft) -> Suite:
        """Store a suite. If anything is wrong with it nothing is stored, and `errors` has every
        problem with its line.
        """
        return services.create_suite(draft=draft, **self.who_and_when)

    @does("retire_suite", SuiteSerializer)
    def retire(self, suite: Suite) -> None:
        """No longer offer it to new runs; its scores stay. Changes nothing if it is retired."""
        services.retire_suite(suite=suite, **self.who_and_when)

    @does("bring_back_suite", SuiteSerializer, url_path="bring-back")
    def bring_back(self, suite: Suite) -> None:
        """Offer it to new runs again. Changes nothing if it is not retired."""
        services.bring_back_suite(suite=suite, **self.who_and_when)

    @reads(
        "list_suite_items",
        page_of(SuiteItemSerializer),
        query=PageQuery,
        serializer_class=SuiteItemSerializer,
    )
    def items(self, request: Request, pk: int) -> Response:
        """The items of a suite in the order of its file."""
        return self.part(self.get_object().items.order_by("position"))

    @does("load_shipped_suites", LoadedSuitesSerializer, is_one=False)
    def shipped(self) -> dict[str, list[int]]:
        """Add the suites that come with the product and are missing."""
        return {"suites": [suite.pk for suite in shipped_suites.load(**self.who_and_when)]}

    @does(
        "use_attacks",
        SuiteSerializer,
        body=UsedAttacksSerializer,
        is_one=False,
        url_path="found-attacks",
    )
    def found_attacks(self, *, attacks: list[Attack]) -> Suite:
        """Put successful attacks of raters to use: items of a new version of the suite
        `attacks-by-people`, better answers for raters to write, and pairs to compare. 409 if one
        of them is in use or did not succeed; then none is used.
        """
        return found_attacks_services.use_attacks(attacks=attacks, **self.who_and_when)
