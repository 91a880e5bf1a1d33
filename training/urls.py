"""Addresses of the training half. Who may open which is config.permissions."""

from django.urls import include, path

urlpatterns = [
    path("", include("training.runs.urls")),
    path("", include("training.nodes.urls")),
    path("", include("training.operations.urls")),
    path("", include("training.storage.urls")),
    path("", include("training.snapshots.urls")),
    path("", include("training.registry.urls")),
    path("", include("training.revisions.urls")),
    path("", include("training.benchmarks.urls")),
    path("", include("training.judges.urls")),
    path("", include("training.playground.urls")),
    path("", include("training.schedules.urls")),
    path("", include("training.lines.urls")),
    path("", include("training.train_on_campaign.urls")),
]
