"""The audit log in the REST API. It holds names and e-mail addresses, so it has the scope of
people.
"""

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin

from accounts.api.fields import Id
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described
from accounts.models import AuditEvent
from accounts.people import selectors


class AuditEventSerializer(RowSerializer):
    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "at",
            "by",
            "action",
            "target_type",
            "target_id",
            "before",
            "after",
            "address",
        ]
        help_texts = {
            "address": "Of the client, for log-ins and failed ones. Null: not known, or deleted.",
            "by": "The person. Null: the site itself.",
            "target_type": "Such as labeling.campaign.",
        }


class AuditQuery(PageQuery):
    words = serializers.CharField(
        required=False, max_length=500, help_text="In the object's name, before or after."
    )
    by = serializers.CharField(
        required=False, max_length=254, help_text="Part of the person's name or e-mail address."
    )
    action = serializers.CharField(required=False, max_length=64)
    target_type = serializers.CharField(required=False, max_length=64)
    target_id = Id(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Exclusive.")


@described(list_audit_events="Who changed what, newest first, with the values before and after.")
class AuditEvents(ListModelMixin, ApiViewSet):
    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    query_class = AuditQuery

    def filtered(self, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        wanted = {name: self.asked[name] for name in self.asked if name not in ("cursor", "limit")}
        return selectors.events(**wanted)
