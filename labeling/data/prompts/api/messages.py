"""What prompts and judgments share as JSON: messages and a source."""

from rest_framework import serializers

MAX_TURNS = 200
MAX_CHARACTERS = 200_000


class MessageSerializer(serializers.Serializer[object]):
    role = serializers.ChoiceField(choices=["system", "user", "assistant"])
    content = serializers.CharField(max_length=MAX_CHARACTERS, trim_whitespace=False)


class SourceSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
