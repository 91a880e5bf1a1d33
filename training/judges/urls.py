"""URLs of a campaign's judges."""

from django.urls import path

from training.judges import views

urlpatterns = [
    path("campaigns/<int:pk>/judges/", views.index, name="campaign_judges"),
    path("campaigns/<int:pk>/judges/new/", views.new, name="campaign_judge_new"),
    path(
        "campaigns/<int:pk>/judges/<int:judge_pk>/start",
        views.start,
        name="campaign_judge_start",
    ),
    path("campaigns/<int:pk>/judges/<int:judge_pk>/stop", views.stop, name="campaign_judge_stop"),
    path(
        "campaigns/<int:pk>/judges/<int:judge_pk>/trust",
        views.trust_in,
        name="campaign_judge_trust",
    ),
    path(
        "campaigns/<int:pk>/judges/<int:judge_pk>/trust/switch",
        views.switch,
        name="campaign_judge_switch",
    ),
    path(
        "campaigns/<int:pk>/judges/<int:judge_pk>/sparing",
        views.spare,
        name="campaign_judge_sparing",
    ),
]
