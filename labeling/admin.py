"""The labeling tables in Django's admin, for superusers: to look things up when the pages do not
do.

Nothing can be written here: what judgments, slots and leases mean is kept by the services, and a
row changed beside them would break a promise.
"""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from labeling.models import (
    Campaign,
    Draft,
    Guideline,
    GuidelineVersion,
    Import,
    Judgment,
    Pass,
    PastLease,
    Pool,
    Prompt,
    QueuePlace,
    Rater,
    Response,
    Slot,
    Source,
)


class LookUpAdmin(ReadOnlyAdmin):
    show_full_result_count = False  # counting a million slots takes longer than showing twenty


@admin.register(Campaign)
class CampaignAdmin(LookUpAdmin):
    list_display = ["name", "kind", "state", "pool", "overlap", "order", "created_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["pool"]
    search_fields = ["name"]


@admin.register(Slot)
class SlotAdmin(LookUpAdmin):
    list_display = [
        "pk",
        "campaign",
        "item_id",
        "number",
        "state",
        "rater",
        "leased_at",
        "expires_at",
        "queue_rank",
    ]
    list_filter = ["state", "campaign"]
    list_select_related = ["campaign", "rater"]
    search_fields = ["=item__pk", "=rater__alias"]


@admin.register(PastLease)
class PastLeaseAdmin(LookUpAdmin):
    list_display = ["lease", "campaign", "item_id", "rater", "leased_at", "ended_at", "end"]
    list_filter = ["end", "campaign"]
    list_select_related = ["campaign", "rater"]


@admin.register(QueuePlace)
class QueuePlaceAdmin(LookUpAdmin):
    list_display = ["campaign", "rater", "fresh_rank", "returned_rank", "swept_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign", "rater"]


@admin.register(Judgment)
class JudgmentAdmin(LookUpAdmin):
    list_display = [
        "pk",
        "kind",
        "campaign",
        "item_id",
        "rater",
        "is_extra",
        "active_s",
        "submitted_at",
    ]
    list_filter = ["kind", "is_extra", "campaign"]
    list_select_related = ["campaign", "rater"]
    search_fields = ["=pk", "=item__pk", "=rater__alias"]


@admin.register(Draft)
class DraftAdmin(LookUpAdmin):
    list_display = ["rater", "item_id", "version", "saved_at"]
    list_select_related = ["rater"]


@admin.register(Pass)
class PassAdmin(LookUpAdmin):
    list_display = ["item_id", "rater", "reason", "note", "created_at"]
    list_filter = ["reason"]
    list_select_related = ["rater"]


@admin.register(Prompt)
class PromptAdmin(LookUpAdmin):
    list_display = [
        "pk",
        "__str__",
        "source",
        "category",
        "language",
        "split",
        "licence",
        "retired_at",
    ]
    list_filter = ["category", "split", "language"]
    list_select_related = ["source"]
    search_fields = ["=pk", "=messages_sha256"]


@admin.register(Response)
class ResponseAdmin(LookUpAdmin):
    list_display = ["pk", "__str__", "prompt_id", "source", "number", "is_ended"]
    list_select_related = ["source"]
    search_fields = ["=pk", "=prompt__pk"]


@admin.register(Import)
class ImportAdmin(LookUpAdmin):
    list_display = ["file_name", "format", "source", "state", "created_at", "finished_at"]
    list_filter = ["state", "format"]
    list_select_related = ["source"]


@admin.register(GuidelineVersion)
class GuidelineVersionAdmin(LookUpAdmin):
    list_display = ["guideline", "number", "created_by", "created_at"]
    list_select_related = ["guideline", "created_by"]


@admin.register(Source)
class SourceAdmin(LookUpAdmin):
    list_display = ["name", "kind", "licence", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name"]


@admin.register(Pool)
class PoolAdmin(LookUpAdmin):
    list_display = ["name", "is_held_out", "created_at"]


@admin.register(Rater)
class RaterAdmin(LookUpAdmin):
    list_display = ["alias", "user", "origin", "created_at"]
    list_select_related = ["user"]
    search_fields = ["alias"]


admin.site.register(Guideline, LookUpAdmin)
