"""URLs for the signed-in person."""

from django.urls import path

from accounts import audit_views, finding_views, notice_views, views, webhook_views

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("profile/tokens/new", views.token_new, name="token_new"),
    path("profile/tokens/<int:pk>/revoke", views.token_revoke, name="token_revoke"),
    path("search/", finding_views.search, name="search"),
    path("notices/", notice_views.index, name="notices"),
    path("notices/read", notice_views.read_all, name="notices_read"),
    path("notices/mail", notice_views.choose_mail, name="notices_mail"),
    path("notices/<int:pk>/open", notice_views.open_notice, name="notice_open"),
    path("audit/", audit_views.index, name="audit"),
    path("webhooks/", webhook_views.index, name="webhooks"),
    path("webhooks/new/", webhook_views.new, name="webhook_new"),
    path("webhooks/<int:pk>/", webhook_views.detail, name="webhook"),
    path("webhooks/<int:pk>/disable", webhook_views.disable, name="webhook_disable"),
    path("webhooks/<int:pk>/enable", webhook_views.enable, name="webhook_enable"),
    path("webhooks/<int:pk>/rotate", webhook_views.rotate, name="webhook_rotate"),
    path("webhooks/<int:pk>/end", webhook_views.end_secret, name="webhook_end_secret"),
    path("webhooks/<int:pk>/delete", webhook_views.delete, name="webhook_delete"),
    path("webhooks/messages/<int:pk>/again", webhook_views.redeliver, name="webhook_redeliver"),
    path("language/", views.set_language, name="set_language"),
]
