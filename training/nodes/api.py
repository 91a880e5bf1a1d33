"""GPU nodes and the queue of runs in the REST API."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.paging import PageQuery, page_of
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, removes
from training import access as training_access
from training.models import Node
from training.nodes import services
from training.runs import placement


class NodeSerializer(RowSerializer):
    """Serializes a NodeStatus."""

    is_alive = serializers.BooleanField(help_text="It has reported in the last minute.")
    takes_runs = serializers.BooleanField(help_text="It is alive and not draining.")
    gpus = serializers.ListField(
        source="node.gpus",
        child=serializers.DictField(),
        help_text="Of each: name, memory_gb, used_gb, load, temperature_c.",
    )
    runs = serializers.SerializerMethodField(help_text="IDs of the runs on it now.")

    class Meta:
        model = Node
        inside = "node"
        fields = [
            "id", "name", "is_alive", "takes_runs", "draining_since", "seen_at", "n_cores",
            "memory_gb", "memory_free_gb", "gpus", "versions", "runs",
        ]  # fmt: skip

    def get_runs(self, status: placement.NodeStatus) -> list[int]:
        return [run.pk for run in status.runs]


class QueuedRunSerializer(serializers.Serializer[Mapping[str, object]]):
    run = serializers.IntegerField(source="run.pk")
    name = serializers.CharField(source="run.name")
    kind = serializers.CharField(source="run.kind")
    priority = serializers.IntegerField(source="run.priority")
    wanted_node = serializers.CharField(
        source="run.wanted_node", help_text="The only node that may take it; empty for any."
    )
    why = serializers.CharField(help_text="Why it is still waiting, as a sentence.")


@described(list_nodes="GPU nodes, newest first.", read_node="One node and its runs.")
class Nodes(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Node.objects.all()
    serializer_class = NodeSerializer

    def get_object(self) -> Node:
        return training_access.node(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Any]) -> Sequence[object]:
        now = timezone.now()
        if self.action == "queue":
            reasons = placement.queue_with_reasons(runs=objects, now=now)
            return [{"run": run, "why": why} for run, why in reasons]
        statuses = {status.node.pk: status for status in placement.nodes(now=now)}
        return [statuses[node.pk] for node in objects]

    @reads(
        "list_queue",
        page_of(QueuedRunSerializer),
        query=PageQuery,
        is_one=False,
        serializer_class=QueuedRunSerializer,
    )
    def queue(self, request: Request) -> Response:
        """Queued runs in the order in which they start, with the reason why each waits."""
        return self.part(placement.queued_runs())

    @does("drain_node", NodeSerializer)
    def drain(self, node: Node) -> None:
        """Let it finish its runs and take no new ones. Changes nothing if it is draining."""
        services.drain_node(node=node, **self.who_and_when)

    @does("resume_node", NodeSerializer)
    def resume(self, node: Node) -> None:
        """Let it take runs again. Changes nothing if it is not draining."""
        services.resume_node(node=node, **self.who_and_when)

    @removes("forget_node")
    def destroy(self, node: Node) -> None:
        """Forget a node that is gone. One that is alive comes back with its next heartbeat."""
        services.forget_node(node=node, **self.who_and_when)
