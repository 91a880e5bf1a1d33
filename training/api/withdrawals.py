"""Withdrawals of raters in the REST API: withdraw, readmit, and what was made of their answers."""

from typing import Any

from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import OneOf
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling import access as labeling_access
from labeling.models import Rater
from labeling.people import withdrawal
from training.api.lineage import NamedSerializer, UseInSnapshotSerializer
from training.registry.lineage import withdrawals


class WithdrawalSerializer(serializers.Serializer[Any]):
    """A rater under a pseudonym."""

    id = serializers.IntegerField(help_text="Of the rater.")
    alias = serializers.CharField()
    withdrawn_at = serializers.DateTimeField(
        allow_null=True, help_text="Null for a rater who has not withdrawn."
    )


class TouchedSerializer(serializers.Serializer[Any]):
    """What holds, or learned from, the rater's answers and texts. To remove their data fully:
    create new snapshots, train again, retire these models.
    """

    n_judgments = serializers.IntegerField()
    snapshots = UseInSnapshotSerializer(many=True)
    runs = NamedSerializer(many=True)
    models = NamedSerializer(many=True)


class NewWithdrawalSerializer(serializers.Serializer[Any]):
    rater = OneOf(Rater.objects.all())


@described(
    list_withdrawals="Raters who have withdrawn, newest first.",
    read_withdrawal="One rater, by their ID.",
)
class Withdrawals(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Rater.objects.filter(withdrawn_at__isnull=False)
    serializer_class = WithdrawalSerializer

    def get_object(self) -> Rater:
        return labeling_access.rater_as_alias(user=self.by, pk=self.kwargs["pk"])

    @writes("withdraw_rater", WithdrawalSerializer, body=NewWithdrawalSerializer, status=201)
    def create(self, *, rater: Rater) -> Rater:
        """Withdraw a rater: their answers stop counting, what they wrote is shown to nobody, and
        they get no more items. Changes nothing if they have withdrawn.
        """
        withdrawal.withdraw_rater(rater=rater, **self.who_and_when)
        rater.refresh_from_db()
        return rater

    @does("readmit_rater", WithdrawalSerializer)
    def readmit(self, rater: Rater) -> None:
        """Undo a withdrawal that was a mistake. Add the rater to pools again yourself."""
        withdrawal.readmit_rater(rater=rater, **self.who_and_when)

    @reads("read_withdrawal_traces", TouchedSerializer)
    def traces(self, request: Request, pk: int) -> Response:
        """The snapshots, runs and models that the rater's answers went into."""
        found = withdrawals.touched_by(rater=self.get_object())
        snapshots = [
            {"id": one.snapshot.pk, "name": one.snapshot.name, "n_from_here": one.n_judgments}
            for one in found.snapshots
        ]
        body = {
            "n_judgments": found.n_judgments,
            "snapshots": snapshots,
            "runs": found.runs,
            "models": found.models,
        }
        return Response(TouchedSerializer(body).data)
