"""URLs of conversations. Those of a turn are named as the desk's of an item: the same page sends to
both.
"""

from django.urls import include, path

from labeling.conversations import views
from labeling.conversations.records import views as records_views

urlpatterns = [
    path("", include("labeling.conversations.red_teaming.urls")),
    path("desk/conversations/<uuid:lease>/", views.conversation, name="conversation"),
    path("desk/conversations/<uuid:lease>/start", views.start, name="conversation_start"),
    path("desk/conversations/<uuid:lease>/write", views.write, name="conversation_write"),
    path("desk/conversations/<uuid:lease>/answers", views.answers, name="conversation_answers"),
    path("desk/conversations/<uuid:lease>/finish", views.finish, name="conversation_finish"),
    path("campaigns/<int:pk>/conversations/", records_views.index, name="campaign_conversations"),
    path(
        "campaigns/<int:pk>/conversations/<int:conversation_pk>/",
        records_views.detail,
        name="campaign_conversation",
    ),
    path("desk/turns/<uuid:lease>/", views.turn, name="turn"),
    path("desk/turns/<uuid:lease>/submit", views.submit, name="turn_submit"),
    path("desk/turns/<uuid:lease>/regenerate", views.regenerate, name="turn_regenerate"),
    path("desk/turns/<uuid:lease>/draft", views.draft, name="turn_draft"),
    path("desk/turns/<uuid:lease>/heartbeat", views.heartbeat, name="turn_heartbeat"),
    path("desk/turns/<uuid:lease>/skip", views.skip, name="turn_skip"),
    path("desk/turns/<uuid:lease>/release", views.release, name="turn_release"),
    path("desk/turns/<uuid:lease>/ask", views.ask, name="turn_ask"),
    path("desk/turns/<uuid:lease>/guideline", views.guideline, name="turn_guideline"),
    path("desk/turns/<uuid:lease>/progress", views.progress, name="turn_progress"),
    path("desk/turns/<uuid:lease>/diff", views.diff, name="turn_diff"),
]
