"""Addresses of the labeling half. Who may open which is config.permissions."""

from django.urls import include, path

urlpatterns = [
    path("", include("labeling.desk.urls")),
    path("", include("labeling.conversations.urls")),
    path("", include("labeling.campaigns.urls")),
    path("", include("labeling.data.urls")),
    path("", include("labeling.quality.urls")),
    # Before queue, whose queues/<name>/ would also match people's queues/onboarding/.
    path("", include("labeling.people.urls")),
    path("", include("labeling.queue.urls")),
    path("", include("labeling.review.urls")),
    path("", include("labeling.pay.urls")),
    path("", include("labeling.guidelines.urls")),
]
