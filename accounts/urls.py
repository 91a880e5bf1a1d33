"""URLs for the signed-in person."""

from django.urls import path

from accounts.audit import views as audit_views
from accounts.notices import views as notices_views
from accounts.people import views as people_views
from accounts.shell import search_views as search_views
from accounts.webhooks import views as webhooks_views

urlpatterns = [
    path("", people_views.home, name="home"),
    path("profile/", people_views.profile, name="profile"),
    path("profile/sessions/", people_views.sessions, name="sessions"),
    path("profile/sessions/<int:pk>/end", people_views.session_end, name="session_end"),
    path("profile/sessions/end", people_views.sessions_end_others, name="sessions_end_others"),
    path("profile/tokens/new", people_views.token_new, name="token_new"),
    path("profile/tokens/<int:pk>/revoke", people_views.token_revoke, name="token_revoke"),
    path("search/", search_views.search, name="search"),
    path("notices/", notices_views.index, name="notices"),
    path("notices/read", notices_views.read_all, name="notices_read"),
    path("notices/mail", notices_views.choose_mail, name="notices_mail"),
    path("notices/<int:pk>/open", notices_views.open_notice, name="notice_open"),
    path("audit/", audit_views.index, name="audit"),
    path("webhooks/", webhooks_views.index, name="webhooks"),
    path("webhooks/new/", webhooks_views.new, name="webhook_new"),
    path("webhooks/<int:pk>/", webhooks_views.detail, name="webhook"),
    path("webhooks/<int:pk>/disable", webhooks_views.disable, name="webhook_disable"),
    path("webhooks/<int:pk>/enable", webhooks_views.enable, name="webhook_enable"),
    path("webhooks/<int:pk>/rotate", webhooks_views.rotate, name="webhook_rotate"),
    path("webhooks/<int:pk>/end", webhooks_views.end_secret, name="webhook_end_secret"),
    path("webhooks/<int:pk>/delete", webhooks_views.delete, name="webhook_delete"),
    path("webhooks/messages/<int:pk>/again", webhooks_views.redeliver, name="webhook_redeliver"),
    path("tour/<slug:role>/end", people_views.tour_end, name="tour_end"),
    path("language/", people_views.set_language, name="set_language"),
]
