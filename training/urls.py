"""Addresses of the training half. Who may open which is config.permissions."""

from django.urls import path

from training.views import models, runs, snapshots

urlpatterns = [
    path("runs/", runs.index, name="runs"),
    path("runs/new/<slug:kind>/", runs.new, name="run_new"),
    path("runs/<int:pk>/", runs.detail, name="run"),
    path("runs/<int:pk>/live", runs.fragment, name="run_fragment"),
    path("runs/<int:pk>/stop", runs.stop, name="run_stop"),
    path("runs/<int:pk>/retry", runs.retry, name="run_retry"),
    path("snapshots/", snapshots.index, name="snapshots"),
    path("snapshots/new/", snapshots.new, name="snapshot_new"),
    path("snapshots/<int:pk>/", snapshots.detail, name="snapshot"),
    path("models/", models.index, name="models"),
    path("models/new/", models.new, name="model_new"),
    path("models/<int:pk>/", models.detail, name="model"),
]
