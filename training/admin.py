"""Django's admin over the training half, to look things up: what services write is not changed here."""

from django.contrib import admin
from django.http import HttpRequest

from training.models import Run, Snapshot, TrainedModel


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(_ReadOnly):
    list_display = ("pk", "name", "kind", "state", "outcome", "attempt", "n_crashes", "node", "heartbeat_at", "created_by")
    list_filter = ("kind", "state", "outcome")
    list_select_related = ("created_by",)
    search_fields = ("name",)


@admin.register(Snapshot)
class SnapshotAdmin(_ReadOnly):
    list_display = ("pk", "name", "kind", "n_rows", "fingerprint", "created_by", "created_at")
    list_filter = ("kind",)
    list_select_related = ("created_by",)
    search_fields = ("name", "fingerprint")


@admin.register(TrainedModel)
class TrainedModelAdmin(_ReadOnly):
    list_display = ("pk", "name", "kind", "parent", "licence", "location", "created_at")
    list_filter = ("kind",)
    list_select_related = ("parent",)
    search_fields = ("name", "location")
