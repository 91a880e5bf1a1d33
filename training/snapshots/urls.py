"""URLs of snapshots."""

from django.urls import path

from training.snapshots import views as snapshots_views

urlpatterns = [
    path("snapshots/", snapshots_views.index, name="snapshots"),
    path("snapshots/new/", snapshots_views.new, name="snapshot_new"),
    path("snapshots/<int:pk>/", snapshots_views.detail, name="snapshot"),
    path("snapshots/<int:pk>/rows/", snapshots_views.rows, name="snapshot_rows"),
    path("snapshots/<int:pk>/ledger/", snapshots_views.ledger, name="snapshot_ledger"),
]
