"""Prompts in the REST API: one by one. Files and many at once are imports."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Flag, Id
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, writes
from arithmetic import chats
from arithmetic.chats import Message
from labeling import access as labeling_access
from labeling.data.prompts import selectors, services, upsetting
from labeling.data.prompts.api.messages import MAX_TURNS, MessageSerializer, SourceSerializer
from labeling.data.prompts.selectors import PromptFilter
from labeling.importers import calls
from labeling.importers.drafts import MAX_CONSTRAINT, MAX_CONSTRAINTS, Unusable
from labeling.importers.messages import conversation, ends_with_user
from labeling.models import Prompt


class PromptSerializer(RowSerializer):
    messages = MessageSerializer(many=True)
    tools = serializers.ListField(
        child=serializers.DictField(), help_text="Functions that an answer may call."
    )
    sensitive = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Upset.choices),
        help_text="Kinds of upsetting content in the prompt or its answers.",
    )
    constraints = serializers.ListField(
        child=serializers.CharField(),
        help_text="Requirements an answer must meet, one sentence each.",
    )
    source = SourceSerializer()  # type: ignore[assignment]  # shadows Field.source

    class Meta:
        model = Prompt
        fields = [
            "id", "messages", "tools", "category", "language", "split", "licence", "sensitive",
            "constraints", "source", "origin", "version", "supersedes", "created_at", "retired_at",
        ]  # fmt: skip
        help_texts = {
            "supersedes": "The prompt that this one replaces.",
            "retired_at": "Since then, no new campaign uses it.",
        }


class PromptQuery(PageQuery):
    text = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Words in any of the messages."
    )
    category = serializers.ChoiceField(required=False, choices=Prompt.Category.choices)
    split = serializers.ChoiceField(required=False, choices=Prompt.Split.choices)
    language = serializers.CharField(required=False, allow_blank=True, max_length=8)
    source = Id(required=False)  # type: ignore[assignment]  # shadows Field.source
    is_unused = serializers.BooleanField(
        required=False, default=False, help_text="Only prompts that are in no campaign."
    )
    is_retired = serializers.BooleanField(
        required=False, default=False, help_text="Retired prompts instead of those in use."
    )

    @staticmethod
    def wanted(values: dict[str, Any]) -> PromptFilter:
        return PromptFilter(
            text=values.get("text", ""),
            category=values.get("category", ""),
            split=values.get("split", ""),
            source_id=values.get("source"),
            language=values.get("language", ""),
            is_unused=values["is_unused"],
            is_retired=values["is_retired"],
        )


def _kinds(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Upset.choices),
        max_length=len(Prompt.Upset.choices),
        help_text=(
            "Kinds of upsetting content in the prompt or its answers. Only raters who opted in"
            " get it."
        ),
        **options,
    )


def _constraints(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=MAX_CONSTRAINT),
        max_length=MAX_CONSTRAINTS,
        help_text="Requirements an answer must meet, one sentence each.",
        **options,
    )


def _messages(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=MessageSerializer(),
        min_length=1,
        max_length=MAX_TURNS,
        validators=[_check_turns],
        help_text=(
            "An optional system message, then user and assistant in turn. The last message is"
            " the user's."
        ),
        **options,
    )


def _tools(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.DictField(),
        validators=[_check_tools],
        help_text="Functions that an answer may call, as OpenAI's API describes them.",
        **options,
    )


def _check_tools(described: list[dict[str, object]]) -> None:
    try:
        calls.tools(described, "tools")
    except Unusable as refused:
        raise ValidationError(refused.sentence) from refused


def _check_turns(messages: list[Message]) -> None:
    if not messages:
        return  # min_length says so
    if any(message["role"] == "tool" or chats.parts_of(message) for message in messages):
        _check_parts(messages)
        return
    opening = 1 if messages[0]["role"] == "system" else 0
    for place, message in enumerate(messages[opening:]):
        expected = "assistant" if place % 2 else "user"
        if message["role"] != expected:
            raise ValidationError(
                _(
                    "Message %(number)d must have the role %(role)s: turns alternate, starting"
                    " with the user."
                )
                % {"number": place + opening + 1, "role": expected}
            )
    if messages[-1]["role"] != "user":
        raise ValidationError(
            _("The last message must be from the user: it is the one that gets answered.")
        )


def _check_parts(messages: list[Message]) -> None:
    """As in a file."""
    try:
        ends_with_user(conversation(messages, "messages"), "messages")
    except Unusable as refused:
        raise ValidationError(refused.sentence) from refused


def _as_stored(values: dict[str, Any]) -> dict[str, Any]:
    """Checked values with calls and tools in the one shape in which they are stored."""
    read: dict[str, Any] = {}
    if any(chats.parts_of(message) for message in values.get("messages", ())):
        read["messages"] = list(conversation(values["messages"], "messages"))
    if values.get("tools"):
        read["tools"] = calls.tools(values["tools"], "tools")
    return values | read


class NewPromptSerializer(serializers.Serializer[object]):
    messages = _messages()
    tools = _tools(default=list)
    category = serializers.ChoiceField(
        choices=Prompt.Category.choices, default=Prompt.Category.OTHER
    )
    language = serializers.CharField(max_length=8, default="", allow_blank=True)
    split = serializers.ChoiceField(
        choices=Prompt.Split.choices,
        default="",
        allow_blank=True,
        help_text=(
            "Omit it: nearly identical prompts share a split, and the text decides for new ones."
        ),
    )
    licence = serializers.CharField(max_length=64, default="", allow_blank=True)
    sensitive = _kinds(default=list)
    constraints = _constraints(default=list)


class PromptChangeSerializer(serializers.Serializer[object]):
    sensitive = _kinds(required=False)


class NewPromptVersionSerializer(serializers.Serializer[object]):
    """Fields that you leave out are those of the current version."""

    messages = _messages(required=False)
    category = serializers.ChoiceField(choices=Prompt.Category.choices, required=False)
    language = serializers.CharField(max_length=8, required=False, allow_blank=True)
    constraints = _constraints(required=False)
    keeps_responses = Flag(
        default=True,
        help_text=(
            "Comparisons return to the queue only if their responses are kept. Send false if the"
            " new prompt calls for a different answer."
        ),
    )


@described(
    list_prompts="Prompts in use, or with `is_retired` the others, newest first.",
    read_prompt="One prompt.",
)
class Prompts(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Prompt.objects.all()
    serializer_class = PromptSerializer
    query_class = PromptQuery

    def filtered(self, queryset: QuerySet[Prompt]) -> QuerySet[Prompt]:
        return selectors.prompt_list(filters=PromptQuery.wanted(self.asked))

    def get_object(self) -> Prompt:
        return labeling_access.prompt(user=self.by, pk=self.kwargs["pk"])

    @writes("create_prompt", PromptSerializer, body=NewPromptSerializer, status=201)
    def create(self, **values: Any) -> Prompt:
        """Create a prompt. Its source is the caller."""
        return services.create_prompt(**_as_stored(values), **self.who_and_when)

    @writes("change_prompt", PromptSerializer, body=PromptChangeSerializer, is_one=True)
    def partial_update(self, prompt: Prompt, *, sensitive: list[str] | None = None) -> None:
        """Mark kinds of upsetting content. Its text changes with a new version."""
        if sensitive is not None:
            upsetting.mark_upsetting(prompt=prompt, kinds=sensitive, **self.who_and_when)

    @does(
        "create_prompt_version",
        PromptSerializer,
        body=NewPromptVersionSerializer,
        status=201,
        url_path="versions",
    )
    def new_version(self, prompt: Prompt, *, keeps_responses: bool, **values: object) -> Prompt:
        """Replace it with a new version, which has an ID of its own, and retire this one. Items of
        running campaigns that need answers are handed out again with the new version. 409 if it is
        retired or nothing changes.
        """
        current = {name: getattr(prompt, name) for name in ("messages", "category", "language")}
        return services.edit_prompt(
            prompt=prompt,
            **(current | _as_stored(values)),
            keeps_responses=keeps_responses,
            **self.who_and_when,
        ).prompt

    @does("retire_prompt", PromptSerializer)
    def retire(self, prompt: Prompt) -> None:
        """No new campaign uses it, and running ones stop handing it out. Answers stay. 409 if it is
        retired already.
        """
        services.retire_prompt(prompt=prompt, **self.who_and_when)
