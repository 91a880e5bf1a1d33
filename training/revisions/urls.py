"""Addresses of revisions."""

from django.urls import path

from training.revisions import views

urlpatterns = [path("runs/<int:pk>/revisions/", views.ask, name="run_revisions_raters")]
