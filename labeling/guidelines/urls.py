"""URLs of guidelines."""

from django.urls import path

from labeling.guidelines import views as guidelines_views

urlpatterns = [
    path("guidelines/", guidelines_views.index, name="guidelines_manage"),
    path("guidelines/new/", guidelines_views.new, name="guideline_new"),
    path("guidelines/<int:pk>/versions/", guidelines_views.history, name="guideline_history"),
    path("guidelines/<int:pk>/edit/", guidelines_views.edit, name="guideline_edit"),
]
