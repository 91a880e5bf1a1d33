"""URLs about the person who is signed in."""

from django.urls import path

from accounts import audit_views, notice_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("profile/tokens/new", views.token_new, name="token_new"),
    path("profile/tokens/<int:pk>/revoke", views.token_revoke, name="token_revoke"),
    path("notices/", notice_views.index, name="notices"),
    path("notices/read", notice_views.read_all, name="notices_read"),
    path("notices/mail", notice_views.choose_mail, name="notices_mail"),
    path("notices/<int:pk>/open", notice_views.open_notice, name="notice_open"),
    path("audit/", audit_views.index, name="audit"),
    path("language/", views.set_language, name="set_language"),
]
