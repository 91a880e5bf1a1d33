"""URLs about the person who is signed in."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("profile/tokens/new", views.token_new, name="token_new"),
    path("profile/tokens/<int:pk>/revoke", views.token_revoke, name="token_revoke"),
    path("language/", views.set_language, name="set_language"),
]
