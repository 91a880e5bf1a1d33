"""URLs of red teaming."""

from django.urls import path

from labeling.conversations.red_teaming import views

urlpatterns = [
    path("campaigns/new/red-teaming/", views.new, name="red_teaming_new"),
    path("red-teaming/", views.overview, name="red_teaming"),
    path("desk/conversations/<uuid:lease>/end-attack/", views.end, name="attack_end"),
]
