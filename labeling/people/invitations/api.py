"""Invitations in the REST API. They have e-mail addresses, so their scope is `people`."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.fields import Id, Name, OneOf
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, writes
from accounts.shell import requests
from labeling import access as labeling_access
from labeling.models import Invitation, Pool
from labeling.people.invitations import mail, selectors, services
from labeling.people.invitations.csv_file import MOST, Invitee
from labeling.people.invitations.selectors import InvitationState
from labeling.people.invitations.services import Sent


class InvitationSerializer(RowSerializer):
    """Serializes an InvitationRow."""

    state = serializers.ChoiceField(choices=InvitationState.choices)

    class Meta:
        model = Invitation
        inside = "invitation"
        fields = [
            "id", "pool", "email", "name", "state", "n_sent", "sent_at", "expires_at", "rater",
        ]  # fmt: skip
        help_texts = {"rater": "Who accepted."}


class InvitationQuery(PageQuery):
    pool = Id(required=False)
    state = serializers.ChoiceField(required=False, choices=InvitationState.choices)


class InviteeSerializer(serializers.Serializer[object]):
    email = serializers.EmailField(max_length=254)
    name = Name(max_length=150, default="", allow_blank=True)


class NewInvitationsSerializer(serializers.Serializer[object]):
    pool = OneOf(Pool.objects.all())
    people = serializers.ListField(child=InviteeSerializer(), min_length=1, max_length=MOST)

    def validate_people(self, people: list[dict[str, str]]) -> list[Invitee]:
        return [Invitee(person["email"].lower(), person["name"]) for person in people]


class SentInvitationSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    email = serializers.CharField()
    link = serializers.CharField(
        help_text="Works once, until the invitation expires. Only returned in this response."
    )


class SentInvitationsSerializer(serializers.Serializer[object]):
    are_mailed = serializers.BooleanField(
        help_text="False if the mail server could not be reached: pass on the links yourself."
    )
    invitations = SentInvitationSerializer(
        many=True, help_text="Without people who are in the pool already."
    )


@described(
    list_invitations="Invitations to pools, newest first.", read_invitation="One invitation."
)
class Invitations(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Invitation.objects.all()
    serializer_class = InvitationSerializer
    query_class = InvitationQuery

    def filtered(self, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        return selectors.invitations(
            pool_id=self.asked.get("pool"),
            state=self.asked.get("state", ""),
            now=timezone.now(),
        )

    def get_object(self) -> Invitation:
        return labeling_access.invitation(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Invitation]) -> Sequence[object]:
        return selectors.invitation_rows(invitations=objects, now=timezone.now())

    # A response with links is not stored for its Idempotency-Key. A repeated call sends new links,
    # and the earlier ones stop working.
    @writes(
        "create_invitations",
        SentInvitationsSerializer,
        body=NewInvitationsSerializer,
        status=201,
        is_remembered=False,
    )
    def create(self, *, pool: Pool, people: list[Invitee]) -> dict[str, object]:
        """Invite people to rate in a pool, and mail each a link. Somebody with an open invitation
        gets a new link.
        """
        sent = services.invite_to_pool(pool=pool, invitees=people, **self.who_and_when)
        return self._mailed(sent)

    @does("resend_invitation", SentInvitationsSerializer, is_remembered=False)
    def resend(self, invitation: Invitation) -> dict[str, object]:
        """Mail a new link; the old one stops working. 409 if it was accepted or revoked."""
        sent = services.resend_invitation(invitation=invitation, **self.who_and_when)
        if sent is None:
            raise Unable(_("This invitation has been accepted or revoked."))
        return self._mailed([sent])

    @does("revoke_invitation", InvitationSerializer)
    def revoke(self, invitation: Invitation) -> None:
        """Its link stops working. Changes nothing if it was accepted or revoked: check `state`."""
        services.revoke_invitation(invitation=invitation, **self.who_and_when)

    def _link(self, secret: str) -> str:
        return requests.site_address(self.request) + reverse("join", args=[secret])

    def _mailed(self, sent: list[Sent]) -> dict[str, object]:
        return {
            "are_mailed": mail.send(sent=sent, address_of=self._link, by=self.by),
            "invitations": [
                {
                    "id": sent_mail.invitation.pk,
                    "email": sent_mail.invitation.email,
                    "link": self._link(sent_mail.secret),
                }
                for sent_mail in sent
            ],
        }
