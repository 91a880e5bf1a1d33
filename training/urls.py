"""URLs of runs, models and snapshots."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
