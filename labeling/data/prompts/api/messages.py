"""What prompts and judgments share as JSON: messages and a source."""

from rest_framework import serializers

from labeling.importers.calls import MAX_NAME

MAX_TURNS = 200
MAX_CHARACTERS = 200_000


class MessageSerializer(serializers.Serializer[object]):
    role = serializers.ChoiceField(choices=["system", "user", "assistant", "tool"])
    content = serializers.CharField(
        max_length=MAX_CHARACTERS, trim_whitespace=False, allow_blank=True
    )
    reasoning_content = serializers.CharField(
        required=False,
        max_length=MAX_CHARACTERS,
        trim_whitespace=False,
        help_text="What the assistant thought before. Absent if nothing is known of it.",
    )
    tool_calls = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        max_length=MAX_TURNS,
        help_text="OpenAI's shape, with the arguments as an object.",
    )
    tool_call_id = serializers.CharField(
        required=False, max_length=MAX_NAME, help_text="Of the call that a tool's result is for."
    )
    name = serializers.CharField(
        required=False, max_length=MAX_NAME, help_text="Of the tool whose result it is."
    )

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if attrs["content"] == "" and attrs["role"] != "tool" and not attrs.get("tool_calls"):
            blank = self.fields["content"].error_messages["blank"]
            raise serializers.ValidationError({"content": [blank]})
        return attrs


class SourceSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
