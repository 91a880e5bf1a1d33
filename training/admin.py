"""Django's admin over the training half, to look things up: what services write is not changed
here.
"""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from training.models import Run, Snapshot, TrainedModel


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "name",
        "kind",
        "state",
        "outcome",
        "attempt",
        "n_crashes",
        "node",
        "heartbeat_at",
        "created_by",
    )
    list_filter = ("kind", "state", "outcome")
    list_select_related = ("created_by",)
    search_fields = ("name",)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("pk", "name", "kind", "n_rows", "fingerprint", "created_by", "created_at")
    list_filter = ("kind",)
    list_select_related = ("created_by",)
    search_fields = ("name", "fingerprint")


@admin.register(TrainedModel)
class TrainedModelAdmin(ReadOnlyAdmin):
    list_display = ("pk", "name", "kind", "parent", "licence", "location", "created_at")
    list_filter = ("kind",)
    list_select_related = ("parent",)
    search_fields = ("name", "location")
