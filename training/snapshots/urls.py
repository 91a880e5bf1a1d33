"""URLs of snapshots."""

from django.urls import path

from training.snapshots import views as snapshots_views
from training.snapshots.curation import views as curation_views

urlpatterns = [
    path("snapshots/", snapshots_views.index, name="snapshots"),
    path("snapshots/new/", snapshots_views.new, name="snapshot_new"),
    path("snapshots/<int:pk>/", snapshots_views.detail, name="snapshot"),
    path("snapshots/<int:pk>/rows/", snapshots_views.rows, name="snapshot_rows"),
    path("snapshots/<int:pk>/ledger/", snapshots_views.ledger, name="snapshot_ledger"),
    path(
        "snapshots/<int:pk>/ledger/restore/",
        curation_views.restore_of_snapshot,
        name="snapshot_restore",
    ),
    path("curations/<int:pk>/", curation_views.detail, name="curation"),
    path("curations/<int:pk>/snapshot/", curation_views.snapshot, name="curation_snapshot"),
    path("curations/<int:pk>/update/", curation_views.update, name="curation_update"),
    path("curations/<int:pk>/discard/", curation_views.discard, name="curation_discard"),
    path(
        "curations/<int:pk>/restore/", curation_views.restore_of_curation, name="curation_restore"
    ),
    path("curations/<int:pk>/rate/", curation_views.rate, name="curation_rate"),
    path("recipes/<slug:name>/", curation_views.recipe, name="curation_recipe"),
    path("recipes/<slug:name>/undo/", curation_views.undo, name="curation_recipe_undo"),
]
