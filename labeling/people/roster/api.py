"""Raters in the REST API, under their pseudonyms, and their skills. Names and addresses of people
are in people.accounts, which has a scope of its own.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Id
from accounts.api.page_forms import checked, filled
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, reads, writes
from labeling import access as labeling_access
from labeling.models import Prompt, Rater, RaterSkill
from labeling.people.roster import selectors
from labeling.people.roster.selectors import RaterStatus, RosterFilter
from labeling.people.skills import services as skills_services
from labeling.people.skills.forms import SkillsForm

_WORD = r"^[^,]+$"


class RaterPoolSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField(source="pool_id")
    name = serializers.CharField(source="pool.name")
    paused_at = serializers.DateTimeField(allow_null=True)


class RaterSerializer(serializers.Serializer[object]):
    """Serializes a RosterRow."""

    id = serializers.IntegerField(source="rater.pk")
    alias = serializers.CharField(source="rater.alias", help_text="The pseudonym in all exports.")
    person = serializers.IntegerField(source="rater.user_id", help_text="For `GET /people/{id}`.")
    status = serializers.ChoiceField(choices=RaterStatus.choices)
    pools = RaterPoolSerializer(source="memberships", many=True)
    languages = serializers.ListField(child=serializers.CharField())
    topics = serializers.ListField(
        child=serializers.CharField(), help_text="Prompt categories and other tags."
    )
    n_judged = serializers.IntegerField()
    last_at = serializers.DateTimeField(allow_null=True, help_text="When they last answered.")


class RaterQuery(PageQuery):
    pool = Id(required=False)
    status = serializers.ChoiceField(required=False, choices=RaterStatus.choices)
    language = serializers.CharField(required=False, max_length=64)
    topic = serializers.CharField(required=False, max_length=64)

    @staticmethod
    def wanted(values: dict[str, Any]) -> RosterFilter:
        return RosterFilter(
            pool_id=values.get("pool"),
            language=values.get("language", ""),
            topic=values.get("topic", ""),
            status=values.get("status", ""),
        )


class SkillsSerializer(serializers.Serializer[object]):
    languages = serializers.ListField(
        child=serializers.RegexField(_WORD, max_length=64), max_length=50
    )
    topics = serializers.ListField(
        child=serializers.RegexField(_WORD, max_length=64),
        max_length=100,
        help_text="Prompt categories, such as `summarization`, and tags of your own.",
    )


class RaterSkillsSerializer(serializers.Serializer[object]):
    """What a rater knows, by how the site knows it. Routing asks for any of them."""

    declared = SkillsSerializer(help_text="Stated by the rater.")
    tested = SkillsSerializer(help_text="Passed in a test.")
    shown = SkillsSerializer(help_text="Earned by answers, or observed by an admin.")


@described(
    list_raters="Raters with a login, newest first, under their pseudonyms.",
    read_rater="One rater with a login.",
)
class Raters(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Rater.people.all()
    serializer_class = RaterSerializer
    query_class = RaterQuery

    def filtered(self, queryset: QuerySet[Rater]) -> QuerySet[Rater]:
        return selectors.roster(filters=RaterQuery.wanted(self.asked))

    def get_object(self) -> Rater:
        return labeling_access.rater_with_login(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Rater]) -> Sequence[object]:
        return selectors.roster_rows(raters=objects)

    @reads("read_rater_skills", RaterSkillsSerializer, serializer_class=RaterSkillsSerializer)
    def skills(self, request: Request, pk: int) -> Response:
        """What the rater knows, and how the site knows it."""
        return Response(self.serialized(_skills_of(self.get_object())).data)

    @skills.mapping.post
    @writes("set_rater_skills", RaterSkillsSerializer, body=SkillsSerializer, is_one=True)
    def grant(self, rater: Rater, *, languages: list[str], topics: list[str]) -> dict[str, object]:
        """Set what you have observed, in place of all that is `shown`. A topic that you leave out
        is taken back, and the site does not grant it again by itself.
        """
        codes = SkillsForm.initial_of(languages=languages, topics=topics)
        values = {
            "languages": ", ".join(languages),
            "topics": [code for code in codes["topics"] if code != Prompt.Category.OTHER],
            "tags": ", ".join(codes["tags"]),
        }
        form = checked(SkillsForm(filled(SkillsForm(), values)), names={"tags": "topics"})
        known = form.arguments
        skills_services.grant_skills(
            rater=rater,
            languages=known["languages"],
            topics=known["topics"],
            **self.who_and_when,
        )
        return _skills_of(rater)


def _skills_of(rater: Rater) -> dict[str, object]:
    names = {RaterSkill.Axis.LANGUAGE: "languages", RaterSkill.Axis.TOPIC: "topics"}
    return {
        basis.value: {
            name: selectors.skills_of(rater=rater, axis=axis, basis=basis)
            for axis, name in names.items()
        }
        for basis in RaterSkill.Basis
    }
