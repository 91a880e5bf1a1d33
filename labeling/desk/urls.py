"""URLs of the desk, of My work, and of raters' guidelines."""

from django.urls import path

from labeling.desk.views import (
    corrections,
    desk,
    drafts,
    finishing,
    guidance,
    guides,
    my_work,
    preview,
)

urlpatterns = [
    path("desk/", desk.desk, name="desk"),
    path("desk/<int:campaign_id>/next", desk.next_item, name="desk_next"),
    path("desk/item/<uuid:lease>/", desk.item, name="desk_item"),
    path("desk/item/<uuid:lease>/draft", drafts.draft, name="desk_draft"),
    path("desk/item/<uuid:lease>/heartbeat", drafts.heartbeat, name="desk_heartbeat"),
    path("desk/item/<uuid:lease>/progress", desk.progress, name="desk_progress"),
    path("desk/item/<uuid:lease>/submit", finishing.submit, name="desk_submit"),
    path("desk/item/<uuid:lease>/skip", finishing.skip, name="desk_skip"),
    path("desk/item/<uuid:lease>/ask", finishing.ask, name="desk_ask"),
    path("desk/item/<uuid:lease>/undo", corrections.undo, name="desk_undo"),
    path("desk/item/<uuid:lease>/correct", corrections.correct, name="desk_correct"),
    path("desk/item/<uuid:lease>/release", finishing.release, name="desk_release"),
    path("desk/item/<uuid:lease>/guideline", desk.guideline, name="desk_guideline"),
    path("desk/item/<uuid:lease>/diff", desk.diff, name="desk_diff"),
    path("desk/item/<uuid:lease>/preview", desk.preview, name="desk_preview"),
    path("my-work/", my_work.my_work, name="my_work"),
    path("my-work/reviews/<int:pk>/appeal", my_work.appeal, name="my_appeal"),
    path("help/<slug:name>/", guides.page, name="help"),
    path("my-guidelines/", guidance.index, name="my_guidelines"),
    path("guidelines/<int:pk>/", guidance.page, name="my_guideline"),
    path("guidelines/<int:pk>/read", guidance.read, name="my_guideline_read"),
    path("campaigns/<int:pk>/preview/", preview.preview, name="campaign_preview"),
    path(
        "campaigns/<int:pk>/preview/guideline", preview.guideline, name="campaign_preview_guideline"
    ),
    path("campaigns/<int:pk>/preview/diff", preview.diff, name="campaign_preview_diff"),
    path("campaigns/<int:pk>/preview/text", preview.text, name="campaign_preview_text"),
]
