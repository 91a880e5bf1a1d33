"""What uses disk space in the REST API, and freeing it."""

from collections.abc import Mapping, Sequence

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Text
from accounts.api.paging import PageQuery
from accounts.api.views import ApiViewSet, does, lists
from training.storage import selectors, services


class HoldingSerializer(serializers.Serializer[selectors.Holding]):
    """A run, model or snapshot, and its bytes."""

    key = serializers.CharField(help_text="Name it in `/storage/free`.")
    what = serializers.ChoiceField(choices=["model", "run", "snapshot"])
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    created_at = serializers.DateTimeField(source="made_at")
    checkpoints = serializers.IntegerField()
    weights = serializers.IntegerField()
    logs = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="In the artifact store.")
    total = serializers.IntegerField()
    is_freeable = serializers.BooleanField()
    why = serializers.ListField(
        child=serializers.CharField(), help_text="Why it is kept. Empty if it can be freed."
    )
    node = serializers.CharField(help_text="The node with its state, if this machine has none.")


class StorageSerializer(serializers.Serializer[Mapping[str, object]]):
    """Bytes of everything, and one page of what uses them."""

    free_bytes = serializers.IntegerField(help_text="Free on this machine's disk.")
    total = serializers.IntegerField()
    freeable = serializers.IntegerField()
    is_store_down = serializers.BooleanField(help_text="The artifact store does not answer.")
    next_cursor = serializers.IntegerField(allow_null=True, help_text="Null on the last page.")
    results = HoldingSerializer(many=True)


class ToFreeSerializer(serializers.Serializer[object]):
    keys = serializers.ListField(child=Text(max_length=100), min_length=1, max_length=1_000)


class FreedSerializer(serializers.Serializer[services.Freed]):
    n_bytes = serializers.IntegerField()
    n_done = serializers.IntegerField()
    n_kept = serializers.IntegerField(
        help_text="Not freed: in use again, unknown, or the artifact store did not answer."
    )


class Storage(ApiViewSet):
    serializer_class = HoldingSerializer

    @lists("list_storage", StorageSerializer, query=PageQuery)
    def list(self, request: Request) -> Response:
        """What runs, models and snapshots use, largest first, and why each is kept."""
        usage = selectors.overview()
        page = self.part(usage.holdings).data
        about = {
            "free_bytes": usage.free_bytes,
            "total": usage.total,
            "freeable": usage.freed,
            "is_store_down": usage.is_store_down,
        }
        return Response(about | page)

    @does("free_storage", FreedSerializer, body=ToFreeSerializer, is_one=False)
    def free(self, *, keys: Sequence[str]) -> services.Freed:
        """Delete the checkpoints and weights of these runs and models for good, as far as they are
        freeable. Each is checked again.
        """
        return services.free(keys=set(keys), **self.who_and_when)
