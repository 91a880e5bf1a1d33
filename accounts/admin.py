"""Users and the audit log in Django's admin, so that superusers can look things up.

Everything is read-only. Changes made here would bypass the services and so miss the audit log.
"""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import AuditEvent, User


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = [
        "email",
        "name",
        "is_rater",
        "is_admin",
        "is_researcher",
        "is_active",
        "last_login",
    ]
    list_filter = ["is_rater", "is_admin", "is_researcher", "is_active"]
    search_fields = ["email", "name"]
    exclude = ["password"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "by", "action", "target_type", "target_id"]
    list_filter = ["action", "target_type"]
    date_hierarchy = "at"
    list_select_related = ["by"]
