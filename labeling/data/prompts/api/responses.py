"""Responses in the REST API: what was answered to a prompt, and answers from outside."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin

from accounts.api.fields import MAX_ID, Id
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, described, writes
from labeling.data.prompts import responses
from labeling.data.prompts.api.messages import MAX_CHARACTERS, SourceSerializer
from labeling.importers.drafts import Unusable
from labeling.importers.messages import one_message
from labeling.models import Response

AT_ONCE = 1_000


class ResponseSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    prompt = serializers.IntegerField(source="prompt_id")
    source = SourceSerializer()  # type: ignore[assignment]  # shadows Field.source
    text = serializers.CharField()
    reasoning_content = serializers.CharField(help_text="What the model thought. May be empty.")
    tool_calls = serializers.ListField(child=serializers.DictField())
    number = serializers.IntegerField(help_text="Among the source's responses to the prompt.")
    licence = serializers.SerializerMethodField(help_text="Its own, or that of its source.")
    sampling = serializers.DictField(help_text="How a model was sampled.")
    marks = serializers.DictField(help_text="What an import said of it: label, scores.")
    created_at = serializers.DateTimeField()

    def get_licence(self, response: Response) -> str:
        return response.licence or response.source.licence


class ResponseQuery(PageQuery):
    prompt = Id(required=False)


class SamplingSerializer(serializers.Serializer[object]):
    """How a model was sampled, as far as it is known."""

    temperature = serializers.FloatField(required=False, min_value=0, max_value=100)
    top_p = serializers.FloatField(required=False, min_value=0, max_value=1)
    max_new_tokens = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID)


class NewResponseSerializer(serializers.Serializer[object]):
    prompt = Id(source="prompt_id")
    text = serializers.CharField(
        max_length=MAX_CHARACTERS,
        trim_whitespace=False,
        allow_blank=True,
        help_text="The answer. Empty only beside `tool_calls`.",
    )
    reasoning_content = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=MAX_CHARACTERS,
        trim_whitespace=False,
        help_text="What the model thought before it answered.",
    )
    tool_calls = serializers.ListField(
        child=serializers.DictField(), default=list, help_text="Calls, in OpenAI's shape."
    )
    model = serializers.CharField(
        default="", allow_blank=True, max_length=100, help_text="Who wrote it, within the source."
    )
    licence = serializers.CharField(
        default="", allow_blank=True, max_length=64, help_text="Its own, if it has one."
    )
    sampling = SamplingSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["text"] == "" and not attrs["tool_calls"]:
            blank = self.fields["text"].error_messages["blank"]
            raise serializers.ValidationError({"text": [blank]})
        if not (attrs["reasoning_content"] or attrs["tool_calls"]):
            return attrs
        said = {name: attrs[name] for name in ("reasoning_content", "tool_calls")}
        try:
            read = one_message({"role": "assistant", "content": attrs["text"], **said}, "response")
        except Unusable as refused:
            raise serializers.ValidationError(refused.sentence) from refused
        return attrs | {"tool_calls": read.get("tool_calls", [])}


class NewResponsesSerializer(serializers.Serializer[object]):
    source = serializers.CharField(  # type: ignore[assignment]  # shadows Field.source
        max_length=200, help_text="A name for the origin of the data. Raters never see it."
    )
    licence = serializers.CharField(max_length=64, help_text="SPDX, such as CC-BY-4.0.")
    responses = serializers.ListField(
        child=NewResponseSerializer(), min_length=1, max_length=AT_ONCE
    )


class StoredResponsesSerializer(serializers.Serializer[object]):
    responses = ResponseSerializer(many=True, help_text="In the order of the call.")


@described(list_responses="Responses, newest first; with `prompt`, those to one prompt.")
class Responses(ListModelMixin, ApiViewSet):
    queryset = Response.objects.all()
    serializer_class = ResponseSerializer
    query_class = ResponseQuery
    recorded_as = "read_responses"
    action = ""  # set for each call

    def filtered(self, queryset: QuerySet[Response]) -> QuerySet[Response]:
        return responses.responses(prompt_id=self.asked.get("prompt"))

    def get_serializer_class(self) -> Any:
        return StoredResponsesSerializer if self.action == "create" else ResponseSerializer

    @writes("add_responses", StoredResponsesSerializer, body=NewResponsesSerializer, status=201)
    def create(
        self, *, source: str, licence: str, responses: Sequence[dict[str, object]]
    ) -> dict[str, object]:
        """Store what other models or people answered to prompts of this site. All are stored, or
        none. The same text of the same source is stored once.
        """
        return {"responses": _added(responses, source, licence, **self.who_and_when)}


def _added(rows: Sequence[dict[str, Any]], source: str, licence: str, **who: Any) -> list[Response]:
    texts = [responses.NewText(**row) for row in rows]
    return responses.add_responses(
        texts=texts, source_name=source.strip(), licence=licence.strip(), **who
    )
