"""URLs of quality."""

from django.urls import path

from labeling.quality.pages import principles, summary
from labeling.quality.pages import views as pages_views

urlpatterns = [
    path("campaigns/<int:pk>/agreement/", pages_views.agreement, name="campaign_agreement"),
    path("campaigns/<int:pk>/agreement/part/", pages_views.part, name="campaign_agreement_part"),
    path("campaigns/<int:pk>/bias/", pages_views.bias, name="campaign_bias"),
    path("campaigns/<int:pk>/bias/<slug:row>/", pages_views.behind, name="campaign_bias_judgments"),
    path("campaigns/<int:pk>/principles/", principles.index, name="campaign_principles"),
    path("campaigns/<int:pk>/quality/", summary.index, name="campaign_quality"),
    path("campaigns/<int:pk>/quality", pages_views.compute, name="campaign_quality_compute"),
    path(
        "campaigns/<int:pk>/raters/<int:rater_pk>/",
        pages_views.campaign_rater,
        name="campaign_rater",
    ),
    path(
        "campaigns/<int:pk>/raters/<int:rater_pk>/<slug:row>/",
        pages_views.rater_behind,
        name="campaign_rater_judgments",
    ),
    path("quality/", pages_views.index, name="quality"),
    path("raters/<int:pk>/", pages_views.rater, name="rater"),
]
